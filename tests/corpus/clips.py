"""Good clips: each frame shows its own number and which way is up.

Files are made at test time with PyAV; the same :class:`Recipe` gives the same clip.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

os.environ.setdefault("SVT_LOG", "-1")  # the AV1 encoder talks to the terminal otherwise

TICK = Fraction(1, 2400)
"""Time base of the makers: exact for 24, 25, 30, 60, 120 and 240 frames a second."""

BITS = 8
"""Frame numbers are shown modulo 2 ** BITS."""

RED, GREEN, BLUE = (200, 30, 30), (30, 170, 30), (40, 40, 200)


def steady(frames: int, fps: float = 30.0) -> tuple[float, ...]:
    """``frames`` seconds at a constant rate, from 0."""
    return tuple(i / fps for i in range(frames))


UNEVEN = (0.0, 0.0375, 0.0625, 0.15, 0.1625, 0.3, 0.55, 0.5625, 0.6, 0.9)
"""Times of a clip with a variable frame rate, in ticks of 12.5 ms."""


@dataclass(frozen=True)
class Recipe:
    """What to make: ``size`` (width, height) px and ``times`` in seconds of the upright clip.

    ``rotation`` (counter-clockwise degrees) and ``mirrored`` go into the display matrix: pixels
    are stored the other way round, as a phone does.
    """

    encoder: str = "libx264"
    suffix: str = ".mp4"
    pix_fmt: str = "yuv420p"
    size: tuple[int, int] = (128, 96)
    times: tuple[float, ...] = field(default_factory=lambda: steady(12))
    rotation: int = 0
    mirrored: bool = False
    audio: str | None = None
    pixel_aspect: Fraction | None = None
    options: tuple[tuple[str, str], ...] = ()
    muxer: tuple[tuple[str, str], ...] = ()
    first_pts: int = 0

    def but(self, **changes: object) -> Recipe:
        """The same with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


H264 = Recipe()
HEVC = Recipe(encoder="libx265", suffix=".mov", options=(("x265-params", "log-level=none"),))
MPEG4 = Recipe(encoder="mpeg4", options=(("b", "2000k"),))
MJPEG = Recipe(encoder="mjpeg", pix_fmt="yuvj420p", suffix=".mov")
VP8 = Recipe(
    encoder="libvpx",
    suffix=".webm",
    options=(("deadline", "realtime"), ("cpu-used", "8"), ("b", "1M")),
)
VP9 = Recipe(encoder="libvpx-vp9", suffix=".webm", options=VP8.options)
AV1 = Recipe(encoder="libsvtav1", suffix=".mkv", options=(("preset", "12"),))

GOOD: dict[str, Recipe] = {
    "h264_mp4": H264,
    "h264_mov": H264.but(suffix=".mov"),
    "h264_mkv": H264.but(suffix=".mkv"),
    "h264_avi": H264.but(suffix=".avi"),
    "h264_b_frames": H264.but(times=steady(40), options=(("bf", "3"), ("b_strategy", "0"))),
    "h264_no_b_frames": H264.but(options=(("bf", "0"),)),
    "hevc_mov": HEVC,
    "hevc_10bit_mov": HEVC.but(pix_fmt="yuv420p10le"),
    "hevc_mkv": HEVC.but(suffix=".mkv"),
    "mpeg4_mp4": MPEG4,
    "mpeg4_avi": MPEG4.but(suffix=".avi"),
    "mpeg4_avi_b_frames": MPEG4.but(suffix=".avi", options=(("b", "2000k"), ("bf", "2"))),
    "mjpeg_mov": MJPEG,
    "mjpeg_avi": MJPEG.but(suffix=".avi"),
    "mjpeg_mkv": MJPEG.but(suffix=".mkv"),
    "vp8_webm": VP8,
    "vp9_webm": VP9,
    "vp9_mp4": VP9.but(suffix=".mp4"),
    "av1_mkv": AV1,
    "av1_mp4": AV1.but(suffix=".mp4"),
    "rotated_90": H264.but(rotation=90),
    "rotated_180": H264.but(rotation=180),
    "rotated_270": H264.but(rotation=270),
    "hevc_rotated_90": HEVC.but(rotation=90, pix_fmt="yuv420p10le"),
    "mirrored": H264.but(mirrored=True),
    "mirrored_90": H264.but(rotation=90, mirrored=True),
    "uneven_mp4": H264.but(times=UNEVEN),
    "uneven_b_frames": H264.but(times=UNEVEN, options=(("bf", "3"), ("b_strategy", "0"))),
    "uneven_webm": VP9.but(times=UNEVEN),
    "slow_motion_240": H264.but(times=steady(48, 240.0)),
    "slow_motion_in_part": H264.but(
        times=steady(6)
        + tuple(0.2 + t for t in steady(24, 240))
        + tuple(0.3 + t for t in steady(6))
    ),
    "h264_ts": H264.but(suffix=".ts"),
    "h264_ts_b_frames": H264.but(suffix=".ts", options=(("bf", "3"), ("b_strategy", "0"))),
    "hevc_ts": HEVC.but(suffix=".ts"),
    "avchd": H264.but(suffix=".mts", muxer=(("mpegts_m2ts_mode", "1"),)),
    "avchd_uneven": H264.but(suffix=".mts", muxer=(("mpegts_m2ts_mode", "1"),), times=UNEVEN),
    "odd_size": VP8.but(size=(129, 97)),
    "odd_size_444": H264.but(size=(129, 97), pix_fmt="yuv444p"),
    "starts_late": H264.but(first_pts=2400),
    "starts_early": H264.but(first_pts=-2400 // 10, options=(("bf", "0"),)),
    "wide_pixels": H264.but(pixel_aspect=Fraction(4, 3)),
    "tall_pixels_rotated": H264.but(pixel_aspect=Fraction(1, 2), rotation=90),
    "fragmented": H264.but(muxer=(("movflags", "frag_keyframe+empty_moov+default_base_moof"),)),
    "moov_in_front": H264.but(muxer=(("movflags", "faststart"),)),
    "live_webm": VP8.but(muxer=(("live", "1"),)),
    "with_aac": H264.but(audio="aac", times=steady(30)),
    "with_opus": VP8.but(audio="libopus", times=steady(30)),
    "with_pcm_mov": H264.but(audio="pcm_s16le", suffix=".mov", times=steady(30)),
}
"""Clips that must be read in full: name -> how to make them."""

CODEC_NAMES = {
    "libx264": "h264",
    "libx265": "hevc",
    "mpeg4": "mpeg4",
    "mjpeg": "mjpeg",
    "libvpx": "vp8",
    "libvpx-vp9": "vp9",
    "libsvtav1": "av1",
}
"""What a probe must call the codec that an encoder writes."""


def picture(number: int, size: tuple[int, int] = (128, 96)) -> np.ndarray:
    """An upright frame, uint8 (H, W, 3): its number in white bars on top, three colours below."""
    width, height = size
    rgb = np.full((height, width, 3), 90, np.uint8)
    for bit in range(BITS):
        left, right = (width * edge // BITS for edge in (bit, bit + 1))
        rgb[: height // 3, left:right] = 240 if number >> bit & 1 else 16
    rgb[height // 2 :, : width // 2] = RED
    rgb[height // 2 :, width // 2 :] = GREEN
    rgb[height * 5 // 6 :] = BLUE
    return rgb


def read_number(rgb: np.ndarray) -> int:
    """The number that an upright frame of :func:`picture` shows, at any size."""
    height, width = rgb.shape[:2]
    centres = [(2 * bit + 1) * width // (2 * BITS) for bit in range(BITS)]
    return sum(int(rgb[height // 6, x].mean() > 128) << bit for bit, x in enumerate(centres))


def is_upright(rgb: np.ndarray) -> bool:
    """Whether the colours of a frame of :func:`picture` stand where they belong."""
    height, width = rgb.shape[:2]
    seen = [rgb[height * 2 // 3, x].astype(int) for x in (width // 4, width * 3 // 4)]
    seen.append(rgb[height * 11 // 12, width // 2].astype(int))
    return all(
        np.abs(colour - want).max() < 70
        for colour, want in zip(seen, (RED, GREEN, BLUE), strict=True)
    )


def write_clip(path: Path, recipe: Recipe = H264) -> Path:
    """Make the clip of ``recipe`` at ``path`` and return the path."""
    try:
        with av.open(str(path), "w", options=dict(recipe.muxer)) as container:
            stream = _add_video(container, recipe)
            sound = _add_sound(container, recipe)
            for frame in _frames(recipe):
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
            if sound is not None:
                for frame in _silence(recipe.times[-1] + 1 / 30):
                    container.mux(sound.encode(frame))
                container.mux(sound.encode(None))
    finally:
        _share_the_processor()
    return path


def _share_the_processor() -> None:
    """Undo what the AV1 encoder does where it may: it makes the whole process a real-time one,
    before which nothing else on the machine gets to run."""
    if hasattr(os, "sched_setscheduler") and os.sched_getscheduler(0) != os.SCHED_OTHER:
        for task in Path("/proc/self/task").iterdir():
            os.sched_setscheduler(int(task.name), os.SCHED_OTHER, os.sched_param(0))


def make_good(name: str, folder: Path) -> Path:
    """The clip ``name`` of :data:`GOOD`, made in ``folder``."""
    recipe = GOOD[name]
    return write_clip(folder / f"{name}{recipe.suffix}", recipe)


def _stored(recipe: Recipe, number: int) -> np.ndarray:
    """The frame as the file stores it: the display matrix will undo what is done here."""
    upright = picture(number, recipe.size)
    if recipe.mirrored:
        upright = upright[:, ::-1]
    return np.ascontiguousarray(np.rot90(upright, -recipe.rotation // 90))


def _time_base(recipe: Recipe) -> Fraction:
    """AVI counts frames; everything else gets fine ticks."""
    return Fraction(1, 30) if recipe.suffix == ".avi" else TICK


def _add_video(container: av.container.OutputContainer, recipe: Recipe) -> av.VideoStream:
    stream = container.add_stream(recipe.encoder, rate=30, options=dict(recipe.options))
    stream.height, stream.width = _stored(recipe, 0).shape[:2]
    stream.pix_fmt = recipe.pix_fmt
    stream.codec_context.time_base = _time_base(recipe)
    if recipe.pixel_aspect is not None:
        stream.codec_context.sample_aspect_ratio = recipe.pixel_aspect
    if recipe.rotation or recipe.mirrored:
        stream.set_display_rotation(recipe.rotation, hflip=recipe.mirrored)
    return stream


def _add_sound(container: av.container.OutputContainer, recipe: Recipe) -> av.AudioStream | None:
    return container.add_stream(recipe.audio, rate=48_000) if recipe.audio else None


def _frames(recipe: Recipe) -> Iterator[av.VideoFrame]:
    base = _time_base(recipe)
    for number, time_s in enumerate(recipe.times):
        frame = av.VideoFrame.from_ndarray(_stored(recipe, number), format="rgb24")
        frame = frame.reformat(format=recipe.pix_fmt)
        frame.pts = round(time_s / base) + recipe.first_pts
        frame.time_base = base
        yield frame


def _silence(seconds: float) -> Iterator[av.AudioFrame]:
    samples = 960
    for start in range(0, round(seconds * 48_000), samples):
        frame = av.AudioFrame.from_ndarray(
            np.zeros((1, 2 * samples), np.int16), format="s16", layout="stereo"
        )
        frame.sample_rate = 48_000
        frame.pts = start
        yield frame
