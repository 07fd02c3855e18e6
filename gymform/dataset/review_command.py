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
    DISPUTED,
    JUDGED,
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
RULES = {"blind": True, "open": False}
"""Whether reviewers judge blind after each of these actions."""

VERDICT_OF = {"accept": ACCEPTED, "reject": REJECTED, "skip": SKIPPED, "reset": PENDING}
"""The verdict that each action gives."""

ACTIONS = (LIST, RANK, *VERDICT_OF, UNDO, *RULES)

EPILOG = f"""\
a condition compares fields: {", ".join(FIELDS)}
with =, !=, <, <=, >, >= or ~ (contains), joined by and, or, not and parentheses:

  review lifts accept --where "quality>0.8 and exercise=squat"
  review lifts reject --where 'problem="person lost" or quality<0.3' --reason "poor keypoints"
  review lifts accept --where "verdict=skipped and group=anna" --dry-run

Without "verdict" in the condition, only pending repetitions are judged. What one command did is
undone by one: review lifts undo

After "review lifts blind" reviewers do not see what others decided, until "review lifts open": each
judges all repetitions. What two of them disagree about is disputed, and left out of training and
export, until somebody makes the final decision:

  review lifts list --where verdict=disputed
  review lifts accept --final --where "id=..." --exercise "front squat"

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
    add("--final", action="store_true", help="accept or reject disputed repetitions for good")
    add("--exercise", default="", metavar="NAME", help="what they show, with --final")
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
        if options.action in RULES:
            return _rule(store, options)
        if options.final or options.exercise:
            return _settle(store, options)
        found = chosen(store, options)
        if options.action == LIST:
            return _list(found, options.json)
        return _judge(store, found, options)


def chosen(store: ReviewStore, options: argparse.Namespace) -> list[Judged]:
    """The repetitions that fit the condition, in their order. Raises OptionsError.

    While reviewers judge blind they are as this one may see them; but what is disputed can always
    be listed, and settled with ``--final``.
    """
    if options.limit is not None and options.limit < 1:
        raise OptionsError(f"--limit: expected 1 or more, got {options.limit}.")
    condition = parse(options.where) if options.where.strip() else lambda _: True
    order = Filter(order=options.order)
    found = store.judged(order, reviewer_of(options)) if store.is_blind() else store.judged(order)
    if options.action == LIST or options.final:
        disputed = {one.item.id: one for one in store.judged(Filter(verdicts=(DISPUTED,)))}
        found = [disputed.get(one.item.id, one) for one in found]
    return [one for one in found if condition(one)][: options.limit]


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
        print(_counts(store, reviewer_of(options)))
    return OK


def _settle(store: ReviewStore, options: argparse.Namespace) -> int:
    """Accept or reject disputed repetitions for good."""
    verdict = VERDICT_OF.get(options.action, "")
    if not options.final or verdict not in JUDGED:
        raise OptionsError(
            "--final and --exercise make the final decision about disputed repetitions: expected "
            "accept --final or reject --final, with or without --exercise."
        )
    found = [one for one in chosen(store, options) if one.verdict == DISPUTED]
    if options.dry_run:
        return _list(found, options.json)
    if verdict == ACCEPTED and not options.exercise:
        _check_exercises(found)
    store.settle(
        [one.item.id for one in found],
        verdict,
        reviewer=reviewer_of(options),
        exercise=options.exercise,
        reasons=options.reason or _reasons_of(found) if verdict == REJECTED else (),
        comment=options.comment,
    )
    print(f"{_count(found)} {verdict} for good\n{_counts(store, reviewer_of(options))}")
    return OK


def _check_exercises(found: Sequence[Judged]) -> None:
    """Raise OptionsError where reviewers accepted a repetition under different exercises."""
    for one in found:
        names = sorted({said.exercise for said in one.opinions if said.verdict == ACCEPTED})
        if len(names) > 1:
            raise OptionsError(
                f"{one.item.id} was accepted as {' and as '.join(names)}: say what it shows with "
                "--exercise, and settle the others by another command."
            )


def _reasons_of(found: Sequence[Judged]) -> list[str]:
    """The reasons that those who rejected the repetitions gave, in the order of the list."""
    given = {reason for one in found for said in one.opinions for reason in said.reasons}
    return [reason for reason in REASONS if reason in given]


def _rule(store: ReviewStore, options: argparse.Namespace) -> int:
    store.set_blind(RULES[options.action], reviewer=reviewer_of(options))
    if store.is_blind():
        print("Reviewers judge blind from now on: nobody sees what others decided.")
    else:
        print("Reviewers see each other's verdicts from now on.")
    return OK


def _undo(store: ReviewStore, reviewer: str) -> int:
    undone = store.undo(reviewer)
    if undone is None:
        print(f"There is nothing of {reviewer} to undo.")
        return FAILED
    print(f"Undone. {_counts(store, reviewer)}")
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
    said = (
        f"{who.reviewer}: {who.verdict}, {cleaned(who.exercise, 40)}"
        for who in one.opinions
        if one.verdict == DISPUTED
    )
    why = "; ".join((*one.reasons, *said, *one.problems))
    return f"{item.id}  {quality}  {one.verdict:8}  {words}" + (f"  [{why}]" if why else "")


def _counts(store: ReviewStore, seen_by: str) -> str:
    """How many repetitions have each verdict, as a reviewer may know it; with what comes next."""
    counts = store.counts(seen_by=seen_by)
    shown = [one for one in VERDICTS if counts[one] or one != DISPUTED]
    told = "Now: " + ", ".join(f"{counts[verdict]} {verdict}" for verdict in shown)
    if counts[DISPUTED]:
        return f"{told}\nNext: {program()} review {store.folder.name} list --where verdict=disputed"
    if counts[PENDING] or not counts[ACCEPTED]:
        return told
    return f"{told}\nNext: {program()} train {store.folder.name}"


def _count(found: Sequence[Judged]) -> str:
    return f"{len(found)} repetition{'' if len(found) == 1 else 's'}"
