"""Training: a split that does not leak, a loss that falls, a command that can be run again."""

import argparse
from dataclasses import replace

import numpy as np
import pytest
import torch

from gymform.errors import ModelDataError, OptionsError
from gymform.exercise import classifier as clf
from gymform.training.exercise import release
from gymform.training.exercise import samples as sm
from gymform.training.exercise.cross_validation import CrossValidation
from gymform.training.exercise.decisions import Limits
from gymform.weights import read_manifest
from tests.exercise.makers import made_up, make_dataset, make_index


@pytest.fixture
def dataset(tmp_path):
    """Twelve keypoint files and their index."""
    return make_index(tmp_path)


@pytest.fixture(autouse=True)
def _few_lifters(monkeypatch):
    """The command makes 64 calculated lifters of each movement, which takes most of a short run."""
    monkeypatch.setattr(
        release, "make_samples", lambda tracks, _, seed: sm.make_samples(tracks, 2, seed)
    )


SMALL = release.TrainConfig(
    seeds=1, folds=3, steps=40, batch=16, augmented_samples=240, channels=16
)


# ---- the split


# ---- training


def validation(folder, items=None, config=SMALL):
    items = items or made_up()
    return release.cross_validation(items, sm.make_samples(items, 1, 0), config, folder)


def test_the_loss_falls_and_a_seed_repeats(tmp_path):
    longer = replace(SMALL, steps=120)
    task = validation(tmp_path).task

    def loss(network):
        logits = task.logits([network], range(len(task.labels)))
        return torch.nn.functional.cross_entropy(
            torch.from_numpy(logits), torch.from_numpy(task.labels)
        ).item()

    torch.manual_seed(0)
    fresh = task.build().eval()
    networks = [validation(tmp_path / name, config=longer).networks_of(0)[0] for name in "ab"]
    assert loss(networks[0]) < 0.5 * loss(fresh)
    for one, other in zip(*(network.parameters() for network in networks), strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_finished_networks_are_not_trained_again(tmp_path, monkeypatch):
    (first,) = validation(tmp_path).networks_of(0)
    monkeypatch.setattr(CrossValidation, "_train", None)
    (second,) = validation(tmp_path).networks_of(0)
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        torch.testing.assert_close(one, other)


def test_an_ensemble_has_a_network_for_each_seed(tmp_path):
    first, second = validation(tmp_path, config=replace(SMALL, seeds=2, steps=2)).networks_of(0)
    assert not torch.equal(next(first.parameters()), next(second.parameters()))


def test_what_was_derived_from_a_held_out_item_is_not_learned_from(tmp_path):
    """Synthetic lifters, which have groups of their own, always are."""
    items = made_up()
    task = validation(tmp_path, items).task
    groups = {s.group for s in task._samples}
    learned = {task._samples[row].group for row in task._samples_of(np.arange(2, len(items)))}
    assert groups - learned == {"person0", "person1"}
    assert learned - {item.group for item in items}


def test_other_data_is_trained_anew():
    samples = sm.make_samples(made_up(), 1, 0)
    changed = sm.make_samples(made_up(10), 1, 0)
    names = {release.cache_key(s, SMALL) for s in (samples, changed, samples[:-1])}
    names.add(release.cache_key(samples, replace(SMALL, steps=41)))
    assert len(names) == 4


# ---- the command


def command(folder, *more):
    parser = argparse.ArgumentParser()
    release.add_arguments(parser)
    return parser.parse_args([
        "--clips", str(folder / "poses"), "--index", str(folder / "index.csv"),
        "--out", str(folder / "weights"), "--work", str(folder / "work"), "--threads", "1",
        "--folds", "2", "--seeds", "1", "--steps", "8", "--augmented-samples", "60", *more,
    ])  # fmt: skip


def test_the_command_writes_weights_manifest_and_card(dataset, monkeypatch):
    assert release.run(command(dataset, "--name", "tiny")) == 0
    manifest = read_manifest(dataset / "weights")
    assert manifest.default_exercise == "tiny"
    (entry,) = manifest.models
    monkeypatch.setenv("GYMFORM_WEIGHTS", str(dataset / "weights"))
    assert clf.load_classifier().sha256 == entry.sha256
    card = (dataset / "weights" / "tiny.md").read_text()
    for words in (entry.sha256, "### clips (12)", "| label \\ prediction |", "calibration error",
                  "| wave | 6 |", "train-exercise"):  # fmt: skip
        assert words in card
    assert str(dataset) not in card


def test_the_command_trains_on_what_was_accepted_in_a_data_set(tmp_path):
    lifts = make_dataset(tmp_path / "lifts", 4)
    parser = argparse.ArgumentParser()
    release.add_arguments(parser)
    small = ["--folds", "2", "--seeds", "1", "--steps", "2", "--views", "40", "--threads", "1"]
    out = ["--out", str(tmp_path / "weights"), "--work", str(tmp_path / "work"), "--name", "tiny"]
    assert release.run(parser.parse_args(["--dataset", str(lifts), *out, *small])) == 0
    card = (tmp_path / "weights" / "tiny.md").read_text()
    assert "### clips (8)" in card
    assert "train-exercise --dataset DATASET --out weights" in card
    with pytest.raises(OptionsError, match="either --dataset"):
        release.run(parser.parse_args([*out, *small]))


def test_tracks_count_where_clips_are_few():
    """Enough push-ups among the clips, one pull-up too few; tracks of both and of another kind."""
    pose = made_up()[0].pose
    counts = [
        ("push_up", "clips", release.ENOUGH),
        ("pull_up", "clips", release.ENOUGH - 1),
        ("push_up", "penn", 3),
        ("pull_up", "penn", 2),
        ("pull_up", "snatch3d", 1),
    ]
    items = [
        release.LabelledPose(f"{source}-{label}-{n}", label, label, f"{source}{n}", source, pose)
        for label, source, count in counts
        for n in range(count)
    ]
    logits = np.arange(len(items) * len(sm.CLASSES), dtype=float).reshape(len(items), -1)
    found = release.evidence(release.HeldOut(items, np.arange(len(items)), logits))
    kept = [i for i, one in enumerate(items) if one.source == "clips"]
    kept += [i for i, one in enumerate(items) if one.name.startswith("penn-pull_up")]
    assert [one.name for one in found.items] == [items[i].name for i in kept]
    assert found.fold.tolist() == kept
    assert np.array_equal(found.logits, logits[kept])


def test_what_was_rejected_by_eye_is_left_out_and_told(dataset):
    name = sm.load_clips(dataset / "poses", dataset / "index.csv")[0].name
    rejected = dataset / "rejected.csv"
    rejected.write_text(f"file,reason\n{name},occluded\n")
    assert release.run(command(dataset, "--name", "tiny", "--rejected", str(rejected))) == 0
    card = (dataset / "weights" / "tiny.md").read_text()
    assert "### clips (11)" in card
    assert "clips rejected by eye 1 (occluded 1)" in card
    assert "--index clips/index.csv --rejected weights/rejected.csv" in card


def test_what_the_eye_calls_otherwise_is_told(dataset):
    clip = sm.load_clips(dataset / "poses", dataset / "index.csv")[0]
    table = dataset / "relabelled.csv"
    table.write_text(f"file,exercise\n{clip.name},side_lunge\n")
    assert release.run(command(dataset, "--name", "tiny", "--relabelled", str(table))) == 0
    card = (dataset / "weights" / "tiny.md").read_text()
    assert f"clips relabelled by eye {clip.action} to side_lunge" in card
    assert "--index clips/index.csv --relabelled weights/relabelled.csv" in card


@pytest.mark.parametrize("option", ["--rejected", "--relabelled"])
def test_a_data_set_knows_what_the_eye_said(dataset, option):
    parser = argparse.ArgumentParser()
    release.add_arguments(parser)
    args = parser.parse_args(["--dataset", "lifts", option, "a.csv", "--out", str(dataset)])
    with pytest.raises(OptionsError, match=f"{option}: expected with --index"):
        release.run(args)


def test_options_out_of_range(dataset):
    with pytest.raises(OptionsError, match="--folds: expected at least 2"):
        release.run(command(dataset, "--folds", "1"))


def test_tracks_that_are_not_there(dataset):
    with pytest.raises(ModelDataError, match=r"snatch_tracks\.npz"):
        release.run(command(dataset, "--tracks", str(dataset)))


def test_clips_for_training_only_are_never_judged(tmp_path, monkeypatch):
    lifts = make_dataset(tmp_path / "lifts", 5)
    parser = argparse.ArgumentParser()
    release.add_arguments(parser)
    seen = {}
    judge = release.cross_validation

    def spy(items, samples, config, work):
        seen["judged"] = {item.group for item in items}
        seen["trained"] = {sample.group for sample in samples if sample.source != "made"}
        return judge(items, samples, config, work)

    monkeypatch.setattr(release, "cross_validation", spy)
    assert release.run(parser.parse_args([
        "--dataset", str(lifts), "--training-only", "person-[34]", "--name", "tiny",
        "--out", str(tmp_path / "weights"), "--work", str(tmp_path / "work"),
        "--folds", "2", "--seeds", "1", "--steps", "2", "--views", "40", "--threads", "1",
    ])) == 0  # fmt: skip
    everybody = {f"person-{number}" for number in range(5)}
    assert seen == {"judged": everybody - {"person-3", "person-4"}, "trained": everybody}
    card = (tmp_path / "weights" / "tiny.md").read_text()
    assert "### clips (6)" in card
    assert '--training-only "person-[34]"' in card
    assert "| filmed | | clips | right |" in card
    assert "| view |" in card


def test_the_limits_of_the_held_out_clips_are_shipped(dataset, monkeypatch):
    monkeypatch.setattr(
        release, "fit_limits", lambda *_: Limits(np.linspace(0.5, 0.7, len(sm.CLASSES)), 0.0321)
    )
    assert release.run(command(dataset, "--name", "tiny")) == 0
    monkeypatch.setenv("GYMFORM_WEIGHTS", str(dataset / "weights"))
    settings = clf.load_classifier().settings
    assert settings.candidate_from == 0.0321
    assert settings.thresholds[sm.CLASSES[-1]] == 0.7
    assert sm.CLASSES[0] not in settings.thresholds  # the usual one


def test_exercises_told_too_seldom_are_not_named(dataset, monkeypatch):
    """Of three classes in the data the networks may answer with two only."""
    kept = (sm.CLASSES[0], sm.CLASSES[-1])
    asked = {}

    def recognised(labels, logits, groups, outputs, least):
        asked.update(outputs=outputs, least=least, clips=len(labels), groups=len(groups))
        return kept

    monkeypatch.setattr(release, "recognised", recognised)
    assert release.run(command(dataset, "--name", "tiny", "--least-recall", "0.8")) == 0
    assert asked == {"outputs": sm.CLASSES, "least": 0.8, "clips": 12, "groups": 12}
    monkeypatch.setenv("GYMFORM_WEIGHTS", str(dataset / "weights"))
    loaded = clf.load_classifier()
    assert loaded.classes == kept
    assert loaded.settings.outputs == sm.CLASSES
    card = (dataset / "weights" / "tiny.md").read_text()
    assert "--least-recall 0.8" in card
    assert "were taught more" in card


def test_the_clips_to_compare_with_go_with_the_weights(dataset, monkeypatch):
    assert release.run(command(dataset, "--name", "tiny")) == 0
    monkeypatch.setenv("GYMFORM_WEIGHTS", str(dataset / "weights"))
    bank = clf.load_classifier().bank
    assert len(bank.exercises) == 12
    assert "nearest to a held-out one" in " ".join(
        (dataset / "weights" / "tiny.md").read_text().split()
    )
