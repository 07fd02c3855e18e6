"""PCK, OKS and AP against cases calculated by hand, and where there is nothing to measure."""

import math

import numpy as np
import pytest

from gymform.skeleton import LEFT_HIP, LEFT_WRIST, OKS_SIGMAS, RIGHT_SHOULDER
from gymform.training.pose.metrics import (
    average_precision,
    oks,
    pck_hits,
    score_poses,
    torso_lengths,
)


def people(count=1):
    """Labels (n, 17, 3) with torsos of 100 px."""
    labels = np.zeros((count, 17, 3))
    labels[..., 2] = 2
    labels[:, :, 0] = np.arange(17) * 10
    labels[:, RIGHT_SHOULDER, :2] = 0
    labels[:, LEFT_HIP, :2] = (60, 80)
    return labels


def test_pck_counts_joints_within_a_fifth_of_the_torso():
    labels = people()
    found = labels[..., :2].copy()
    assert torso_lengths(labels).tolist() == [100]
    found[0, LEFT_WRIST] += (20, 0)  # just inside
    assert np.nanmin(pck_hits(found, labels)) == 1
    found[0, LEFT_WRIST] += (0.1, 0)
    hits = pck_hits(found, labels)
    assert hits[0, LEFT_WRIST] == 0
    assert hits.sum() == 16


def test_what_was_not_found_is_a_miss_and_what_is_unlabelled_is_left_out():
    labels = people()
    labels[0, 3, 2] = 0
    found = labels[..., :2].copy()
    found[0, [3, LEFT_WRIST]] = np.nan
    hits = pck_hits(found, labels)
    assert math.isnan(hits[0, 3])
    assert hits[0, LEFT_WRIST] == 0


@pytest.mark.parametrize("change", [("v", RIGHT_SHOULDER), ("v", LEFT_HIP), ("point", LEFT_HIP)])
def test_without_a_torso_there_is_no_pck(change):
    labels = people()
    kind, joint = change
    if kind == "v":
        labels[0, joint, 2] = 0
    else:
        labels[0, joint, :2] = labels[0, RIGHT_SHOULDER, :2]
    assert np.isnan(pck_hits(labels[..., :2], labels)).all()
    scores = score_poses(labels[..., :2], labels, np.array([1e4]), np.ones(1))
    assert math.isnan(scores.pck)
    assert scores.good == 1


def test_oks_of_one_joint_by_hand():
    labels = people()
    labels[..., 2] = 0
    labels[0, LEFT_WRIST, 2] = 1  # hidden, but labelled
    found = np.full((1, 17, 2), np.nan)
    found[0, LEFT_WRIST] = labels[0, LEFT_WRIST, :2] + (3, 4)
    expected = math.exp(-25 / (2 * 1000 * (2 * OKS_SIGMAS[LEFT_WRIST]) ** 2))
    assert oks(found, labels, np.array([1000.0]))[0] == pytest.approx(expected)


def test_oks_of_nobody_and_of_no_area():
    labels = people(2)
    labels[0, :, 2] = 0
    values = oks(labels[..., :2] + 1, labels, np.zeros(2))
    assert math.isnan(values[0])
    assert values[1] == 0


def test_average_precision_by_hand():
    assert average_precision(np.ones(3), np.ones(3)) == pytest.approx(1)
    assert average_precision(np.zeros(3), np.ones(3)) == 0
    # two of four people at 0.72 (right at five of the ten thresholds), found first: precision 1
    # up to recall 0.5, which are 51 of 101 recalls
    similarity = np.array([0.72, 0.1, 0.72, 0.1])
    assert average_precision(similarity, np.array([4, 2, 3, 1])) == pytest.approx(0.5 * 51 / 101)
    # the wrong ones first: precision 1/3 and 2/4, the envelope makes it 1/2 throughout
    wrong_first = average_precision(similarity, np.array([1, 3, 2, 4]))
    assert wrong_first == pytest.approx(0.5 * 51 / 101 / 2)


def test_average_precision_leaves_out_who_cannot_be_judged():
    assert math.isnan(average_precision(np.array([np.nan]), np.ones(1)))
    assert average_precision(np.array([np.nan, 1.0]), np.ones(2)) == pytest.approx(1)


def test_scores_of_a_set():
    labels = people(4)
    found = labels[..., :2].copy()
    found[0] += 1000
    scores = score_poses(found, labels, np.full(4, 1e4), np.array([0.1, 0.9, 0.9, 0.9]))
    assert scores.people == 4
    assert scores.pck == pytest.approx(0.75)
    assert scores.good == pytest.approx(0.75)
    assert scores.joints == pytest.approx((0.75,) * 17)
    assert scores.ap == pytest.approx(76 / 101)
