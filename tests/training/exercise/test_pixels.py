"""Frames for networks on pixels: cropped to the lifter, decoded once, augmented."""

import re
from dataclasses import replace

import numpy as np
import pytest

from gymform.errors import Cancelled, ModelDataError
from gymform.training.exercise import pixels
from gymform.training.exercise.corpus import read_corpus
from tests.exercise.makers import make_dataset
from tests.motion.makers import sequence, squat_sequence


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return read_corpus(make_dataset(tmp_path_factory.mktemp("lifts"), 3, video=True))


def test_frames_are_decoded_once(corpus, monkeypatch):
    first = pixels.load_pictures(corpus, 3, 32)
    assert {p.shape for p in first} == {(6, 37, 37, 3)}
    monkeypatch.setattr(pixels, "read_frames", None)
    for one, other in zip(first, pixels.load_pictures(corpus, 3, 32), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_square_moves_in_the_picture_as_in_the_clip(corpus):
    """The white square of the test video goes down and up: so it must in the pictures."""
    pictures = pixels.load_pictures(corpus, 4, 32)[0].mean(-1)
    rows = np.arange(pictures.shape[1])
    bright = (pictures > 150).sum(2)
    height = (bright * rows).sum(1) / bright.sum(1)
    assert height.argmax() in (3, 4)
    assert np.ptp(height) > 8


def test_a_damaged_cache_says_what_to_delete(corpus, tmp_path):
    path = tmp_path / "x.npz"
    path.write_bytes(b"x")
    with pytest.raises(ModelDataError, match="delete the folder 'pixels'"):
        pixels._read(path)


def test_the_square_holds_the_lifter_and_falls_back_to_the_middle():
    pose = squat_sequence(15.0, 2.0)
    x, y, side, _ = pixels.square_around(pose)
    low, high = np.nanmin(pose.xy, (0, 1)), np.nanmax(pose.xy, (0, 1))
    assert x - side / 2 < low[0]
    assert x + side / 2 > high[0]
    assert y - side / 2 < low[1] + 10
    assert y + side / 2 > high[1] - 10
    nobody = sequence(np.full((5, 17, 2), np.nan), np.arange(5) / 30)
    assert pixels.square_around(nobody).tolist() == [320, 180, 360, 360]


def test_times_are_of_frames_and_even():
    pose = squat_sequence(30.0, 2.0)
    times = pixels.choose_times(pose, 5)
    assert set(times) <= set(pose.time_s)
    np.testing.assert_allclose(np.diff(times), np.diff(times).mean(), atol=0.04)
    assert len(pixels.choose_times(squat_sequence(30.0, 0.1), 8)) == 8


def test_augmented_pictures_stay_pictures():
    pictures = np.random.default_rng(0).integers(0, 256, (8, 37, 37, 3), np.uint8)
    rng = np.random.default_rng(0)
    clips = [pixels.augment(pictures, 32, rng) for _ in range(5)]
    assert all(clip.shape == (3, 4, 32, 32) and clip.dtype == np.float32 for clip in clips)
    assert all(clip.min() >= 0 and clip.max() <= 1 for clip in clips)
    assert not np.array_equal(clips[0], clips[1])
    straight = pixels.centre_crop(pictures, 32)
    np.testing.assert_allclose(straight[:, 0, 0, 0] * 255, pictures[0, 2, 2], atol=1e-3)


def test_progress_is_told_and_may_stop(corpus):
    def stop(stage, done, total):
        told.append((stage, done, total))
        if done == 2:
            raise Cancelled("enough")

    told = []
    with pytest.raises(Cancelled):
        pixels.load_pictures(corpus, 2, 32, stop)
    assert told == [("decode", done, len(corpus)) for done in range(3)]


def test_a_clip_that_is_gone_is_named(corpus, tmp_path):
    example = replace(corpus.examples[0], clip_path=tmp_path / "gone.mp4")
    gone = replace(corpus, examples=(example,), tracks=corpus.tracks[:1], folder=tmp_path)
    with pytest.raises(
        ModelDataError, match=rf"^{re.escape(example.name)}: .*Missing file"
    ) as caught:
        pixels.load_pictures(gone, 2, 32)
    assert str(tmp_path) not in str(caught.value)


def test_other_keypoints_or_sizes_are_decoded_anew(corpus):
    example, pose = corpus.examples[0], corpus.tracks[0].pose
    moved = replace(pose, boxes=pose.boxes + 1)
    later = replace(pose, time_s=pose.time_s + 1)
    keys = {
        pixels._key(example, *how)
        for how in ((pose, 4, 32), (pose, 2, 32), (pose, 4, 64), (moved, 4, 32), (later, 4, 32))
    }
    assert len(keys) == 5
    assert pixels._key(example, replace(pose), 4, 32) in keys
