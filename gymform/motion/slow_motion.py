"""Slow motion: from the film's seconds to life's, and back."""

from __future__ import annotations

from dataclasses import replace

from gymform.types import CleanTracks, PoseSequence


def at_speed(pose: PoseSequence, slow_motion: float) -> PoseSequence:
    """``pose`` at life's speed, of a film that plays ``slow_motion`` times slower."""
    return pose if slow_motion == 1 else replace(pose, time_s=pose.time_s / slow_motion)


def in_film(tracks: CleanTracks, slow_motion: float) -> CleanTracks:
    """``tracks`` at life's speed with the film's moments; speeds stay those of life."""
    return tracks if slow_motion == 1 else replace(tracks, time_s=tracks.time_s * slow_motion)
