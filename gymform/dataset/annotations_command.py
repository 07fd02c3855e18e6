"""The commands ``annotations`` (keypoints to and from other tools) and ``card``."""

from __future__ import annotations

import argparse
from pathlib import Path

from gymform.dataset.card import agreements, card_of
from gymform.dataset.coco import export_coco, import_coco
from gymform.dataset.commands import Command
from gymform.dataset.label_studio import export_tasks, import_tasks
from gymform.dataset.paths import dataset_dir
from gymform.dataset.review_command import reviewer_of
from gymform.dataset.reviews import ReviewStore
from gymform.storage import atomic_path

OK = 0

COCO, LABEL_STUDIO = "coco", "label-studio"
"""The formats."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``annotations``."""
    add = parser.add_argument
    add("dataset", metavar="DATASET", help="a name or a folder")
    add("action", choices=("export", "import"), metavar="ACTION",
        help="export to a folder, or import what was changed there")  # fmt: skip
    add("places", nargs="+", type=Path, metavar="PLACE",
        help="the folder to write to; the files to read")  # fmt: skip
    add("--format", choices=(COCO, LABEL_STUDIO), default=COCO,
        help=f"of the export ({COCO}, which CVAT reads); an import tells by itself")  # fmt: skip
    add("--reviewer", metavar="NAME", help="who corrected (your name on this computer)")


def run(options: argparse.Namespace) -> int:
    """Do what was asked; the exit code. Raises GymformError."""
    with ReviewStore.open(dataset_dir(options.dataset)) as store:
        if options.action == "export":
            write = export_coco if options.format == COCO else export_tasks
            written = write(store, options.places[0])
            print(f"{len(written)} clips in {options.places[0]}")
            return OK
        for path in options.places:
            take = import_tasks if _holds_tasks(path) else import_coco
            made = take(store, path, reviewer=reviewer_of(options))
            print(f"{path.name}: {made} corrections")
    return OK


def _holds_tasks(path: Path) -> bool:
    """Does the file begin as Label Studio's do, with a list?"""
    try:
        with path.open("rb") as file:
            return file.read(64).lstrip().startswith(b"[")
    except OSError:
        return False


def _add_card(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dataset", metavar="DATASET", help="a name or a folder")
    parser.add_argument("--to", type=Path, metavar="FILE", help="write it there (Markdown)")


def _card(options: argparse.Namespace) -> int:
    with ReviewStore.open(dataset_dir(options.dataset)) as store:
        text = card_of(store)
        disputed = sorted({item for one in agreements(store) for item in one.disputed})
    if options.to:
        with atomic_path(options.to) as temporary:
            temporary.write_text(text, encoding="utf-8")
    else:
        print(text)
    if disputed:
        print("Reviewers disagree on: " + ", ".join(disputed))
    return OK


CARD = Command(_add_card, _card)
