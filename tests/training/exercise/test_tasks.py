"""Tasks: balanced batches, movements that must not be played backwards, cached frames."""

import numpy as np
import pytest
import torch

from gymform.errors import ModelDataError
from gymform.exercise.networks.registry import family_of
from gymform.training.exercise import augment as aug
from gymform.training.exercise import pixels
from gymform.training.exercise.corpus import read_corpus
from gymform.training.exercise.keypoint_task import corpus_samples, departing_classes
from gymform.training.exercise.records import TrainOptions
from gymform.training.exercise.tasks import make_task
from tests.exercise.makers import make_dataset
from tests.motion.makers import sequence, squat_sequence


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return make_dataset(tmp_path_factory.mktemp("lifts"), 3, video=True)


@pytest.fixture(scope="module")
def corpus(dataset):
    return read_corpus(dataset)


@pytest.mark.parametrize("model", ["tcn", "stgcn", "gru", "frame-cnn", "r2plus1d"])
def test_batches_hold_both_classes_of_the_rows_and_judging_gives_a_row_each(corpus, model):
    options = TrainOptions(model, steps=8, views=40, width=4, frames=4, size=32)
    family = family_of(model)
    task = make_task(corpus, family, options)
    torch.manual_seed(0)
    network = family.build(2, 4)
    two = np.flatnonzero(np.isin(task.groups, ["person-0", "person-1"]))  # of three
    batches = list(task.batches(network, two, seed=0))
    assert len(batches) == 8
    labels = torch.cat([labels for _, labels in batches])
    assert set(labels.tolist()) == {0, 1}
    assert 0.2 < labels.double().mean() < 0.8
    again = list(task.batches(network, two, seed=0))
    assert all(torch.equal(a[0][0], b[0][0]) for a, b in zip(batches, again, strict=True))
    logits = task.logits([network.eval()], [0, 5])
    assert logits.shape == (2, 2)
    assert np.isfinite(logits).all()


def test_only_a_class_other_gets_standing_lifters_and_noise(dataset, corpus):
    assert len(corpus_samples(corpus)) == len(corpus)
    samples = corpus_samples(read_corpus(dataset, ("squat",)))
    assert len(samples) == 3 * len(corpus)
    assert {s.action for s in samples if s.source == "derived"} == {"standing", "noise"}


def made(points, label="lift"):
    return aug.Sample("a", label, label, "g", "clips", points, ((0.0, (len(points) - 1) / 24),))


def test_a_movement_that_ends_elsewhere_is_not_played_backwards():
    pose = squat_sequence(24.0, 3.5, still_s=0.0, period_s=3.5)
    points = np.concatenate([pose.xy, np.zeros((len(pose), 17, 1))], -1) / 170
    half = points[: len(points) // 2]
    assert departing_classes([made(points)]) == set()
    assert departing_classes([made(half)]) == {"lift"}
    assert made(half, "snatch").one_way
    assert not made(points, "squat").one_way


# ---- pixels


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
