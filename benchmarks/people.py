"""Do proposals of who is who put the clips of one flat folder right?

    python benchmarks/people.py CLIPS INDEX --poses DIR [--draws 30] [--seed 0] [--fit]

CLIPS is the folder of the videos, INDEX a CSV with the columns `file`, `group` (the person) and
`people`; clips of computer-made people are left out, and so are groups named in UNKNOWN. Keypoints
are kept in DIR, so that a broken run goes on where it was.

The people are divided into two halves, by a hash of their names. ``--fit`` fits the settings of
`gymform/dataset/people.py` on the first half and prints them. Without it, clips of the second half
are drawn: three each of four people, again and again, under names that say nothing, and the
proposals are compared with the index. Writes ``people.md`` beside this file.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import itertools
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from cached_poses import cached_pose
from machine import table

from gymform.dataset import people
from gymform.dataset.items import ClipRecord
from gymform.dataset.looks import Look, load_look, look_of, save_look
from gymform.video.sparse import only, sample_frames

UNKNOWN = frozenset({"pushfit_unknown"})
"""Groups of the index that stand for people who were not told apart."""

MAX_FPS = 8.0
"""Frames a second in which keypoints are found: a look needs four."""

PEOPLE, CLIPS_EACH = 4, 3
"""In each draw: four people with three clips each, twelve clips."""

ENOUGH = 10
"""Clips of twelve that are to be right."""

OUT = Path(__file__).with_suffix(".md")


def main() -> int:
    """Fit or measure; 1 when too few people are known."""
    options = _options()
    rows = read_index(options.index)
    tuned, judged = halves(rows)
    if options.fit:
        fit(looks_of(options.clips, tuned, options.poses))
        return 0
    looks = looks_of(options.clips, judged, options.poses)
    drawn = draws(looks, options.draws, options.seed)
    if not drawn:
        print("Too few people with three clips.", file=sys.stderr)
        return 1
    right = [count_right(one) for one in drawn]
    OUT.write_text(report(looks, right, options.seed), encoding="utf-8")
    print("\n".join(summary(right)))
    return 0


def _options() -> argparse.Namespace:
    form = argparse.RawTextHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("clips", type=Path)
    parser.add_argument("index", type=Path)
    parser.add_argument("--poses", type=Path, required=True)
    parser.add_argument("--draws", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fit", action="store_true")
    return parser.parse_args()


# --- clips --------------------------------------------------------------------------------------


def read_index(path: Path) -> dict[str, list[str]]:
    """The clips by person, of people with two or more."""
    found: dict[str, list[str]] = defaultdict(list)
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["people"] != "generated" and row["group"] not in UNKNOWN:
                found[row["group"]].append(row["file"])
    return {person: sorted(clips) for person, clips in sorted(found.items()) if len(clips) > 1}


def halves(rows: Mapping[str, list[str]]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """(people to fit on, people to judge by), by a hash of their names."""
    odd = {who for who in rows if hashlib.sha256(who.encode()).digest()[0] % 2}
    return (
        {who: clips for who, clips in rows.items() if who not in odd},
        {who: clips for who, clips in rows.items() if who in odd},
    )


def looks_of(folder: Path, rows: Mapping[str, list[str]], poses: Path) -> dict[str, list[Look]]:
    """The looks of each person's clips."""
    return {who: [_look(folder, name, poses) for name in names] for who, names in rows.items()}


def _look(folder: Path, name: str, poses: Path) -> Look:
    kept = poses / "looks" / f"{name.replace('/', '__')}.json"
    look = load_look(kept)
    if look is None:
        pose = cached_pose(folder, name, poses, max_fps=MAX_FPS)
        frames = sample_frames(folder / name, people.INTERVAL_S, choose=only(pose.time_s))
        look = look_of(frames.turned(pose.provenance.turn), pose)
        kept.parent.mkdir(parents=True, exist_ok=True)
        save_look(kept, look)
    return look


# --- draws --------------------------------------------------------------------------------------

Draw = list[tuple[str, Look]]
"""Twelve clips: who is in each, and its look."""


def draws(looks: Mapping[str, Sequence[Look]], count: int, seed: int) -> list[Draw]:
    """``count`` draws of four people and three clips of each, in mixed order."""
    rng = np.random.default_rng(seed)
    names = [who for who, given in looks.items() if len(given) >= CLIPS_EACH]
    if len(names) < PEOPLE:
        return []
    found = []
    for _ in range(count):
        drawn = [
            (who, looks[who][number])
            for who in rng.choice(names, PEOPLE, replace=False).tolist()
            for number in rng.choice(len(looks[who]), CLIPS_EACH, replace=False).tolist()
        ]
        found.append([drawn[place] for place in rng.permutation(len(drawn)).tolist()])
    return found


def count_right(draw: Draw) -> int:
    """How many clips of a draw the proposals put into the right group."""
    same = people.probabilities(records(len(draw)), [look for _, look in draw])
    numbers = people.clustered(same, [None] * len(draw))
    proposed = {str(place): str(number) for place, number in enumerate(numbers)}
    truth = {str(place): who for place, (who, _) in enumerate(draw)}
    return people.agreement(proposed, truth)


def records(count: int) -> list[ClipRecord]:
    """Clips of a flat folder whose names tell nothing: neither words nor near numbers."""
    return [
        ClipRecord(
            sha256=f"{place:064x}", name=f"IMG_{1000 + 97 * place}.mp4", suffix=".mp4", exercise="",
            group=f"{place}", width=1, height=1, duration_s=1.0, fps=1.0, frames=1,
            imported_at="", source="",
        )
        for place in range(count)
    ]  # fmt: skip


# --- settings -----------------------------------------------------------------------------------


SCALE = 24.0
"""Of all weights: how abruptly a likeness becomes a certainty."""


def fit(looks: Mapping[str, Sequence[Look]], count: int = 40, seed: int = 1) -> None:
    """Print the settings that put most clips right, in draws of the people to fit on.

    Two clips are even where the likeness of clothes, and ``share`` of that of the place, make
    ``middle``.
    """
    drawn = draws(looks, count, seed)
    cues = [people.likenesses(records(len(one)), [look for _, look in one]) for one in drawn]
    found = []
    for middle, share, threshold in itertools.product(
        (0.72, 0.76, 0.80, 0.84), (0.1, 0.2, 0.3, 0.4), (0.3, 0.4, 0.5)
    ):
        people.WEIGHTS, people.BIAS = (SCALE, SCALE * share, 1.0, 1.0), -SCALE * middle
        people.THRESHOLD = threshold
        right = [_right(one, cue) for one, cue in zip(drawn, cues, strict=True)]
        found.append((float(np.mean(right)), people.WEIGHTS, people.BIAS, threshold))
    for one in sorted(found, reverse=True)[:10]:
        print(*one)


def _right(draw: Draw, cues: np.ndarray) -> int:
    from scipy.special import expit

    same = expit(np.tensordot(cues, np.array(people.WEIGHTS), 1) + people.BIAS)
    numbers = people.clustered(same, [None] * len(draw))
    proposed = {str(place): str(number) for place, number in enumerate(numbers)}
    return people.agreement(proposed, {str(i): who for i, (who, _) in enumerate(draw)})


# --- report -------------------------------------------------------------------------------------


def summary(right: Sequence[int]) -> list[str]:
    """Mean, share with enough right, and the lowest."""
    enough = sum(one >= ENOUGH for one in right)
    total = PEOPLE * CLIPS_EACH
    return [
        f"{len(right)} draws: {np.mean(right):.2f} of {total} clips right on average, at least "
        f"{ENOUGH} in {enough} draws ({enough / len(right):.0%}), {min(right)} in the worst.",
    ]


def report(looks: Mapping[str, Sequence[Look]], right: Sequence[int], seed: int) -> str:
    """``people.md``."""
    known = sum(len(one) >= CLIPS_EACH for one in looks.values())
    counts = [[f"{n} of {PEOPLE * CLIPS_EACH}", str(right.count(n))] for n in sorted(set(right))]
    lines = [
        "# Who is who: proposals for twelve clips from one flat folder",
        "",
        "Made by `benchmarks/people.py`. Four people with three clips each are drawn, seed "
        f"{seed}, of {known} people on whom nothing was fitted; file names tell nothing, so "
        "clothes and place alone count. A clip is right when its group is matched with its "
        "person, one to one.",
        "",
        *summary(right),
        "",
        table(["right", "draws"], counts),
        "",
        f"Settings: weights {people.WEIGHTS}, bias {people.BIAS}, threshold {people.THRESHOLD}; "
        "fitted by `--fit` on the other people.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
