"""Cross-validation: groups whole, leaks refused, every item tested once, nothing trained twice."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from gymform.errors import Cancelled, LeakError
from gymform.training.exercise import cross_validation, experiment
from gymform.training.exercise.corpus import read_corpus
from gymform.training.exercise.cross_validation import (
    CrossValidated,
    Fold,
    assign_parts,
    probabilities_by_part,
)
from gymform.training.exercise.records import TEST, TRAIN, VALIDATION, TrainOptions
from tests.exercise.makers import make_dataset

OPTIONS = TrainOptions("tcn", steps=4, folds=3)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return read_corpus(make_dataset(tmp_path_factory.mktemp("lifts"), 6))


class LinearTask:
    """One random number for each item, from which its class follows linearly."""

    device = torch.device("cpu")

    def __init__(self, corpus, family, options, progress):
        self.labels = corpus.labels
        self.groups = [track.group for track in corpus.tracks]
        self._label = torch.from_numpy(corpus.labels)
        noise = torch.from_numpy(np.random.default_rng(0).normal(0, 0.5, len(corpus)))
        self._x = (self._label + noise).float()[:, None]
        self._steps = options.steps

    def build(self):
        return torch.nn.Linear(1, 2)

    def batches(self, network, rows, seed):
        rng = np.random.default_rng(seed)
        for _ in range(self._steps):
            picks = rng.choice(rows, 4)
            yield (self._x[picks],), self._label[picks]

    @torch.inference_mode()
    def logits(self, networks, rows):
        found = [network(self._x[list(rows)]).double().numpy() for network in networks]
        return np.mean(found, 0)

    def predict_uncached(self, network, row):
        self.logits([network], [row])


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(experiment, "make_task", LinearTask)


class Watcher:
    """Remembers all calls; raises after ``stop_after`` steps."""

    def __init__(self, stop_after=10**9):
        self.rows, self.begun, self.calls, self._stop_after = [], [], [], stop_after

    def prepare(self, stage, done, total):
        pass

    def begin_fold(self, fold):
        self.begun.append(fold)

    def log(self, row):
        self.rows.append(row)

    def progress(self, stage, done, total):
        self.calls.append((stage, done, total))
        if done >= self._stop_after:
            raise Cancelled("enough")


def validation(corpus, folder, watcher=None, **changes):
    options = replace(OPTIONS, **changes)
    return experiment.cross_validation(corpus, options, folder, watcher or Watcher())


# ---- the split


def test_groups_stay_whole(corpus):
    part = assign_parts(corpus, 3, seed=0)
    for group in {track.group for track in corpus.tracks}:
        assert len({p for t, p in zip(corpus.tracks, part, strict=True) if t.group == group}) == 1
    assert sorted(np.bincount(part)) == [4, 4, 4]
    assert (assign_parts(corpus, 3, seed=0) == part).all()


def test_a_group_on_both_sides_is_refused(corpus):
    part = np.arange(len(corpus)) % 2
    with pytest.raises(LeakError, match="of one group"):
        cross_validation.check_parts(corpus, part)


def test_planted_copies_are_kept_together_and_refused_apart(corpus):
    """The same recording, re-encoded, under another group: known to the store as a copy."""
    part = assign_parts(corpus, 3, seed=0)
    first, second = (int(np.flatnonzero(part == p)[0]) for p in (0, 1))
    copies = ((corpus.examples[first].clip_sha256, corpus.examples[second].clip_sha256),)
    planted = replace(corpus, copies=copies)
    with pytest.raises(LeakError, match=r"The split leaks: .*\.mp4 .* show the same recording"):
        cross_validation.check_parts(planted, part)
    together = assign_parts(planted, 3, seed=0)
    assert together[first] == together[second]
    assert (planted.linked_group_count, corpus.linked_group_count) == (5, 6)


def test_the_same_keypoints_on_both_sides_are_refused(corpus):
    """A copy that nobody noticed, with another sha256 and another group."""
    part = assign_parts(corpus, 3, seed=0)
    first, second = (int(np.flatnonzero(part == p)[0]) for p in (0, 1))
    tracks = list(corpus.tracks)
    tracks[second] = replace(tracks[second], pose=tracks[first].pose)
    with pytest.raises(LeakError, match="hold the same"):
        cross_validation.check_parts(replace(corpus, tracks=tuple(tracks)), part)


def test_two_items_of_one_clip_count_as_one_group(corpus):
    """Even when somebody gave them different groups."""
    part = assign_parts(corpus, 3, seed=0)
    first, second = (int(np.flatnonzero(part == p)[0]) for p in (0, 1))
    examples = list(corpus.examples)
    examples[second] = replace(examples[second], clip_sha256=examples[first].clip_sha256)
    with pytest.raises(LeakError, match="are one clip"):
        cross_validation.check_parts(replace(corpus, examples=tuple(examples)), part)


# ---- folds


def test_every_item_is_tested_once_and_validated_once(corpus, tmp_path):
    watcher = Watcher()
    result = validation(corpus, tmp_path, watcher).run()
    for fold in result.folds:
        rows = [fold.train, fold.validation, fold.test]
        assert sorted(np.concatenate(rows)) == list(range(len(corpus)))
        groups = [{corpus.tracks[row].group for row in part} for part in rows]
        assert not groups[0] & groups[1] | groups[0] & groups[2] | groups[1] & groups[2]
    for part in ("validation", "test"):
        rows = np.concatenate([getattr(fold, part) for fold in result.folds])
        assert sorted(rows) == list(range(len(corpus)))
    assert watcher.begun == [1, 2, 3, 4]
    assert [row.fold for row in watcher.rows] == sorted(row.fold for row in watcher.rows)
    assert all(row.val_loss is None for row in watcher.rows if row.fold == 4)
    assert any(row.val_accuracy is not None for row in watcher.rows if row.fold == 1)
    assert watcher.calls[-1] == ("all clips", 16, 16)


def test_a_single_split_trains_once_and_then_on_everything(corpus, tmp_path):
    result = validation(corpus, tmp_path, folds=1).run()
    (fold,) = result.folds
    assert min(len(fold.train), len(fold.validation), len(fold.test)) > 0
    found = probabilities_by_part(result, corpus.labels)
    assert len(found[TEST][0]) == len(fold.test)


def test_a_stopped_training_goes_on_from_the_last_whole_fold(corpus, tmp_path):
    whole = validation(corpus, tmp_path / "whole").run()
    with pytest.raises(Cancelled):
        validation(corpus, tmp_path / "parts", Watcher(stop_after=6)).run()
    watcher = Watcher()
    again = validation(corpus, tmp_path / "parts", watcher).run()
    assert watcher.begun == [2, 3, 4]
    for one, other in zip(whole.folds, again.folds, strict=True):
        np.testing.assert_allclose(one.logits, other.logits, atol=1e-5)


def test_other_options_train_anew(corpus, tmp_path):
    validation(corpus, tmp_path).run()
    for changes, begun in (({"threads": 1}, 0), ({"seed": 1}, 4), ({"steps": 5}, 4)):
        watcher = Watcher()
        validation(corpus, tmp_path, watcher, **changes).run()
        assert len(watcher.begun) == begun


def test_an_ensemble_s_logits_are_averaged_and_only_those_of_tested_items(corpus, tmp_path):
    """As the shipped classifier is judged: without a validation part."""
    whole = validation(corpus, tmp_path)
    design = cross_validation.Design(whole.design.part, 3, ensemble=2, validate=False)
    both = cross_validation.CrossValidation(
        whole.task, design, whole.plan, "key", tmp_path, Watcher()
    )
    done = both.run()
    assert len(done.networks) == 2
    for number, fold in enumerate(done.folds):
        assert not len(fold.validation)
        assert sorted([*fold.train, *fold.test]) == list(range(len(corpus)))
        assert np.isfinite(fold.logits[fold.test]).all()
        assert np.isnan(fold.logits[fold.train]).all()
        again = whole.task.logits(both.networks_of(number), fold.test)
        np.testing.assert_allclose(again, fold.logits[fold.test], atol=1e-6)


def test_the_learning_curve_trains_on_fewer_groups(corpus, tmp_path):
    result = validation(corpus, tmp_path, learning_curve=True).run()
    clips = [point.clips for point in result.curve]
    assert clips == sorted(clips)
    assert clips[0] < clips[-1] == 4
    assert all(point.test_clips == len(corpus) for point in result.curve)


# ---- probabilities


def made_result(scale=1.0):
    """Three folds of 1,200 items; logits are right in three of four, ``scale`` times too large."""
    rng = np.random.default_rng(0)
    part, labels = np.arange(1200) % 3, rng.integers(0, 2, 1200)
    folds = []
    for i in range(3):
        wrong = rng.random(1200) < 0.25
        logits = np.eye(2)[np.where(wrong, 1 - labels, labels)] * np.log(3) * scale
        rows = [np.flatnonzero((part - i) % 3 == k) for k in (2, 1, 0)]
        folds.append(Fold(*rows, logits))
    return CrossValidated(part, tuple(folds), (), (torch.nn.Identity(),), 0.0), labels


def test_probabilities_are_calibrated_on_others():
    result, labels = made_result(scale=3.0)
    for rows, probabilities in probabilities_by_part(result, labels).values():
        assert sorted(rows) == list(range(1200))
        np.testing.assert_allclose(probabilities.sum(1), 1)
        assert probabilities.max(1).mean() == pytest.approx(0.75, abs=0.03)
    assert cross_validation.final_temperature(result, labels) == pytest.approx(3.0, rel=0.15)
    assert set(probabilities_by_part(result, labels)) == {TRAIN, VALIDATION, TEST}


def test_an_item_s_own_label_does_not_set_its_temperature():
    result, labels = made_result()
    test = result.folds[0].test
    changed = labels.copy()
    changed[test] = 1 - changed[test]
    before, after = (probabilities_by_part(result, one)[TEST][1][test] for one in (labels, changed))
    np.testing.assert_array_equal(before, after)
