"""The command ``data``: what gymform keeps of anybody's clips, and its deletion."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from gymform.dataset.deletion import delete_clip
from gymform.dataset.moving import move_clips
from gymform.dataset.paths import data_sets, dataset_dir
from gymform.dataset.reviews import ReviewStore
from gymform.errors import BusyError, GymformError, OptionsError
from gymform.in_use import is_held
from gymform.service.archive import export, import_zip
from gymform.service.deletion import KEEP_DAYS, keep_days, sweep, uploads_dir
from gymform.service.history import History
from gymform.service.result_store import ResultStore, clip_of, folders_in, last_used, size_of
from gymform.storage import data_dir
from gymform.text import cleaned
from gymform.trash import Trash
from gymform.weights import sha256_of

OK, FAILED = 0, 1

SHOWN = 16
"""Digits of an id that are shown."""

LEAST = 8
"""Digits of an id that have to be given."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``data``."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    show = actions.add_parser("list", help="clips with their results, and clips of data sets")
    show.set_defaults(action=_list)
    delete = actions.add_parser(
        "delete",
        help="delete clips for good, with everything found in them",
        description="Deletes the uploads of a clip and all its results. With --dataset it deletes "
        "the clip from a data set, with its keypoints, videos and decisions. There is no undo.",
    )
    delete.add_argument(
        "id",
        nargs="+",
        metavar="ID",
        help=f"an id of `data list`, its first {LEAST} digits or more",
    )
    delete.add_argument("--dataset", metavar="NAME", help="delete it from this data set instead")
    delete.set_defaults(action=_delete)
    move = actions.add_parser(
        "move",
        help="move clips to another data set",
        description="Moves clips with their keypoints, videos, repetitions and decisions from one "
        "data set to another. To undo it, move them back.",
    )
    move.add_argument("id", nargs="+", metavar="ID", help="an id of `data list`")
    move.add_argument("--dataset", required=True, metavar="NAME", help="where they are")
    move.add_argument("--to", required=True, metavar="NAME", help="where they go")
    move.set_defaults(action=_move)
    out = actions.add_parser("export", help="write all results with their notes to a zip")
    out.add_argument("file", type=Path, metavar="FILE", help="the zip to write")
    out.set_defaults(action=_export)
    back = actions.add_parser("import", help="add the results of such a zip")
    back.add_argument("file", type=Path, metavar="FILE", help="a zip that `export` wrote")
    back.set_defaults(action=_import)
    now = actions.add_parser(
        "sweep",
        help="delete now what waits for its deletion",
        description="Deletes for good what was deleted on the pages before and can still be "
        f"undone, and the uploads and results that are older than {KEEP_DAYS} days.",
    )
    now.set_defaults(action=_sweep)


def run(options: argparse.Namespace) -> int:
    """Do what was asked; the exit code. Raises GymformError."""
    return int(options.action(options))


# -- what there is ---------------------------------------------------------------------------


@dataclass
class Stored:
    """A clip in uploads and results: its content's sha256, the names it had, its folders."""

    id: str
    names: set[str] = field(default_factory=set)
    uploads: list[Path] = field(default_factory=list)
    results: list[Path] = field(default_factory=list)

    @property
    def folders(self) -> list[Path]:
        """All its folders."""
        return self.uploads + self.results

    def in_words(self) -> str:
        """A line of the list."""
        size = sum(map(size_of, self.folders)) / 1e6
        used = datetime.fromtimestamp(max(map(last_used, self.folders)))
        kept = f"{len(self.uploads)} uploads, {len(self.results)} results, {size:.1f} MB"
        return f"{kept}, last used {used:%Y-%m-%d}  {', '.join(sorted(self.names))}".rstrip()


def stored() -> list[Stored]:
    """Everything in uploads and results by its clip. What cannot be read goes by its folder."""
    found: dict[str, Stored] = {}
    for folder in folders_in(uploads_dir()):
        for id_ in _contents(folder):
            found.setdefault(id_, Stored(id_)).uploads.append(folder)
    for folder in folders_in(data_dir() / "analyses"):
        sha256, name = clip_of(folder)
        one = found.setdefault(sha256 or folder.name, Stored(sha256 or folder.name))
        one.results.append(folder)
        if name:
            one.names.add(cleaned(name, 60))
    return list(found.values())


def _contents(folder: Path) -> list[str]:
    """The sha256s of the clips in a folder of uploads; its name where there are none."""
    try:
        return sorted({sha256_of(file) for file in folder.rglob("*") if file.is_file()}) or [
            folder.name
        ]
    except OSError:
        return [folder.name]


def _list(options: argparse.Namespace) -> int:
    code = OK
    for one in stored():
        print(f"{one.id[:SHOWN]}  {one.in_words()}")
    for folder in data_sets():
        try:
            with ReviewStore.open(folder) as store:
                for clip in store.clips():
                    name = cleaned(clip.name, 60)
                    print(f"{clip.sha256[:SHOWN]}  in the data set {folder.name}  {name}")
        except GymformError as error:  # the others are listed all the same
            print(f"gymform: {folder.name}: {error}", file=sys.stderr)
            code = FAILED
    days = keep_days()
    kept = "until they fill their folder" if days is None else f"for {days:g} days"
    print(f"Uploads and results are kept {kept} ({KEEP_DAYS}), data sets until you delete them.")
    return code


# -- deletion --------------------------------------------------------------------------------


def _delete(options: argparse.Namespace) -> int:
    for id_ in options.id:
        if options.dataset:
            _delete_from(options.dataset, id_)
        else:
            _delete_stored(id_)
    return OK


def _delete_from(dataset: str, id_: str) -> None:
    with ReviewStore.open(dataset_dir(dataset)) as store:
        clips = {clip.sha256: clip for clip in store.clips()}
        clip = clips[_only(list(clips), id_)]
        Trash(store.folder).remove(delete_clip(store, clip.sha256))
    print(f"Deleted from {cleaned(dataset, 60)}: {cleaned(clip.name, 60)}")


def _delete_stored(id_: str) -> None:
    there = {one.id: one for one in stored()}
    one = there[_only(list(there), id_)]
    if any(map(is_held, one.folders)):
        raise BusyError(f"{one.id[:SHOWN]} is in use: wait until its analysis or import is done.")
    trash = Trash(data_dir())
    trash.remove(trash.put(one.folders, {}))
    with contextlib.closing(History.open()) as history:
        history.take(clip_sha256=one.id, keys=[folder.name for folder in one.results])
    print(f"Deleted: {one.id[:SHOWN]}, {len(one.uploads)} uploads, {len(one.results)} results")


def _move(options: argparse.Namespace) -> int:
    with (
        ReviewStore.open(dataset_dir(options.dataset)) as store,
        ReviewStore.open(dataset_dir(options.to)) as target,
    ):
        names = {clip.sha256: clip.name for clip in store.clips()}
        chosen = list(dict.fromkeys(_only(list(names), id_) for id_ in options.id))
        move_clips(store, target, chosen)
    for sha256 in chosen:
        print(f"Moved to {cleaned(options.to, 60)}: {cleaned(names[sha256], 60)}")
    return OK


def _only(ids: Sequence[str], begins: str) -> str:
    """The one id that begins so. Raises OptionsError when there is none, or more than one."""
    if len(begins) < LEAST:
        raise OptionsError(f"Expected at least {LEAST} digits of an id, got {begins[:SHOWN]!r}.")
    found = [one for one in ids if one.startswith(begins.lower())]
    if len(found) == 1:
        return found[0]
    many = f"{len(found)}: give more digits" if found else "none"
    raise OptionsError(f"Expected an id of `data list`; of {begins[:SHOWN]!r} there is {many}.")


def _export(options: argparse.Namespace) -> int:
    with contextlib.closing(History.open()) as history:
        entries, _ = history.find(most=-1)
    count = export(entries, ResultStore(), options.file)
    print(f"Written: {count} of {len(entries)} results")
    return OK


def _import(options: argparse.Namespace) -> int:
    with contextlib.closing(History.open()) as history:
        found = import_zip(options.file, ResultStore(), history)
    for problem in found.problems:
        print(f"gymform: {problem}", file=sys.stderr)
    print(f"Imported: {found.count} results")
    return FAILED if found.problems else OK


def _sweep(options: argparse.Namespace) -> int:
    swept = sweep(data_dir(), 0.0)
    print(
        f"Deleted for good: {swept.deletions} deletions, {swept.uploads} uploads, "
        f"{swept.results} results."
    )
    return OK
