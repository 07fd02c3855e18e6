"""A clip's PoseSequence: one pass that tracks the lifter, one through all frames in batches."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gymform import __version__
from gymform.pose.crops import box_to_crop
from gymform.pose.decoding import PEAKS, choose_keypoints
from gymform.pose.estimator import PoseEstimator
from gymform.pose.tracking import SAMPLE_INTERVAL_S, follow
from gymform.skeleton import NUM_KEYPOINTS
from gymform.timing import Progress, ignore_progress
from gymform.types import Clip, PoseSequence, Provenance, Target
from gymform.video.read import read_frames
from gymform.video.sparse import SparseFrames, every, only, sample_frames


def extract_poses(
    path: Path,
    clip: Clip,
    estimator: PoseEstimator,
    *,
    target: Target | None = None,
    max_fps: float | None = None,
    progress: Progress | None = None,
) -> tuple[PoseSequence, tuple[str, ...]]:
    """The lifter's keypoints in every frame, and notes about the clip for the user.

    ``clip`` is the result of `probe` for ``path``; ``target`` selects another person; ``max_fps``
    limits the frame rate by skipping frames. ``progress`` is called with (stage, done, total) for
    the stages "search" and "pose", and may raise to stop. A picture that lies on its side is
    turned: keypoints and ``target`` are in px of the turned frame. Raises NoPersonError,
    OptionsError and the kinds of VideoError.
    """
    report = progress or ignore_progress
    stopwatch = estimator.stopwatch
    choose = every(1.0 / max_fps) if max_fps else None
    report("search", 0, 1)
    with stopwatch("sample"):
        frames = sample_frames(path, SAMPLE_INTERVAL_S, choose=choose)
    with stopwatch("search"):
        lifter = follow(
            frames,
            estimator,
            target=target,
            progress=lambda done, total: report("search", done, total),
        )
    during_search = dict(stopwatch.seconds)
    frames = frames.turned(lifter.turn)
    peaks = _all_frames(path, frames, lifter.boxes, estimator, report)
    # what the estimator did during the search is part of "search" already
    for stage in ("crop", "network", "heatmaps"):
        stopwatch.seconds[stage] -= during_search.get(stage, 0.0)
    with stopwatch("choose"):
        xy, score = choose_keypoints(peaks, frames.time_s, frames.frame_shots)
    pose = PoseSequence(
        xy=xy,
        score=score,
        boxes=lifter.boxes,
        time_s=frames.time_s,
        image_size=frames.size,
        provenance=Provenance(
            network=estimator.model.name,
            weights_sha256=estimator.model.sha256,
            flip_test=estimator.flip_test,
            gymform_version=__version__,
            clip_sha256=clip.sha256,
            turn=frames.turn,
        ),
        shots=frames.frame_shots,
        peaks=peaks,
    )
    return pose, (*frames.problems, *lifter.notes)


def _all_frames(
    path: Path,
    chosen: SparseFrames,
    boxes: np.ndarray,
    estimator: PoseEstimator,
    report: Progress,
) -> np.ndarray:
    """The network's peaks (T, 17, K, 3), px and score, in the ``chosen`` frames with a box."""
    time_s = chosen.time_s
    peaks = np.full((len(time_s), NUM_KEYPOINTS, PEAKS, 3), np.nan, dtype=np.float32)
    peaks[..., 2] = 0
    crops = box_to_crop(boxes, estimator.padding)
    followed = np.flatnonzero(np.isfinite(boxes).all(axis=1))
    rows: list[int] = []
    pixels: list[np.ndarray] = []
    done = 0

    def flush() -> None:
        nonlocal done
        if rows:
            peaks[rows, :, :, :2], peaks[rows, :, :, 2] = estimator.peaks_in_crops(
                pixels, crops[rows], PEAKS
            )
        done += len(rows)
        rows.clear()
        pixels.clear()
        report("pose", done, len(followed))

    flush()
    with read_frames(path, keep=only(time_s[followed]), turn=chosen.turn) as frames:
        for frame in frames:
            row = int(np.searchsorted(time_s, frame.time_s - 1e-6))
            pixels.append(estimator.cut(frame.rgb, crops[row]))
            rows.append(row)
            if len(rows) == estimator.batch_size:
                flush()
    flush()
    return peaks
