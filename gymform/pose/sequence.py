"""A clip's PoseSequence: the lifter is followed through few frames, then looked at in all."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from gymform import __version__
from gymform.errors import NoPersonError
from gymform.pose.adaptive import filled
from gymform.pose.cascade import (
    FollowedFrames,
    SecondLook,
    by_one,
    scouted,
    where_it_moves,
)
from gymform.pose.decoding import choose_keypoints
from gymform.pose.estimator import PoseEstimator
from gymform.pose.tracking import SAMPLE_INTERVAL_S, FollowedBoxes, follow
from gymform.timing import Progress, ignore_progress
from gymform.types import Clip, PoseSequence, Provenance, Target
from gymform.video.sparse import SparseFrames, every, sample_frames

FirstPoses = Callable[[PoseSequence], None]
"""Hears the small network's keypoints of all frames, before the large one has begun."""

RestsOn = Callable[[PoseSequence], np.ndarray]
"""The frames, bool (T,), whose keypoints the figures of a clip are taken from."""

ROUNDS = 6
"""Other keypoints put a figure elsewhere, seldom more than twice. After so many times, the large
network looks at all frames."""


def extract_poses(
    path: Path,
    clip: Clip,
    estimator: PoseEstimator,
    *,
    scout: PoseEstimator | None = None,
    target: Target | None = None,
    max_fps: float | None = None,
    progress: Progress | None = None,
    on_first: FirstPoses | None = None,
    rests_on: RestsOn | None = None,
) -> tuple[PoseSequence, tuple[str, ...]]:
    """The lifter's keypoints in every frame, and notes about the clip for the user.

    ``clip`` is the result of `probe` for ``path``; ``target`` selects another person; ``max_fps``
    limits the frame rate by skipping frames. A small network, the ``scout``, searches for the
    lifter, tells ``estimator`` where to look (see `cascade.py`), and its keypoints are handed to
    ``on_first``. With ``rests_on`` both look only at frames around which the body moves, the large
    one also at those that it names (see `adaptive.py`); the others are interpolated. ``progress``
    is called with (stage, done, total) for the stages "search" and "pose", and may raise to stop. A
    picture that lies on its side is turned: keypoints and
    ``target`` are in px of the turned frame. Raises NoPersonError, OptionsError and the kinds of
    VideoError.
    """
    report = progress or ignore_progress
    stopwatch = estimator.stopwatch
    choose = every(1.0 / max_fps) if max_fps else None
    report("search", 0, 1)
    with stopwatch("sample"):
        frames = sample_frames(path, SAMPLE_INTERVAL_S, choose=choose)
    with stopwatch("search"):
        lifter = _search(frames, estimator, scout, target, report)
    during_search = dict(stopwatch.seconds)
    frames = frames.turned(lifter.turn)
    followed = FollowedFrames(path, frames, lifter.boxes)

    def finished(peaks: np.ndarray, network: PoseEstimator, ahead: str = "") -> PoseSequence:
        with stopwatch("choose"):
            made = _provenance(network, ahead, clip, frames.turn)
            return _sequence(peaks, followed, made)

    if scout is None:
        done = _counted(report, len(followed.rows))
        pose = finished(by_one(followed, estimator, done), estimator)
    else:
        done = _counted(report, 2 * len(followed.rows))
        with stopwatch("first"):
            seldom = rests_on is not None
            scouts, kept = scouted(followed, scout, estimator, done, seldom=seldom)
        if on_first is not None:
            on_first(finished(scouts, scout))
        scouts = filled(scouts, frames.time_s, followed.runs(followed.rows))
        look = SecondLook(followed, scouts, kept, estimator, done)
        ahead = scout.model.name
        pose = _looked(look, rests_on, lambda peaks: finished(peaks, estimator, ahead))
    # what the estimator did during the search is part of "search" already
    for stage in ("crop", "network"):
        stopwatch.seconds[stage] -= during_search.get(stage, 0.0)
    return pose, (*frames.problems, *lifter.notes)


def _search(
    frames: SparseFrames,
    estimator: PoseEstimator,
    scout: PoseEstimator | None,
    target: Target | None,
    report: Progress,
) -> FollowedBoxes:
    """The lifter's boxes: by the scout where that is easy, else by the large network."""

    def progress(done: int, total: int) -> None:
        report("search", done, total)

    # on a graphics card, one look after the other keeps it busy
    threads = torch.get_num_threads() if estimator.device.type == "cpu" else 1
    turn = 0
    if scout is not None:
        with contextlib.suppress(NoPersonError):
            found = follow(
                frames,
                scout,
                witness=estimator,
                newcomers=estimator,
                target=target,
                progress=progress,
                threads=threads,
            )
            if found.plain:
                return found
            turn = found.turn
    return follow(
        frames,
        estimator,
        witness=scout,
        target=target,
        known_turn=turn,
        progress=progress,
        threads=threads,
    )


def _looked(
    look: SecondLook, rests_on: RestsOn | None, finished: Callable[[np.ndarray], PoseSequence]
) -> PoseSequence:
    """The keypoints by a large network that looks at all frames; or with ``rests_on`` where the
    body moves, and where figures of what is ``finished`` so far are taken from."""
    if rests_on is None:
        look.at(look.clip.rows)
        return finished(look.peaks)
    where_it_moves(look)
    done, look.done = look.done, lambda _more: done(0)  # what figures rest on was not counted
    for _ in range(ROUNDS):
        pose = finished(look.peaks.copy())
        wanted = pose.interpolated & rests_on(pose)
        if not wanted.any():
            return pose
        look.at(np.flatnonzero(wanted))
    look.at(np.flatnonzero(pose.interpolated & ~wanted))
    return finished(look.peaks)


def _counted(report: Progress, total: int) -> Callable[[int], None]:
    """Adds up what is done of the stage "pose"."""
    done = 0

    def add(more: int) -> None:
        nonlocal done
        done += more
        report("pose", done, total)

    add(0)
    return add


def _provenance(network: PoseEstimator, scout: str, clip: Clip, turn: int) -> Provenance:
    return Provenance(
        network=network.model.name,
        weights_sha256=network.model.sha256,
        engine=network.engine.name,
        scout=scout,
        flip_test=network.flip_test,
        gymform_version=__version__,
        clip_sha256=clip.sha256,
        turn=turn,
    )


def _sequence(peaks: np.ndarray, followed: FollowedFrames, provenance: Provenance) -> PoseSequence:
    """The keypoints chosen among peaks (T, 17, K, 3), with where they come from."""
    frames = followed.frames
    xy, score = choose_keypoints(peaks, frames.time_s, frames.frame_shots, followed.boxes)
    return PoseSequence(
        xy=xy,
        score=score,
        boxes=followed.boxes,
        time_s=frames.time_s,
        image_size=frames.size,
        provenance=provenance,
        shots=frames.frame_shots,
        peaks=peaks,
    )
