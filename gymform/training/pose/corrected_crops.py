"""People in frames that somebody corrected, as a pack to train a pose network on.

Of each clip with corrections in a data set the frames are taken in which a keypoint was put in its
place, and some of those between, which follow. What a person put, what follows from it, and what
the network was sure of there are labels; the rest is unknown, and nothing is learned from it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gymform.dataset.corrections import all_corrections, corrected_poses
from gymform.dataset.reviews import ReviewStore
from gymform.errors import ModelDataError
from gymform.pose.corrections import CONCEALED, EXCHANGED, FOLLOWED, PLACED, Corrected
from gymform.pose.crops import box_to_crop
from gymform.training.pose.packs import MARGIN, CropPack, join, make_pack
from gymform.training.pose.pseudo_labels import people_in, stored_size

DATASET = "corrected"
"""The source's name in packs."""

SURE = 0.6
"""In a frame that somebody looked at, the network's own keypoints are labels from this score on."""

MAX_FRAMES = 40
"""Most frames of a clip: neighbours in a film are nearly the same picture."""


def corrected_crops(dataset: Path) -> CropPack:
    """The pack of a data set's corrected frames; groups are its people or sources.

    Raises ModelDataError when nothing was corrected, DatasetError when there is no data set.
    """
    packs: list[CropPack] = []
    with ReviewStore.open(dataset) as store:
        for sha256 in sorted(all_corrections(store)):
            clip = store.clip(sha256)
            found = corrected_poses(store, sha256)
            rows = _frames(found)
            crops = box_to_crop(found.pose.boxes[rows])
            times, turn = found.pose.time_s[rows], found.pose.provenance.turn
            pictures = list(people_in(store.files.clip(clip), times, crops, turn=turn))
            labels = [_labels(found, row, crop) for row, crop in zip(rows, crops, strict=True)]
            if pictures:
                kept = np.stack(labels[: len(pictures)])
                groups = [f"{DATASET}/{clip.group}"] * len(pictures)
                packs.append(make_pack(pictures, kept, dataset=DATASET, groups=groups))
    if not packs:
        raise ModelDataError(
            f"--corrections {dataset.name}: nobody has corrected keypoints in this data set. Do so "
            "on the page Review (C), or leave the option out."
        )
    whole = packs[0]
    for pack in packs[1:]:
        whole = join(whole, pack)
    return whole


def _frames(found: Corrected) -> np.ndarray:
    """Frames to learn from: all in which a keypoint was placed, and some that were changed else."""
    pose, source = found.pose, found.source
    there = np.isfinite(pose.boxes).all(1)
    placed = np.flatnonzero(there & (source == PLACED).any(1))
    others = np.flatnonzero(there & (source > 0).any(1) & ~(source == PLACED).any(1))
    room = max(0, MAX_FRAMES - len(placed))
    if len(others) > room:
        others = others[np.linspace(0, len(others) - 1, room).astype(int)]
    return np.sort(np.concatenate([placed[:MAX_FRAMES], others]))


def _labels(found: Corrected, row: int, crop: np.ndarray) -> np.ndarray:
    """Keypoints (17, 3) of a frame in px of its stored picture; v 2 for labels, else 0."""
    pose, source = found.pose, found.source[row]
    width, height = stored_size(crop)
    size = crop[2:] * MARGIN
    corner = crop[:2] - size / 2
    xy = (pose.xy[row] - corner) / size * (np.array([width, height]) - 1)
    trusted = np.isin(source, (PLACED, FOLLOWED))
    trusted |= np.isin(source, (0, EXCHANGED)) & (pose.score[row] >= SURE)
    inside = (xy >= 0).all(1) & (xy <= [width - 1, height - 1]).all(1)
    known = trusted & inside & (source != CONCEALED)
    labels = np.column_stack((np.nan_to_num(xy), np.full(len(xy), 2.0)))
    return np.where(known[:, None], labels, 0.0).astype(np.float32)
