"""What stands about an item, from the decisions about it in their order.

Where reviewers see what the others decided, the last verdict counts. Where they judge blind, each
reviewer's verdict is an opinion beside those of the others. When two of them accept and reject, or
accept it under different exercises, the item is disputed until somebody who sees both settles it.
A verdict that was given in sight of the others replaces theirs; a final decision stays, whoever
judges blind afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from gymform.dataset.items import (
    ACCEPTED,
    DISPUTED,
    JUDGED,
    PENDING,
    RELABEL,
    SETTLE,
    TRIM,
    VERDICT,
    Decision,
    Judged,
    Opinion,
)


def standing(proposed: Judged, decisions: Sequence[Decision]) -> Judged:
    """The item after these decisions, which must be in force and in order."""
    debate = _Debate(proposed.item.exercise)
    item = proposed.item
    for one in decisions:
        if one.kind == TRIM:
            item = replace(item, **one.value)
        else:
            debate.hear(one)
    found = debate.outcome()
    return replace(
        proposed,
        item=replace(item, exercise=found.exercise),
        verdict=found.verdict,
        reasons=found.reasons,
        comment=found.comment,
        reviewer=found.reviewer,
        decided_at=found.at,
        opinions=tuple(debate.opinions.values()),
        settled=debate.final is not None,
    )


def as_seen_by(proposed: Judged, decisions: Sequence[Decision], reviewer: str) -> Judged:
    """The item as a reviewer may see it who judges blind.

    It stands as by the reviewer's own decisions alone, in the bounds that anybody gave it. A
    dispute about it, and how that was settled, are shown to those who have judged it.
    """
    mine = standing(proposed, [one for one in decisions if is_own(one, reviewer)])
    everything = standing(proposed, decisions)
    return everything if is_open(everything) and mine.verdict in JUDGED else mine


def is_own(decision: Decision, reviewer: str) -> bool:
    """Whether a decision may be seen by a reviewer who judges blind: their own, and bounds."""
    return decision.reviewer == reviewer or decision.kind == TRIM


def is_open(judged: Judged) -> bool:
    """Whether all opinions about an item lie open: it is disputed, or was and is settled."""
    return judged.verdict == DISPUTED or judged.settled


@dataclass
class _Debate:
    """The opinions about an item that count, by reviewer and the latest last; ``final`` ends it.

    ``exercise`` is what everybody sees in it, ``suggested`` what somebody called it who saw that it
    is disputed.
    """

    exercise: str
    opinions: dict[str, Opinion] = field(default_factory=dict)
    final: Opinion | None = None
    suggested: str = ""

    def hear(self, decision: Decision) -> None:
        """Take a verdict, another exercise or a final decision into account."""
        if decision.kind == SETTLE:
            self.final = _opinion(decision, str(decision.value["exercise"]))
        elif decision.kind == RELABEL:
            self._relabel(decision)
        elif decision.kind == VERDICT:
            self._judge(decision)

    def _judge(self, decision: Decision) -> None:
        if decision.value.get("blind"):
            self.opinions.pop(decision.reviewer, None)
            exercise = str(decision.value["exercise"])
        else:
            exercise = self.exercise = self.outcome().exercise
            self.opinions.clear()
            self.final = None
        self.opinions[decision.reviewer] = _opinion(decision, exercise)
        self.suggested = ""

    def _relabel(self, decision: Decision) -> None:
        exercise, who = str(decision.value["exercise"]), decision.reviewer
        if decision.value.get("blind"):
            before = self.opinions.pop(who, Opinion(who, PENDING, exercise))
            self.opinions[who] = replace(before, exercise=exercise)
        elif self.outcome().verdict == DISPUTED:
            self.suggested = exercise
        else:
            self.exercise = exercise
            self.opinions = {
                name: replace(one, exercise=exercise) for name, one in self.opinions.items()
            }
            self.final = self.final and replace(self.final, exercise=exercise)

    def outcome(self) -> Opinion:
        """The final decision, else what the opinions come to, as if one reviewer had said it."""
        if self.final:
            return self.final
        given = list(self.opinions.values())
        judged = [one for one in given if one.verdict in JUDGED]
        if judged and not _agree(judged):
            return self._dispute(judged)
        decided = judged or [one for one in given if one.verdict != PENDING] or given
        return decided[-1] if decided else Opinion("", PENDING, self.exercise)

    def _dispute(self, judged: Sequence[Opinion]) -> Opinion:
        names = " and ".join(sorted(one.reviewer for one in judged))
        accepted = {one.exercise for one in judged if one.verdict == ACCEPTED}
        shared = accepted.pop() if len(accepted) == 1 else self.exercise
        return Opinion(names, DISPUTED, self.suggested or shared, at=judged[-1].at)


def _agree(judged: Sequence[Opinion]) -> bool:
    """One verdict, and when they accept it one exercise."""
    verdicts = {one.verdict for one in judged}
    exercises = {one.exercise for one in judged if one.verdict == ACCEPTED}
    return len(verdicts) == 1 and len(exercises) <= 1


def _opinion(decision: Decision, exercise: str) -> Opinion:
    return Opinion(
        decision.reviewer,
        decision.verdict,
        exercise,
        decision.reasons,
        decision.comment,
        decision.at,
    )
