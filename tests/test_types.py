"""The data classes check their fields, and say what was wrong."""

import dataclasses

import numpy as np
import pytest

from gymform.types import UNKNOWN, CleanTracks, PoseSequence, Prediction, percent
from tests import fakes


def changed(name: str, index, value) -> dict[str, np.ndarray]:
    """One field of a valid PoseSequence with one value replaced."""
    array = getattr(fakes.make_pose(), name).copy()
    array[index] = value
    return {name: array}


def replaced(name: str, change) -> dict[str, np.ndarray]:
    return {name: change(getattr(fakes.make_pose(), name))}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (replaced("xy", lambda a: a.astype(np.float64)), "xy: expected float32, got float64"),
        (replaced("xy", lambda a: a.tolist()), "xy: expected a numpy array, got list"),
        (replaced("xy", lambda a: a[:, :16]), r"xy: expected shape .*17, 2.*got"),
        (replaced("xy", lambda a: a[:-1]), "xy: expected shape"),
        (replaced("score", lambda a: a[..., None]), "score: expected shape"),
        (replaced("boxes", lambda a: a[:, :3]), "boxes: expected shape"),
        (replaced("time_s", lambda a: a.astype(np.float32)), "time_s: expected float64"),
        (replaced("time_s", lambda a: a[::-1].copy()), "strictly rising"),
        (changed("time_s", 4, np.nan), "strictly rising"),
        (changed("time_s", -1, np.inf), "finite"),
        (changed("score", 0, 1.01), r"score: expected values in \[0, 1\]"),
        (changed("score", 0, -0.01), "score: expected"),
        (changed("score", 0, np.nan), "score: expected"),
        (changed("xy", (0, 0), np.inf), "infinity"),
        (changed("boxes", (0, 0), np.inf), "infinity"),
        (changed("xy", (0, 5, 0), np.nan), "missing keypoint"),
        (changed("xy", (0, 5), np.nan), "missing keypoint"),
        ({"image_size": (0, 480)}, "image_size: expected"),
        ({"image_size": (640,)}, "image_size: expected"),
    ],
)
def test_pose_sequence_refuses(changes, words):
    with pytest.raises(ValueError, match=words):
        dataclasses.replace(fakes.make_pose(), **changes)


def test_pose_sequence_needs_a_frame():
    pose = fakes.make_pose()
    with pytest.raises(ValueError, match="at least one frame"):
        dataclasses.replace(
            pose, xy=pose.xy[:0], score=pose.score[:0], boxes=pose.boxes[:0], time_s=pose.time_s[:0]
        )


def test_pose_sequence_keeps_frames_without_a_person():
    pose = fakes.make_pose(frames=30, missing=slice(10, 20))
    assert len(pose) == 30
    assert not pose.present[10:20].any()
    assert pose.present[:10].all()
    assert pose.present[20:].all()


@pytest.mark.parametrize(
    ("times", "fps"), [([0.0], 0.0), ([0.0, 0.5], 2.0), ([1.0, 1.1, 1.4, 2.0], 3.0)]
)
def test_fps_is_frames_over_duration(times, fps):
    count = len(times)
    pose = PoseSequence(
        xy=np.zeros((count, 17, 2), np.float32),
        score=np.ones((count, 17), np.float32),
        boxes=np.zeros((count, 4), np.float32),
        time_s=np.array(times),
        image_size=(64, 64),
    )
    assert pose.fps == pytest.approx(fps)


@pytest.mark.parametrize("name", ["xy", "velocity", "filled"])
def test_clean_tracks_refuse_another_length(name):
    tracks = fakes.make_tracks(fakes.make_pose())
    with pytest.raises(ValueError, match=f"CleanTracks.{name}: expected shape"):
        dataclasses.replace(tracks, **{name: getattr(tracks, name)[:-1]})
    assert isinstance(tracks, CleanTracks)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"probabilities": (0.5, 0.5)}, "expected 3, got 2"),
        ({"probabilities": (0.5, 0.4, 0.2)}, "sum to 1"),
        ({"probabilities": (float("nan"), 0.5, 0.5)}, "finite"),
        ({"label": "plank"}, "plank"),
        ({"candidates": ("snatch", "plank")}, "plank"),
    ],
)
def test_prediction_refuses(changes, words):
    fields = {
        "classes": ("snatch", "squat", "other"),
        "probabilities": (0.7, 0.2, 0.1),
        "label": "snatch",
        "reason": None,
        "model_sha256": "",
    }
    assert Prediction(**fields).confidence == 0.7
    assert Prediction(**{**fields, "label": UNKNOWN}).label == UNKNOWN
    with pytest.raises(ValueError, match=words):
        Prediction(**{**fields, **changes})


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0%"), (0.001, "<1%"), (0.943, "94%"), (0.994, "99%"), (0.999, ">99%"), (1.0, "100%")],
)
def test_no_share_is_rounded_to_nothing_or_all(share, text):
    assert percent(share) == text


def test_slow_motion_is_how_much_longer_the_clip_takes():
    assert fakes.make_clip(fps=30.0).slow_motion == 1
    assert fakes.make_clip(fps=30.0, capture_fps=240.0).slow_motion == 8
    assert fakes.make_clip(fps=30.0, capture_fps=3.0).slow_motion == pytest.approx(0.1)
