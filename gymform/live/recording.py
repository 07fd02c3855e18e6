"""A repetition recorded in the browser, as it arrives here: checked, stored, cut to its motion."""

from __future__ import annotations

import base64
import binascii
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from gymform import limits
from gymform.errors import GymformError, NotAVideoError, TooLargeError
from gymform.storage import store_upload
from gymform.video.read import read_frames
from gymform.video.sandbox import decoding, probe_apart, run_apart
from gymform.video.write import MAX_PLANNED_FPS, VideoWriter

MARGIN_S = 0.6
"""What is kept before and after the motion, seconds."""

WORTH_S = 0.8
"""Standing still that lasts less than this is not worth a cut."""

CUT_CRF = 16
"""Constant rate factor of a cut recording: the analysis sees it, so hardly anything may be lost."""


@dataclass(frozen=True)
class Recording:
    """What a recorder sent: the file's bytes, and from when to when something moved, seconds."""

    content: bytes
    motion: tuple[float, float] | None = None

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> Recording:
        """The recording in ``message``: ``video`` as base64, ``motion`` as [start, end] or None.

        Raises NotAVideoError when there is no video in it, TooLargeError over the cap.
        """
        text = message.get("video")
        if not isinstance(text, str):
            raise NotAVideoError("The browser sent no recording. Please record again.")
        if len(text) > limits.MAX_RECORDING_BYTES * 4 // 3 + 4:
            raise TooLargeError(
                f"The recording has more than {limits.MAX_RECORDING_BYTES // 10**6} MB. "
                "Record a shorter one, or upload it on the page Analyze."
            )
        try:
            content = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise NotAVideoError("The recording arrived damaged. Please record again.") from None
        return cls(content, _span(message.get("motion")))


def store_recording(recording: Recording, folder: Path) -> Path:
    """The path of the stored clip in a folder of its own below ``folder``.

    The container is recognised by its content. Standing still before and after the motion is cut
    away where the recorder saw some. Raises VideoError kinds when it is no clip that can be read.
    """
    path = store_upload(recording.content, folder)
    try:
        clip = probe_apart(path)
        span = (
            None if recording.motion is None else worth_cutting(recording.motion, clip.duration_s)
        )
        if span is None:
            return path
        target = path.with_name("repetition.mp4")
        run_apart(decoding(clip), cut_clip, path.absolute(), target.absolute(), *span)
    except GymformError:
        path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            path.parent.rmdir()
        raise
    path.unlink()
    return target


def worth_cutting(motion: tuple[float, float], duration_s: float) -> tuple[float, float] | None:
    """The span (start_s, end_s) to keep around the motion; None to keep everything."""
    start, end = max(0.0, motion[0] - MARGIN_S), min(duration_s, motion[1] + MARGIN_S)
    if end <= start or duration_s - (end - start) < WORTH_S:
        return None
    return start, end


def cut_clip(source: Path, target: Path, start_s: float, end_s: float) -> None:
    """Write what ``source`` shows from ``start_s`` to ``end_s`` as H.264, from time zero on.

    Raises VideoError kinds for the source, VideoWriteError for the target.
    """
    with (
        read_frames(source, keep=lambda _, time_s: start_s <= time_s <= end_s) as frames,
        VideoWriter(
            target,
            width=frames.width,
            height=frames.height,
            fps=min(frames.fps, MAX_PLANNED_FPS),
            crf=CUT_CRF,
        ) as writer,
    ):
        first: float | None = None
        for frame in frames:
            first = frame.time_s if first is None else first
            writer.write(frame.rgb, frame.time_s - first)


def _span(motion: Any) -> tuple[float, float] | None:
    """``motion`` as (start, end) seconds, None when it is anything else."""
    if not isinstance(motion, list | tuple) or len(motion) != 2:
        return None
    try:
        start, end = float(motion[0]), float(motion[1])
    except (TypeError, ValueError):
        return None
    return (start, end) if isfinite(start) and isfinite(end) and 0 <= start < end else None
