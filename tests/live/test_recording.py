"""What a browser recorded: stored as it came, or refused in words."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from gymform import limits
from gymform.errors import GymformError, NotAVideoError, TooLargeError
from gymform.live.recording import Recording, store_recording, worth_cutting
from gymform.video.read import probe, read_frames
from gymform.video.write import VideoWriter


@pytest.fixture(scope="module", name="clip")
def _clip(tmp_path_factory):
    """Four seconds in which every frame has a grey of its own."""
    path = tmp_path_factory.mktemp("clip") / "four.mp4"
    with VideoWriter(path, width=64, height=48, fps=25) as writer:
        for number in range(100):
            writer.write(np.full((48, 64, 3), 2 * number + 20, np.uint8), number / 25)
    return path


def message(content: bytes, motion=None) -> dict:
    return {"video": base64.b64encode(content).decode(), "motion": motion}


def test_a_recording_is_stored_as_it_came(clip, tmp_path):
    recording = Recording.from_message(message(clip.read_bytes()))
    path = store_recording(recording, tmp_path)
    assert path.read_bytes() == clip.read_bytes()
    assert path.suffix == ".mp4"


def test_standing_still_is_cut_away(clip, tmp_path):
    path = store_recording(Recording.from_message(message(clip.read_bytes(), [1.5, 2.5])), tmp_path)
    stored = probe(path)
    assert stored.duration_s == pytest.approx(2.2, abs=0.1)
    with read_frames(path) as frames:
        first = next(iter(frames))
    assert first.time_s == 0
    assert first.rgb.mean() == pytest.approx(2 * 23 + 20, abs=4)  # of 0.92 s
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("motion", "span"),
    [((2.0, 5.0), (1.4, 5.6)), ((0.5, 7.5), None), ((0.2, 3.0), (0.0, 3.6)), ((9.0, 9.5), None)],
)
def test_what_is_worth_cutting(motion, span):
    found = worth_cutting(motion, 8.0)
    assert found == (None if span is None else pytest.approx(span))


@pytest.mark.parametrize("motion", [None, [], [1], ["a", "b"], [3, 1], [float("nan"), 2], "12", 7])
def test_a_span_that_is_none_is_no_span(motion):
    assert Recording.from_message(message(b"x", motion)).motion is None


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ({}, NotAVideoError),
        ({"video": 3}, NotAVideoError),
        ({"video": "not base64!"}, NotAVideoError),
        ({"video": "A" * (limits.MAX_RECORDING_BYTES * 4 // 3 + 8)}, TooLargeError),
    ],
)
def test_messages_that_are_no_recording(sent, error):
    with pytest.raises(error):
        Recording.from_message(sent)


@pytest.mark.parametrize("content", [b"", b"hello", b"\0\0\0\x18ftypmp42" + b"\0" * 500])
def test_bytes_that_are_no_video_leave_nothing(content, tmp_path):
    with pytest.raises(GymformError):
        store_recording(Recording(content), tmp_path)
    assert list(tmp_path.iterdir()) == []
