"""Corrections are kept, versioned, undone, exported, and used by all that reads a data set."""

import dataclasses
import json

import numpy as np
import pytest

from gymform import cli
from gymform import skeleton as sk
from gymform.analysis import analyze
from gymform.dataset.corrections import (
    all_corrections,
    correct,
    corrected_poses,
    corrections_of,
    read_corrections,
    undo,
    version_of,
    write_corrections,
)
from gymform.dataset.deletion import delete_clip, restore_clip
from gymform.dataset.export import export, read_archive, read_manifest
from gymform.dataset.items import ACCEPTED
from gymform.dataset.reviews import ReviewStore
from gymform.errors import DatasetError, OptionsError, PoseFileError
from gymform.pose.corrections import EXCHANGE, PLACED, POINT, Correction
from gymform.pose.files import load_poses, save_poses
from gymform.service.item_figures import figures_of
from gymform.training.exercise.corpus import load_track, read_examples
from gymform.types import PoseSequence
from gymform.weights import sha256_of
from tests.dataset.makers import clip_record, fill_store, item_of, quality_of

ELBOW = sk.LEFT_ELBOW
DRAG = Correction(POINT, 1.0, 1.0, (ELBOW,), 12.0, 34.0)
SPAN = Correction(EXCHANGE, 0.5, 1.5)


@pytest.fixture
def store(tmp_path):
    with ReviewStore.open(tmp_path / "set", create=True) as opened:
        fill_store(opened, 3)
        yield opened


@pytest.fixture
def clip(store):
    return store.clips()[0].sha256


def at_one_second(pose):
    return pose.xy[np.abs(pose.time_s - 1.0).argmin(), ELBOW].tolist()


def test_they_are_there_when_opened_again_and_the_networks_file_is_as_it_was(store, clip):
    file = store.files.poses(clip)
    before = sha256_of(file)
    assert correct(store, clip, [DRAG], reviewer="Ann") > 0
    with ReviewStore.open(store.folder) as again:
        assert corrections_of(again, clip) == (DRAG,)
        found = corrected_poses(again, clip)
    assert at_one_second(found.pose) == [12.0, 34.0]
    assert (found.source == PLACED).sum() == 1
    assert sha256_of(file) == before
    assert at_one_second(load_poses(file)) != [12.0, 34.0]


def test_each_change_is_a_new_version_of_that_clip_alone(store, clip):
    other = store.clips()[1].sha256
    versions = [version_of(store, clip)]
    versions.append(correct(store, clip, [DRAG, SPAN], reviewer="Ann"))
    versions.append(correct(store, clip, [SPAN], reviewer="Ben"))
    assert undo(store, clip, reviewer="Ann") == 2
    versions.append(version_of(store, clip))
    assert versions == sorted(set(versions))
    assert versions[0] == version_of(store, other) == 0
    assert all_corrections(store) == {clip: (SPAN,)}
    assert undo(store, other, reviewer="Ann") == 0
    assert undo(store, clip, reviewer="Ben", own=()) == 0
    assert undo(store, clip, reviewer="Ben") == 1
    assert all_corrections(store) == {}


@pytest.mark.parametrize(
    "wrong",
    [
        Correction(POINT, 99.0, 99.0, (ELBOW,), 1.0, 1.0),
        Correction(POINT, 1.0, 1.0, (ELBOW,), 5000.0, 1.0),
    ],
)
def test_what_does_not_fit_the_clip_is_not_kept(store, clip, wrong):
    with pytest.raises(OptionsError):
        correct(store, clip, [DRAG, wrong], reviewer="Ann")
    assert corrections_of(store, clip) == ()


def test_without_keypoints_there_is_nothing_to_correct(store):
    new = clip_record(50)
    store.add_clip(new)
    with pytest.raises(PoseFileError):
        correct(store, new.sha256, [DRAG], reviewer="Ann")


def test_they_go_and_come_back_with_their_clip(store, clip):
    correct(store, clip, [DRAG], reviewer="Ann")
    version = version_of(store, clip)
    name = delete_clip(store, clip)
    assert all_corrections(store) == {}
    restore_clip(store, name)
    assert all_corrections(store) == {clip: (DRAG,)}
    assert version_of(store, clip) == version


def test_a_file_of_corrections_holds_them_all_and_says_whose_they_are(store, clip, tmp_path):
    correct(store, clip, [DRAG, SPAN], reviewer="Ann")
    file = tmp_path / "c.json"
    assert write_corrections(store, file) == 2
    assert read_corrections(file) == {clip: (DRAG, SPAN)}
    entry = json.loads(file.read_text())["clips"][clip]
    assert entry["version"] == version_of(store, clip)
    assert {one["reviewer"] for one in entry["corrections"]} == {"Ann"}


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"schema": 1, "clips": {"a": 3}}', '{"schema": 9}']
)
def test_another_file_is_refused_in_words(tmp_path, text):
    (tmp_path / "c.json").write_text(text)
    with pytest.raises(DatasetError, match=r"c\.json: expected corrections"):
        read_corrections(tmp_path / "c.json")


def test_training_and_export_use_them(store, clip, tmp_path):
    for one in store.judged():
        store.decide(one.item.id, ACCEPTED, reviewer="Ann")
    correct(store, clip, [DRAG], reviewer="Ann")
    (example,) = (one for one in read_examples(store.folder)[0] if one.clip_sha256 == clip)
    assert at_one_second(load_track(example)) == [12.0, 34.0]
    export(store, tmp_path / "m.jsonl", archive=tmp_path / "k.npz")
    (entry,) = (one for one in read_manifest(tmp_path / "m.jsonl") if one.clip_sha256 == clip)
    assert entry.corrections == version_of(store, clip)
    (kept,) = (
        one for one in read_archive(tmp_path / "k.npz")["annotations"]
        if one["frame_dir"] == entry.item_id
    )  # fmt: skip
    assert kept["keypoint"][0, 30, ELBOW].tolist() == [12.0, 34.0]


def test_the_command_exports_them(store, clip, tmp_path):
    store.decide(store.judged()[0].item.id, ACCEPTED, reviewer="Ann")
    correct(store, clip, [DRAG], reviewer="Ann")
    how = ["--to", str(tmp_path / "m.jsonl"), "--corrections", str(tmp_path / "c.json")]
    assert cli.main(["export", str(store.folder), *how]) == cli.OK
    assert read_corrections(tmp_path / "c.json") == {clip: (DRAG,)}


# --- a wrong elbow in a real clip ---------------------------------------------------------------

SNATCH = "snatch/cjw-pin_tracker_test__ilya.mp4"
WRONG = np.arange(18, 38)
"""Twenty frames about the catch: 0.7 to 1.5 s."""

DRAGGED = (18, 27, 37)
"""The frames in which somebody drags the elbow to where it is."""


@pytest.fixture(scope="module", name="snatch")
def _snatch(shared_data) -> PoseSequence:
    """What the network finds in a real snatch; by the engine of this machine, so that bounds below
    leave room for the others (beside: 2 to 6°; stuck: 0.15 to 0.24 torsos, 10 to 19°)."""
    return analyze(shared_data / "clips" / SNATCH).pose


def beside(right: np.ndarray, torso: float) -> np.ndarray:
    """Something beside the arm, such as a plate: it drifts away, and trembles."""
    drift = np.linspace(0, 1, len(right))[:, None] * (0.15, -0.17) + (0.5, 0.35)
    return right + torso * (drift + np.random.default_rng(0).normal(0, 0.01, right.shape))


def stuck(right: np.ndarray, torso: float) -> np.ndarray:
    """Something that does not move, such as a part of the rack."""
    return np.broadcast_to(right[0] + 0.4 * torso, right.shape)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("wrong", "within_torsos", "within_degrees"), [(beside, 0.05, 8.0), (stuck, 0.3, 22.0)]
)
def test_a_wrong_elbow_in_20_frames_is_corrected_by_three_drags(
    snatch, tmp_path, wrong, within_torsos, within_degrees
):
    path = snatch.xy[:, ELBOW]
    torso = float(
        np.nanmedian(
            np.linalg.norm(snatch.xy[:, sk.LEFT_SHOULDER] - snatch.xy[:, sk.LEFT_HIP], axis=1)
        )
    )
    known = np.isfinite(path[WRONG]).all(1)
    assert known.sum() >= 18
    xy = snatch.xy.copy()
    xy[WRONG, ELBOW] = np.where(known[:, None], wrong(path[WRONG], torso), np.nan)
    with ReviewStore.open(tmp_path / "set", create=True) as store:
        clip = clip_record(0, exercise="snatch", frames=len(snatch))
        item = item_of(clip, end_s=float(snatch.time_s[-1]))
        store.add_clip(clip)
        store.set_extracted(clip.sha256, [item], [quality_of(0)])
        poses = store.files.poses(clip.sha256)
        save_poses(poses, snatch)
        truth = figures_of(store, item.id)
        save_poses(poses, dataclasses.replace(snatch, xy=xy))
        before = figures_of(store, item.id)
        for row in DRAGGED:
            time_s, (x, y) = float(snatch.time_s[row]), path[row].tolist()
            one = Correction(POINT, time_s, time_s, (ELBOW,), x, y)
            correct(store, clip.sha256, [one], reviewer="Ann")
        after = figures_of(store, item.id)
        mended = corrected_poses(store, clip.sha256).pose.xy[:, ELBOW]
    away = np.linalg.norm(mended[WRONG] - path[WRONG], axis=1)[known] / torso
    assert np.linalg.norm(xy[WRONG, ELBOW] - path[WRONG], axis=1)[known].min() > 0.4 * torso
    assert away.max() < within_torsos
    np.testing.assert_array_equal(np.delete(mended, WRONG, 0), np.delete(path, WRONG, 0))
    sure, unsure, sure_again = (_share(one, "snatch") for one in (truth, before, after))
    assert unsure < sure - 0.002
    assert abs(sure_again - sure) < 0.2 * abs(unsure - sure)
    assert _catch_elbow(before) is None  # no arm is as long as that
    assert _catch_elbow(after) == pytest.approx(_catch_elbow(truth), abs=within_degrees)
    assert after.corrected
    assert not before.corrected


def _share(figures, name: str) -> float:
    found = figures.prediction
    return dict(zip(found.classes, found.probabilities, strict=True))[name]


def _catch_elbow(figures) -> float | None:
    """The angle of the elbow at the catch, degrees; None where it cannot be told."""
    (repetition,) = figures.form.repetitions
    found = repetition.value("catch_elbow")
    return found.value if found else None
