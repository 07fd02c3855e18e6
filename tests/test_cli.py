"""The terminal: options, exit codes, what goes to which stream. The analysis itself is a fake."""

import dataclasses
import importlib
import io
import json
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

import gymform
from gymform import cli
from gymform.errors import NoPersonError, WeightsError
from gymform.pose import checkpoints
from gymform.types import Measure, Prediction, RepForm
from gymform.weights import ModelEntry
from tests import fakes

PROJECT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Target:
    time_s: float
    box: tuple[float, float, float, float] | None
    point: tuple[float, float] | None


@dataclass(frozen=True)
class Options:
    pose_model: str | None = None
    flip_test: bool = False
    exact: bool = False
    target: Target | None = None
    max_fps: float | None = None
    slow_motion: float | None = None
    plate: tuple[float, float, float, float] | None = None
    plate_mm: float | None = None
    height_cm: float | None = None


@dataclass(frozen=True)
class Artifacts:
    overlay: Path
    poses: Path
    csv: Path
    json: Path


class FakeAnalysis(ModuleType):
    """Stands in for gymform.analysis and gymform.analysis_io; a clip's name says what happens."""

    Options, Target = Options, Target

    def __init__(self) -> None:
        super().__init__("gymform.analysis")
        self.calls: list[tuple[str, Options]] = []

    def analyze(self, path, options, *, name, progress):
        self.calls.append((name, options))
        for done in range(3):
            progress("pose", done, 2)
        if "nobody" in name:
            raise NoPersonError("Nobody was found in the clip. Choose the person by a box.")
        if "broken" in name:
            raise PermissionError(13, "Permission denied", str(path))
        if "bug" in name:
            raise ZeroDivisionError("/home/somebody/secret")
        if "stop" in name:
            raise KeyboardInterrupt
        return SimpleNamespace(
            prediction=fakes.make_prediction("deadlift", 0.91),
            clip=fakes.make_clip(name=name, problems=("The last 3 frames are damaged.",)),
            quality=fakes.make_quality(),
            form=fakes.make_form("deadlift"),
            bar=None,
            seconds={"network": 1.5},
            looked_at="looked at 9 of 20, 8 are interpolated",
        )

    def as_dict(self, answer):
        return {"prediction": {"label": answer.prediction.label}}

    def save(self, answer, source, folder, *, stem, progress, table):
        progress("draw", 1, 1)
        files = {
            "overlay": f"{stem}.mp4",
            "poses": f"{stem}.npz",
            "csv": f"{stem}.csv",
            "json": f"{stem}.json",
        }
        for name in files.values():
            (folder / name).write_text(source.name)
        return Artifacts(**{field: folder / name for field, name in files.items()})


@pytest.fixture
def analysis(monkeypatch) -> FakeAnalysis:
    fake = FakeAnalysis()
    for name in ("analysis", "analysis_io"):
        monkeypatch.setitem(sys.modules, f"gymform.{name}", fake)
        monkeypatch.setattr(gymform, name, fake, raising=False)
    return fake


@pytest.mark.parametrize("fake", [Options, Target, Artifacts])
def test_the_fake_has_the_fields_of_the_real_one(fake):
    real = getattr(importlib.import_module("gymform.analysis_io"), fake.__name__)
    assert [f.name for f in dataclasses.fields(fake)] == [f.name for f in dataclasses.fields(real)]


@pytest.fixture
def out(tmp_path) -> Path:
    return tmp_path / "out"


def analyze(out: Path, *arguments: str) -> int:
    return cli.main(["analyze", *arguments, "--out", str(out)])


def test_answer_goes_to_stdout_and_results_to_the_folder(analysis, out, capsys):
    assert analyze(out, "films/a.mp4") == cli.OK
    printed = capsys.readouterr()
    first, *rest = printed.out.splitlines()
    assert first.startswith("a.mp4: deadlift  (deadlift 91%, ")
    assert any("The last 3 frames are damaged." in line for line in rest)
    assert "  form, 1.5 s: Above parallel. The thighs point 20° above level." in rest
    assert "  frames: looked at 9 of 20, 8 are interpolated" in rest
    assert printed.err == ""
    assert sorted(file.name for file in out.iterdir()) == ["a.csv", "a.json", "a.mp4", "a.npz"]


def test_how_a_set_slows_down_is_printed(analysis, out, monkeypatch, capsys):
    form = fakes.make_form(set_speed=fakes.make_set_speed())
    monkeypatch.setattr(fakes, "make_form", lambda *_: form)
    assert analyze(out, "squat.mp4") == cli.OK
    assert "  set: Slower by 30 % in the last repetition" in capsys.readouterr().out


def test_the_phases_of_a_pull_are_printed_in_one_line(analysis, out, monkeypatch, capsys):
    found = (
        Measure("first_pull_s", "First pull", 0.56, "s", 1.0),
        Measure("first_pull_peak", "First pull, peak speed", 1.4, "m/s", 1.5),
        Measure("transition_s", "Transition", 0.1, "s", 1.6),
    )
    form = fakes.make_form("snatch", repetitions=(RepForm(0.5, 2.5, found),))
    monkeypatch.setattr(fakes, "make_form", lambda *_: form)
    assert analyze(out, "snatch.mp4") == cli.OK
    line = "  pull: repetition 1: first pull 0.56 s (1.40 m/s), transition 0.10 s"
    assert line in capsys.readouterr().out.splitlines()


def test_failing_clip_does_not_stop_the_others(analysis, out, capsys):
    clips = ["a.mp4", "nobody.mp4", "/x/broken.mp4", "/x/bug.mp4", "b.mp4"]
    assert analyze(out, *clips) == cli.FAILED
    printed = capsys.readouterr()
    assert [line.split(":")[0] for line in printed.out.splitlines() if line[0] != " "] == [
        "a.mp4",
        "b.mp4",
    ]
    errors = printed.err.splitlines()
    assert errors[0] == "nobody.mp4: Nobody was found in the clip. Choose the person by a box."
    assert errors[1] == "broken.mp4: cannot be read or written: Permission denied"
    assert errors[2] == "bug.mp4: unexpected problem (ZeroDivisionError); --debug shows where"
    assert len(errors) == 3


def test_json_is_all_that_stdout_gets(analysis, out, capsys):
    assert analyze(out, "a.mp4", "nobody.mp4", "--json") == cli.FAILED
    answer, failure = map(json.loads, capsys.readouterr().out.splitlines())
    assert answer["file"] == "a.mp4"
    assert answer["prediction"] == {"label": "deadlift"}
    for file in answer["results"].values():
        assert Path(file).is_file()
    assert failure == {
        "file": "nobody.mp4",
        "error": {
            "kind": "NoPersonError",
            "text": "Nobody was found in the clip. Choose the person by a box.",
        },
    }


def test_debug_shows_where_a_bug_arose(analysis, out, capsys):
    assert analyze(out, "bug.mp4", "nobody.mp4", "--debug") == cli.FAILED
    errors = capsys.readouterr().err
    assert errors.count("Traceback") == 1
    assert "in analyze" in errors


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("stream", "shown"), [(Terminal(), True), (io.StringIO(), False)])
def test_bars_are_for_terminals_only(stream, shown, analysis, out, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stderr", stream)
    assert analyze(out, "a.mp4", "b.mp4") == cli.OK
    assert ("1/2 a.mp4: pose" in stream.getvalue()) is shown
    assert ("2/2 b.mp4: draw" in stream.getvalue()) is shown
    assert "pose" not in capsys.readouterr().out


def test_interruption_stops_everything(analysis, out, capsys):
    assert analyze(out, "a.mp4", "stop.mp4", "b.mp4") == cli.INTERRUPTED
    assert [name for name, _ in analysis.calls] == ["a.mp4", "stop.mp4"]
    assert capsys.readouterr().err == "gymform: interrupted\n"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], Options()),
        (
            ["--pose-model", "vitpose-base", "--flip-test"],
            Options(pose_model="vitpose-base", flip_test=True),
        ),
        (["--exact"], Options(exact=True)),
        (["--max-fps", "30"], Options(max_fps=30.0)),
        (["--slow-motion", "4"], Options(slow_motion=4.0)),
        (["--plate", "10,20.5,30@1.5"], Options(plate=(1.5, 10.0, 20.5, 30.0))),
        (["--plate-mm", "400"], Options(plate_mm=400.0)),
        (["--height", "180"], Options(height_cm=180.0)),
        (["--box", "10,20,30.5,40"], Options(target=Target(0.0, (10, 20, 30.5, 40), None))),
        (
            ["--box", "1,2,3,4", "--at", "1.5"],
            Options(target=Target(1.5, (1.0, 2.0, 3.0, 4.0), None)),
        ),
    ],
)
def test_options_reach_the_analysis(analysis, out, arguments, expected):
    assert analyze(out, "a.mp4", *arguments) == cli.OK
    assert analysis.calls == [("a.mp4", expected)]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["analyze"],
        ["analyze", "a.mp4", "--box", "1,2,3"],
        ["analyze", "a.mp4", "--box", "1,2,0,4"],
        ["analyze", "a.mp4", "--box", "1,2,nan,4"],
        ["analyze", "a.mp4", "--box", "left"],
        ["analyze", "a.mp4", "--slow-motion", "99"],
        ["analyze", "a.mp4", "--plate", "10,20,30"],
        ["analyze", "a.mp4", "--plate", "10,20@1"],
        ["analyze", "a.mp4", "--plate", "10,20,0@1"],
        ["analyze", "a.mp4", "--plate", "10,20,30@-1"],
        ["analyze", "a.mp4", "--plate-mm", "0"],
        ["analyze", "a.mp4", "--max-fps", "0"],
        ["analyze", "a.mp4", "--max-fps", "inf"],
        ["analyze", "a.mp4", "--max-fps", "many"],
        ["analyze", "a.mp4", "--at", "-1"],
        ["analyze", "a.mp4", "--frobnicate"],
        ["weights"],
        ["weights", "fetch"],
        ["weights", "convert", "a.pth", "--heads", "six"],
    ],
)
def test_usage_errors_exit_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as exit_info:
        cli.main(arguments)
    assert exit_info.value.code == cli.USAGE
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "usage:" in printed.err


def test_out_that_is_a_file_is_a_usage_error(analysis, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert analyze(tmp_path / "file", "a.mp4") == cli.USAGE
    assert "--out" in capsys.readouterr().err
    assert analysis.calls == []


@pytest.mark.parametrize(
    ("clips", "stems"),
    [
        (["a.mp4", "b.mov"], ["a", "b"]),
        (["x/a.mp4", "y/a.mp4", "A.webm"], ["a", "a-2", "A-3"]),
        (["a.mp4", "a-2.mp4", "b/a.mp4"], ["a", "a-2", "a-3"]),
        (["a.tar.mp4", ".mp4"], ["a.tar", ".mp4"]),
    ],
)
def test_results_of_equal_names_do_not_overwrite_each_other(clips, stems):
    assert cli.unique_stems([Path(clip) for clip in clips]) == stems


def test_names_cannot_command_the_terminal(analysis, out, capsys):
    assert analyze(out, "nobody\x1b[31m\udcff.mp4") == cli.FAILED
    assert capsys.readouterr().err.startswith("nobody?[31m?.mp4: Nobody")


# --- weights ------------------------------------------------------------------------------------


def entry(name: str = "vitpose-b") -> ModelEntry:
    return ModelEntry(
        name=name,
        kind="pose",
        file=f"{name}.safetensors",
        sha256="ab" * 32,
        bytes=10,
        licence="MIT",
        provenance="test",
        config={},
        folder=Path("elsewhere"),
    )


def test_weights_list_shows_what_is_here_and_what_can_be_fetched(capsys):
    assert cli.main(["weights", "list"]) == cli.OK
    lines = capsys.readouterr().out.splitlines()
    assert any("embedded" in line and "default" in line for line in lines)
    assert any("weights fetch vitpose-base" in line for line in lines)


def test_weights_verify_passes_on_the_embedded_ones(capsys):
    assert cli.main(["weights", "verify"]) == cli.OK
    assert "as the manifest says" in capsys.readouterr().out


def test_weights_verify_fails_when_one_differs(monkeypatch, capsys):
    results = [(entry("good"), None), (entry("bad"), "expected sha256 ab..., got cd...")]
    monkeypatch.setattr(checkpoints, "verify", lambda: results)
    assert cli.main(["weights", "verify"]) == cli.FAILED
    assert "bad: expected sha256" in capsys.readouterr().out


def test_weights_fetch_shows_progress_and_says_how_to_choose_it(monkeypatch, capsys):
    def fetch(name, progress):
        progress(5, 10)
        progress(10, 10)
        return entry(name)

    monkeypatch.setattr(checkpoints, "fetch", fetch)
    assert cli.main(["weights", "fetch", "vitpose-base"]) == cli.OK
    assert "--pose-model vitpose-base" in capsys.readouterr().out


def test_weights_convert_hands_its_options_over(monkeypatch, capsys):
    calls = []

    def convert(path, name=None, heads=None, tell=None):
        calls.append((path, name, heads))
        tell("a.pth has 26 keypoints.")
        return entry()

    monkeypatch.setattr(checkpoints, "convert", convert)
    assert cli.main(["weights", "convert", "a.pth", "--name", "mine", "--heads", "6"]) == cli.OK
    assert calls == [(Path("a.pth"), "mine", 6)]
    first, second = capsys.readouterr().out.splitlines()
    assert first == "a.pth has 26 keypoints."
    assert second.startswith("vitpose-b: sha256 abab")


def test_typed_errors_are_shown_without_a_traceback(monkeypatch, capsys):
    def fetch(name, progress):
        raise WeightsError("The hub cannot be reached. Check the connection.")

    monkeypatch.setattr(checkpoints, "fetch", fetch)
    assert cli.main(["weights", "fetch", "vitpose-base"]) == cli.FAILED
    printed = capsys.readouterr()
    assert printed.err == "gymform: The hub cannot be reached. Check the connection.\n"
    assert printed.out == ""


# --- training -----------------------------------------------------------------------------------


def test_training_commands_bring_their_own_options(monkeypatch):
    fake = ModuleType("gymform.training.exercise.release")
    seen = []
    fake.add_arguments = lambda parser: parser.add_argument("--seeds", type=int, default=3)
    fake.run = lambda options: seen.append(options.seeds)
    monkeypatch.setitem(sys.modules, "gymform.training.exercise.release", fake)
    assert cli.main(["train-exercise", "--seeds", "5"]) == cli.OK
    assert seen == [5]
    with pytest.raises(SystemExit) as exit_info:
        cli.main(["train-exercise", "--steps"])
    assert exit_info.value.code == cli.USAGE


# --- as a program -------------------------------------------------------------------------------


def run_program(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gymform", *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **options,
    )


def test_help_lists_every_command_and_the_exit_codes():
    result = run_program("--help")
    assert result.returncode == 0
    for word in ("analyze", "weights", "train-exercise", "exit codes: 0"):
        assert word in result.stdout


def test_a_reader_that_leaves_is_no_traceback():
    program = f"{sys.executable} -m gymform weights list | true; exit ${{PIPESTATUS[0]}}"
    result = subprocess.run(
        ["bash", "-c", program],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in result.stderr
    assert result.returncode in (cli.OK, cli.FAILED)


# --- app ----------------------------------------------------------------------------------------


@pytest.fixture
def became(monkeypatch) -> list[list[str]]:
    """The commands that this process would have become."""
    commands: list[list[str]] = []

    def execve(program, command, environment):
        commands.append(command)
        raise SystemExit(0)  # it does not come back

    monkeypatch.setattr("os.execve", execve)
    return commands


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ([], ["--server.address=127.0.0.1"]),
        (["--port", "8600"], ["--server.address=127.0.0.1", "--server.port=8600"]),
        (
            ["--host", "0.0.0.0", "--no-browser"],
            ["--server.address=0.0.0.0", "--server.headless=true"],
        ),
        (["--host", "localhost"], ["--server.address=localhost"]),
    ],
)
def test_app_becomes_streamlit_with_the_app_s_script(arguments, options, became):
    with pytest.raises(SystemExit):
        cli.main(["app", *arguments])
    start = [sys.executable, "-m", "streamlit", "run", str(PROJECT / "serve.py")]
    assert became == [start + options]


@pytest.mark.parametrize(
    ("more", "host", "port"),
    [
        (["--port", "8601"], "0.0.0.0", 8601),
        (["--port", "8601", "--host", "127.0.0.1"], "127.0.0.1", 8601),
        ([], "0.0.0.0", 8655),
    ],
)
def test_https_serves_the_network_with_a_certificate_and_shows_phones_the_way(
    more, host, port, became, capsys, monkeypatch, tmp_path
):
    monkeypatch.setenv("GYMFORM_HOME", str(tmp_path))
    monkeypatch.setattr(cli, "FIRST_PORT", 8655)
    monkeypatch.setattr("gymform.service.phone.network_address", lambda: "192.168.7.7")
    with pytest.raises(SystemExit):
        cli.main(["app", "--https", *more])
    (command,) = became
    options = dict(one.split("=", 1) for one in command if one.startswith("--server."))
    assert (options["--server.address"], int(options["--server.port"])) == (host, port)
    for name in ("--server.sslCertFile", "--server.sslKeyFile"):
        assert Path(options[name]).read_bytes().startswith(b"-----BEGIN")
    said = capsys.readouterr().err
    assert f"https://192.168.7.7:{port}" in said
    assert "\u2588" in said  # the code
    assert "trust the certificate" in " ".join(said.split())
    assert str(tmp_path) not in said


@pytest.mark.parametrize(
    ("option", "value", "text"),
    [
        *(("--port", value, "expected a port from 1 to 65535") for value in
          ("0", "-1", "65536", "80.5", "http", "nan", "")),
        *(("--host", value, "expected an address of this machine, such as 127.0.0.1 or 0.0.0.0")
          for value in ("", "a b", "999.1.1.1", "192.0.2.1", "x" * 300, "\ud800")),
    ],
)  # fmt: skip
def test_app_refuses_in_words_where_nobody_can_listen(option, value, text, became, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["app", option, value])
    assert ended.value.code == cli.USAGE
    assert text in capsys.readouterr().err
    assert became == []


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell closes and fills them")
@pytest.mark.parametrize("output", [">&-", "2>&-", ">&- 2>&-", "<&-", ">/dev/full"])
def test_a_closed_or_full_output_is_no_traceback(output, tmp_path):
    command = f"{shlex.quote(sys.executable)} -m gymform data list {output}"
    environment = {**os.environ, "GYMFORM_HOME": str(tmp_path)}
    done = subprocess.run(
        ["/bin/sh", "-c", command], capture_output=True, text=True, cwd=PROJECT, env=environment
    )
    assert "Traceback" not in done.stderr + done.stdout


def test_a_folder_stands_for_the_films_in_it(tmp_path):
    for name in ("b.MP4", "a.mov", ".hidden.mp4", "notes.txt"):
        (tmp_path / name).touch()
    other = tmp_path / "other.mkv"
    assert cli.clips_in([other, tmp_path]) == [other, tmp_path / "a.mov", tmp_path / "b.MP4"]


def test_what_cannot_be_done_is_said_before_any_work(tmp_path, capsys):
    """An empty folder, and commas for two things."""
    (tmp_path / "empty").mkdir()
    for words in (
        [str(tmp_path / "empty")],
        ["x.mp4", "--decimal-comma"],
    ):
        code = cli.main(["analyze", *words, "--out", str(tmp_path / "out")])
        assert code == cli.USAGE
        assert "xpected clips" in (said := capsys.readouterr().err) or "comma" in said


def test_the_variant_stands_below_the_name(tmp_path):
    result = fakes.make_analysis(12, form=fakes.make_form("deadlift", variant="Sumo"))
    assert cli._summary("a.mp4", result, tmp_path).splitlines()[1] == "  variant: sumo"


def test_a_partial_answer_heads_the_lines_of_a_clip(tmp_path):
    classes = ("deadlift", "romanian_deadlift", "squat", "lunge", "row", "push_up", "other")
    shares = (0.46, 0.44, 0.05, 0.02, 0.01, 0.01, 0.01)
    unsure = Prediction(classes, shares, "unknown", "It could be either.", "",
                        candidates=classes[:2])  # fmt: skip
    result = fakes.make_analysis(12, prediction=unsure)
    first, second, *_ = cli._summary("a.mp4", result, tmp_path).splitlines()
    assert first.startswith("a.mp4: A hinge: deadlift or Romanian deadlift  (deadlift 46%, ")
    assert "lunge 2%" in first
    assert "push_up" not in first  # five are enough
    assert second == "  It could be either."
