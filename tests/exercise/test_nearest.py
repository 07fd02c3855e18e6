"""The clips that a model keeps to compare with: kept as they were, found by likeness."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gymform.errors import WeightsError
from gymform.exercise import nearest
from gymform.exercise.nearest import POSES, REACH, Bank, bank_of, read_bank, shown_poses, unit

STEP = REACH / 127


def bank(count=5, seed=0, groups=None):
    rng = np.random.default_rng(seed)
    poses = rng.uniform(-1, 1, (count, POSES, 17, 2)).astype(np.float32)
    poses[0, :, 3] = np.nan
    embeddings = np.stack([unit(row) for row in rng.normal(size=(count, 8))]).astype(np.float32)
    names = tuple(f"lift {i}" for i in range(count))
    seconds = rng.uniform(1, 3, count).astype(np.float32)
    return Bank(names, groups or tuple("abcde"[:count]), embeddings, poses, seconds)


def test_a_bank_comes_back_as_it_was():
    given = bank()
    back = Bank.from_tensors(given.as_tensors())
    assert (back.exercises, back.groups) == (given.exercises, given.groups)
    np.testing.assert_allclose(back.embeddings, given.embeddings, atol=1e-3)
    np.testing.assert_allclose(back.poses, given.poses, atol=STEP / 2 + 1e-6)
    np.testing.assert_allclose(back.seconds, given.seconds)


@given(arrays(np.float32, (2, POSES, 17, 2), elements=st.floats(-3, 3, width=32)))
@settings(max_examples=30, deadline=None)
def test_points_are_kept_within_half_a_step_or_left_out(poses):
    made = Bank(("a", "b"), ("a", "b"), np.eye(2, dtype=np.float32), poses, np.ones(2, np.float32))
    back = Bank.from_tensors(made.as_tensors()).poses
    kept = np.isfinite(back).all(-1)
    assert (kept | (np.abs(poses).max(-1) > REACH - STEP)).all()
    assert (np.abs(back - poses)[kept] <= STEP / 2 + 1e-5).all()


def test_the_likest_come_first_one_of_a_person():
    given = bank(groups=("ann", "ann", "bob", "cas", "dan"))
    found = given.nearest(given.embeddings[2])
    assert found[0].number == 2
    assert found[0].likeness == pytest.approx(1, abs=1e-5)
    assert [one.likeness for one in found] == sorted((o.likeness for o in found), reverse=True)
    people = [given.groups[one.number] for one in found]
    assert len(set(people)) == len(people) == nearest.SHOWN


def test_a_group_can_be_left_out():
    given = bank()
    assert all(given.groups[one.number] != "c" for one in given.nearest(given.embeddings[2], "c"))


@pytest.mark.parametrize("change", ["names", "count", "shape", "nan", "text"])
def test_what_does_not_fit_together_is_refused(change):
    tensors = bank().as_tensors()
    if change == "names":
        del tensors["nearest.names"]
    elif change == "count":
        tensors["nearest.seconds"] = tensors["nearest.seconds"][1:]
    elif change == "shape":
        tensors["nearest.poses"] = tensors["nearest.poses"][:, 1:]
    elif change == "nan":
        tensors["nearest.embeddings"][0, 0] = np.nan
    else:
        tensors["nearest.names"] = np.frombuffer(b"[1]", np.uint8)
    with pytest.raises(WeightsError, match="clips to compare with"):
        Bank.from_tensors(tensors)


def test_a_file_that_is_none_is_told(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(WeightsError, match="not a safetensors file"):
        read_bank(path)


def test_shown_poses_bridge_gaps_and_leave_out_what_was_never_seen():
    time_s = np.linspace(0, 2, 41)
    xy = np.zeros((41, 17, 2))
    xy[:, 5] = np.stack([100 + 50 * time_s, 200 + 0 * time_s], 1)
    xy[10:14, 5] = np.nan
    xy[:, 9] = np.nan
    poses = shown_poses(xy, time_s, size=100.0)
    assert poses.shape == (POSES, 17, 2)
    assert np.isnan(poses[:, 9]).all()
    np.testing.assert_allclose(np.diff(poses[:, 5, 0]), 1 / (POSES - 1), atol=1e-5)


def test_of_no_clips_there_is_no_bank():
    assert bank_of([]) is None
