"""Copies are found whatever was done to them; other recordings are not taken for copies."""

from dataclasses import replace

import numpy as np
import pytest

from gymform.dataset import duplicates
from gymform.dataset.duplicates import (
    RATE_HZ,
    SIDE,
    Fingerprints,
    Skeletons,
    fingerprint,
)
from gymform.skeleton import FLIP_ORDER
from gymform.types import PoseSequence
from gymform.video.write import VideoWriter
from tests.dataset.makers import write_scene
from tests.motion.makers import sequence, squat, squat_sequence


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """Fingerprints of five recordings, of 3 s each."""
    folder = tmp_path_factory.mktemp("scenes")
    prints = {}
    for seed in range(5):
        write_scene(folder / f"{seed}.mp4", seed)
        prints[f"scene {seed}"] = fingerprint(folder / f"{seed}.mp4")
    return Fingerprints(prints)


@pytest.mark.parametrize(
    ("changes", "mirrored"),
    [
        ({"crf": 36}, False),
        ({"scale": 0.5, "crf": 30}, False),
        ({"light": 1.2}, False),
        ({"start_s": 0.6, "end_s": 2.7}, False),
        ({"mirrored": True}, True),
        ({"mirrored": True, "start_s": 0.37, "scale": 0.6, "crf": 30}, True),
        ({"crop": 0.9}, False),
        ({"crop": 0.75}, False),
        ({"crop": 0.75, "place": 0.25, "crf": 30}, False),
        ({"crop": 0.9, "mirrored": True}, True),
        ({"crop": 0.85, "place": 1.0, "mirrored": True}, True),
        ({"bars": (40, 40, 0, 0)}, False),
        ({"bars": (0, 0, 30, 30), "bar_grey": 255}, False),
        *(({"bars": sides}, False) for sides in np.diag([40, 40, 30, 30]).tolist()),
        ({"bars": (25, 25, 0, 0), "mirrored": True, "crf": 34}, True),
        ({"bars": (30, 30, 0, 0), "crop": 0.9}, False),
        ({"speed": 1.25}, False),
        ({"speed": 0.8, "crf": 30}, False),
        ({"speed": 1.17}, False),
        ({"speed": 1.25, "crop": 0.9}, False),
        ({"speed": 1.25, "mirrored": True}, True),
    ],
)
def test_copies_are_found(known, tmp_path, changes, mirrored):
    write_scene(tmp_path / "copy.mp4", 3, **changes)
    (copy,) = known.copies_of("new", fingerprint(tmp_path / "copy.mp4"))
    assert (copy.clip, copy.of, copy.mirrored) == ("new", "scene 3", mirrored)
    assert 0.85 <= copy.likeness <= 1.0001


@pytest.mark.parametrize("changes", [{}, {"crop": 0.75}, {"bars": (40, 40, 0, 0)}, {"speed": 1.25}])
def test_another_recording_is_no_copy(known, tmp_path, changes):
    write_scene(tmp_path / "other.mp4", 17, **changes)
    assert known.copies_of("new", fingerprint(tmp_path / "other.mp4")) == []


def test_the_original_of_a_crop_is_found_too(tmp_path):
    for name, crop in (("whole", 1.0), ("part", 0.8)):
        write_scene(tmp_path / f"{name}.mp4", 3, crop=crop)
    known = Fingerprints({"part": fingerprint(tmp_path / "part.mp4")})
    (copy,) = known.copies_of("whole", fingerprint(tmp_path / "whole.mp4"))
    assert copy.of == "part"


def test_bars_are_left_out(tmp_path):
    write_scene(tmp_path / "plain.mp4", 3)
    write_scene(tmp_path / "bars.mp4", 3, bars=(40, 40, 10, 0))
    one, other = (
        np.frombuffer(fingerprint(tmp_path / f"{name}.mp4"), np.uint8).astype(int)
        for name in ("plain", "bars")
    )
    assert np.abs(one - other).mean() < 6


def test_a_clip_that_is_plain_all_over_is_no_trouble(tmp_path):
    with VideoWriter(tmp_path / "grey.mp4", width=64, height=48, fps=12) as writer:
        for i in range(24):
            writer.write(np.full((48, 64, 3), 128, np.uint8), i / 12)
    data = fingerprint(tmp_path / "grey.mp4")
    assert len(data) == 24 * SIDE * SIDE
    assert Fingerprints({"grey": data}).copies_of("new", data) == []


def test_one_camera_with_many_movements_is_compared_without_looking_at_parts(monkeypatch):
    rng = np.random.default_rng(0)
    place = rng.integers(0, 200, (SIDE, SIDE))
    y, x = np.mgrid[:SIDE, :SIDE]
    prints = []
    for _ in range(3):
        centres = np.interp(np.arange(60), np.arange(0, 61, 6), rng.uniform(1, 11, 11))
        moving = 55 * np.exp(-((y - centres[:, None, None]) ** 2 + (x - 6) ** 2) / 3)
        prints.append((place + moving).astype(np.uint8).tobytes())
    monkeypatch.setattr(duplicates, "cut_out", None)  # would raise
    known = Fingerprints({"0": prints[0], "1": prints[1]})
    assert known.copies_of("2", prints[2]) == []


def test_the_same_place_with_other_movement_is_no_copy(tmp_path):
    rng = np.random.default_rng(0)
    place = np.tile(rng.integers(0, 255, (SIDE, SIDE)), (40, 1, 1))
    moving = [place.copy() for _ in range(2)]
    for pictures, speed in zip(moving, (1, 3), strict=True):
        for i in range(40):
            pictures[i, (speed * i // 2) % SIDE, 4:8] = 255
    first, second = (pictures.astype(np.uint8).tobytes() for pictures in moving)
    assert Fingerprints({"first": first}).copies_of("second", second) == []
    assert Fingerprints({"first": first}).copies_of("again", first)


@pytest.mark.parametrize("count", [0, 1, 5, 12])
def test_clips_too_short_to_tell_are_no_copies_and_no_trouble(count):
    data = np.random.default_rng(1).integers(0, 255, count * SIDE * SIDE, np.uint8).tobytes()
    copies = Fingerprints({"a": data}).copies_of("b", data)
    assert len(copies) == (count >= 12)


def test_a_fingerprint_has_twelve_pictures_a_second(tmp_path):
    write_scene(tmp_path / "clip.mp4", 1)
    assert len(fingerprint(tmp_path / "clip.mp4")) == 3 * RATE_HZ * SIDE * SIDE


# --- by the skeleton ----------------------------------------------------------------------------


def scaled(pose: PoseSequence, by: float) -> PoseSequence:
    size = (round(pose.image_size[0] * by), round(pose.image_size[1] * by))
    boxes = (pose.boxes * by).astype(np.float32)
    return replace(pose, xy=(pose.xy * by).astype(np.float32), boxes=boxes, image_size=size)


def mirror(pose: PoseSequence) -> PoseSequence:
    xy = pose.xy[:, list(FLIP_ORDER)] * [-1, 1] + [pose.image_size[0] - 1, 0]
    return replace(pose, xy=xy.astype(np.float32), score=pose.score[:, list(FLIP_ORDER)])


def trimmed(pose: PoseSequence, start: int, stop: int) -> PoseSequence:
    part = slice(start, stop)
    return PoseSequence(
        pose.xy[part], pose.score[part], pose.boxes[part],
        pose.time_s[part] - pose.time_s[start], pose.image_size,
    )  # fmt: skip


def noisy(pose: PoseSequence) -> PoseSequence:
    noise = np.random.default_rng(0).normal(0, 1.0, pose.xy.shape)
    return replace(pose, xy=(pose.xy + noise).astype(np.float32))


def copies_of(new: PoseSequence, known: PoseSequence):
    skeletons = Skeletons()
    skeletons.add("known", known)
    return skeletons.copies_of("new", new)


@pytest.mark.parametrize(
    "change",
    [
        noisy,
        mirror,
        lambda pose: scaled(pose, 0.5),
        lambda pose: trimmed(pose, 13, 160),
        lambda pose: noisy(mirror(trimmed(pose, 20, 150))),
    ],
)
def test_copies_are_found_by_their_skeletons(change):
    pose = squat_sequence()
    (copy,) = copies_of(change(pose), pose)
    assert (copy.clip, copy.of) == ("new", "known")
    assert 0.97 <= copy.likeness <= 1


def test_mirrored_skeletons_are_said_to_be():
    pose = squat_sequence()
    assert [copy.mirrored for copy in copies_of(mirror(pose), pose)] == [True]
    assert [copy.mirrored for copy in copies_of(noisy(pose), pose)] == [False]


@pytest.mark.parametrize("change", [{"period_s": 2.4}, {"depth": 60.0}])
def test_another_squat_of_another_pace_or_depth_is_no_copy(change):
    assert copies_of(squat_sequence(**change), squat_sequence()) == []


def test_the_same_squat_elsewhere_in_the_picture_is_no_copy():
    time_s = np.arange(200) / 30
    there, elsewhere = (
        sequence(squat(time_s) + np.array([x, 300]), time_s) for x in (200, 330)
    )  # fmt: skip
    assert copies_of(elsewhere, there) == []


def test_frames_without_a_person_do_not_matter():
    pose = squat_sequence()
    xy, score = pose.xy.copy(), pose.score.copy()
    xy[50:60], score[50:60] = np.nan, 0
    assert copies_of(replace(pose, xy=xy, score=score), pose)
    nobody = replace(pose, xy=np.full_like(pose.xy, np.nan), score=np.zeros_like(pose.score))
    assert copies_of(nobody, nobody) == []
