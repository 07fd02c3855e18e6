"""Labels of several origins made one: what people annotated and what other networks answer.

Annotations of sports photographs are often wrong and lack the face; teacher networks err
elsewhere, each in its own way. Where two of them say the same, the truth is near; where a sure
teacher contradicts and nobody helps, nobody knows, and the joint is left out. Before they are
compared, teachers are told where annotators mean a joint to be, and all agree on left and right.

A teacher's answers are float (V, 17, 3): x, y in px of the picture and a score, to V views of a
person; NaN where it found nobody. Weights and distances were chosen on the training people of LSP
Extended; ``benchmarks/teachers.md`` tells how often the place where most answers lie is right, also
without the annotation.
"""

from __future__ import annotations

import itertools
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import least_squares

from gymform import skeleton as sk
from gymform.errors import ModelDataError, PoseFileError
from gymform.pose.files import read_arrays
from gymform.storage import atomic_path
from gymform.training.pose.metrics import torso_lengths
from gymform.training.pose.packs import CropPack, make_pack, usual_view
from gymform.training.pose.pseudo_labels import DATASET, people_in
from gymform.weights import manifest_entry

STEPS = 16
"""Answers are kept in so many parts of a pixel."""

KNOWN_TEACHERS = {
    "movenet": "MoveNet Thunder (Google, Apache-2.0; trained on COCO train2017 and photographs of "
    "sports)",
    "mediapipe": "MediaPipe Pose heavy (Google, Apache-2.0)",
}
"""What the model card says of teachers that are not gymform's."""

NEAR, ENOUGH = 0.4, 100
"""What a joint is to annotators is learnt from answers within this share of the torso of the
annotation, if there are so many."""

ARMS = np.array([*sk.SHOULDERS, *sk.ELBOWS, *sk.WRISTS])
LEGS = np.array([*sk.HIPS, *sk.KNEES, *sk.ANKLES])
MIRRORED = np.array(sk.FLIP_ORDER)

logger = logging.getLogger(__name__)

_NOBODY = np.iinfo(np.int16).min


@dataclass(frozen=True)
class Rules:
    """When answers count. Distances are shares of the torso."""

    same: float = 0.25  # points that are so near mean the same
    spread: float = 0.15  # standard deviation of the weights around the place where most lie
    annotated: float = 0.7  # the annotation's weight; an answer's is the root of its score
    known: float = 0.5  # share of annotated joints that must be found for the person to be it
    sure: float = 0.35  # mean score from which a single teacher counts
    steady: float = 0.12  # ... when its answers to two views lie within this distance
    least_joints: int = 8  # a person without annotation needs so many
    sided: float = 0.5  # so much nearer, summed over arms or legs, tells left from right
    contested: float = 0.5  # sides are unknown when so large a share of the votes is against them
    together: float = 0.15  # a pair nearer than that is at one place
    apart: float = 0.35  # ... and farther than that at two


def correct(annotation: np.ndarray, teachers: Sequence[np.ndarray], rules: Rules) -> np.ndarray:
    """An annotation (17, 3) corrected and completed by what teachers answer.

    Teachers that saw somebody else change nothing. Where two origins agree, the joint is where
    most of them have it, also against the annotation; what one sure teacher contradicts is taken
    out, and limbs of which nobody knows which is the left; what only one saw, the others having
    found nobody, is added (the face).
    """
    torso, before = _torso(annotation, teachers), annotation
    annotation, teachers, disputed = settle_sides(annotation, teachers, torso, rules)
    place, agreed = gather(annotation, teachers, torso, rules)
    labelled = annotation[:, 2] > 0
    same = np.linalg.norm(place - annotation[:, :2], axis=-1) <= rules.same * torso
    body = np.isin(np.arange(sk.NUM_KEYPOINTS), sk.BODY) & labelled
    if not body.any() or (same & body).sum() < rules.known * body.sum():
        return before.copy()
    alone, alone_at, contradicted = _single(teachers, torso, rules)
    added = ~labelled & ~agreed & alone
    corrected = annotation.copy()
    corrected[labelled & ~agreed & contradicted] = 0.0
    corrected[agreed, :2] = place[agreed]
    corrected[added, :2] = alone_at[added]
    corrected[~labelled & (agreed | added), 2] = 2.0
    corrected[disputed] = 0.0
    return corrected


def label(teachers: Sequence[np.ndarray], view: np.ndarray, rules: Rules) -> np.ndarray | None:
    """Keypoints (17, 3) of somebody without annotation, None where teachers are not sure enough.

    ``view`` (4,) is the network's usual view of the picture: the person must be in its middle,
    else the teachers have found somebody else.
    """
    nothing = np.zeros((sk.NUM_KEYPOINTS, 3))
    torso = _torso(nothing, teachers)
    if not np.isfinite(torso):
        return None
    _, teachers, disputed = settle_sides(nothing, teachers, torso, rules)
    place, agreed = gather(nothing, teachers, torso, rules)
    alone, alone_at, _ = _single(teachers, torso, rules)
    points = np.where(agreed[:, None], place, alone_at)
    counts = (agreed | alone) & ~disputed
    if counts[list(sk.BODY)].sum() < rules.least_joints:
        return None
    middle = (points[counts].min(0) + points[counts].max(0)) / 2
    if (np.abs(middle - view[:2]) > 0.2 * view[2:]).any():
        return None
    return np.column_stack((np.where(counts[:, None], points, 0.0), 2.0 * counts))


def gather(
    annotation: np.ndarray, teachers: Sequence[np.ndarray], torso: float, rules: Rules
) -> tuple[np.ndarray, np.ndarray]:
    """Points (17, 2) where most of annotation and answers lie, and bool (17,) whether two origins
    are there."""
    sources = [annotation[None], *teachers]
    points = np.nan_to_num(np.concatenate(sources)[..., :2])  # (V, 17, 2)
    weights = np.concatenate(
        [rules.annotated * (annotation[None, :, 2] > 0), *map(_weights, teachers)]
    )  # (V, 17)
    apart = np.linalg.norm(points[:, None] - points[None], axis=-1) / torso  # (V, V, 17)
    lonely = (np.minimum(apart, 2 * rules.spread) * weights[None]).sum(1)
    lonely[weights == 0] = np.inf
    place = np.take_along_axis(points, lonely.argmin(0)[None, :, None], 0)[0]
    for _ in range(2):
        apart = np.linalg.norm(points - place, axis=-1) / torso  # (V, 17)
        pull = np.exp(-0.5 * (apart / rules.spread) ** 2) * weights
        place = (points * pull[..., None]).sum(0) / np.maximum(pull.sum(0), 1e-9)[:, None]
    there = (np.linalg.norm(points - place, axis=-1) <= rules.same * torso) & (weights > 0)
    starts = np.cumsum([0, *map(len, sources[:-1])])
    return place, (np.add.reduceat(there, starts, axis=0) > 0).sum(0) >= 2


def _weights(answers: np.ndarray) -> np.ndarray:
    """The weight (V, 17) of each answer; 0 where there is none."""
    return np.where(np.isfinite(answers).all(-1), np.sqrt(np.clip(answers[..., 2], 0.05, 1)), 0.0)


def _single(
    teachers: Sequence[np.ndarray], torso: float, rules: Rules
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Joints that a single teacher knows while all others found nobody: bool (17,), and their
    points (17, 2); and joints of which any teacher is sure."""
    seen = [answers for answers in teachers if np.isfinite(answers).any()]
    points = [answers[..., :2].mean(0) for answers in seen]  # NaN unless each view has an answer
    sure = [
        (answers[..., 2].mean(0) >= rules.sure)
        & (np.linalg.norm(answers[..., :2] - mean, axis=-1).max(0) <= rules.steady * torso / 2)
        for answers, mean in zip(seen, points, strict=True)
    ]
    anyone = np.any([np.zeros(sk.NUM_KEYPOINTS, bool), *sure], axis=0)
    if len(seen) != 1:
        return np.zeros_like(anyone), np.zeros((sk.NUM_KEYPOINTS, 2)), anyone
    return sure[0], points[0], anyone


def _torso(annotation: np.ndarray, teachers: Sequence[np.ndarray]) -> float:
    """px: the annotated torso, or the mean of those that the teachers see; NaN without any."""
    seen = np.concatenate([annotation[None], *teachers])
    seen[1:, :, 2] = 2
    lengths = torso_lengths(seen)
    if np.isfinite(lengths[0]):
        return float(lengths[0])
    known = lengths[np.isfinite(lengths)]
    return float(known.mean()) if len(known) else np.nan


# ---- left and right -------------------------------------------------------------------------


def settle_sides(
    annotation: np.ndarray, teachers: Sequence[np.ndarray], torso: float, rules: Rules
) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
    """Annotation and answers that agree on left and right, and bool (17,): joints of unknown side.

    Arms and legs are put to the vote, each as a whole. Who is against the others is mirrored: the
    places are right, only their names are not. Where the annotation is, or too many are, nobody
    knows. Networks that doubt the sides put both joints of a pair at one of its two places; such an
    answer then speaks of the nearer joint alone, the other is NaN.
    """
    answers = np.concatenate([annotation[None], *teachers])  # (V, 17, 3)
    answers[0, annotation[:, 2] == 0] = np.nan
    disputed = np.zeros(sk.NUM_KEYPOINTS, bool)
    for limbs in (ARMS, LEGS):
        against, torn = _vote(answers, limbs, torso, rules)
        answers[np.ix_(against, limbs)] = answers[np.ix_(against, MIRRORED[limbs])]
        for pair in sk.BODY_PAIRS:
            if pair[0] in limbs and _take_apart(answers, pair, torso, rules):
                disputed[list(pair)] = torn
    sided = np.where(np.isfinite(answers[0]), answers[0], 0.0)
    return sided, np.split(answers[1:], np.cumsum([len(t) for t in teachers])[:-1]), disputed


def _vote(
    answers: np.ndarray, limbs: np.ndarray, torso: float, rules: Rules
) -> tuple[np.ndarray, bool]:
    """Whose (V,) left and right are not those of most, and whether that leaves the sides open."""
    weights = _weights(answers)  # (V, 17)
    both = (weights[:, limbs] > 0) & (weights[:, MIRRORED[limbs]] > 0)
    own, other = (np.nan_to_num(answers[:, joints, :2]) for joints in (limbs, MIRRORED[limbs]))
    as_named, mirrored = (
        np.minimum(np.linalg.norm(own[:, None] - these[None], axis=-1) / torso, NEAR)
        for these in (own, other)
    )  # (V, V, 6)
    alike = ((mirrored - as_named) * (both[:, None] & both[None])).sum(-1)  # (V, V)
    votes = weights[:, limbs].mean(1)
    leader = int((np.clip(alike, -1, 1) * votes).sum(1).argmax())
    against, support = alike[leader] < -rules.sided, alike[leader] > rules.sided
    torn = votes[against].sum() > rules.contested * votes[support].sum()
    return against, bool(against[0] or torn)


def _take_apart(answers: np.ndarray, pair: tuple[int, int], torso: float, rules: Rules) -> bool:
    """Whether anybody (first of all the annotation, where there is one) has a pair apart; then
    answers with both joints at one place speak of the nearer one alone."""
    joints = list(pair)
    width = np.linalg.norm(answers[:, pair[0], :2] - answers[:, pair[1], :2], axis=-1) / torso
    apart = np.flatnonzero(width > rules.apart)
    annotated = np.isfinite(width[0])
    if not len(apart) or (annotated and apart[0] != 0):
        return False
    for one in np.flatnonzero(width < rules.together):
        distance = np.linalg.norm(answers[one, joints, :2] - answers[apart[0], joints, :2], axis=-1)
        answers[one, joints[int(distance.argmax())]] = np.nan
    return True


# ---- what a joint is ------------------------------------------------------------------------


def conform(answers: np.ndarray, annotations: np.ndarray) -> np.ndarray:
    """A teacher's answers (n, V, 17, 3) put where annotations (n, 17, 3) of one source have joints.

    Not everybody means the same by a hip. How much wider apart a pair of joints is annotated, as a
    share of its width, and how much further up, as a share of the torso, is fitted to those of a
    source whom the teacher saw; outright errors on either side hardly count.
    """
    placed, points = answers.copy(), answers[..., :2]
    up = points[:, :, list(sk.SHOULDERS)].mean(2) - points[:, :, list(sk.HIPS)].mean(2)  # (n, V, 2)
    torso = np.linalg.norm(up, axis=-1, keepdims=True)  # (n, V, 1)
    for pair in sk.BODY_PAIRS:
        left, right = (points[:, :, joint] for joint in pair)
        ways = np.stack(
            [np.stack((apart, up), 2) for apart in (left - right, right - left)], 2
        )  # (n, V, 2 joints, 2 ways, 2)
        missing = annotations[:, None, list(pair), :2] - points[:, :, list(pair)]
        known = (annotations[:, None, list(pair), 2] > 0) & (torso > 0) & np.isfinite(torso)
        known &= np.linalg.norm(missing, axis=-1) < NEAR * torso
        scale = np.broadcast_to(torso, known.shape)[known][:, None]
        share = _shares(ways[known] / scale[..., None], missing[known] / scale)
        placed[:, :, list(pair), :2] += np.einsum("nvjwd,w->nvjd", ways, share)
    return placed


def _shares(ways: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """The shares (2,) of ``ways`` (m, 2, 2) that tell most of ``missing`` (m, 2); 0 for nobody."""

    def unexplained(share: np.ndarray) -> np.ndarray:
        return (missing - np.einsum("mwd,w->md", ways, share)).ravel()

    if len(missing) < ENOUGH:
        return np.zeros(2)
    return np.asarray(least_squares(unexplained, np.zeros(2), loss="soft_l1", f_scale=0.05).x)


# ---- packs ---------------------------------------------------------------------------------


def correct_pack(pack: CropPack, answers: TeacherKeypoints) -> CropPack:
    """The pack with the annotations of those whom the teachers saw corrected, and a note of it."""
    keypoints, rules, what = pack.keypoints.copy(), Rules(), Counter[str]()
    for row, *teachers in zip(answers.row.tolist(), *conformed(pack, answers), strict=True):
        before = keypoints[row].copy()
        keypoints[row] = correct(before.astype(np.float64), teachers, rules)
        labelled, now = before[:, 2] > 0, keypoints[row, :, 2] > 0
        what["people"] += 1
        what["unchanged people"] += int((keypoints[row] == before).all())
        what["joints added"] += int((now & ~labelled).sum())
        what["joints left out"] += int((labelled & ~now).sum())
    logger.info("pack: %s", dict(what))
    return replace(pack, keypoints=keypoints, note=_note(answers))


def conformed(pack: CropPack, answers: TeacherKeypoints) -> np.ndarray:
    """The answers (T, n, V, 17, 3) to the people of the pack, see :func:`conform`."""
    placed = answers.of_pack.copy()
    for source in np.unique(pack.dataset[answers.row]):
        people = np.flatnonzero(pack.dataset[answers.row] == source)
        annotations = pack.keypoints[answers.row[people]].astype(np.float64)
        for teacher in placed:
            teacher[people] = conform(teacher[people], annotations)
    return placed


def _note(answers: TeacherKeypoints) -> str:
    """For the model card: how the labels came about."""
    teachers = "; ".join(map(_describe, answers.teachers))
    return (
        f"The annotations of {len(answers.row)} people were corrected and completed, and people in "
        f"clips labelled, with the help of {teachers}. A joint is where most of the annotation and "
        f"the answers to {answers.of_pack.shape[2]} views each lie, put where annotators mean it "
        "to be; arms and legs of which the left is disputed are left out. People held out keep "
        "their annotations as they are."
    )


def _describe(teacher: str) -> str:
    """Who a teacher is."""
    if teacher in KNOWN_TEACHERS:
        return KNOWN_TEACHERS[teacher]
    name, sha256 = split_name(teacher)
    return f"gymform's own `{name}` of sha256 {sha256}"


def label_clips(folder: Path, answers: TeacherKeypoints) -> CropPack:
    """The people in the clips of ``folder`` whom the teachers are sure of, with their labels.

    Raises as :func:`pictures_of` does.
    """
    pictures, labels, groups = [], [], []
    for row, picture in enumerate(pictures_of(answers.people, folder)):
        view = usual_view(*picture.shape[1::-1])
        points = label(list(answers.of_clips[:, row]), view, Rules())
        if points is not None:
            pictures.append(picture)
            labels.append(points)
            groups.append(f"{DATASET}/{answers.people.clip[row]}")
    logger.info("clips: %d of %d people labelled", len(labels), len(answers.people))
    return make_pack(pictures, np.array(labels), dataset=DATASET, groups=groups)


def pictures_of(people: ClipPeople, folder: Path) -> Iterator[np.ndarray]:
    """The pictures uint8 (H, W, 3) of people in the clips of ``folder``, with room around.

    Raises VideoError for a clip that is missing or cannot be read, ModelDataError when one is not
    the clip that the teachers were shown.
    """
    for name, together in itertools.groupby(range(len(people)), people.clip.__getitem__):
        rows = list(together)
        found = list(people_in(folder / str(name), people.time_s[rows], people.crop[rows]))
        if len(found) < len(rows):
            raise ModelDataError(
                f"{name}: expected frames at {len(rows)} times, found {len(found)}. This is not "
                "the clip that the teachers were shown: ask them again (scripts/ask_teachers.py)."
            )
        yield from found


# ---- answers kept --------------------------------------------------------------------------


def full_name(teacher: str) -> str:
    """The name by which answers are kept: that of a model of gymform's says which version it is.

    Raises WeightsError for a model that is not here.
    """
    if teacher in KNOWN_TEACHERS:
        return teacher
    return f"{teacher}@{manifest_entry(teacher).sha256[:12]}"


def split_name(teacher: str) -> tuple[str, str]:
    """The teacher's name alone, and the start of the model's sha256, "" for other teachers."""
    name, _, sha256 = teacher.partition("@")
    return name, sha256


@dataclass(frozen=True, eq=False)
class ClipPeople:
    """Whom teachers were shown of clips: names (m,), seconds (m,), crops (m, 4) in px."""

    clip: np.ndarray
    time_s: np.ndarray
    crop: np.ndarray

    def __len__(self) -> int:
        return len(self.clip)


@dataclass(frozen=True, eq=False)
class TeacherKeypoints:
    """Answers of T teachers to V views of the people at the rows (n,) of a pack and of m people in
    clips: float (T, n, V, 17, 3) and (T, m, V, 17, 3), each px of the person's picture."""

    digest: str  # of the pack
    teachers: tuple[str, ...]
    row: np.ndarray
    of_pack: np.ndarray
    people: ClipPeople
    of_clips: np.ndarray


def write_answers(path: Path, answers: TeacherKeypoints) -> None:
    """Write ``answers`` to ``path``, whole or not at all, in sixteenths of a pixel."""
    people = answers.people
    arrays: dict[str, Any] = {
        "digest": np.array(answers.digest),
        "teacher": np.array(answers.teachers),
        "row": answers.row.astype(np.int32),
        "clip": people.clip,
        "time_s": people.time_s,
        "crop": people.crop,
    }
    for name, points in (("pack", answers.of_pack), ("clips", answers.of_clips)):
        found = np.isfinite(points).all(-1)
        xy = np.clip(np.rint(np.nan_to_num(points[..., :2]) * STEPS), _NOBODY + 1, -_NOBODY - 1)
        score = np.rint(np.clip(np.nan_to_num(points[..., 2]), 0, 1) * 255)
        arrays[f"{name}_xy"] = np.where(found[..., None], xy, _NOBODY).astype(np.int16)
        arrays[f"{name}_score"] = score.astype(np.uint8)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)


def read_answers(path: Path, pack: CropPack) -> TeacherKeypoints:
    """The answers in ``path`` to the people of ``pack``. Raises ModelDataError when it is missing,
    damaged, or of other people."""
    try:
        arrays = read_arrays(path)
        people = ClipPeople(arrays["clip"], arrays["time_s"], arrays["crop"])
        digest, row = str(arrays["digest"]), arrays["row"]
        teachers = tuple(arrays["teacher"].tolist())
        of_pack, of_clips = (_points(arrays[f"{n}_xy"], arrays[f"{n}_score"])
                             for n in ("pack", "clips"))  # fmt: skip
    except (PoseFileError, KeyError) as error:
        raise ModelDataError(
            f"{path.name}: expected teachers' answers, as scripts/ask_teachers.py writes them; it "
            f"is missing, damaged or something else ({error})."
        ) from error
    if digest != (expected := pack.digest()):
        raise ModelDataError(
            f"{path.name}: expected answers to this pack ({expected[:12]}), got those to "
            f"another ({digest[:12]}). Ask the teachers again with scripts/ask_teachers.py."
        )
    return TeacherKeypoints(digest, teachers, row, of_pack, people, of_clips)


def _points(xy: np.ndarray, score: np.ndarray) -> np.ndarray:
    """TeacherCache float (..., 3) as they were kept."""
    points = np.concatenate((xy / STEPS, score[..., None] / 255), axis=-1)
    points[(xy == _NOBODY).any(-1)] = np.nan
    return points
