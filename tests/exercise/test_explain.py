"""What an answer rests on: bodies of which a part keeps still, and what is made of it."""

import numpy as np
import pytest

from gymform import skeleton as sk
from gymform.exercise.classifier import load_classifier
from gymform.exercise.explain import PARTS, Reason, reasons, with_part_still
from gymform.motion.angles import joint_angles
from gymform.motion.body_size import segment_lengths
from gymform.motion.quality import assess
from gymform.types import Ablation
from tests import fakes
from tests.form.figures import deadlift, film, once, squat

BONES = {part: [end for _, end in bones] for part, bones in PARTS.items()}


@pytest.fixture(name="xy", scope="module")
def _xy():
    return film(squat(once(30)), 60)[1].xy.astype(float)


@pytest.mark.parametrize("part", PARTS)
def test_a_part_keeps_still_on_the_joint_that_it_hangs_on(xy, part):
    still = with_part_still(xy, part)
    for start, end in PARTS[part]:
        assert np.ptp(still[:, end] - still[:, start], axis=0).max() < 1e-4
    hips = [sk.LEFT_HIP, sk.RIGHT_HIP]
    np.testing.assert_array_equal(still[:, hips], xy[:, hips])


def test_legs_that_keep_still_do_not_bend_and_the_rest_is_as_it_was(xy):
    still = with_part_still(xy, "legs")
    knees = [sk.LEFT_KNEE, sk.RIGHT_KNEE]
    assert np.ptp(joint_angles(xy)[:, knees], axis=0).min() > 30
    assert np.ptp(joint_angles(still)[:, knees], axis=0).max() < 0.1
    rest = [k for k in range(17) if k not in BONES["legs"]]
    np.testing.assert_array_equal(still[:, rest], xy[:, rest])


def test_arms_and_head_go_along_with_the_trunk(xy):
    still = with_part_still(xy, "trunk")
    before, after = (joint_angles(one)[:, [sk.LEFT_ELBOW, sk.RIGHT_ELBOW]] for one in (xy, still))
    np.testing.assert_allclose(after, before, atol=1e-3)
    np.testing.assert_allclose(segment_lengths(still)[:, 5:], segment_lengths(xy)[:, 5:], atol=1e-3)
    head = still[:, sk.NOSE] - still[:, [sk.LEFT_SHOULDER, sk.RIGHT_SHOULDER]].mean(1)
    was = xy[:, sk.NOSE] - xy[:, [sk.LEFT_SHOULDER, sk.RIGHT_SHOULDER]].mean(1)
    np.testing.assert_allclose(head, was, atol=1e-3)


def test_what_is_missing_stays_missing(xy):
    holes = xy.copy()
    holes[10:20, sk.LEFT_WRIST] = np.nan
    holes[:, sk.RIGHT_ANKLE] = np.nan
    for part in PARTS:
        still = with_part_still(holes, part)
        np.testing.assert_array_equal(np.isnan(still), np.isnan(holes))


def prediction(**without):
    still = tuple(Ablation(part, shares) for part, shares in without.items())
    return fakes.make_prediction("squat", 0.94, ablations=still)


def test_the_parts_that_decide_come_by_what_is_lost():
    answer = prediction(
        arms=(0.02, 0.02, 0.90, 0.06), trunk=(0.2, 0.2, 0.5, 0.1), legs=(0.1, 0.1, 0.1, 0.7)
    )
    assert answer.likeliest() == "squat"
    assert reasons(answer) == [Reason("legs", 0.1, "other"), Reason("trunk", 0.5, "squat")]
    assert reasons(prediction()) == []


@pytest.mark.parametrize(
    ("points", "exercise", "part"), [(squat, "squat", "legs"), (deadlift, "deadlift", "legs")]
)
def test_a_squat_and_a_deadlift_are_in_the_legs(points, exercise, part):
    """The embedded classifier goes by what these lifts are made of."""
    pose, tracks = film(points(once(30)), 75)
    answer = load_classifier().predict(pose, tracks, assess(pose, tracks))
    assert answer.likeliest() == exercise
    shares = {
        one.part: one.probabilities[answer.classes.index(exercise)] for one in answer.ablations
    }
    assert set(shares) == set(PARTS)
    assert min(shares, key=shares.get) == part
