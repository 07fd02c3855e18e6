"""The terminal's commands for data sets: ``import``, ``extract`` and ``export``."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from gymform.dataset.clips import (
    BY_CSV,
    BY_FOLDER,
    BY_REGEX,
    COPY,
    MIRRORED_COPY,
    SAME_BYTES,
    ImportReport,
    import_clips,
)
from gymform.dataset.places import DEFAULT, dataset_dir
from gymform.dataset.reviews import ReviewStore
from gymform.timing import Progress

OK, FAILED = 0, 1

_LIKE = {
    SAME_BYTES: "left out, the same bytes as",
    COPY: "shows the same as",
    MIRRORED_COPY: "shows, mirrored, the same as",
}


class Command(NamedTuple):
    """What the terminal needs of a command: its options, and what to do with them."""

    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


@contextlib.contextmanager
def _bar(unit: str) -> Iterator[Progress]:
    """A bar with the time left on standard error, where that is a terminal."""
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
        help="what all of them show; without it the folder below FOLDER, or the table, says so",
    )
    parser.add_argument(
        "--group-by",
        metavar="HOW",
        help=f"which clips show one person or come from one source: {BY_FOLDER} (they lie in one "
        f"folder), {BY_REGEX}:PATTERN (that part of their names is equal), {BY_CSV}:FILE (a table "
        "with the columns file, exercise, group). FOLDER/index.csv is used by itself",
    )
    parser.add_argument(
        "--to", default=DEFAULT, metavar="DATASET", help=f"a name or a folder ({DEFAULT})"
    )


def _import(options: argparse.Namespace) -> int:
    with (
        ReviewStore.open(dataset_dir(options.to), create=True) as store,
        _bar("clip") as progress,
    ):
        report = import_clips(
            options.folder,
            store,
            exercise=options.exercise,
            group_by=options.group_by,
            progress=progress,
        )
    for line in _told(report):
        print(line)
    print(f"Next: python -m gymform extract {options.to}")
    return FAILED if report.unreadable else OK


def _told(report: ImportReport) -> Iterator[str]:
    """The report in lines: what came in, what was there, what repeats, what could not be read."""
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
