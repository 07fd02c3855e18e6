"""Training: a split that does not leak, a loss that falls, a command that can be run again."""

import argparse
import csv
from dataclasses import replace

import numpy as np
import pytest
import torch

from gymform.errors import LeakError, ModelDataError, OptionsError
from gymform.exercise import classifier as clf
from gymform.pose.files import save_poses
from gymform.skeleton import LEFT_SHOULDER, RIGHT_SHOULDER
from gymform.training.exercise import release
from gymform.training.exercise import samples as sm
from gymform.training.exercise.cross_validation import CrossValidation
from gymform.training.exercise.tracks import LabelledPose, rotate
from gymform.types import PoseSequence, Provenance
from gymform.weights import read_manifest
from tests.exercise.makers import make_dataset, wave
from tests.motion.makers import squat_sequence


def made_up(count=12):
    """Squats and waves of six people each."""
    items = []
    for i in range(count):
        pose = squat_sequence(15.0, 4.0, period_s=1.5 + 0.2 * i) if i % 2 else wave(4.0, seed=i)
        label = "squat" if i % 2 else "other"
        items.append(LabelledPose(f"clip{i}", label, label, f"person{i}", "clips", pose))
    return items


SMALL = release.TrainConfig(
    seeds=1, folds=3, steps=40, batch=16, augmented_samples=240, channels=16
)


# ---- the split


def test_groups_stay_whole_and_every_fold_has_every_class():
    items = made_up(24)
    items = [LabelledPose(x.name, x.label, x.action, f"group{i % 8}", x.source, x.pose)
             for i, x in enumerate(items)]  # fmt: skip
    fold = sm.split(items, 3, seed=0)
    for group in {x.group for x in items}:
        assert len({f for x, f in zip(items, fold, strict=True) if x.group == group}) == 1
    for i in range(3):
        assert {x.label for x, f in zip(items, fold, strict=True) if f == i} == {"squat", "other"}


def test_a_group_on_both_sides_is_refused():
    items = made_up(4)
    leak = LabelledPose("again", "squat", "squat", "person1", "clips", squat_sequence(11.0))
    with pytest.raises(LeakError, match=r"clip1 \(0\) and again \(1\) are of one group"):
        sm.check_split([*items, leak], [0] * 4 + [1])


def test_a_video_on_both_sides_is_refused_whatever_its_group():
    def named(group, pose):
        pose = PoseSequence(pose.xy, pose.score, pose.boxes, pose.time_s, pose.image_size,
                            Provenance(clip_sha256="ab" * 32))  # fmt: skip
        return LabelledPose(group, "squat", "squat", group, "clips", pose)

    with pytest.raises(LeakError, match="are of one video"):
        sm.check_split([named("a", squat_sequence(12.0)), named("b", squat_sequence(15.0))], [0, 1])


def test_the_same_track_on_both_sides_is_refused():
    items = [LabelledPose(name, "squat", "squat", name, "clips", squat_sequence()) for name in "ab"]
    with pytest.raises(LeakError, match="hold the same"):
        sm.check_split(items, [0, 1])


@pytest.mark.parametrize("items", [[], made_up(2), [x for x in made_up() if x.label == "squat"]])
def test_too_little_to_split(items):
    with pytest.raises(ModelDataError, match="at least two classes"):
        sm.split(items, 3, seed=0)


def test_shares_are_balanced_over_classes():
    samples = sm.make_samples(made_up(12) + made_up(12)[1:2] * 9, 0, 0)
    shares = sm.shares(samples)
    squats = sum(s for s, x in zip(shares, samples, strict=True) if x.label == "squat")
    assert shares.sum() == pytest.approx(1)
    expected = sm.CLASS_SHARES["squat"]
    assert squats == pytest.approx(expected / (expected + sm.CLASS_SHARES["other"]))


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


def test_rotating_a_track_keeps_heights_and_narrows_the_shoulders():
    pose = squat_sequence()
    item = LabelledPose("a", "snatch", "snatch", "a", "snatch3d", pose,
                        np.zeros(pose.xy.shape[:2], np.float32))  # fmt: skip
    side = rotate(item, 90).pose
    np.testing.assert_allclose(side.xy[..., 1], pose.xy[..., 1])
    assert np.abs(side.xy[:, LEFT_SHOULDER, 0] - side.xy[:, RIGHT_SHOULDER, 0]).max() < 1e-3
    np.testing.assert_allclose(rotate(item, 360).pose.xy, pose.xy, atol=1e-2)
    with pytest.raises(ValueError, match="depth"):
        rotate(rotate(item, 90), 90)


# ---- the command


@pytest.fixture
def dataset(tmp_path):
    """Twelve keypoint files and their index."""
    rows = []
    for item in made_up():
        file = f"{item.label}/{item.name}.mp4"
        save_poses(tmp_path / "poses" / file.replace(".mp4", ".npz"), item.pose)
        rows.append({"file": file, "exercise": item.action.replace("other", "wave"),
                     "group": item.group})  # fmt: skip
    with (tmp_path / "index.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["file", "exercise", "group"])
        writer.writeheader()
        writer.writerows(rows)
    return tmp_path


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


def test_missing_keypoint_files_are_left_out(dataset, caplog):
    (dataset / "poses" / "squat" / "clip1.npz").unlink()
    clips = sm.load_clips(dataset / "poses", dataset / "index.csv")
    assert len(clips) == 11
    assert "1 of the clips" in caplog.text


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\xff\xfe\x00", b"file,exercise\nx,y\n"])
def test_an_index_that_is_none(dataset, content):
    (dataset / "index.csv").write_bytes(content)
    with pytest.raises(ModelDataError, match=r"index\.csv: expected"):
        sm.load_clips(dataset / "poses", dataset / "index.csv")


def test_options_out_of_range(dataset):
    with pytest.raises(OptionsError, match="--folds: expected at least 2"):
        release.run(command(dataset, "--folds", "1"))


def test_tracks_that_are_not_there(dataset):
    with pytest.raises(ModelDataError, match=r"snatch_tracks\.npz"):
        release.run(command(dataset, "--tracks", str(dataset)))


@pytest.mark.shared
def test_the_shared_tracks_are_read_and_cut(shared_data):
    tracks = sm.load_tracks(shared_data / "tracks")
    sources = [x.source for x in tracks]
    assert sources.count("penn") == 1163
    assert sources.count("snatch3d") == 19  # one is a close-up throughout
    assert {x.label for x in tracks if x.action == "clean_and_jerk"} == {"other"}
    fold = sm.split(tracks, 5, seed=0)
    assert len(set(fold)) == 5
