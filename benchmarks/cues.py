"""How many ticks and remarks about form are true, by eye.

    python benchmarks/cues.py CLIPS --poses DIR [--list]

CLIPS is the folder of the videos. ``truth/cues.csv`` says of each clip, and from where to where in
it, whether what a rule looks at was good, a fault, or cannot be told by eye; depth is that of
``truth/bottoms.csv``. The truth is about the lifter and not about what the program says: it holds
when rules or networks change. DIR keeps the keypoints; what it does not hold is found first. The
exercise is taken as known: that of the clip's folder. ``--list`` prints every cue with the eye's
word for it.

Writes ``cues.md`` beside this file.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cached_poses import cached_pose
from machine import describe, table

from gymform.exercises import EXERCISES, Rule, class_of, find_exercise
from gymform.form.cues import SLOWING, assess_form
from gymform.motion.clean import clean
from gymform.motion.quality import assess
from gymform.types import Cue, FormReport, Prediction, Verdict

FOLDER = Path(__file__).parent / "truth"
OUT = Path(__file__).with_suffix(".md")
DEPTH = "thigh_below_level"
SLOWING_KEY = "slowing"
GOOD, FAULT, UNCLEAR, UNKNOWN = "good", "fault", "unclear", "not looked at"
WITHIN_S = 0.8
"""A bottom this near to the moment of a cue is the one that it is about."""


@dataclass(frozen=True)
class Said:
    """A cue on a clip of a person, the key of its rule, and what the eye says."""

    file: str
    group: str
    exercise: str
    key: str
    cue: Cue
    eye: str

    @property
    def is_true(self) -> bool:
        """Does the eye agree? What cannot be told by eye is not true."""
        return self.eye == (GOOD if self.cue.verdict is Verdict.GOOD else FAULT)


@dataclass(frozen=True)
class Fact:
    """What the eye says of one thing from ``start`` to ``end`` s in a clip."""

    start: float
    end: float
    key: str
    eye: str


def main() -> int:
    """Judge all clips of the truth, print and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path, metavar="CLIPS")
    parser.add_argument("--poses", type=Path, required=True, metavar="DIR")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    groups, facts, bottoms = clips_of_truth()
    said: list[Said] = []
    could: Counter[tuple[str, str]] = Counter()
    for file, group in sorted(groups.items()):
        pose = cached_pose(options.clips, file, options.poses)
        tracks = clean(pose)
        exercise = class_of(Path(file).parent.name)
        known = Prediction((exercise,), (1.0,), exercise, None, "")
        form = assess_form(pose, tracks, assess(pose, tracks), known)
        could.update(judgeable(form))
        for cue in form.cues:
            key = key_of(form.exercise, cue)
            eye = eye_on(cue, key, facts[file], bottoms[file])
            said.append(Said(file, group, form.exercise, key, cue, eye))
    if options.list:
        print("\n".join(listed(said)))
    text = render(said, could, groups)
    OUT.write_text(text, encoding="utf-8")
    print(text)
    return 0


# ---- truth ---------------------------------------------------------------------------------------


def clips_of_truth() -> tuple[dict[str, str], dict[str, list[Fact]], dict[str, list[Bottom]]]:
    """The person of each clip, and by clip what the eye says of it and of its bottoms."""
    groups: dict[str, str] = {}
    facts: dict[str, list[Fact]] = defaultdict(list)
    bottoms: dict[str, list[Bottom]] = defaultdict(list)
    for row in rows_of("cues.csv"):
        groups[row["file"]] = row["group"]
        start, end = float(row["from_s"] or 0), float(row["to_s"] or "inf")
        facts[row["file"]].append(Fact(start, end, row["key"], row["eye"]))
    for row in rows_of("bottoms.csv"):
        groups[row["file"]] = row["group"]
        bottoms[row["file"]].append((float(row["time_s"]), row["verdict"]))
    return groups, facts, bottoms


Bottom = tuple[float, str]
"""The second of a lowest frame, and what one person said of it."""


def rows_of(name: str) -> list[dict[str, str]]:
    """The rows of a file of the truth."""
    with (FOLDER / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def eye_on(cue: Cue, key: str, facts: Sequence[Fact], bottoms: Sequence[Bottom]) -> str:
    """What the eye says of what a cue is about."""
    if key == DEPTH:
        return depth_by_eye(cue, [v for s, v in bottoms if abs(s - cue.at_s) <= WITHIN_S])
    words = {f.eye for f in facts if f.key == key and f.start <= cue.at_s <= f.end}
    return next((word for word in (FAULT, UNCLEAR, GOOD) if word in words), UNKNOWN)


def depth_by_eye(cue: Cue, verdicts: Iterable[str]) -> str:
    """Whether a depth is what the cue says it is, in the words of a fault or its absence."""
    told = set(verdicts) - {"unseen", "none"}
    if not told:
        return UNKNOWN
    meant = {"Above": "above", "About": "close", "Deep:": "below"}.get(cue.title[:5])
    says_good = cue.verdict is Verdict.GOOD
    if meant in told:
        return GOOD if says_good else FAULT
    return FAULT if says_good else GOOD


# ---- what was said -------------------------------------------------------------------------------


def key_of(exercise: str, cue: Cue) -> str:
    """The key of the rule that a cue comes from."""
    known = find_exercise(exercise)
    for rule in known.rules if known else ():
        if cue.basis == rule.basis and begins_alike(rule, cue):
            return rule.key
    return SLOWING_KEY if cue.title == SLOWING else ""


def begins_alike(rule: Rule, cue: Cue) -> bool:
    """Do the text of a cue and of a rule begin alike?"""
    head = rule.means.split("{value}")[0]
    return cue.text.startswith(head)


def judgeable(form: FormReport) -> Iterable[tuple[str, str]]:
    """(exercise, key) for each rule of the exercise, once a clip with a whole repetition."""
    known = find_exercise(form.exercise)
    whole = [rep for rep in form.repetitions if not rep.cut_off_by]
    return [(known.key, rule.key) for rule in known.rules] if known and whole else []


def listed(said: Iterable[Said]) -> Iterable[str]:
    """Every cue in a line."""
    for one in said:
        yield (
            f"{one.cue.verdict.value:5} {one.eye:13} {one.file} {one.key} "
            f"{one.cue.at_s:.2f} {one.cue.title} | {one.cue.text}"
        )


# ---- the report ----------------------------------------------------------------------------------


def precision(said: Sequence[Said]) -> str:
    """How many of those that were looked at are true."""
    known = [one for one in said if one.eye != UNKNOWN]
    true = sum(one.is_true for one in known)
    return f"{true} of {len(known)} ({true / len(known):.3f})" if known else "-"


def rule_rows(said: Sequence[Said], could: Counter[tuple[str, str]]) -> list[list[str]]:
    """A row for each rule: clips, ticks, remarks, too close, and nothing said."""
    rows = []
    for exercise in EXERCISES:
        for key in [rule.key for rule in exercise.rules]:
            mine = [one for one in said if (one.exercise, one.key) == (exercise.key, key)]
            ticks, remarks, close = (of_kind(mine, kind) for kind in Verdict)
            clips = could[exercise.key, key]
            rows.append([exercise.key, key, str(clips), precision(ticks), precision(remarks),
                         str(len(close)), str(clips - len(mine))])  # fmt: skip
    slow = [one for one in said if one.key == SLOWING_KEY]
    rows.append(["any", SLOWING_KEY, "", "-", precision(slow), "0", ""])
    return rows


def of_kind(said: Sequence[Said], kind: Verdict) -> list[Said]:
    """The cues of one verdict."""
    return [one for one in said if one.cue.verdict is kind]


def false_rows(said: Iterable[Said]) -> list[list[str]]:
    """The cues that the eye does not confirm."""
    return [
        [one.file, f"{one.cue.at_s:.1f} s", one.cue.title, one.eye]
        for one in said
        if one.cue.verdict is not Verdict.CLOSE and one.eye != UNKNOWN and not one.is_true
    ]


def render(said: Sequence[Said], could: Counter[tuple[str, str]], groups: dict[str, str]) -> str:
    """The report in Markdown."""
    ticks, remarks, close = (of_kind(said, kind) for kind in Verdict)
    people = len(set(groups.values()))
    with_cues = {one.file for one in said}
    unknown = sum(one.eye == UNKNOWN for one in (*ticks, *remarks))
    header = ["exercise", "rule", "clips", "true ticks", "true remarks", "too close", "not said"]
    return f"""# Ticks and remarks, judged by eye

Made by `python benchmarks/cues.py CLIPS --poses DIR`. In {len(groups)} clips of {people} people
somebody looked at what the rules look at, in {len(with_cues)} of them something is said. A tick is
true where the eye finds it good, a remark where the eye finds the fault; what cannot be told by eye
counts as not true. {unknown} cues are about something that nobody looked at, and do not count.
Measured on: {describe()}.

Ticks: {precision(ticks)} true. Remarks: {precision(remarks)} true. Too close to call: {len(close)}.

Clips: with a whole repetition. Not said: the camera stands elsewhere, or joints are hidden.

{table(header, rule_rows(said, could))}

What the eye does not confirm:

{table(["clip", "moment", "cue", "eye"], false_rows(said))}
"""


if __name__ == "__main__":
    sys.exit(main())
