"""Which frames are looked at, what is kept of them, and where the cuts are."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gymform.video.sparse import MAX_SIDE, every, only, sample_frames
from gymform.video.write import VideoWriter


def chosen(choice, times):
    return [t for i, t in enumerate(times) if choice(i, t)]


@given(st.lists(st.floats(0, 10, width=32), min_size=1, unique=True), st.floats(0.05, 2))
def test_every_takes_the_first_and_keeps_its_distance(times, interval):
    times = sorted(times)
    taken = chosen(every(interval), times)
    assert taken[0] == times[0]
    span = times[-1] - times[0]
    assert len(taken) <= span / interval + 2


def test_every_halves_thirty_frames_a_second_evenly():
    times = np.arange(90) / 30
    np.testing.assert_allclose(np.diff(chosen(every(1 / 15), times)), 1 / 15)


def test_every_with_zero_takes_all():
    times = [0.0, 0.1, 0.11, 0.5]
    assert chosen(every(0.0), times) == times


def test_only_takes_the_named_times():
    times = np.arange(20) / 7
    assert chosen(only(times[[2, 3, 11]]), times) == list(times[[2, 3, 11]])
    assert chosen(only(times[:0]), times) == []


def write(path, pictures, fps=10):
    height, width = pictures[0].shape[:2]
    with VideoWriter(path, width=width, height=height, fps=fps) as writer:
        for i, picture in enumerate(pictures):
            writer.write(picture, i / fps)


def test_keeps_small_pictures_and_all_times(tmp_path):
    picture = np.zeros((720, 1600, 3), np.uint8)
    picture[:, :800] = 200
    write(tmp_path / "clip.mp4", [picture] * 21)
    frames = sample_frames(tmp_path / "clip.mp4", 0.5)
    assert len(frames.time_s) == 21
    assert list(frames.positions) == [0, 5, 10, 15, 20]
    assert frames.size == (1600, 720)
    assert frames.picture(2).shape == (576, MAX_SIDE, 3)
    assert frames.scale == MAX_SIDE / 1600
    assert abs(int(frames.picture(2)[100, 100, 0]) - 200) < 8
    assert (frames.shots == 0).all()


def test_limits_the_rate(tmp_path):
    write(tmp_path / "clip.mp4", [np.full((64, 64, 3), 90, np.uint8)] * 40, fps=20)
    frames = sample_frames(tmp_path / "clip.mp4", 0.2, choose=every(0.1))
    np.testing.assert_allclose(np.diff(frames.time_s), 0.1, atol=1e-3)


def test_a_cut_begins_a_new_shot_and_a_pan_does_not(tmp_path):
    rng = np.random.default_rng(0)
    wide = np.repeat(np.repeat(rng.integers(0, 255, (6, 40, 3), dtype=np.uint8), 30, 0), 30, 1)
    pan = [wide[:, x : x + 240].copy() for x in range(0, 200, 20)]
    other = np.zeros((180, 240, 3), np.uint8)
    other[60:, 100:] = (20, 90, 30)
    write(tmp_path / "clip.mp4", pan + [other] * 6)
    shots = sample_frames(tmp_path / "clip.mp4", 0.1).shots
    assert shots[-1] == 1
    assert int(np.flatnonzero(np.diff(shots))[0]) == len(pan) - 1
