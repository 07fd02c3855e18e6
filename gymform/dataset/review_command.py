"""The command ``review``: verdicts on many repetitions at the terminal, as on the page Review."""

from __future__ import annotations

import argparse
import dataclasses
import getpass
import json
from collections.abc import Sequence

from gymform.dataset.commands import bar
from gymform.dataset.items import (
    ACCEPTED,
    LEARN,
    ORDERS,
    PENDING,
    REASONS,
    REJECTED,
    SKIPPED,
    VERDICTS,
    WORST,
    Filter,
    Judged,
)
from gymform.dataset.paths import dataset_dir
from gymform.dataset.reviews import ReviewStore
from gymform.dataset.where import FIELDS, fields_in, parse
from gymform.errors import OptionsError
from gymform.installation import program
from gymform.text import cleaned, shortened

OK, FAILED = 0, 1

LIST, RANK, UNDO = "list", "rank", "undo"
VERDICT_OF = {"accept": ACCEPTED, "reject": REJECTED, "skip": SKIPPED, "reset": PENDING}
"""The verdict that each action gives."""

ACTIONS = (LIST, RANK, *VERDICT_OF, UNDO)

EPILOG = f"""\
a condition compares fields: {", ".join(FIELDS)}
with =, !=, <, <=, >, >= or ~ (contains), joined by and, or, not and parentheses:

  review lifts accept --where "quality>0.8 and exercise=squat"
  review lifts reject --where 'problem="person lost" or quality<0.3' --reason "poor keypoints"
  review lifts accept --where "verdict=skipped and group=anna" --dry-run

Without "verdict" in the condition, only pending repetitions are judged. What one command did is
undone by one: review lifts undo

From which pending repetitions the model in use would learn most: review lifts rank, then
review lifts list --order {LEARN} --limit 20
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``review``."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    add = parser.add_argument
    add("dataset", metavar="DATASET", help="a name or a folder")
    add("action", choices=ACTIONS, metavar="ACTION", help=", ".join(ACTIONS))
    add("--where", default="", metavar="CONDITION", help="which repetitions; without it, all")
    add("--reason", action="append", default=[], metavar="REASON",
        help=f"why they are rejected, may be given again: {', '.join(REASONS)}")  # fmt: skip
    add("--comment", default="", metavar="TEXT", help="kept with every verdict")
    add("--reviewer", metavar="NAME", help="who judges (your name on this computer)")
    add("--order", choices=ORDERS, default=WORST, help=f"of the list ({WORST})")
    add("--limit", type=int, metavar="N", help="only the first N of this order")
    add("--dry-run", action="store_true", help="list what would be judged, and write nothing")
    add("--json", action="store_true", help="list each repetition as one line of JSON")


def run(options: argparse.Namespace) -> int:
    """Do what was asked; the exit code. Raises GymformError."""
    with ReviewStore.open(dataset_dir(options.dataset)) as store:
        if options.action == UNDO:
            return _undo(store, reviewer_of(options))
        if options.action == RANK:
            return _rank(store)
        found = chosen(store, options.where, options.order, options.limit)
        if options.action == LIST:
            return _list(found, options.json)
        return _judge(store, found, options)


def chosen(store: ReviewStore, where: str, order: str, limit: int | None) -> list[Judged]:
    """The repetitions that fit the condition, in their order. Raises OptionsError."""
    if limit is not None and limit < 1:
        raise OptionsError(f"--limit: expected 1 or more, got {limit}.")
    condition = parse(where) if where.strip() else lambda _: True
    return [one for one in store.judged(Filter(order=order)) if condition(one)][:limit]


def _judge(store: ReviewStore, found: Sequence[Judged], options: argparse.Namespace) -> int:
    verdict = VERDICT_OF[options.action]
    if verdict == REJECTED and not options.reason:
        raise OptionsError(
            f"Why are they rejected? Expected --reason with one of {', '.join(REASONS)}."
        )
    if verdict != REJECTED and options.reason:
        raise OptionsError(f"Only reject takes a --reason; {options.action} may have a --comment.")
    again = bool(options.where.strip()) and "verdict" in fields_in(options.where)
    again = again or verdict == PENDING
    meant = [one for one in found if one.verdict == PENDING or again]
    meant = [one for one in meant if one.verdict != verdict or verdict == REJECTED]
    if options.dry_run:
        _list(meant, options.json)
    else:
        store.decide_all(
            [one.item.id for one in meant],
            verdict,
            reviewer=reviewer_of(options),
            reasons=options.reason,
            comment=options.comment,
        )
        print(f"{_count(meant)} {'pending again' if verdict == PENDING else verdict}")
    if left := len(found) - len(meant):
        print(f"{left} left as they are: judged before. Name verdict in --where to change them")
    if not options.dry_run:
        print(_counts(store))
    return OK


def _undo(store: ReviewStore, reviewer: str) -> int:
    undone = store.undo(reviewer)
    if undone is None:
        print(f"There is nothing of {reviewer} to undo.")
        return FAILED
    print(f"Undone. {_counts(store)}")
    return OK


def _rank(store: ReviewStore) -> int:
    from gymform.dataset.next_clips import rank  # it imports PyTorch

    with bar("rank") as progress:
        ranking = rank(store, progress=progress)
    shown = f"{program()} review {store.folder.name} list --order {LEARN}"
    print(f"{len(ranking.gains)} pending repetitions ranked.\nNext: {shown}")
    return OK


def reviewer_of(options: argparse.Namespace) -> str:
    """The name to judge under. Raises OptionsError where this computer has none."""
    if options.reviewer is not None:
        return str(options.reviewer).strip()
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        raise OptionsError("Who judges? Expected --reviewer NAME.") from None


def _list(found: Sequence[Judged], as_json: bool) -> int:
    for one in found:
        print(json.dumps(dataclasses.asdict(one)) if as_json else _line(one))
    if not as_json:
        print(_count(found))
    return OK


def _line(one: Judged) -> str:
    """A repetition in one line: id, quality, verdict, exercise, group, times, clip, problems."""
    quality = "   –" if one.quality is None else f"{one.quality:.2f}"
    item = one.item
    words = f"{cleaned(item.exercise, 40)}, {cleaned(item.group, 40)}, "
    words += f"{item.start_s:.1f}–{item.end_s:.1f} s, {shortened(item.name)}"
    why = "; ".join((*one.reasons, *one.problems))
    return f"{item.id}  {quality}  {one.verdict:8}  {words}" + (f"  [{why}]" if why else "")


def _counts(store: ReviewStore) -> str:
    """How many repetitions have each verdict; with the next step when none is pending."""
    counts = store.counts()
    told = "Now: " + ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS)
    if counts[PENDING] or not counts[ACCEPTED]:
        return told
    return f"{told}\nNext: {program()} train {store.folder.name}"


def _count(found: Sequence[Judged]) -> str:
    return f"{len(found)} repetition{'' if len(found) == 1 else 's'}"
