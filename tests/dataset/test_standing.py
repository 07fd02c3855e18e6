"""What stands about an item: opinions, disputes, final decisions, and what a reviewer may see."""

from __future__ import annotations

from typing import Any

import pytest

from gymform.dataset.items import (
    ACCEPTED,
    DISPUTED,
    PENDING,
    REJECTED,
    RELABEL,
    SETTLE,
    SKIPPED,
    TRIM,
    VERDICT,
    Decision,
    Judged,
)
from gymform.dataset.standing import as_seen_by, is_open, is_own, standing
from tests.dataset.makers import clip_record, item_of

PROPOSED = Judged(item_of(clip_record(0)))
NAME = PROPOSED.item.exercise


def made(*said: tuple[str, str, str] | tuple[str, str, str, dict[str, Any]]) -> list[Decision]:
    """Decisions of a kind by a reviewer: a verdict, or an exercise; blind unless said otherwise."""
    decisions = []
    for number, (who, kind, what, *more) in enumerate(said, 1):
        value = {"blind": True, "exercise": NAME} if kind in (VERDICT, RELABEL) else {}
        if kind in (RELABEL, SETTLE):
            value["exercise"] = what if kind == RELABEL else NAME
        value |= more[0] if more else {}
        verdict = what if kind in (VERDICT, SETTLE) else ""
        decisions.append(Decision(number, "x", kind, verdict, (), "", who, f"{number}", value))
    return decisions


OPEN = {"blind": False}


@pytest.mark.parametrize(
    ("said", "verdict", "exercise"),
    [
        ([], PENDING, NAME),
        ([("ann", VERDICT, ACCEPTED)], ACCEPTED, NAME),
        ([("ann", VERDICT, ACCEPTED), ("bob", VERDICT, ACCEPTED)], ACCEPTED, NAME),
        ([("ann", VERDICT, ACCEPTED), ("bob", VERDICT, SKIPPED)], ACCEPTED, NAME),
        ([("ann", VERDICT, SKIPPED), ("bob", VERDICT, PENDING)], SKIPPED, NAME),
        ([("ann", VERDICT, ACCEPTED), ("bob", VERDICT, REJECTED)], DISPUTED, NAME),
        ([("ann", VERDICT, ACCEPTED), ("ann", VERDICT, REJECTED)], REJECTED, NAME),
        ([("ann", VERDICT, ACCEPTED), ("bob", VERDICT, REJECTED, OPEN)], REJECTED, NAME),
        ([("ann", VERDICT, ACCEPTED, OPEN), ("bob", VERDICT, REJECTED)], DISPUTED, NAME),
        ([("ann", RELABEL, "row"), ("bob", RELABEL, "curl", OPEN)], PENDING, "curl"),
        ([("ann", VERDICT, ACCEPTED), ("ann", RELABEL, "row")], ACCEPTED, "row"),
        ([("ann", VERDICT, ACCEPTED), ("bob", VERDICT, ACCEPTED), ("bob", RELABEL, "row")],
         DISPUTED, NAME),
        ([("ann", VERDICT, REJECTED), ("bob", VERDICT, ACCEPTED, {"exercise": "row"})],
         DISPUTED, "row"),
        ([("ann", VERDICT, ACCEPTED), ("bob", VERDICT, REJECTED), ("carl", RELABEL, "row", OPEN)],
         DISPUTED, "row"),
        ([("ann", VERDICT, ACCEPTED), ("bob", VERDICT, REJECTED), ("carl", SETTLE, REJECTED)],
         REJECTED, NAME),
        ([("ann", VERDICT, ACCEPTED), ("bob", VERDICT, REJECTED), ("carl", SETTLE, REJECTED),
          ("dora", VERDICT, ACCEPTED)], REJECTED, NAME),
        ([("ann", VERDICT, ACCEPTED), ("bob", VERDICT, REJECTED), ("carl", SETTLE, ACCEPTED),
          ("dora", RELABEL, "row", OPEN)], ACCEPTED, "row"),
    ],
)  # fmt: skip
def test_what_the_opinions_come_to(said, verdict, exercise):
    found = standing(PROPOSED, made(*said))
    assert (found.verdict, found.item.exercise) == (verdict, exercise)
    assert found.settled is any(kind == SETTLE for _, kind, *_ in said)


def test_a_dispute_names_those_who_disagree():
    found = standing(PROPOSED, made(("bob", VERDICT, ACCEPTED), ("ann", VERDICT, REJECTED)))
    assert found.reviewer == "ann and bob"
    assert [(one.reviewer, one.verdict) for one in found.opinions] == [
        ("bob", ACCEPTED), ("ann", REJECTED),
    ]  # fmt: skip
    assert found.decided_at == "2"


def test_who_judged_it_sees_the_dispute_and_nobody_else_does():
    decisions = made(("ann", VERDICT, ACCEPTED), ("bob", VERDICT, REJECTED))
    everything = standing(PROPOSED, decisions)
    assert as_seen_by(PROPOSED, decisions, "ann") == everything
    assert as_seen_by(PROPOSED, decisions, "carl") == PROPOSED
    assert is_open(everything)
    assert not is_open(PROPOSED)


def test_who_only_skipped_it_sees_nothing_of_the_others():
    said = [("ann", VERDICT, ACCEPTED), ("bob", VERDICT, REJECTED), ("carl", VERDICT, SKIPPED)]
    seen = as_seen_by(PROPOSED, made(*said), "carl")
    assert (seen.verdict, [one.reviewer for one in seen.opinions]) == (SKIPPED, ["carl"])


def test_bounds_are_everybodys():
    decisions = made(("ann", TRIM, "", {"start_s": 0.5, "end_s": 1.0}))
    assert as_seen_by(PROPOSED, decisions, "bob").item.start_s == 0.5
    assert is_own(decisions[0], "bob")
