"""Data sets of any size, made quickly: made-up clips with copied poses, thumbnails and videos."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from gymform.dataset.items import ClipRecord, Item, Quality, item_id
from gymform.dataset.proposals import JITTER, LOW_CONFIDENCE, SWAPS
from gymform.dataset.reviews import ReviewStore
from gymform.pose.files import save_poses
from gymform.video.write import VideoWriter
from tests.fakes import make_pose

EXERCISES = ("squat", "deadlift", "snatch")
PROBLEMS: tuple[tuple[str, str], ...] = (
    (LOW_CONFIDENCE, "The joints are hard to see."),
    (JITTER, "The joints tremble from frame to frame."),
    (SWAPS, "Left and right were mixed up."),
)
DURATION_S = 3.0
SIZE = (96, 128)


def clip_record(number: int, **changes: Any) -> ClipRecord:
    """A clip of 3 s with a made-up sha256; its exercise and person follow from ``number``."""
    values: dict[str, Any] = {
        "sha256": hashlib.sha256(f"clip {number}".encode()).hexdigest(),
        "name": f"clip-{number:04d}.mp4",
        "suffix": ".mp4",
        "exercise": EXERCISES[number % len(EXERCISES)],
        "group": f"person-{number % 40}",
        "width": SIZE[0],
        "height": SIZE[1],
        "duration_s": DURATION_S,
        "fps": 30.0,
        "frames": round(DURATION_S * 30),
        "imported_at": "2026-01-01T00:00:00.000+00:00",
        "source": f"clip-{number:04d}.mp4",
    }
    return ClipRecord(**values | changes)


def item_of(clip: ClipRecord, part: int = 1, start_s: float = 0.0, end_s: float = DURATION_S):
    """An item of ``clip`` as extraction proposes it."""
    return Item(
        id=item_id(clip.sha256, part),
        clip_sha256=clip.sha256,
        exercise=clip.exercise,
        group=clip.group,
        start_s=start_s,
        end_s=end_s,
        part=part,
        name=clip.name,
    )


def quality_of(number: int) -> Quality:
    """A score that varies from clip to clip; below 0.5 a problem and its note."""
    score = round((number * 0.37) % 1.0, 3)
    name, note = PROBLEMS[number % len(PROBLEMS)]
    return Quality(score, (name,), (note,)) if score < 0.5 else Quality(score)


def fill_store(store: ReviewStore, count: int, *, files: bool = True) -> list[ClipRecord]:
    """Add ``count`` extracted clips of one item each, with ``files`` also their poses and videos.

    All poses are of one squat, all videos a few frames of a moving square: copies, hard links
    where the disk has them, so that 1,000 clips take a second or two.
    """
    clips = [clip_record(number) for number in range(count)]
    for number, clip in enumerate(clips):
        store.add_clip(clip)
        store.set_extracted(clip.sha256, [item_of(clip)], [quality_of(number)])
    if files:
        _make_files(store, clips)
    return clips


def make_store(folder: Path, count: int, *, files: bool = True) -> Path:
    """A new data set in ``folder``, see :func:`fill_store`; returns ``folder``."""
    with ReviewStore.open(folder, create=True) as store:
        fill_store(store, count, files=files)
    return folder


def _make_files(store: ReviewStore, clips: list[ClipRecord]) -> None:
    first = clips[0]
    video = store.files.clip(first)
    video.parent.mkdir(parents=True, exist_ok=True)
    write_square(video)
    pose = make_pose(round(DURATION_S * 30), size=SIZE)
    save_poses(store.files.poses(first.sha256), pose)
    thumb = store.files.thumb(item_id(first.sha256, 1))
    thumb.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(thumb), np.full((SIZE[1], SIZE[0], 3), 90, np.uint8))
    _copy(video, store.files.proxy(first.sha256))
    for clip in clips[1:]:
        _copy(video, store.files.clip(clip))
        _copy(video, store.files.proxy(clip.sha256))
        _copy(store.files.poses(first.sha256), store.files.poses(clip.sha256))
        _copy(thumb, store.files.thumb(item_id(clip.sha256, 1)))


def write_square(path: Path, *, fps: float = 30.0, seconds: float = DURATION_S) -> None:
    """A tiny video of a white square that goes down and up on grey."""
    width, height = SIZE
    frames = round(fps * seconds)
    with VideoWriter(path, width=width, height=height, fps=fps) as writer:
        for i in range(frames):
            picture = np.full((height, width, 3), 60, np.uint8)
            top = round((height - 40) * np.sin(np.pi * i / frames) ** 2)
            picture[top : top + 40, 30:66] = 230
            writer.write(picture, i / fps)


def write_scene(
    path: Path,
    seed: int,
    *,
    start_s: float = 0.0,
    end_s: float = 3.0,
    scale: float = 1.0,
    mirrored: bool = False,
    light: float = 1.0,
    crf: int = 20,
    crop: float = 1.0,
    place: float = 0.5,
    bars: tuple[int, int, int, int] = (0, 0, 0, 0),
    bar_grey: int = 0,
    speed: float = 1.0,
) -> None:
    """A video of a scene of its own for each ``seed``: a background, and things that move.

    The rest says how a copy differs: trimmed, scaled, mirrored, brighter, compressed harder, or
    cropped to a share of its sides at a ``place`` from left and top, with plain ``bars`` of so many
    px left, right, above and below, faster.
    """
    rng = np.random.default_rng(seed)
    width, height = 160, 120
    background = cv2.resize(rng.integers(0, 200, (6, 8, 3), np.uint8), (width, height))
    phases, speeds = rng.uniform(0, 6, (2, 3)), rng.uniform(0.3, 1.0, (2, 3))
    size = (round(width * scale), round(height * scale))
    top, left = (round(side * (1 - crop) * place) for side in (height, width))
    kept = (slice(top, top + round(height * crop)), slice(left, left + round(width * crop)))
    around = (bars[2:], bars[:2], (0, 0))
    full = (size[0] + sum(bars[:2]), size[1] + sum(bars[2:]))
    with VideoWriter(path, width=full[0], height=full[1], fps=25.0, crf=crf) as writer:
        for i in range(round((end_s - start_s) * 25 / speed)):
            picture = background.copy()
            places = 0.5 + 0.4 * np.sin(phases + speeds * (start_s + speed * i / 25) * 2.5)
            for number, (x, y) in enumerate(places.T):
                centre = (round(x * width), round(y * height))
                cv2.circle(picture, centre, 16, (80 * number, 255, 90), -1)
            picture = cv2.resize(picture[kept], size, interpolation=cv2.INTER_AREA)
            picture = picture[:, ::-1] if mirrored else picture
            picture = np.clip(picture * light, 0, 255).astype(np.uint8)
            writer.write(np.pad(picture, around, constant_values=bar_grey), i / 25)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copy(source, target)
