"""The commands ``annotations`` (keypoints to and from other tools) and ``card``."""

from __future__ import annotations

import argparse
from pathlib import Path

from gymform.dataset.card import agreements, card_of
from gymform.dataset.coco import export_coco, import_coco
from gymform.dataset.commands import Command
from gymform.dataset.paths import dataset_dir
from gymform.dataset.review_command import reviewer_of
from gymform.dataset.reviews import ReviewStore
from gymform.storage import atomic_path

OK = 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``annotations``."""
    add = parser.add_argument
    add("dataset", metavar="DATASET", help="a name or a folder")
    add("action", choices=("export", "import"), metavar="ACTION",
        help="export to a folder, or import what was changed there")  # fmt: skip
    add("places", nargs="+", type=Path, metavar="PLACE",
        help="the folder to write to; the files to read")  # fmt: skip
    add("--reviewer", metavar="NAME", help="who corrected (your name on this computer)")


def run(options: argparse.Namespace) -> int:
    """Do what was asked; the exit code. Raises GymformError."""
    with ReviewStore.open(dataset_dir(options.dataset)) as store:
        if options.action == "export":
            written = export_coco(store, options.places[0])
            print(f"{len(written)} clips in {options.places[0]}")
            return OK
        for path in options.places:
            made = import_coco(store, path, reviewer=reviewer_of(options))
            print(f"{path.name}: {made} corrections")
    return OK


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
