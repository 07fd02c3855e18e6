"""Single frames with the skeleton."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from gymform.draw.stills import HEIGHT, draw_stills
from gymform.types import CleanTracks
from gymform.video.write import VideoWriter, transcode
from tests import fakes

FRAMES = 30


@pytest.fixture(name="clip")
def _clip(tmp_path):
    """Frame i is all of the grey 4 + 8 i."""
    path = tmp_path / "clip.mp4"
    with VideoWriter(path, width=360, height=480, fps=30, crf=4) as writer:
        for frame in range(FRAMES):
            writer.write(np.full((480, 360, 3), 4 + 8 * frame, np.uint8), frame / 30)
    return path


def grey(jpeg: bytes) -> float:
    """What most of the picture is filled with."""
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[0] == HEIGHT
    return float(np.median(picture))


def parts():
    pose = fakes.make_pose(FRAMES)
    return pose, fakes.make_tracks(pose)


def test_each_moment_gets_its_frame_in_the_order_asked_for(clip):
    pose, tracks = parts()
    moments = [20 / 30, 5 / 30, 20.4 / 30, 0.0]
    shown = [grey(one) for one in draw_stills(pose, tracks, clip, moments)]
    assert shown == pytest.approx([164, 44, 164, 4], abs=3)


def test_a_smaller_copy_serves_as_well(clip, tmp_path):
    transcode(clip, tmp_path / "copy.mp4", max_side=240)
    pose, tracks = parts()
    (whole,) = draw_stills(pose, tracks, clip, [0.5])
    (small,) = draw_stills(pose, tracks, tmp_path / "copy.mp4", [0.5])
    assert grey(small) == pytest.approx(grey(whole), abs=4)


def test_the_skeleton_is_drawn_and_the_picture_is_cut_to_it(clip):
    pose, tracks = parts()
    (still,) = draw_stills(pose, tracks, clip, [0.5])
    picture = cv2.imdecode(np.frombuffer(still, np.uint8), cv2.IMREAD_COLOR).astype(int)
    coloured = np.ptp(picture, axis=-1) > 40
    assert coloured.sum() > 300
    height, width = picture.shape[:2]
    assert 0.55 <= width / height <= 1.05
    rows = np.flatnonzero(coloured.any(axis=1))
    assert rows[-1] - rows[0] > 0.5 * height


def test_nobody_in_the_frame_gives_the_whole_picture(clip):
    pose = fakes.make_pose(FRAMES, missing=slice(0, FRAMES))
    nothing = np.full_like(pose.xy, np.nan)
    tracks = CleanTracks(nothing, nothing, np.ones((FRAMES, 17), bool), pose.time_s)
    (still,) = draw_stills(pose, tracks, clip, [0.5])
    picture = cv2.imdecode(np.frombuffer(still, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[:2] == (HEIGHT, round(HEIGHT * 360 / 480))


def test_a_film_that_ends_early_gives_fewer(tmp_path):
    path = tmp_path / "short.mp4"
    with VideoWriter(path, width=360, height=480, fps=30) as writer:
        for frame in range(10):
            writer.write(np.zeros((480, 360, 3), np.uint8), frame / 30)
    pose, tracks = parts()
    assert len(draw_stills(pose, tracks, path, [0.1, 0.9])) == 1
