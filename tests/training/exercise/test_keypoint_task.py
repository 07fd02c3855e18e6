"""The task on keypoints: held-out people teach nothing, clips are judged as in the app."""

import numpy as np
import pytest
import torch

from gymform.errors import OptionsError
from gymform.exercise import classifier as clf
from gymform.exercise.networks.registry import family_of
from gymform.motion.clean import clean
from gymform.training.exercise import augment as aug
from gymform.training.exercise.corpus import read_corpus
from gymform.training.exercise.keypoint_task import corpus_samples, corpus_task, departing_classes
from gymform.training.exercise.pretraining import shipped_entry
from gymform.training.exercise.records import TrainOptions
from tests.exercise.makers import make_dataset
from tests.motion.makers import squat_sequence


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return make_dataset(tmp_path_factory.mktemp("lifts"), 3)


@pytest.fixture(scope="module")
def corpus(dataset):
    return read_corpus(dataset)


def task_of(corpus, **options):
    return corpus_task(corpus, family_of("gru"), TrainOptions("gru", views=24, width=4, **options))


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


def test_what_the_options_leave_open_is_as_the_family_has_it(corpus):
    family = family_of("gru")
    usual = corpus_task(corpus, family, TrainOptions("gru"))
    assert usual._sampling.count == family.views
    assert usual._sampling.steps == family.steps
    assert usual.build().config.channels == family.width
    asked = task_of(corpus, steps=3, seed=5)
    assert (asked._sampling.count, asked._sampling.steps, asked._sampling.seed) == (24, 3, 5)
    assert asked.build().config.channels == 4


def test_a_network_may_start_from_the_one_that_came_with_gymform(corpus):
    """Its last layer is new, since it names other exercises; its input scale is part of it."""
    task = corpus_task(corpus, family_of("tcn"), TrainOptions(start="shipped", views=24, steps=1))
    shipped = clf.load_classifier(shipped_entry().name).networks[0].state_dict()
    network = task.build()
    next(task.batches(network, np.arange(len(corpus)), seed=0))
    own = network.state_dict()
    taken = {key for key in own if not key.startswith("head.")}
    assert len(own) - len(taken) == 2
    assert all(torch.equal(own[key], shipped[key]) for key in taken)
    assert own["head.weight"].shape[0] == len(corpus.classes)


def test_a_network_of_another_width_cannot_start_from_it(corpus):
    with pytest.raises(OptionsError, match="48 channels wide, got 4"):
        corpus_task(corpus, family_of("tcn"), TrainOptions(start="shipped", width=4))


def test_nobody_held_out_is_learned_from(corpus):
    """Samples derived from a held-out item, such as its standing lifter, are of its group."""
    task = task_of(corpus)
    rows = np.flatnonzero(np.array(task.groups) != "person-1")
    groups = {task._samples[i].group for i in task._samples_of(rows)}
    assert groups == {"person-0", "person-2"}


def test_the_input_scale_is_that_of_the_training_rows(corpus):
    task = task_of(corpus, steps=1)
    everybody, one = task.build(), task.build()
    next(task.batches(everybody, np.arange(len(corpus)), seed=0))
    next(task.batches(one, np.flatnonzero(np.array(task.groups) == "person-0"), seed=0))
    assert everybody.mean.abs().sum() > 0
    assert not torch.equal(everybody.mean, one.mean)


def test_samples_are_augmented_once_and_told(corpus):
    told = []
    options = TrainOptions("gru", views=24, width=4, steps=1)
    task = corpus_task(corpus, family_of("gru"), options, lambda *call: told.append(call))
    for seed in range(2):
        list(task.batches(task.build(), np.arange(len(corpus)), seed))
    assert [call for call in told if call[0] == "augment"] == [
        ("augment", done, len(corpus)) for done in range(1, len(corpus) + 1)
    ]


def test_a_clip_is_judged_as_the_app_judges_it(corpus):
    """The mean over its stretches, networks and mirror images; cut once."""
    task = task_of(corpus)
    networks = [task.build().eval() for _ in range(2)]
    row = 1
    stretches = clf.cut(clean(corpus.tracks[row].pose), family_of("gru").encode)
    meant = clf.combine(clf.look(networks, stretches)[0], stretches)
    np.testing.assert_allclose(task.logits(networks, [0, row])[1], meant, atol=1e-6)
    assert task._cut(row) is task._cut(row)
