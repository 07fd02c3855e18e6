"""A tiny data set of made-up lifters: squats and waves, accepted, and videos of a moving square."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import numpy as np

from gymform.dataset.items import ACCEPTED, ClipRecord, Item, Quality, item_id
from gymform.dataset.reviews import ReviewStore
from gymform.pose.files import save_poses
from gymform.training.exercise.tracks import LabelledPose
from gymform.types import PoseSequence
from tests.dataset.makers import SIZE, write_square
from tests.motion.makers import STANDING, sequence, squat_sequence


def wave(seconds: float = 3.0, fps: float = 15.0, seed: int = 0) -> PoseSequence:
    """Somebody who swings the arms up and down."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(round(seconds * fps)) / fps
    xy = np.repeat(STANDING[None], len(time_s), 0)
    lift = 60 * (1 - np.cos(2 * np.pi * time_s / rng.uniform(1, 2)))[:, None]
    xy[:, 7:9, 1] -= lift / 2
    xy[:, 9:11, 1] -= lift
    return sequence(xy * rng.uniform(0.8, 1.5) + 300, time_s)


def pose_of(exercise: str, number: int) -> PoseSequence:
    """The movement, made to fit into the small picture of the videos."""
    if exercise == "squat":
        pose = squat_sequence(15.0, 3.0, period_s=1.5 + 0.1 * number)
    else:
        pose = wave(seed=number)
    low, high = np.nanmin(pose.xy, (0, 1)), np.nanmax(pose.xy, (0, 1))
    scale = 0.9 * SIZE[1] / (high - low)[1]
    xy = (pose.xy - (low + high) / 2) * scale + np.array(SIZE) / 2
    return sequence(xy, pose.time_s, image_size=SIZE)


def add_clip(
    store: ReviewStore,
    number: int,
    exercise: str,
    group: str,
    *,
    verdict: str | None = ACCEPTED,
    video: bool = False,
) -> str:
    """Add a made-up clip of one item; its sha256."""
    sha256 = hashlib.sha256(f"{exercise} {number}".encode()).hexdigest()
    pose = pose_of(exercise, number)
    seconds = float(pose.time_s[-1])
    name = f"{exercise}-{number}.mp4"
    clip = ClipRecord(
        sha256, name, ".mp4", exercise, group, *pose.image_size, seconds, pose.fps, len(pose),
        "2026-01-01T00:00:00.000+00:00", name,
    )  # fmt: skip
    store.add_clip(clip)
    item = Item(item_id(sha256, 1), sha256, exercise, group, 0.0, seconds, 1, name)
    store.set_extracted(sha256, [item], [Quality(0.9)])
    save_poses(store.files.poses(sha256), pose)
    if video:
        store.files.clip(clip).parent.mkdir(exist_ok=True)
        write_square(store.files.clip(clip), fps=15.0, seconds=3.0)
    if verdict:
        store.decide(item.id, verdict, reviewer="me")
    return sha256


def make_dataset(
    folder: Path, people: int = 5, *, other: str = "wave", video: bool = False
) -> Path:
    """One squat and one wave of each of so many people, all accepted."""
    with ReviewStore.open(folder, create=True) as store:
        for number in range(people):
            for exercise in ("squat", other):
                add_clip(store, number, exercise, f"person-{number}", video=video)
    return folder


def made_up(count: int = 12) -> list[LabelledPose]:
    """Squats and waves of six people each."""
    items = []
    for i in range(count):
        pose = squat_sequence(15.0, 4.0, period_s=1.5 + 0.2 * i) if i % 2 else wave(4.0, seed=i)
        label = "squat" if i % 2 else "other"
        items.append(LabelledPose(f"clip{i}", label, label, f"person{i}", "clips", pose))
    return items


def make_index(folder: Path) -> Path:
    """Twelve keypoint files and their index."""
    rows = []
    for item in made_up():
        file = f"{item.label}/{item.name}.mp4"
        save_poses(folder / "poses" / file.replace(".mp4", ".npz"), item.pose)
        rows.append({"file": file, "exercise": item.action.replace("other", "wave"),
                     "group": item.group})  # fmt: skip
    with (folder / "index.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["file", "exercise", "group"])
        writer.writeheader()
        writer.writerows(rows)
    return folder
