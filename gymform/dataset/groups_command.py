"""The command ``groups``: who is in which clip, at the terminal, as on the page Review."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from gymform.dataset import groups
from gymform.dataset.commands import bar
from gymform.dataset.items import ClipRecord
from gymform.dataset.paths import dataset_dir
from gymform.dataset.review_command import reviewer_of
from gymform.dataset.reviews import ReviewStore
from gymform.errors import OptionsError
from gymform.installation import program
from gymform.text import cleaned, shortened

OK, FAILED = 0, 1

LIST, PROPOSE, CONFIRM, MERGE, SPLIT, UNDO = "list", "propose", "confirm", "merge", "split", "undo"
ACTIONS = (LIST, PROPOSE, CONFIRM, MERGE, SPLIT, UNDO)

EPILOG = """\
list                   the groups and their clips (*: nobody confirmed who is in it)
propose [--take]       compare all clips with each other and propose who is the same
confirm                all groups are right as they are
merge CLIP... --as N   put these clips into one group
split CLIP...          put each of these clips into a group of its own
undo                   take back what you did last

A clip is named by the first digits of its id or by its file name.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``groups``."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    add = parser.add_argument
    add("dataset", metavar="DATASET", help="a name or a folder")
    add("action", nargs="?", choices=ACTIONS, default=LIST, metavar="ACTION",
        help=", ".join(ACTIONS))  # fmt: skip
    add("clips", nargs="*", metavar="CLIP", help="for merge and split")
    add("--as", dest="name", metavar="NAME", help="the person or source, for merge")
    add("--take", action="store_true", help="with propose: put the clips into these groups")
    add("--reviewer", metavar="NAME", help="who says so (your name on this computer)")


def run(options: argparse.Namespace) -> int:
    """Do what was asked; the exit code. Raises GymformError."""
    with ReviewStore.open(dataset_dir(options.dataset)) as store:
        if options.action == PROPOSE:
            return _propose(store, options)
        return _decide(store, options)


def _decide(store: ReviewStore, options: argparse.Namespace) -> int:
    reviewer = reviewer_of(options)
    if options.action == CONFIRM:
        print(f"{groups.confirm(store, reviewer=reviewer)} clips confirmed")
    elif options.action == UNDO:
        undone = groups.undo(store, reviewer=reviewer)
        print(f"{undone} clips as before" if undone else f"There is nothing of {reviewer} to undo.")
        return OK if undone else FAILED
    elif options.action in (MERGE, SPLIT):
        chosen = _chosen(store, options.clips)
        if options.action == SPLIT:
            groups.separate(store, chosen, reviewer=reviewer)
        elif options.name is None:
            raise OptionsError("Who is it? Expected --as NAME.")
        else:
            groups.merge(store, chosen, options.name, reviewer=reviewer)
    _list(store)
    return OK


def _chosen(store: ReviewStore, asked: Sequence[str]) -> list[str]:
    """The clips (sha256) that are meant. Raises OptionsError."""
    if not asked:
        raise OptionsError("Which clips? Expected the first digits of their ids, or their names.")
    clips = store.clips()
    return [_only(clips, one) for one in asked]


def _only(clips: Sequence[ClipRecord], asked: str) -> str:
    found = [clip.sha256 for clip in clips if asked == clip.name]
    found = found or [clip.sha256 for clip in clips if asked and clip.sha256.startswith(asked)]
    if len(found) == 1:
        return found[0]
    many = f"there are {len(found)}: give its id" if found else "there is none"
    raise OptionsError(f"Expected one clip called {asked[:60]!r}; {many}.")


def _list(store: ReviewStore) -> None:
    clips, open_ = store.clips(), groups.unconfirmed(store)
    _print_groups(clips, {clip.sha256: clip.group for clip in clips}, open_)
    count = len({clip.group for clip in clips})
    print(f"{len(clips)} clips of {count} people or sources")
    if open_:
        print(
            f"{len(open_)} clips (*): nobody confirmed who is in them. Next: "
            f"{program()} groups {store.folder.name} propose, or confirm"
        )


def _print_groups(
    clips: Sequence[ClipRecord],
    names: Mapping[str, str],
    marked: frozenset[str],
    notes: Mapping[str, str] | None = None,
) -> None:
    for name in sorted(set(names.values())):
        print(cleaned(name))
        for clip in clips:
            if names.get(clip.sha256) == name:
                mark = "*" if clip.sha256 in marked else " "
                note = (notes or {}).get(clip.sha256, "")
                print(f" {mark} {clip.sha256[:12]}  {shortened(clip.name)}{note}")


def _propose(store: ReviewStore, options: argparse.Namespace) -> int:
    from gymform.dataset.people import propose_groups  # it imports SciPy

    with bar("clip") as progress:
        proposal = propose_groups(store, progress=progress)
    if not proposal.groups:
        print(f"There are no keypoints yet: {program()} extract {options.dataset}")
        return FAILED
    notes = {sha256: f"  {sure:.0%} sure" for sha256, sure in proposal.sureness.items()}
    _print_groups(store.clips(), proposal.groups, groups.unconfirmed(store), notes)
    if options.take:
        groups.assign(store, proposal.groups, reviewer=reviewer_of(options))
        print(f"{len(proposal.groups)} clips are in these groups now")
    else:
        print("Nothing was changed: --take puts the clips into these groups")
    return OK
