"""How the depth of squats that the program names agrees with the eye.

    python benchmarks/depth.py CLIPS --poses DIR

CLIPS is the folder of the videos. ``truth/bottoms.csv`` holds the lowest frames of squats and
catches, each marked by two people who did not see each other's marks nor a skeleton: the hip
crease and the top of the knee on the side of the camera, px, from which side it looks, and whether
the crease is below the knee, above it, or too close to tell. DIR keeps the keypoints; what it does
not hold is found first.

Writes ``depth.md`` beside this file.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cached_poses import cached_pose
from form import report
from machine import describe, table

from gymform.exercises import SQUAT
from gymform.form import body as bodies
from gymform.form.body import Body, bodies_of
from gymform.motion.body_size import SEGMENTS, TORSO
from gymform.motion.clean import clean
from gymform.skeleton import HIPS, KNEES
from gymform.types import FormReport, PoseSequence

TRUTH = Path(__file__).parent / "truth" / "bottoms.csv"
OUT = Path(__file__).with_suffix(".md")
THIGH = SEGMENTS[1][2]
"""Length of a thigh in statures."""

ABOVE, LEVEL, BELOW, UNSEEN, NONE = "above", "close", "below", "unseen", "none"
HIGHER, DEEPER = f"{ABOVE}/{LEVEL}", f"{LEVEL}/{BELOW}"
VERDICTS = {
    ABOVE: "above",
    HIGHER: "parallel or higher",
    LEVEL: "about parallel",
    DEEPER: "parallel or deeper",
    BELOW: "deep",
}
"""What the program says of depth, from high to deep, and its words in the report; a verdict of two
words leaves it open between them."""
VIEWS = ("side", "oblique", "front")
LOWEST = -30.0
"""Thighs that point up more than this, in degrees, say nothing of the points' bias near level."""

APART = 5.0
"""Nine in ten slopes of two people are within this many degrees of each other."""

WITHIN_S = 0.5
"""A repetition's bottom this near to the one that was marked is the same one."""


@dataclass(frozen=True)
class Mark:
    """What one person saw: ``hip`` and ``knee`` px (2,), NaN where not marked."""

    view: str
    hip: np.ndarray
    knee: np.ndarray
    verdict: str
    sure: bool


@dataclass(frozen=True)
class Bottom:
    """One frame, what both saw in it, and what the program finds there.

    In degrees: ``slopes`` how far the crease is below the knee by each of the marks, ``near`` and
    ``far`` the slopes of the thighs, ``depth`` what the program makes of them. In trunk lengths:
    ``offsets`` (2, 2) from the marked crease and top of the knee to the network's hip and knee, x
    and y, and ``apart`` (2,) between the two marks of the crease and of the knee.
    ``said`` is the program's verdict on the repetition, None where there is none; ``side`` whether
    it takes the view for one from the side, ``cut_off`` whether it takes the repetition for one
    that the clip cuts off.
    """

    name: str
    file: str
    group: str
    marks: tuple[Mark, ...]
    slopes: tuple[float, ...]
    near: float
    far: float
    depth: float
    offsets: np.ndarray
    apart: np.ndarray
    said: str | None
    side: bool
    cut_off: bool

    @property
    def is_plain(self) -> bool:
        """Is the whole repetition in the clip, and could both people tell?"""
        return not self.cut_off and UNSEEN not in {mark.verdict for mark in self.marks}

    @property
    def eye(self) -> float:
        """The slope by eye, the mean of both."""
        return mean(self.slopes)

    @property
    def view(self) -> str:
        """Where the camera stands; oblique where the two do not agree."""
        views = {mark.view for mark in self.marks if mark.view}
        return views.pop() if len(views) == 1 else "oblique"

    @property
    def eyes(self) -> set[str]:
        """The verdicts of those who could tell."""
        return {mark.verdict for mark in self.marks} - {UNSEEN, NONE}


def main() -> int:
    """Measure all bottoms, print and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path, metavar="CLIPS")
    parser.add_argument("--poses", type=Path, required=True, metavar="DIR")
    options = parser.parse_args()
    bottoms: list[Bottom] = []
    for file, rows in marked().items():
        pose = cached_pose(options.clips, file, options.poses)
        shots = bodies_of(pose, clean(pose))
        form = report(pose, "squat") if "squat" in file.split("/")[0] else None
        bottoms += [measured(shots, form, pose, row) for row in rows if shots]
    text = render(bottoms)
    OUT.write_text(text, encoding="utf-8")
    print(text)
    return 0


# ---- truth and measures --------------------------------------------------------------------------


def marked() -> dict[str, list[list[dict[str, str]]]]:
    """The rows of the truth by file and frame, without frames that are no bottom."""
    with TRUTH.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    frames: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        frames[row["id"]].append(row)
    files: dict[str, list[list[dict[str, str]]]] = defaultdict(list)
    for marks in frames.values():
        if not any(row["verdict"] == NONE for row in marks):
            files[marks[0]["file"]].append(marks)
    return files


def measured(
    shots: Sequence[Body],
    form: FormReport | None,
    pose: PoseSequence,
    rows: Sequence[dict[str, str]],
) -> Bottom:
    """A frame as both people and the program see it."""
    marks = tuple(mark_of(row) for row in rows)
    time_s = float(rows[0]["time_s"])
    body = min(shots, key=lambda shot: float(np.abs(shot.time_s - time_s).min()))
    frame = body.frame_at(time_s)
    xy = pose.xy[int(np.abs(pose.time_s - time_s).argmin())]
    near, far = (body.about(body.thighs[:, side], frame) for side in (body.side, 1 - body.side))
    slopes = tuple(slope(m, body.size) if m.verdict != UNSEEN else np.nan for m in marks)
    return Bottom(
        rows[0]["id"], rows[0]["file"], rows[0]["group"], marks,
        slopes, near, far, body.about(body.depth, frame), offsets(xy, marks, body),
        apart(marks, body.size), said_at(form, time_s, body), body.from_side,
        is_cut_off(form, time_s),
    )  # fmt: skip


def mark_of(row: dict[str, str]) -> Mark:
    """One row of the truth."""
    numbers = [float(row[key] or "nan") for key in ("hip_x", "hip_y", "knee_x", "knee_y")]
    points = np.array(numbers)
    return Mark(row["view"], points[:2], points[2:], row["verdict"], row["sure"] == "yes")


def slope(mark: Mark, size: float) -> float:
    """Degrees by which the line from the top of the knee to the crease points below level."""
    drop = (mark.hip - mark.knee)[1] / (THIGH * size)
    return float(np.degrees(np.arcsin(np.clip(drop, -1, 1))))


def apart(marks: Sequence[Mark], size: float) -> np.ndarray:
    """Distance (2,) of two marks of the crease and of the knee in trunk lengths, NaN without."""
    if len(marks) != 2:
        return np.full(2, np.nan)
    between = [marks[0].hip - marks[1].hip, marks[0].knee - marks[1].knee]
    return np.asarray(np.linalg.norm(between, axis=1) / (TORSO * size))


def offsets(xy: np.ndarray, marks: Sequence[Mark], body: Body) -> np.ndarray:
    """Network minus eye (hip and knee, x and y) in trunk lengths, of the side that was marked.

    From elsewhere than the side, of the knee that is nearer to the mark; x is positive towards the
    back of the lifter.
    """
    hip, knee = (np.nanmean([getattr(m, name) for m in marks], 0) for name in ("hip", "knee"))
    away = [np.linalg.norm(xy[KNEES[s]] - knee) for s in (0, 1)]
    unclear = body.from_side or bool(np.isnan(away).any())
    side = body.side if unclear else int(np.argmin(away))
    found = np.stack([xy[HIPS[side]] - hip, xy[KNEES[side]] - knee]) / (TORSO * body.size)
    return np.asarray(found * [-body.facing, 1])


def said_at(form: FormReport | None, time_s: float, body: Body) -> str | None:
    """What the program says of the depth of the repetition with its bottom at ``time_s``."""
    rule = SQUAT.rules[0]
    for rep in form.repetitions if form else ():
        found = rep.value(rule.key)
        if found and abs(found.at_s - time_s) <= WITHIN_S:
            margin = rule.margin if body.from_side else rule.oblique or rule.margin
            said = class_of(found.value, margin)
            return said if body.from_side or said in (ABOVE, BELOW) else None
    return None


def is_cut_off(form: FormReport | None, time_s: float) -> bool:
    """Does the program say that the clip's ends or a cut hide a part of the repetition?"""
    return any(
        rep.cut_off_by and rep.start_s - 0.1 <= time_s <= rep.end_s + 0.1
        for rep in (form.repetitions if form else ())
    )


def class_of(depth: float, margin: float) -> str | None:
    """The program's verdict in the words of the truth; None for no depth."""
    if not np.isfinite(depth):
        return None
    if abs(depth) < margin:
        return LEVEL
    if abs(depth) < margin + SQUAT.rules[0].gap:
        return DEEPER if depth > 0 else HIGHER
    return BELOW if depth > 0 else ABOVE


def mean(values: Iterable[float]) -> float:
    """The mean of the finite values; NaN when there are none."""
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")


# ---- what follows from it ------------------------------------------------------------------------


def agrees(verdict: str, bottom: Bottom) -> bool:
    """Does a verdict agree with the eye, with either of two where they differ?"""
    return fits(verdict, bottom.eyes)


def fits(verdict: str | None, eyes: set[str]) -> bool:
    """Is a verdict, or one of its two words, among those of the eyes?"""
    return verdict is not None and not eyes.isdisjoint(verdict.split("/"))


def is_near(verdict: str, bottom: Bottom, margin: float) -> bool:
    """Does it agree, or is the eye's slope no farther off than two people's are apart?"""
    ends = {ABOVE: (-90.0, -margin), LEVEL: (-margin, margin), BELOW: (margin, 90.0)}
    low, high = (ends[word] for word in (verdict.split("/")[0], verdict.split("/")[-1]))
    return agrees(verdict, bottom) or low[0] - APART <= bottom.eye <= high[1] + APART


def by_person(bottoms: Iterable[Bottom], value: Callable[[Bottom], float]) -> np.ndarray:
    """The mean of a value for each person of whom it is known."""
    groups: dict[str, list[float]] = defaultdict(list)
    for bottom in bottoms:
        if np.isfinite(value(bottom)):
            groups[bottom.group].append(value(bottom))
    return np.array([np.mean(values) for values in groups.values()])


def usual(bottoms: Iterable[Bottom]) -> list[Bottom]:
    """Those whose thighs are not far from level, where a plate has not moved the hips."""
    return [b for b in bottoms if b.near > LOWEST]


def biases(bottoms: Sequence[Bottom]) -> tuple[float, float]:
    """Mean over people of eye minus slope, of the near and of the far thigh, degrees."""
    near, far = (
        by_person(usual(bottoms), lambda b, name=name: b.eye - getattr(b, name))
        for name in ("near", "far")
    )
    return tuple(float(np.mean(one)) if len(one) else 0.0 for one in (near, far))  # type: ignore[return-value]


def corrected(bottom: Bottom, bias: tuple[float, float]) -> float:
    """Depth as the program computes it, with other biases."""
    slopes = [bottom.near + bias[0], bottom.far + bias[1]]
    if abs(slopes[0] - slopes[1]) > bodies.APART:
        return float("nan")
    return mean(slopes)


def fitted_margin(depths: Sequence[float], eyes: Sequence[set[str]]) -> float:
    """The margin in degrees that contradicts the eye least often, in the middle of those."""
    pairs = [(d, e) for d, e in zip(depths, eyes, strict=True) if np.isfinite(d) and e]
    grid = np.arange(3.0, 15.0, 0.25)
    wrong = np.array([sum(not fits(class_of(d, g), e) for d, e in pairs) for g in grid])
    return float(np.median(grid[wrong == wrong.min()]))


def held_out(bottoms: Sequence[Bottom], margin: float | None) -> list[tuple[Bottom, str | None]]:
    """Each bottom's verdict by biases, and a margin unless given, fitted to other people."""
    found = []
    for group in {b.group for b in bottoms}:
        others = [b for b in bottoms if b.group != group]
        bias = biases(others)
        depths = [corrected(b, bias) for b in others]
        limit = fitted_margin(depths, [b.eyes for b in others]) if margin is None else margin
        found += [(b, class_of(corrected(b, bias), limit)) for b in bottoms if b.group == group]
    return found


# ---- the report ----------------------------------------------------------------------------------


def quantiles(values: Sequence[float] | np.ndarray, unit: str = "") -> str:
    """Median and nine in ten of the sizes of ``values``."""
    known = np.abs([v for v in values if np.isfinite(v)])
    if not len(known):
        return "-"
    return f"{np.median(known):.2g}{unit} / {np.quantile(known, 0.9):.2g}{unit}"


def disagreement_rows(bottoms: Sequence[Bottom]) -> list[list[str]]:
    """How far the two people are apart, by view."""
    rows = []
    for view in VIEWS:
        both = [b for b in bottoms if b.view == view and len(b.marks) == 2]
        told = [b for b in both if UNSEEN not in {mark.verdict for mark in b.marks}]
        same = sum(len(b.eyes) == 1 for b in told)
        opposite = sum({ABOVE, BELOW} <= b.eyes for b in told)
        rows.append([
            view, str(len(both)), str(len({b.group for b in both})), str(len(told)), str(same),
            str(opposite), quantiles([b.apart[0] for b in both]),
            quantiles([b.apart[1] for b in both]),
            quantiles([b.slopes[0] - b.slopes[1] for b in both], "°"),
        ])  # fmt: skip
    return rows


def bias_rows(bottoms: Sequence[Bottom]) -> list[list[str]]:
    """What lies between the network's points and the eye's, by view: mean, spread over people."""
    rows = []
    for view in VIEWS:
        here = usual(b for b in bottoms if b.view == view and np.isfinite(b.eye))
        values = [
            *(by_person(here, lambda b, i=i: b.offsets[i, 1]) for i in (0, 1)),
            *(by_person(here, lambda b, n=n: b.eye - getattr(b, n)) for n in ("near", "far")),
            by_person(here, lambda b: b.eye - (b.near + b.far) / 2),
            by_person(here, lambda b: b.eye - b.depth),
        ]
        spreads = [f"{v.mean():.2g} ± {v.std(ddof=1):.2g}" if len(v) > 1 else "-" for v in values]
        rows.append([view, str(len(here)), str(len({b.group for b in here})), *spreads])
    return rows


def share(count: int, total: int) -> str:
    """A count, and what share of the total it is."""
    return f"{count} of {total} ({count / total:.0%})" if total else "none"


def verdict_row(name: str, told: Sequence[tuple[Bottom, str | None]]) -> list[str]:
    """Coverage and agreement of verdicts on bottoms that the eye could judge."""
    told = [(b, verdict) for b, verdict in told if b.eyes]
    given = [(b, verdict) for b, verdict in told if verdict]
    right = [b for b, verdict in given if agrees(verdict or "", b)]
    near = [b for b, verdict in given if is_near(verdict or "", b, SQUAT.rules[0].margin)]
    clear = [(b, v) for b, v in given if b.eyes in ({ABOVE}, {BELOW}) and v in (ABOVE, BELOW)]
    against = sum(v not in b.eyes for b, v in clear)
    people = len({b.group for b, _ in told})
    return [name, str(len(told)), str(people), share(len(given), len(told)),
            share(len(right), len(given)),
        share(len(near), len(given)), str(against)]  # fmt: skip


def confusion_rows(told: Sequence[tuple[Bottom, str | None]]) -> list[list[str]]:
    """How often the program says what where the eye says what."""
    kinds = (ABOVE, LEVEL, BELOW)
    seen = [("/".join(k for k in kinds if k in b.eyes), v) for b, v in told if b.eyes]
    names = sorted({name for name, _ in seen})
    return [
        [name, *(str(sum(s == (name, v) for s in seen)) for v in (*VERDICTS, None))]
        for name in names
    ]


def different(told: Sequence[tuple[Bottom, str | None]]) -> list[list[str]]:
    """The bottoms where verdict and eye differ."""
    return [
        [b.name, b.file, f"{b.depth:.0f}°", f"{b.eye:.0f}°", str(v), "/".join(sorted(b.eyes))]
        for b, v in told if b.eyes and v and not agrees(v, b)
    ]  # fmt: skip


def verdict_rows(bottoms: Sequence[Bottom]) -> list[list[str]]:
    """Coverage and agreement as shown, at the marked frame, and for people left out of the fit."""
    margin = SQUAT.rules[0].margin
    from_side = [b for b in bottoms if b.view == "side"]
    shown = shown_verdicts(bottoms, "side")
    others = [one for one in shown_verdicts(bottoms, "oblique", "front") if not one[0].side]
    return [
        verdict_row("squats from the side, as shown", shown),
        verdict_row("of these, whole and seen by both", [o for o in shown if o[0].is_plain]),
        verdict_row(
            "squats and catches from the side, at the marked frame",
            [(b, class_of(b.depth, margin)) for b in from_side],
        ),
        verdict_row("the same, corrections from other people", held_out(from_side, margin)),
        verdict_row("the same, and the margin", held_out(from_side, None)),
        verdict_row("squats from elsewhere, as shown", others),
    ]


def shown_verdicts(bottoms: Sequence[Bottom], *views: str) -> list[tuple[Bottom, str | None]]:
    """The squats in some views and what the program says of them."""
    squats = [b for b in bottoms if "squat" in b.file.split("/")[0]]
    return [(b, b.said) for b in squats if b.view in views]


def render(bottoms: list[Bottom]) -> str:
    """The report in Markdown."""
    rule = SQUAT.rules[0]
    from_side = shown_verdicts(bottoms, "side")
    header = ["", "bottoms", "people", "with a verdict", "agree with the eye",
              f"give or take {APART:g}°", "opposite"]  # fmt: skip
    people = ["view", "frames", "people", "both could tell", "same verdict", "opposite", "crease",
              "knee", "slope"]  # fmt: skip
    points = ["view", "frames", "people", "hip", "knee", "near", "far", "both", "left"]
    return f"""# Depth of squats, judged by eye

Made by `python benchmarks/depth.py CLIPS --poses DIR`. Two people marked the hip crease and the top
of the knee in {len(bottoms)} lowest frames of {len({b.group for b in bottoms})} people, each for
themselves and without a skeleton in the picture. Of two figures in a column, the first is the
median and the second holds nine in ten.
Measured on: {describe()}.

## How far two people are apart

Crease and knee: distance of the marks, in trunk lengths. Slope: of the line from the top of the
knee to the crease.

{table(people, disagreement_rows(bottoms))}

## What the network's points are beside the eye's

Mean ± spread over people. Hip and knee: how far the network's point is below the marked one, in
trunk lengths. The rest are degrees to add: to the slope of the near thigh, of the far thigh, of the
mean of both, and what is left after the program's correction (near {bodies.NEAR_BIAS:+g}°, far
{bodies.FAR_BIAS:+g}°, in other views {bodies.OTHER_BIAS:+g}°).

{table(points, bias_rows(bottoms))}

## Verdicts

From the side, depth within {rule.margin:g}° is called about parallel; from elsewhere nothing is
said within {rule.oblique + rule.gap:g}°. A verdict agrees when the eye says the same, "too close to
tell" standing for about parallel; where the two people differ, either will do. Give or take: also
right where the eye's slope is no farther from what was said than two people are from each other.
Opposite: above where the eye says below, or the other way round. Depths less than {rule.gap:g}°
beyond about parallel are called parallel or a little higher, or a little deeper: that agrees with
either, and is {sum(v in (HIGHER, DEEPER) for _, v in from_side)} of the
{sum(v is not None for _, v in from_side)} verdicts from the side. Without a verdict are repetitions
that the clip's ends or a cut hide a part of, and those whose near hip or knee is hidden; each says
so. The corrections and the margin that are shipped were chosen on these people; the rows about
other people fit them anew for each person, without that person.

{table(header, verdict_rows(bottoms))}

As shown, from the side, by what the eye says:

{table(["eye", *VERDICTS.values(), "none"], confusion_rows(from_side))}

Where verdict and eye differ:

{table(["frame", "clip", "depth", "by eye", "verdict", "eye"], different(from_side))}
"""


if __name__ == "__main__":
    sys.exit(main())
