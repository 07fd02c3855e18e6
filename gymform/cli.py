"""The terminal: ``gymform analyze | app | import | extract | train | export | ...``, which in a
checkout is ``python -m gymform ...``.

Results go to standard output, everything else (progress, problems) to standard error. Slow imports
are inside the commands, so that ``--help`` and usage errors appear at once.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import importlib
import json
import math
import os
import socket
import sys
import tempfile
import textwrap
import traceback
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gymform import __version__, limits
from gymform.bar.mark import check_numbers
from gymform.errors import GymformError, OptionsError, WeightsError
from gymform.installation import app_script, child_environment, program
from gymform.sniff import VIDEO_SUFFIXES
from gymform.storage import check_writable, disk_problem
from gymform.text import file_stem, shortened

if TYPE_CHECKING:
    from gymform.analysis import Analysis, Options
    from gymform.types import FormReport, Prediction, Table

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
"""Exit codes; 130 is what shells report for Ctrl-C."""

LOCAL, EVERYBODY = "127.0.0.1", "0.0.0.0"
"""Where the app listens: for this computer alone, or for its whole network."""

FIRST_PORT = 8501

BYTES = "bytes"
"""The one stage that counts bytes: a download."""

_COMMANDS = {
    "train-exercise": (
        "gymform.training.exercise.release",
        "train the shipped exercise classifier",
    ),
    "train-pose": ("gymform.training.pose.command", "train a pose network"),
    "train": ("gymform.training.exercise.commands:TRAIN", "train a classifier on a data set"),
    "evaluate": (
        "gymform.training.exercise.commands:EVALUATE",
        "compare trainings, or evaluate a model",
    ),
    "deploy": (
        "gymform.training.exercise.commands:DEPLOY",
        "take a trained classifier into use",
    ),
    "import": ("gymform.dataset.commands:IMPORT", "copy clips into a data set"),
    "extract": ("gymform.dataset.commands:EXTRACT", "extract the keypoints of a data set's clips"),
    "groups": ("gymform.dataset.groups_command", "say which clips show the same person"),
    "review": ("gymform.dataset.review_command", "accept, reject or list many repetitions"),
    "access": ("gymform.service.access_command", "passwords for roles: who may do what"),
    "data": ("gymform.service.data_command", "list and delete what is kept of clips"),
    "annotations": (
        "gymform.dataset.annotations_command",
        "keypoints to and from other tools, as COCO JSON",
    ),
    "card": ("gymform.dataset.annotations_command:CARD", "what a data set holds, for people"),
    "export": ("gymform.dataset.commands:EXPORT", "write what was accepted to files"),
}
"""Commands defined elsewhere: ``add_arguments`` and ``run`` of a module or, after a colon, of that
name in the module; and a description."""

MOST_NAMED = 5
"""Classes that the line about a clip names, the likeliest first."""

_SUFFIX_BYTES = 24
"""Room after a clip's name for what is added to it: ``-123`` and ``.annotated.mp4``."""

_SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t"}

_EPILOG = """\
exit codes: 0 every clip was analysed ("unknown" is a result too); 1 something failed; 2 the command
was not understood; 130 interrupted
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _run(arguments)
        if sys.stdout is not None:  # None: it was closed when the program started
            sys.stdout.flush()  # here, where BrokenPipeError is caught
        return code
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): keep Python from flushing again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        print("gymform: interrupted", file=sys.stderr)
        return INTERRUPTED
    except GymformError as error:
        print(f"gymform: {error}", file=sys.stderr)
        return FAILED
    except OSError as error:  # wherever nothing else has said it
        print(f"gymform: {disk_problem(error)}", file=sys.stderr)
        return FAILED


def _run(arguments: list[str]) -> int:
    if arguments and arguments[0] in _COMMANDS:
        return _run_elsewhere(arguments[0], arguments[1:])
    options = _parser().parse_args(arguments)
    return int(options.run(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=program(),
        description="Find the lifter's skeleton in videos and say which exercise it is.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"gymform {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_analyze(commands)
    _add_app(commands)
    _add_weights(commands)
    for name, (_, text) in _COMMANDS.items():
        commands.add_parser(name, help=text)
    return parser


# --- analyze ------------------------------------------------------------------------------------


def _add_analyze(commands: Any) -> None:
    parser = commands.add_parser(
        "analyze",
        help="skeleton, trajectories and exercise of one or more clips",
        description="Write the annotated video, the keypoints (.npz, .csv) and the results (.json) "
        "of every clip to a folder, and print the exercises.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "clips", nargs="+", type=Path, metavar="CLIP", help="video files, or folders of them"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("out"), metavar="DIR", help="folder for results (out)"
    )
    parser.add_argument("--pose-model", metavar="NAME", help="one of `weights list`")
    parser.add_argument(
        "--flip-test",
        action="store_true",
        help="average over mirrored frames: a little more accurate, twice the time",
    )
    parser.add_argument(
        "--exact",
        action="store_true",
        help="leave out all that saves time: it takes several times as long",
    )
    parser.add_argument(
        "--box",
        type=_box,
        metavar="X,Y,W,H",
        help="follow the person in this box: px of the upright frame, from the upper left corner",
    )
    parser.add_argument(
        "--at",
        type=_not_negative,
        default=0.0,
        metavar="S",
        help="time of the box in the clip, s (0)",
    )
    parser.add_argument(
        "--max-fps", type=_positive, metavar="F", help="skip frames above this rate"
    )
    parser.add_argument(
        "--slow-motion", metavar="N",
        type=partial(_between, limits.MIN_SLOW_MOTION, limits.MAX_SLOW_MOTION),
        help="the clip plays N times slower than life; times and speeds are those of life",
    )  # fmt: skip
    _add_bar(parser)
    _add_outputs(parser)
    parser.add_argument(
        "--debug", action="store_true", help="show where an unexpected problem arose"
    )
    parser.set_defaults(run=_analyze)


def _add_bar(parser: argparse.ArgumentParser) -> None:
    """What `analyze` is told of the bar."""
    parser.add_argument(
        "--plate", type=_plate, metavar="X,Y,R@T",
        help="follow the bar's plate that is here in second T: its centre and half its "
        "height, px (--plate=-5,... for a centre left of the picture)",
    )  # fmt: skip
    parser.add_argument(
        "--plate-mm", metavar="MM",
        type=partial(_between, limits.MIN_PLATE_MM, limits.MAX_PLATE_MM),
        help="the plate's diameter, mm (450, where it looks like that)",
    )  # fmt: skip
    parser.add_argument(
        "--height", metavar="CM",
        type=partial(_between, limits.MIN_HEIGHT_CM, limits.MAX_HEIGHT_CM),
        help="how tall the lifter is, cm: no metres of the bar where the plate contradicts it",
    )  # fmt: skip


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    """What `analyze` writes and prints, and how."""
    parser.add_argument(
        "--separator", choices=_SEPARATORS, default="comma", help="between cells of the CSV (comma)"
    )
    parser.add_argument(
        "--decimal-comma", action="store_true", help="write 1,5 and not 1.5 into the CSV"
    )
    parser.add_argument(
        "--report",
        action="store_true",
        help="also write a report of one HTML file, with the clip inside, to keep or to print",
    )
    parser.add_argument(
        "--json", action="store_true", help="print only one JSON object per clip, each on a line"
    )


def _box(text: str) -> tuple[float, float, float, float]:
    """(x, y, w, h) from ``x,y,w,h``."""
    try:
        x, y, width, height = map(float, text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected four numbers x,y,w,h in px, got {text!r}"
        ) from None
    if not all(map(math.isfinite, (x, y, width, height))) or min(width, height) <= 0:
        raise argparse.ArgumentTypeError(f"expected width and height above 0, got {text!r}")
    return x, y, width, height


def _plate(text: str) -> tuple[float, float, float, float]:
    """(t, x, y, r) from ``x,y,r@t``."""
    try:
        place, _, moment = text.partition("@")
        x, y, radius = map(float, place.split(","))
        second = float(moment)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected three numbers in px and a second, x,y,r@t, got {text!r}"
        ) from None
    try:
        check_numbers((second, x, y, radius))
    except OptionsError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return second, x, y, radius


def _between(least: float, most: float, text: str) -> float:
    """A number from ``least`` to ``most``."""
    number = _positive(text)
    if not least <= number <= most:
        raise argparse.ArgumentTypeError(f"expected {least:g} to {most:g}, got {text}")
    return number


def _positive(text: str) -> float:
    return _number(text, math.ulp(0.0), "a number above 0")


def _not_negative(text: str) -> float:
    return _number(text, 0.0, "a number of 0 or more")


def _number(text: str, least: float, expected: str) -> float:
    with contextlib.suppress(ValueError):
        value = float(text)
        if math.isfinite(value) and value >= least:
            return value
    raise argparse.ArgumentTypeError(f"expected {expected}, got {text!r}")


def _analyze(options: argparse.Namespace) -> int:
    """Analyse every clip; when one fails, the others are still analysed."""
    try:
        check_writable(options.out)
    except OSError as error:
        print(f"gymform: --out {options.out}: {error.strerror}", file=sys.stderr)
        return USAGE
    failed = 0
    try:
        table, clips = _table(options), clips_in(options.clips)
    except GymformError as error:
        print(f"gymform: {error}", file=sys.stderr)
        return USAGE
    stems = unique_stems(clips)
    for number, (clip, stem) in enumerate(zip(clips, stems, strict=True), 1):
        name = shortened(shown_name(clip))
        title = name if len(stems) == 1 else f"{number}/{len(stems)} {name}"
        try:
            record = _analyze_one(clip, stem, title, options, table)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other clips come next
            failed += 1
            if options.debug and not isinstance(error, GymformError):
                traceback.print_exc()
            text = _explain(error)
            print(f"{name}: {text}", file=sys.stderr)
            record = {"file": str(clip), "error": {"kind": type(error).__name__, "text": text}}
        if options.json:
            print(json.dumps(record), flush=True)
    return FAILED if failed else OK


def shown_name(clip: Path) -> str:
    """The file's name without characters that could control a terminal."""
    return "".join(char if char.isprintable() else "?" for char in clip.name)


def unique_stems(clips: Sequence[Path]) -> list[str]:
    """A name for each clip's results: the clip's without suffix, numbered when already used."""
    taken: set[str] = set()
    stems = []
    for clip in clips:
        first = stem = file_stem(clip.stem, _SUFFIX_BYTES)
        number = 2
        while stem.lower() in taken:  # some file systems ignore case
            stem, number = f"{first}-{number}", number + 1
        taken.add(stem.lower())
        stems.append(stem)
    return stems


def _table(options: argparse.Namespace) -> Table:
    """How the CSV is written. Raises OptionsError for choices that contradict each other."""
    from gymform.types import Table

    return Table(_SEPARATORS[options.separator], "," if options.decimal_comma else ".")


def clips_in(paths: Sequence[Path]) -> list[Path]:
    """``paths`` with each folder replaced by the films in it, by name.

    Raises OptionsError for a folder without any.
    """
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        films = sorted(
            one for one in path.iterdir()
            if one.suffix.lower() in VIDEO_SUFFIXES and one.name[0] != "."
        )  # fmt: skip
        if not films:
            endings = ", ".join(VIDEO_SUFFIXES)
            raise OptionsError(f"{path.name}: expected clips in this folder ({endings}), got none.")
        found += films
    return found


def _analyze_one(
    clip: Path, stem: str, title: str, options: argparse.Namespace, table: Table
) -> dict[str, Any]:
    """Analyse and save one clip, and print its summary; the record for ``--json``."""
    from gymform import analysis, analysis_io

    with _bars(title) as progress:
        result = analysis.analyze(clip, _options(options), name=shown_name(clip), progress=progress)
        files = analysis_io.save(
            result, clip, options.out, stem=stem, progress=progress, table=table
        )
        if options.report:
            _write_report(result, clip, options.out, stem)
    if not options.json:
        print(_summary(shortened(shown_name(clip)), result, options.out), flush=True)
    results = {field.name: str(getattr(files, field.name)) for field in dataclasses.fields(files)}
    return {"file": str(clip), **analysis_io.as_dict(result), "results": results}


def _write_report(result: Analysis, clip: Path, out: Path, stem: str) -> None:
    """Write the report beside the other files; its film is made for browsers, and only for it."""
    from gymform.analysis_report import SUFFIX, write_report
    from gymform.service.analysis_worker import PROXY, PROXY_SIDE
    from gymform.video.write import transcode

    with tempfile.TemporaryDirectory(dir=out, prefix=".") as folder:
        film = Path(folder) / PROXY
        transcode(clip, film, max_side=PROXY_SIDE, turn=result.pose.provenance.turn)
        target = out / f"{file_stem(stem, len(SUFFIX))}{SUFFIX}"
        write_report(result, film, target, name=shown_name(clip))


def _options(options: argparse.Namespace) -> Options:
    """The options of the analysis from those of the command."""
    from gymform.analysis import Options, Target

    target = Target(options.at, options.box, None) if options.box else None
    return Options(
        pose_model=options.pose_model,
        flip_test=options.flip_test,
        exact=options.exact,
        target=target,
        max_fps=options.max_fps,
        slow_motion=options.slow_motion,
        plate=options.plate,
        plate_mm=options.plate_mm,
        height_cm=options.height,
    )


def _bar(result: Analysis) -> list[str]:
    """What the bar did in each repetition, and what is not sure about it."""
    from gymform.form.bar import BAR_SPEED, NOT_MEASURED
    from gymform.form.cues import shown

    if result.bar is None:
        return []
    lines = list(result.bar.reasons)
    lines += [note for note in result.form.notes if note.startswith(NOT_MEASURED)]
    for number, rep in enumerate(result.form.repetitions, 1):
        said = [f"{m.title[0].lower()}{m.title[1:]} {shown(m)}" for m in rep.measures
                if m.key in ("bar_rise", BAR_SPEED, "bar_peak")]  # fmt: skip
        lines += [f"repetition {number}: {', '.join(said)}"] if said else []
    return lines


def _pulls(form: FormReport) -> list[str]:
    """The phases of the pull of each repetition: seconds, and the bar's peak speed."""
    from gymform.form.cues import shown
    from gymform.form.pulls import PHASES

    lines = []
    for number, rep in enumerate(form.repetitions, 1):
        said = []
        for key, title in PHASES:
            seconds, peak = rep.value(f"{key}_s"), rep.value(f"{key}_peak")
            fastest = f" ({shown(peak)})" if peak else ""
            said += [f"{title.lower()} {shown(seconds)}{fastest}"] if seconds else []
        lines += [f"repetition {number}: {', '.join(said)}"] if said else []
    return lines


def _set(result: Analysis) -> list[str]:
    """How the set slows down, and which repetitions do not count."""
    from gymform.form.set_speed import in_words, not_counted

    found = result.form.set_speed
    return [] if found is None else [line for line in (in_words(found), not_counted(found)) if line]


def _explain(error: Exception) -> str:
    """What to tell the user about a failed clip, without paths and tracebacks."""
    if isinstance(error, GymformError):
        return str(error)
    if isinstance(error, OSError):
        return f"cannot be read or written: {error.strerror or type(error).__name__}"
    if isinstance(error, MemoryError):
        return "not enough memory: try a shorter or smaller clip"
    return f"unexpected problem ({type(error).__name__}); --debug shows where"


def _summary(name: str, result: Analysis, out: Path) -> str:
    """The result for people: the exercise, and below it, indented, remarks and form."""
    from gymform.exercises import name_of
    from gymform.movement_patterns import partial_answer

    partial = partial_answer(result.prediction)
    label = partial.title if partial else name_of(result.prediction.label)
    lines = [f"{name}: {label}  ({_ranking(result.prediction)})"]
    remarks = (result.prediction.reason, *result.clip.problems, *result.quality.notes)
    lines += [f"  variant: {result.form.variant.lower()}"] if result.form.variant else []
    lines += [f"  {remark}" for remark in remarks if remark]
    lines += [f"  bar: {line}" for line in _bar(result)]
    lines += [f"  pull: {line}" for line in _pulls(result.form)]
    lines += [f"  set: {line}" for line in _set(result)]
    shown = (cue for cue in result.form.cues if cue.verdict != "close")
    lines += [f"  form, {cue.at_s:.1f} s: {cue.title}. {cue.text}" for cue in shown]
    lines.append(f"  frames: {result.looked_at}")
    lines.append(f"  results in {out}")
    return "\n".join(lines)


def _ranking(prediction: Prediction) -> str:
    """The likeliest classes by falling probability: ``squat 93%, deadlift 4%``."""
    from gymform.exercises import name_of
    from gymform.types import percent

    pairs = sorted(zip(prediction.probabilities, prediction.classes, strict=True), reverse=True)
    return ", ".join(f"{name_of(name)} {percent(share)}" for share, name in pairs[:MOST_NAMED])


@contextlib.contextmanager
def _bars(title: str) -> Iterator[Any]:
    """A progress callback that shows a bar per stage on standard error, if that is a terminal."""
    from tqdm import tqdm

    bar: tqdm | None = None
    shown = ""

    def progress(stage: str, done: int, total: int) -> None:
        nonlocal bar, shown
        if stage != shown:
            if bar is not None:
                bar.close()
            shown = stage
            # disable=None: no bars where standard error is a file or a pipe
            bar = tqdm(
                desc=f"{title}: {stage}",
                total=total,
                unit="B" if stage == BYTES else "",
                unit_scale=stage == BYTES,
                leave=False,
                disable=None,
            )
        if bar is not None:
            bar.total = total
            bar.update(done - bar.n)

    try:
        yield progress
    finally:
        if bar is not None:
            bar.close()


# --- app ----------------------------------------------------------------------------------------


def _add_app(commands: Any) -> None:
    parser = commands.add_parser(
        "app", help="the pages, in the browser", description="Serve the pages to browsers."
    )
    parser.add_argument(
        "--port", type=_port, metavar="N", help="where to listen (8501, or the next free one)"
    )
    parser.add_argument(
        "--host",
        type=_host,
        metavar="ADDRESS",
        help="who can reach it: 127.0.0.1 this computer alone (the default without --https), "
        "0.0.0.0 everybody on the network, who can then analyse clips here; more takes a "
        "password: see `access`",
    )
    parser.add_argument(
        "--https",
        action="store_true",
        help="serve phones in the same network, over https, which their cameras need; with a "
        "certificate that is made at the first start",
    )
    parser.add_argument("--no-browser", action="store_true", help="open no browser")
    parser.set_defaults(run=_app)


def _port(text: str) -> int:
    port = _number(text, 1, "a port from 1 to 65535")
    if not port.is_integer() or port > 65535:
        raise argparse.ArgumentTypeError(f"expected a port from 1 to 65535, got {text!r}")
    return int(port)


def _host(text: str) -> str:
    """``text`` if it is an address of this machine, at which one can listen."""
    with contextlib.suppress(OSError, UnicodeError):
        family, kind, *_, address = socket.getaddrinfo(text or "?", 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.bind(address)
        return text
    raise argparse.ArgumentTypeError(
        f"expected an address of this machine, such as 127.0.0.1 or 0.0.0.0, got {text!r}"
    )


def _app(options: argparse.Namespace) -> int:
    """Become Streamlit, so that signals reach it and its exit code is ours.

    Its other options stand in ``.streamlit/config.toml`` beside the script, where it looks for them
    whatever the folder it is started in.
    """
    command = [sys.executable, "-m", "streamlit", "run", str(app_script())]
    command.append(f"--server.address={options.host or (EVERYBODY if options.https else LOCAL)}")
    port = options.port
    if options.https:
        port = port or _free_port()
        command += _https(port)
    if port:
        command.append(f"--server.port={port}")
    if options.no_browser:
        command.append("--server.headless=true")
    os.execve(sys.executable, command, child_environment())


def _https(port: int) -> list[str]:
    """Streamlit's options for https; the address for phones is said on standard error."""
    from gymform.service.https import local_certificate
    from gymform.service.phone import TRUST, address_for_phones, in_terminal

    certificate = local_certificate()
    if address := address_for_phones(port, secure=True):
        print(f"{in_terminal(address)}\n  For phones: {address}\n", file=sys.stderr)
    print("\n".join(textwrap.wrap(TRUST, 78)), file=sys.stderr)
    return [
        f"--server.sslCertFile={certificate.chain}",
        f"--server.sslKeyFile={certificate.key}",
    ]


def _free_port() -> int:
    """The first port from 8501 on at which nothing listens; Streamlit's own choice comes too late
    for the code that phones read."""
    for port in range(FIRST_PORT, FIRST_PORT + 100):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("", port))
            return port
    return FIRST_PORT


# --- weights ------------------------------------------------------------------------------------


def _add_weights(commands: Any) -> None:
    parser = commands.add_parser(
        "weights", help="list, fetch, verify and convert models", description="Manage models."
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    actions.add_parser("list", help="models that can be chosen or fetched").set_defaults(
        run=_weights_list
    )
    fetch = actions.add_parser("fetch", help="get an official ViTPose from the Hugging Face hub")
    fetch.add_argument("name", metavar="NAME", help="one of `weights list`")
    fetch.set_defaults(run=_weights_fetch)
    actions.add_parser(
        "verify", help="compare every file's sha256 with the manifest's"
    ).set_defaults(run=_weights_verify)
    convert = actions.add_parser(
        "convert",
        help="convert a ViTPose checkpoint of any known layout (.pth, .safetensors)",
        description="Convert a ViTPose checkpoint of any known layout. Of a network with more "
        "keypoints than COCO's 17 the first 17 are kept, as Halpe and COCO-WholeBody have them.",
    )
    convert.add_argument("file", type=Path, metavar="FILE")
    convert.add_argument("--name", help="name of the model (default: the file's)")
    convert.add_argument(
        "--heads", type=int, metavar="N", help="attention heads, where the file does not say"
    )
    convert.set_defaults(run=_weights_convert)


def _weights_list(options: argparse.Namespace) -> int:
    from gymform.pose import checkpoints
    from gymform.weights import manifest_entry

    defaults = set()
    for kind in ("pose", "exercise"):
        with contextlib.suppress(WeightsError):  # a manifest may name none
            defaults.add(manifest_entry(None, kind).name)
    for entry in checkpoints.list_weights():
        default = entry.name in defaults
        notes = ["default"] * default + ["embedded" if entry.embedded else "added"]
        print(
            f"{entry.name:<28} {entry.kind:<9} {entry.bytes / 1e6:7.1f} MB  "
            f"{', '.join(notes)}; {entry.licence}"
        )
    for name in checkpoints.fetchable():
        print(f"{name:<28} pose                 not here: weights fetch {name}")
    _list_engines()
    return OK


def _list_engines() -> None:
    """What computes pose models here: the fastest first, as far as they were measured."""
    from gymform.pose.engine.choice import ENGINES, available_engines, measured

    times = measured() or {}
    for name in sorted(available_engines(), key=lambda name: times.get(name, math.inf)):
        ms = f"{times[name]:7.1f} ms a crop on one core" if name in times else "not measured here"
        print(f"{name:<28} engine    {ms}; {ENGINES[name]}")


def _weights_fetch(options: argparse.Namespace) -> int:
    from gymform.pose import checkpoints

    with _bars(options.name) as progress:
        entry = checkpoints.fetch(options.name, lambda done, total: progress(BYTES, done, total))
    print(f"{entry.name}: sha256 {entry.sha256}; choose it with --pose-model {entry.name}")
    return OK


def _weights_verify(options: argparse.Namespace) -> int:
    from gymform.pose import checkpoints

    results = checkpoints.verify()
    for entry, problem in results:
        print(f"{entry.name}: {problem or 'as the manifest says'}")
    return FAILED if any(problem for _, problem in results) else OK


def _weights_convert(options: argparse.Namespace) -> int:
    from gymform.pose import checkpoints

    entry = checkpoints.convert(options.file, options.name, options.heads, tell=print)
    print(f"{entry.name}: sha256 {entry.sha256}; choose it with --pose-model {entry.name}")
    return OK


# --- commands defined elsewhere ----------------------------------------------------------------


def _run_elsewhere(command: str, arguments: list[str]) -> int:
    """Run a command that is defined in another module."""
    module, _, name = _COMMANDS[command][0].partition(":")
    owner = importlib.import_module(module)
    if name:
        owner = getattr(owner, name)
    own_program = f"{program()} {command}"
    parser = argparse.ArgumentParser(prog=own_program, description=_COMMANDS[command][1])
    owner.add_arguments(parser)
    return int(owner.run(parser.parse_args(arguments)) or OK)
