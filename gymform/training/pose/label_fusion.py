"""Label fusion: people's annotations and the predictions of teacher networks become one label.

Annotations of sports photographs are often wrong and lack the face; teacher networks make other
errors, each its own. Where two sources agree, they are probably right. Where a confident teacher
contradicts the annotation and no other source supports either, the joint is left out. Before the
comparison, predictions are shifted to where annotators place a joint, and left and right are
matched.

A teacher's predictions are float (V, 17, 3): x, y in px of the picture and a score, for V augmented
crops (variants) of a person; NaN where it found nobody. Weights and distances were chosen on the
training people of LSP Extended; ``benchmarks/teachers.md`` shows how often the place where most
predictions lie is correct, also without the annotation.
"""

from __future__ import annotations

import itertools
import logging
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
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
from gymform.training.pose.packs import CropPack, make_pack, standard_crop
from gymform.training.pose.pseudo_labels import DATASET, people_in
from gymform.weights import manifest_entry

STEPS = 16
"""Predictions are stored in units of one over this many pixels."""

KNOWN_TEACHERS = {
    "movenet": "MoveNet Thunder (Google, Apache-2.0; trained on COCO train2017 and photographs of "
    "sports)",
    "mediapipe": "MediaPipe Pose heavy (Google, Apache-2.0)",
}
"""Descriptions of teachers from elsewhere, for the model card."""

NEAR, MIN_PEOPLE = 0.4, 100
"""The shift to the annotators' joints is fitted to predictions within this share of the torso of
the annotation, when there are at least this many."""

ARMS = np.array([*sk.SHOULDERS, *sk.ELBOWS, *sk.WRISTS])
LEGS = np.array([*sk.HIPS, *sk.KNEES, *sk.ANKLES])
MIRRORED = np.array(sk.FLIP_ORDER)

logger = logging.getLogger(__name__)

_NOBODY = np.iinfo(np.int16).min


@dataclass(frozen=True)
class Rules:
    """When predictions count. Distances are shares of the torso."""

    same: float = 0.25  # points within this distance agree
    spread: float = 0.15  # standard deviation of the weights around the place of most points
    annotated: float = 0.7  # weight of the annotation; of a prediction, the root of its score
    known: float = 0.5  # least share of annotated joints that must agree, for the same person
    sure: float = 0.35  # least mean score of a teacher that counts alone
    steady: float = 0.12  # ... and largest distance between its predictions for two variants
    least_joints: int = 8  # a person without annotation needs this many joints
    sided: float = 0.5  # difference of distances, over arms or legs, that decides the sides
    contested: float = 0.5  # share of the votes against them from which the sides are unknown
    together: float = 0.15  # the joints of a pair are at one place when nearer than this
    apart: float = 0.35  # ... and at two places when farther apart than this


def correct(annotation: np.ndarray, teachers: Sequence[np.ndarray], rules: Rules) -> np.ndarray:
    """An annotation (17, 3) corrected and completed by the teachers' predictions.

    Nothing changes when the teachers found somebody else. Where two sources agree, the joint moves
    to where most have it, also against the annotation. Joints that a confident teacher contradicts
    are removed, and so are limbs whose sides are unknown. Joints that one teacher found, while the
    others found nobody, are added (the face).
    """
    torso, before = _torso(annotation, teachers), annotation
    annotation, teachers, disputed = match_sides(annotation, teachers, torso, rules)
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


def label(teachers: Sequence[np.ndarray], crop: np.ndarray, rules: Rules) -> np.ndarray | None:
    """Keypoints (17, 3) of a person without annotation; None when the teachers know too few joints.

    ``crop`` (4,) is the network's standard crop of the picture: the person must be in its middle,
    else the teachers found somebody else.
    """
    nothing = np.zeros((sk.NUM_KEYPOINTS, 3))
    torso = _torso(nothing, teachers)
    if not np.isfinite(torso):
        return None
    _, teachers, disputed = match_sides(nothing, teachers, torso, rules)
    place, agreed = gather(nothing, teachers, torso, rules)
    alone, alone_at, _ = _single(teachers, torso, rules)
    points = np.where(agreed[:, None], place, alone_at)
    counts = (agreed | alone) & ~disputed
    if counts[list(sk.BODY)].sum() < rules.least_joints:
        return None
    middle = (points[counts].min(0) + points[counts].max(0)) / 2
    if (np.abs(middle - crop[:2]) > 0.2 * crop[2:]).any():
        return None
    return np.column_stack((np.where(counts[:, None], points, 0.0), 2.0 * counts))


def gather(
    annotation: np.ndarray, teachers: Sequence[np.ndarray], torso: float, rules: Rules
) -> tuple[np.ndarray, np.ndarray]:
    """Points (17, 2) where most of annotation and predictions lie, and bool (17,): do two sources
    agree there?"""
    sources = [annotation[None], *teachers]
    points = np.nan_to_num(np.concatenate(sources)[..., :2])  # (V, 17, 2)
    weights = np.concatenate(
        [rules.annotated * (annotation[None, :, 2] > 0), *map(_weights, teachers)]
    )  # (V, 17)
    apart = np.linalg.norm(points[:, None] - points[None], axis=-1) / torso  # (V, V, 17)
    isolation = (np.minimum(apart, 2 * rules.spread) * weights[None]).sum(1)
    isolation[weights == 0] = np.inf
    place = np.take_along_axis(points, isolation.argmin(0)[None, :, None], 0)[0]
    for _ in range(2):
        apart = np.linalg.norm(points - place, axis=-1) / torso  # (V, 17)
        kernel = np.exp(-0.5 * (apart / rules.spread) ** 2) * weights
        place = (points * kernel[..., None]).sum(0) / np.maximum(kernel.sum(0), 1e-9)[:, None]
    agree = (np.linalg.norm(points - place, axis=-1) <= rules.same * torso) & (weights > 0)
    starts = np.cumsum([0, *map(len, sources[:-1])])
    return place, (np.add.reduceat(agree, starts, axis=0) > 0).sum(0) >= 2


def _weights(predictions: np.ndarray) -> np.ndarray:
    """The weight (V, 17) of each prediction; 0 where there is none."""
    return np.where(
        np.isfinite(predictions).all(-1), np.sqrt(np.clip(predictions[..., 2], 0.05, 1)), 0.0
    )


def _single(
    teachers: Sequence[np.ndarray], torso: float, rules: Rules
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(bool (17,): found by one confident teacher while the others found nobody; their points
    (17, 2); bool (17,): any teacher is confident)."""
    seen = [predictions for predictions in teachers if np.isfinite(predictions).any()]
    points = [
        predictions[..., :2].mean(0) for predictions in seen
    ]  # NaN unless there is one for each variant
    sure = [
        (predictions[..., 2].mean(0) >= rules.sure)
        & (np.linalg.norm(predictions[..., :2] - mean, axis=-1).max(0) <= rules.steady * torso / 2)
        for predictions, mean in zip(seen, points, strict=True)
    ]
    anyone = np.any([np.zeros(sk.NUM_KEYPOINTS, bool), *sure], axis=0)
    if len(seen) != 1:
        return np.zeros_like(anyone), np.zeros((sk.NUM_KEYPOINTS, 2)), anyone
    return sure[0], points[0], anyone


def _torso(annotation: np.ndarray, teachers: Sequence[np.ndarray]) -> float:
    """Torso length, px: the annotated one, or the mean of the teachers'; NaN without any."""
    seen = np.concatenate([annotation[None], *teachers])
    seen[1:, :, 2] = 2
    lengths = torso_lengths(seen)
    if np.isfinite(lengths[0]):
        return float(lengths[0])
    known = lengths[np.isfinite(lengths)]
    return float(known.mean()) if len(known) else np.nan


# ---- left and right -------------------------------------------------------------------------


def match_sides(
    annotation: np.ndarray, teachers: Sequence[np.ndarray], torso: float, rules: Rules
) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
    """Annotation and predictions with matching left and right, and bool (17,): sides unknown.

    Arms and legs are decided by vote, each as a whole. Outvoted sources are mirrored: their
    positions are right, only the sides are exchanged. When the annotation or too many are outvoted,
    the sides are unknown. Networks that are unsure of the sides put both joints of a pair at one of
    its two positions; then only the nearer joint of such a prediction is kept, the other is NaN.
    """
    predictions = np.concatenate([annotation[None], *teachers])  # (V, 17, 3)
    predictions[0, annotation[:, 2] == 0] = np.nan
    disputed = np.zeros(sk.NUM_KEYPOINTS, bool)
    for limbs in (ARMS, LEGS):
        outvoted, undecided = _vote(predictions, limbs, torso, rules)
        predictions[np.ix_(outvoted, limbs)] = predictions[np.ix_(outvoted, MIRRORED[limbs])]
        for pair in sk.BODY_PAIRS:
            if pair[0] in limbs and _split_pair(predictions, pair, torso, rules):
                disputed[list(pair)] = undecided
    sided = np.where(np.isfinite(predictions[0]), predictions[0], 0.0)
    return sided, np.split(predictions[1:], np.cumsum([len(t) for t in teachers])[:-1]), disputed


def _vote(
    predictions: np.ndarray, limbs: np.ndarray, torso: float, rules: Rules
) -> tuple[np.ndarray, bool]:
    """(bool (V,): left and right are not as in most; are the sides undecided?)."""
    weights = _weights(predictions)  # (V, 17)
    both = (weights[:, limbs] > 0) & (weights[:, MIRRORED[limbs]] > 0)
    own, other = (np.nan_to_num(predictions[:, joints, :2]) for joints in (limbs, MIRRORED[limbs]))
    as_named, mirrored = (
        np.minimum(np.linalg.norm(own[:, None] - points[None], axis=-1) / torso, NEAR)
        for points in (own, other)
    )  # (V, V, 6)
    alike = ((mirrored - as_named) * (both[:, None] & both[None])).sum(-1)  # (V, V)
    votes = weights[:, limbs].mean(1)
    leader = int((np.clip(alike, -1, 1) * votes).sum(1).argmax())
    outvoted, support = alike[leader] < -rules.sided, alike[leader] > rules.sided
    undecided = votes[outvoted].sum() > rules.contested * votes[support].sum()
    return outvoted, bool(outvoted[0] or undecided)


def _split_pair(predictions: np.ndarray, pair: tuple[int, int], torso: float, rules: Rules) -> bool:
    """Does a source have the joints of a pair at two places (the annotation, where there is one)?

    If so, sources that have both at one place keep the nearer joint only; the other becomes NaN.
    """
    joints = list(pair)
    width = (
        np.linalg.norm(predictions[:, pair[0], :2] - predictions[:, pair[1], :2], axis=-1) / torso
    )
    apart = np.flatnonzero(width > rules.apart)
    annotated = np.isfinite(width[0])
    if not len(apart) or (annotated and apart[0] != 0):
        return False
    for one in np.flatnonzero(width < rules.together):
        distance = np.linalg.norm(
            predictions[one, joints, :2] - predictions[apart[0], joints, :2], axis=-1
        )
        predictions[one, joints[int(distance.argmax())]] = np.nan
    return True


# ---- where annotators place joints ----------------------------------------------------------


def align_to_annotations(predictions: np.ndarray, annotations: np.ndarray) -> np.ndarray:
    """A teacher's predictions (n, V, 17, 3) shifted to where annotations (n, 17, 3) have joints.

    Definitions of a joint such as the hip differ. How much wider a pair of joints is annotated, as
    a share of its width, and how much higher, as a share of the torso, is fitted to the people of
    one source; the loss is robust against outright errors on either side.
    """
    aligned, points = predictions.copy(), predictions[..., :2]
    up = points[:, :, list(sk.SHOULDERS)].mean(2) - points[:, :, list(sk.HIPS)].mean(2)  # (n, V, 2)
    torso = np.linalg.norm(up, axis=-1, keepdims=True)  # (n, V, 1)
    for pair in sk.BODY_PAIRS:
        left, right = (points[:, :, joint] for joint in pair)
        directions = np.stack(
            [np.stack((apart, up), 2) for apart in (left - right, right - left)], 2
        )  # (n, V, 2 joints, 2 directions, 2)
        offset = annotations[:, None, list(pair), :2] - points[:, :, list(pair)]
        known = (annotations[:, None, list(pair), 2] > 0) & (torso > 0) & np.isfinite(torso)
        known &= np.linalg.norm(offset, axis=-1) < NEAR * torso
        scale = np.broadcast_to(torso, known.shape)[known][:, None]
        share = _fit_shares(directions[known] / scale[..., None], offset[known] / scale)
        aligned[:, :, list(pair), :2] += np.einsum("nvjwd,w->nvjd", directions, share)
    return aligned


def _fit_shares(directions: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """The robust fit (2,) of ``offset`` (m, 2) by ``directions`` (m, 2, 2); 0 with few of them."""

    def residual(share: np.ndarray) -> np.ndarray:
        return np.asarray((offset - np.einsum("mwd,w->md", directions, share)).ravel())

    if len(offset) < MIN_PEOPLE:
        return np.zeros(2)
    return np.asarray(least_squares(residual, np.zeros(2), loss="soft_l1", f_scale=0.05).x)


# ---- packs ---------------------------------------------------------------------------------


def correct_pack(pack: CropPack, predictions: TeacherKeypoints) -> CropPack:
    """The pack with corrected annotations of the people whom the teachers saw, and a note on it."""
    keypoints, rules, counts = pack.keypoints.copy(), Rules(), Counter[str]()
    for row, *teachers in zip(
        predictions.row.tolist(), *aligned_predictions(pack, predictions), strict=True
    ):
        before = keypoints[row].copy()
        keypoints[row] = correct(before.astype(np.float64), teachers, rules)
        labelled, now = before[:, 2] > 0, keypoints[row, :, 2] > 0
        counts["people"] += 1
        counts["unchanged people"] += int((keypoints[row] == before).all())
        counts["joints added"] += int((now & ~labelled).sum())
        counts["joints left out"] += int((labelled & ~now).sum())
    logger.info("pack: %s", dict(counts))
    return replace(pack, keypoints=keypoints, note=_note(predictions))


def aligned_predictions(pack: CropPack, predictions: TeacherKeypoints) -> np.ndarray:
    """The predictions (T, n, V, 17, 3) for the people of the pack after
    :func:`align_to_annotations`, source by source."""
    aligned = predictions.of_pack.copy()
    for source in np.unique(pack.dataset[predictions.row]):
        people = np.flatnonzero(pack.dataset[predictions.row] == source)
        annotations = pack.keypoints[predictions.row[people]].astype(np.float64)
        for teacher in aligned:
            teacher[people] = align_to_annotations(teacher[people], annotations)
    return aligned


def _note(predictions: TeacherKeypoints) -> str:
    """The origin of the labels, for the model card."""
    teachers = "; ".join(map(_describe, predictions.teachers))
    return (
        f"The annotations of {len(predictions.row)} people were corrected and completed, and "
        f"people in clips labelled, with the help of {teachers}. A joint is where most of the "
        f"annotation and the predictions for {predictions.of_pack.shape[2]} augmented crops lie, "
        "after a shift to where annotators place it; arms and legs whose sides are disputed are "
        "left out. Held-out people keep their annotations."
    )


def _describe(teacher: str) -> str:
    """The description of a teacher."""
    if teacher in KNOWN_TEACHERS:
        return KNOWN_TEACHERS[teacher]
    name, sha256 = split_name(teacher)
    return f"gymform's own `{name}` of sha256 {sha256}"


def label_clips(
    folder: Path,
    predictions: TeacherKeypoints,
    known: Sequence[np.ndarray | None] | None = None,
) -> CropPack:
    """The people in the clips of ``folder`` whom the teachers could label, with their labels.

    ``known`` are labels that were made before, one for each person. Raises as :func:`pictures_of`
    does.
    """
    pictures, labels, groups = [], [], []
    for row, picture in enumerate(pictures_of(predictions.people, folder)):
        crop = standard_crop(*picture.shape[1::-1])
        answers = list(predictions.of_clips[:, row])
        points = label(answers, crop, Rules()) if known is None else known[row]
        if points is not None:
            pictures.append(picture)
            labels.append(points)
            groups.append(f"{DATASET}/{predictions.people.clip[row]}")
    logger.info("clips: %d of %d people labelled", len(labels), len(predictions.people))
    return make_pack(pictures, np.array(labels), dataset=DATASET, groups=groups)


def pictures_of(people: ClipPeople, folder: Path) -> Iterator[np.ndarray]:
    """Stored crops uint8 (H, W, 3) of people in the clips of ``folder``.

    Raises VideoError for a clip that is missing or cannot be read, ModelDataError when one is not
    the clip that the teachers saw.
    """
    for name, together in itertools.groupby(range(len(people)), people.clip.__getitem__):
        rows = list(together)
        found = list(people_in(folder / str(name), people.time_s[rows], people.crop[rows]))
        if len(found) < len(rows):
            raise ModelDataError(
                f"{name}: expected frames at {len(rows)} times, found {len(found)}. This is not "
                "the clip that the teachers saw. Run scripts/ask_teachers.py again."
            )
        yield from found


def without_clips(predictions: TeacherKeypoints, clips: Collection[str]) -> TeacherKeypoints:
    """The predictions but for those for people in ``clips``, which are to be held out."""
    people = predictions.people
    kept = np.array([str(clip) not in clips for clip in people.clip], bool)
    people = ClipPeople(people.clip[kept], people.time_s[kept], people.crop[kept])
    return replace(predictions, people=people, of_clips=predictions.of_clips[:, kept])


# ---- stored predictions --------------------------------------------------------------------


def full_name(teacher: str) -> str:
    """The name by which predictions are stored; for gymform's models it includes the version.

    Raises WeightsError for a model that is not in the manifest.
    """
    if teacher in KNOWN_TEACHERS:
        return teacher
    return f"{teacher}@{manifest_entry(teacher).sha256[:12]}"


def split_name(teacher: str) -> tuple[str, str]:
    """(name of the teacher, start of the model's sha256 or "" for teachers from elsewhere)."""
    name, _, sha256 = teacher.partition("@")
    return name, sha256


@dataclass(frozen=True, eq=False)
class ClipPeople:
    """People in clips whom teachers saw: file names (m,), times (m,) s, crops (m, 4) px."""

    clip: np.ndarray
    time_s: np.ndarray
    crop: np.ndarray

    def __len__(self) -> int:
        return len(self.clip)


@dataclass(frozen=True, eq=False)
class TeacherKeypoints:
    """Predictions of T teachers for V variants of the people at the rows (n,) of a pack and of m
    people in clips: float (T, n, V, 17, 3) and (T, m, V, 17, 3), px of the person's picture."""

    digest: str  # of the pack
    teachers: tuple[str, ...]
    row: np.ndarray
    of_pack: np.ndarray
    people: ClipPeople
    of_clips: np.ndarray


def write_predictions(path: Path, predictions: TeacherKeypoints) -> None:
    """Write ``predictions`` to ``path``, atomically, in sixteenths of a pixel."""
    people = predictions.people
    arrays: dict[str, Any] = {
        "digest": np.array(predictions.digest),
        "teacher": np.array(predictions.teachers),
        "row": predictions.row.astype(np.int32),
        "clip": people.clip,
        "time_s": people.time_s,
        "crop": people.crop,
    }
    for name, points in (("pack", predictions.of_pack), ("clips", predictions.of_clips)):
        found = np.isfinite(points).all(-1)
        xy = np.clip(np.rint(np.nan_to_num(points[..., :2]) * STEPS), _NOBODY + 1, -_NOBODY - 1)
        score = np.rint(np.clip(np.nan_to_num(points[..., 2]), 0, 1) * 255)
        arrays[f"{name}_xy"] = np.where(found[..., None], xy, _NOBODY).astype(np.int16)
        arrays[f"{name}_score"] = score.astype(np.uint8)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)


def read_predictions(path: Path, pack: CropPack) -> TeacherKeypoints:
    """The predictions in ``path`` for the people of ``pack``.

    Raises ModelDataError when the file is missing, damaged, or for other people.
    """
    try:
        arrays = read_arrays(path)
        people = ClipPeople(arrays["clip"], arrays["time_s"], arrays["crop"])
        digest, row = str(arrays["digest"]), arrays["row"]
        teachers = tuple(arrays["teacher"].tolist())
        of_pack, of_clips = (_points(arrays[f"{n}_xy"], arrays[f"{n}_score"])
                             for n in ("pack", "clips"))  # fmt: skip
    except (PoseFileError, KeyError) as error:
        raise ModelDataError(
            f"{path.name}: expected teachers' predictions, as scripts/ask_teachers.py writes them; "
            f"it is missing, damaged or something else ({error})."
        ) from error
    if digest != (expected := pack.digest()):
        raise ModelDataError(
            f"{path.name}: expected predictions for this pack ({expected[:12]}), got those for "
            f"another ({digest[:12]}). Run scripts/ask_teachers.py again."
        )
    return TeacherKeypoints(digest, teachers, row, of_pack, people, of_clips)


def _points(xy: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Predictions float (..., 3) from their stored form."""
    points = np.concatenate((xy / STEPS, score[..., None] / 255), axis=-1)
    points[(xy == _NOBODY).any(-1)] = np.nan
    return points
