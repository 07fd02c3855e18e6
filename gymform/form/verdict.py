"""The result in one line: which exercise, how many repetitions, and what was good or not."""

from __future__ import annotations

from gymform.exercises import Rule, find_exercise, title_of
from gymform.types import Cue, FormReport, Verdict

MOST = 3
"""Findings that fit into a line."""


def verdict_line(form: FormReport, title: str | None = None) -> str:
    """Such as "Squat, 3 repetitions: deep in 2 of 3; hips and shoulders rise together."

    What there is to look at comes first. Without a finding it says why there is none. ``title``
    stands for the exercise, where more is known than its name, or less.
    """
    count = sum(not rep.cut_off_by for rep in form.repetitions)
    counted = f", {count} repetition{'' if count == 1 else 's'}" if count else ""
    line = f"{title or title_of(form.exercise)}{counted}"
    found = [_finding(form, cue) for cue in form.cues if _tells(form, cue)]
    if found:
        return f"{line}: {'; '.join(found[:MOST])}."
    if form.cues:
        return f"{line}: too close to call."
    return f"{line}: measured, not judged." if count else f"{line}: no whole repetition."


def _finding(form: FormReport, cue: Cue) -> str:
    """One cue in a few words, with how many repetitions it holds for where not for all."""
    rule = _rule(form, cue)
    if rule and cue.verdict is Verdict.LOOK and rule.level and cue.good:
        return f"{_short(rule.good)} in {cue.good} of {cue.judged}"
    often = cue.look if cue.verdict is Verdict.LOOK else 0
    share = f" in {often} of {cue.judged}" if 0 < often < cue.judged else ""
    return f"{_short(cue.title)}{share}"


def _tells(form: FormReport, cue: Cue) -> bool:
    """Does a cue say more than that it is too close to call? What may be level is named."""
    rule = _rule(form, cue)
    return cue.verdict is not Verdict.CLOSE or bool(rule and rule.level)


def _rule(form: FormReport, cue: Cue) -> Rule | None:
    exercise = find_exercise(form.exercise)
    rules = exercise.rules if exercise else ()
    return next((rule for rule in rules if rule.key == cue.key), None)


def _short(title: str) -> str:
    """ "Deep: the hips go below the knees" as "deep"."""
    words = title.partition(":")[0]
    return words[0].lower() + words[1:]
