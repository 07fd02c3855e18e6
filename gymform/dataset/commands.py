"""The terminal's commands for data sets: ``import``, ``extract`` and ``export``."""

from __future__ import annotations

import argparse
import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from gymform.dataset.clips import (
    BY_CSV,
    BY_FOLDER,
    BY_PERSON,
    BY_REGEX,
    COPY,
    MIRRORED_COPY,
    SAME_BYTES,
    ImportReport,
    import_clips,
)
from gymform.dataset.export import STATURE_M, export
from gymform.dataset.groups import UNCONFIRMED, unconfirmed
from gymform.dataset.items import ACCEPTED
from gymform.dataset.paths import DEFAULT, dataset_dir
from gymform.dataset.reviews import ReviewStore
from gymform.installation import program
from gymform.timing import Progress

OK, FAILED = 0, 1

_DATASET = f"a name or a folder ({DEFAULT})"

_LIKE = {
    SAME_BYTES: "left out, the same bytes as",
    COPY: "shows the same as",
    MIRRORED_COPY: "shows, mirrored, the same as",
}


class Command(NamedTuple):
    """A terminal command: a function that adds its options, and one that runs it."""

    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


@contextlib.contextmanager
def bar(unit: str) -> Iterator[Progress]:
    """A progress bar with the time left, on standard error where that is a terminal."""
    from tqdm import tqdm

    with tqdm(unit=unit, disable=None, leave=False) as bar:

        def progress(stage: str, done: int, total: int) -> None:
            bar.set_description_str(stage, refresh=False)
            bar.total = total
            bar.update(done - bar.n)

        yield progress


# --- import -------------------------------------------------------------------------------------


def _add_import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where the clips are")
    parser.add_argument(
        "--exercise",
        metavar="NAME",
        help="what all of them show; else taken from the folders below FOLDER, or from the table",
    )
    parser.add_argument(
        "--group-by",
        metavar="HOW",
        help=f"which clips show one person or come from one source: {BY_FOLDER} (they are in one "
        f"folder), {BY_REGEX}:PATTERN (what it matches is equal), {BY_CSV}:FILE (a table "
        f"with the columns file, exercise, group), {BY_PERSON}:NAME (all of them). "
        "FOLDER/index.csv is used without asking",
    )
    parser.add_argument("--to", default=DEFAULT, metavar="DATASET", help=_DATASET)


def _import(options: argparse.Namespace) -> int:
    with (
        ReviewStore.open(dataset_dir(options.to), create=True) as store,
        bar("clip") as progress,
    ):
        report = import_clips(
            options.folder,
            store,
            exercise=options.exercise,
            group_by=options.group_by,
            progress=progress,
        )
        guessed = unconfirmed(store, (clip.sha256 for clip in report.added))
    for line in _summary(report):
        print(line)
    if guessed:
        print(
            f"{len(guessed)} of them: nobody said who is in them. Once their keypoints are there: "
            f"{program()} groups {options.to}"
        )
    print(f"Next: {program()} extract {options.to}")
    return FAILED if report.unreadable else OK


def _summary(report: ImportReport) -> Iterator[str]:
    """The report in lines: clips added, clips imported before, duplicates, unreadable files."""
    groups = {clip.group for clip in report.added}
    yield f"{len(report.added)} clips added, of {len(groups)} people or sources"
    if report.known:
        yield f"{len(report.known)} were imported before"
    for twin in report.duplicates:
        sure = "" if twin.likeness == 1 else f" (likeness {twin.likeness:.2f})"
        yield f"  {twin.name}: {_LIKE[twin.kind]} {twin.of}{sure}"
    for file in report.unreadable:
        yield f"  {file.name}: not imported. {file.reason}"


IMPORT = Command(_add_import, _import)


# --- extract ------------------------------------------------------------------------------------


def _add_extract(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dataset", nargs="?", default=DEFAULT, metavar="DATASET", help=_DATASET)
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes at once (1)")
    parser.add_argument(
        "--engine",
        choices=("local", "ray"),
        default="local",
        help="work on this machine, or on a Ray cluster (needs requirements-ray.txt)",
    )
    parser.add_argument(
        "--address",
        metavar="HOST",
        help="of the cluster: auto, or ray://head:10001 (default: start a local one)",
    )
    parser.add_argument("--pose-model", metavar="NAME", help="one of `weights list`")
    parser.add_argument(
        "--flip-test", action="store_true", help="a little more accurate, twice the time"
    )
    parser.add_argument(
        "--exact", action="store_true", help="leave out all that saves time; several times as long"
    )
    parser.add_argument("--max-fps", type=float, metavar="F", help="skip frames above this rate")
    parser.add_argument(
        "--again", action="store_true", help="all clips, including those extracted before"
    )


def _extract(options: argparse.Namespace) -> int:
    from gymform.analysis import Options
    from gymform.dataset.extraction import extract

    wanted = Options(
        pose_model=options.pose_model,
        flip_test=options.flip_test,
        exact=options.exact,
        max_fps=options.max_fps,
    )
    with ReviewStore.open(dataset_dir(options.dataset)) as store, bar("frame") as progress:
        report = extract(
            store,
            jobs=options.jobs,
            engine=options.engine,
            address=options.address,
            options=wanted,
            again=options.again,
            progress=progress,
        )
        found = len(store.judged())
    print(f"{len(report.extracted)} clips extracted, {len(report.known)} were extracted before")
    for name, reason in report.failed:
        print(f"  {name}: not extracted. {reason}")
    print(f"{found} repetitions to review")
    return FAILED if report.failed else OK


EXTRACT = Command(_add_extract, _extract)


# --- export -------------------------------------------------------------------------------------


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dataset", nargs="?", default=DEFAULT, metavar="DATASET", help=_DATASET)
    parser.add_argument(
        "--to", type=Path, required=True, metavar="FILE", help="the manifest, JSON lines"
    )
    parser.add_argument(
        "--verdicts", default=ACCEPTED, metavar="V,V", help=f"which items ({ACCEPTED})"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the split by group (0)")
    parser.add_argument(
        "--archive", type=Path, metavar="FILE", help="also the keypoints as arrays (.npz)"
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="also the keypoints as a table")
    parser.add_argument(
        "--trc", type=Path, metavar="DIR", help="also a TRC file for each item, for OpenSim"
    )
    parser.add_argument(
        "--corrections", type=Path, metavar="FILE", help="also what people corrected (JSON)"
    )
    parser.add_argument(
        "--stature",
        type=float,
        default=STATURE_M,
        metavar="M",
        help=f"how tall the lifters are, for TRC's metres ({STATURE_M})",
    )


def _export(options: argparse.Namespace) -> int:
    with ReviewStore.open(dataset_dir(options.dataset)) as store:
        entries = export(
            store,
            options.to,
            verdicts=tuple(filter(None, options.verdicts.split(","))),
            seed=options.seed,
            archive=options.archive,
            table=options.csv,
            trc=options.trc,
            stature_m=options.stature,
            corrections=options.corrections,
        )
    parts = Counter(entry.split for entry in entries if entry.split)
    print(f"{len(entries)} repetitions in {options.to}")
    for part, count in parts.items():
        groups = {entry.group for entry in entries if entry.split == part}
        print(f"  {part}: {count} of {len(groups)} people or sources")
    if guessed := sum(not entry.group_confirmed for entry in entries):
        print(f"{UNCONFIRMED} That is so for {guessed} of {len(entries)}: see {program()} groups.")
    return OK


EXPORT = Command(_add_export, _export)
