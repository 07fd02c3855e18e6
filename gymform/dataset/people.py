"""Proposals of which clips show the same person or come from one source, for a curator to confirm.

Every two clips are compared: what the lifter wears, the place behind, how alike the files' names
are, whether they are neighbours in time. A logistic
regression, fitted on pairs of real clips whose people are known, makes one probability of that, and
clips are put together by it. These are proposals: nothing is changed until somebody says so.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from scipy.special import expit

from gymform.dataset.groups import unconfirmed
from gymform.dataset.items import EXTRACTED, ClipRecord
from gymform.dataset.looks import Look, load_look, look_of, save_look
from gymform.dataset.reviews import ReviewStore
from gymform.errors import GymformError
from gymform.pose.files import load_poses
from gymform.timing import Progress, ignore_progress
from gymform.video.sparse import only, sample_frames

CUES = ("clothes", "background", "name", "neighbours")
"""What two clips are compared by; each is a likeness in [0, 1]."""

WEIGHTS = (24.0, 4.8, 1.0, 1.0)
BIAS = -19.2
"""A logistic regression over :data:`CUES`, with little trust in names. Clothes and place were
fitted by `benchmarks/people.py --fit` on draws of twelve clips of four people. Of other people, and
without names, 11.5 of 12 clips come into the right group on average, and never fewer than 10 in 30
draws. Of the harder people on whom they were fitted, it is 11.2."""

THRESHOLD = 0.4
"""Clips whose mean probability of being of one person is at least this are put together."""

NEAR = 3
"""Numbers in two names that differ by at most this make them neighbours in time: IMG_0041, 42."""

INTERVAL_S = 0.25
"""Between the frames that are sampled for a look, s."""

MAX_CLIPS = 3000
"""Most clips that are compared each with each."""


@dataclass(frozen=True)
class Proposal:
    """The proposed group of each clip by sha256, and how sure it is, in [0, 1]."""

    groups: dict[str, str]
    sureness: dict[str, float]


def propose_groups(
    store: ReviewStore,
    *,
    progress: Progress | None = None,
) -> Proposal:
    """Propose who is in which clip, from all clips with keypoints.

    Groups that somebody stated or confirmed are kept, and others may join them. Looks are computed
    once for each clip and kept. ``progress`` gets the stage "people" in clips, and may raise to
    stop.
    """
    clips = [clip for clip in store.clips() if clip.state == EXTRACTED][:MAX_CLIPS]
    looks = _looks(store, clips, progress or ignore_progress)
    clips = [clip for clip in clips if clip.sha256 in looks]
    if not clips:
        return Proposal({}, {})
    open_ = unconfirmed(store)
    fixed = [None if clip.sha256 in open_ else clip.group for clip in clips]
    same = probabilities(clips, [looks[clip.sha256] for clip in clips])
    return _named(clips, fixed, clustered(same, fixed), same)


def _looks(store: ReviewStore, clips: Sequence[ClipRecord], progress: Progress) -> dict[str, Look]:
    """The looks by sha256; clips whose files cannot be read are left out."""
    looks: dict[str, Look] = {}
    for number, clip in enumerate(clips):
        progress("people", number, len(clips))
        path = store.files.look(clip.sha256)
        look = load_look(path)
        if look is None:
            try:
                look = _look(store, clip)
            except GymformError:
                continue
            save_look(path, look)
        looks[clip.sha256] = look
    progress("people", len(clips), len(clips))
    return looks


def _look(store: ReviewStore, clip: ClipRecord) -> Look:
    pose = load_poses(store.files.poses(clip.sha256))
    frames = sample_frames(store.files.clip(clip), INTERVAL_S, choose=only(pose.time_s))
    return look_of(frames.turned(pose.provenance.turn), pose)


# --- two clips ----------------------------------------------------------------------------------


def probabilities(clips: Sequence[ClipRecord], looks: Sequence[Look]) -> np.ndarray:
    """How probably each two clips show the same person, float (n, n)."""
    score = np.tensordot(likenesses(clips, looks), np.array(WEIGHTS), 1) + BIAS
    return np.asarray(expit(score))


def likenesses(clips: Sequence[ClipRecord], looks: Sequence[Look]) -> np.ndarray:
    """The :data:`CUES` of each two clips, float (n, n, 4)."""
    names = [clip.name for clip in clips]
    return np.stack(
        [
            _clothes(looks),
            _backgrounds(looks),
            _pairs(names, name_likeness),
            _pairs(names, lambda a, b: float(are_neighbours(a, b))),
        ],
        axis=-1,
    )


def _clothes(looks: Sequence[Look]) -> np.ndarray:
    """Bhattacharyya coefficients of the parts' colours, averaged over those both clips show."""
    colours = np.sqrt(np.stack([look.colours for look in looks]))  # (n, P, B)
    alike = np.einsum("apb,cpb->acp", np.nan_to_num(colours), np.nan_to_num(colours))
    shown = np.isfinite(colours).all(-1)
    both = (shown[:, None] & shown[None]).astype(float)
    return np.asarray((alike * both).sum(-1) / np.maximum(both.sum(-1), 1))


def _backgrounds(looks: Sequence[Look]) -> np.ndarray:
    """Correlation of the pictures behind the lifters where neither is covered, 0 where negative."""
    flat = np.stack([look.background.reshape(-1, 3) for look in looks]).astype(float)  # (n, N, 3)
    shown = np.isfinite(flat).all(-1)
    alike = np.zeros((len(looks), len(looks)))
    for a in range(len(looks)):
        for b in range(a, len(looks)):
            both = shown[a] & shown[b]
            if both.sum() >= 16:
                alike[a, b] = alike[b, a] = _correlation(flat[a, both], flat[b, both])
    return alike


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a - a.mean(0), b - b.mean(0)
    size = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return max(0.0, float((a * b).sum()) / size) if size > 0 else 0.0


def _pairs(names: Sequence[str], compared: Callable[[str, str], float]) -> np.ndarray:
    found = np.ones((len(names), len(names)))
    for a, first in enumerate(names):
        for b in range(a):
            found[a, b] = found[b, a] = compared(first, names[b])
    return found


def name_likeness(a: str, b: str) -> float:
    """How alike two file names are without their digits and endings, in [0, 1].

    Names such as IMG_0041 that say nothing else count as nothing.
    """
    first, second = (_words(name) for name in (a, b))
    if not first or not second:
        return 0.0
    return difflib.SequenceMatcher(None, first, second, autojunk=False).ratio()


_CAMERA_WORDS = re.compile(r"\b(img|vid|mov|mvi|dsc|dscn|gopr|gh|pxl|video|clip|whatsapp|wa)\b")


def _words(name: str) -> str:
    stem = name.rpartition(".")[0] or name
    return _CAMERA_WORDS.sub("", re.sub(r"[\W\d_]+", " ", stem.lower())).strip()


def are_neighbours(a: str, b: str) -> bool:
    """Whether the last numbers of two names are close, and the rest is the same."""
    first, second = (re.findall(r"\d+", name.rpartition(".")[0] or name) for name in (a, b))
    if not first or len(first) != len(second) or first[:-1] != second[:-1]:
        return False
    if re.sub(r"\d+", "", a) != re.sub(r"\d+", "", b):
        return False
    return abs(int(first[-1][-9:]) - int(second[-1][-9:])) <= NEAR


# --- groups -------------------------------------------------------------------------------------


def clustered(same: np.ndarray, fixed: Sequence[str | None]) -> list[int]:
    """A number for each clip, equal for those put together; (n, n) probabilities.

    Clips of one ``fixed`` group stay together and never join another one.
    """
    if len(fixed) == 1:
        return [0]
    distance = 1 - same
    for a, first in enumerate(fixed):
        for b, second in enumerate(fixed):
            if first is not None and second is not None:
                distance[a, b] = 0.0 if first == second else len(fixed) + 1.0
    np.fill_diagonal(distance, 0)
    tree = linkage(squareform((distance + distance.T) / 2, checks=False), "average")
    return [int(number) for number in fcluster(tree, 1 - THRESHOLD, "distance")]


def _named(
    clips: Sequence[ClipRecord],
    fixed: Sequence[str | None],
    numbers: Sequence[int],
    same: np.ndarray,
) -> Proposal:
    """Names for the groups, and how sure each clip is to be in its own."""
    taken = {clip.group for clip in clips}
    groups: dict[str, str] = {}
    sureness: dict[str, float] = {}
    for number in dict.fromkeys(numbers):
        rows = [row for row, other in enumerate(numbers) if other == number]
        name = _name_for([clips[row] for row in rows], [fixed[row] for row in rows], taken)
        taken.add(name)
        for row in rows:
            groups[clips[row].sha256] = name
            sureness[clips[row].sha256] = _sureness(row, rows, same)
    return Proposal(groups, sureness)


def _name_for(clips: Sequence[ClipRecord], fixed: Sequence[str | None], taken: set[str]) -> str:
    """The name somebody gave, else the one that all have already, else "person 1" and so on."""
    known = [name for name in fixed if name is not None]
    if known:
        return known[0]
    now = {clip.group for clip in clips}
    if len(now) == 1:
        return now.pop()
    return next(name for n in range(1, len(taken) + 2) if (name := f"person {n}") not in taken)


def _sureness(row: int, rows: Sequence[int], same: np.ndarray) -> float:
    """The mean probability with its own group, and that it belongs to none of the others."""
    inside = [same[row, other] for other in rows if other != row]
    outside = [same[row, other] for other in range(len(same)) if other not in rows]
    apart = 1 - max(outside, default=0.0)
    return round(float(min(np.mean(inside), 1.0) if inside else apart), 3)


def agreement(proposed: Mapping[str, str], truth: Mapping[str, str]) -> int:
    """How many clips are in the right group, when groups are matched with people one to one."""
    from scipy.optimize import linear_sum_assignment  # only where truth is known

    people, groups = (sorted(set(names.values())) for names in (truth, proposed))
    table = np.zeros((len(groups), len(people)))
    for clip, group in proposed.items():
        table[groups.index(group), people.index(truth[clip])] += 1
    rows, columns = linear_sum_assignment(-table)
    return int(table[rows, columns].sum())
