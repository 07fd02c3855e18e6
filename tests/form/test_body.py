"""The body that form is measured on: heights, angles by view, and joints that are not believed."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gymform import skeleton as sk
from gymform.form.body import APART, bodies_of, body_of, median
from gymform.motion.clean import clean
from gymform.motion.evidence import MIN_SCORE
from tests.form.figures import SIZE_PX, angle_at, below_level, film, once, squat
from tests.motion.makers import sparsely

POINTS = squat(once(30))


def body_at(degrees, points=POINTS):
    return body_of(*film(points, degrees))


@pytest.mark.parametrize(
    ("degrees", "side", "front"), [(0, False, True), (45, False, False), (90, True, False)]
)
def test_the_view_is_told_by_what_is_seen(degrees, side, front):
    body = body_at(degrees)
    assert (body.from_side, body.from_front) == (side, front)
    assert body.size == pytest.approx(SIZE_PX, rel=0.06)


def test_heights_are_statures_above_the_ankles():
    body = body_at(0)
    feet = POINTS[:, [sk.LEFT_ANKLE, sk.RIGHT_ANKLE], 1].mean(1)
    hips = POINTS[:, [sk.LEFT_HIP, sk.RIGHT_HIP], 1].mean(1)
    np.testing.assert_allclose(
        body.height(sk.HIPS), np.abs(hips - feet) * SIZE_PX / body.size, atol=0.02
    )
    np.testing.assert_allclose(body.height(sk.ANKLES), 0, atol=1e-9)


def test_from_the_side_the_knee_s_angle_is_that_in_space():
    body = body_at(90)
    true = angle_at(POINTS, sk.LEFT_KNEE, sk.LEFT_HIP, sk.LEFT_ANKLE)
    found = body.angle(sk.KNEES)
    known = np.isfinite(found)
    assert known.mean() > 0.9
    assert np.abs(found - true)[known].max() < 8


@pytest.mark.parametrize("degrees", [0, 45, 90])
def test_thighs_point_below_level_as_in_space_from_any_side(degrees):
    """The first half: while the hips go down fast, cleaning rounds the way a little."""
    body = body_at(degrees)
    lowest = int(below_level(POINTS).argmax())
    found = body.about(body.of_pair(body.thighs), lowest)
    assert found == pytest.approx(below_level(POINTS)[lowest], abs=5)


def test_the_near_side_counts_from_the_side_and_both_from_the_front():
    both = np.array([[10.0, 20.0], [np.nan, 40.0]])
    side = replace(body_at(90), side=1)
    assert side.of_pair(both).tolist() == [20, 40]
    assert replace(side, side=0).of_pair(both)[0] == 10
    assert body_at(0).of_pair(both).tolist() == [15, 40]


@pytest.mark.parametrize("degrees", [90, -90])
def test_knees_tell_where_a_lifter_faces(degrees):
    """The nose, which counts for nothing in it, is on the same side of the ankles."""
    body = body_at(degrees)
    ahead = np.nanmedian(body.xy[:, sk.NOSE, 0] - body.xy[:, sk.LEFT_ANKLE, 0])
    assert abs(ahead) > 5
    assert body.facing == np.sign(ahead)


def test_a_joint_below_the_score_was_not_seen():
    pose, _ = film(POINTS, 90)
    score = pose.score.copy()
    score[:, sk.LEFT_WRIST] = MIN_SCORE - 0.01
    score[:, sk.RIGHT_WRIST] = MIN_SCORE
    unsure = replace(pose, score=score)
    body = body_of(unsure, clean(unsure))
    assert np.isnan(body.xy[:, sk.LEFT_WRIST]).all()
    assert np.isfinite(body.xy[:, sk.RIGHT_WRIST]).all()


def test_a_moment_is_the_median_around_it():
    body = body_at(0)
    values = np.zeros(len(body.time_s))
    values[30] = 99.0
    assert body.about(values, 30) == 0
    values[27:34] = 5.0
    assert body.about(values, 30) == 5
    assert np.isnan(body.about(np.full(len(values), np.nan), 30))
    assert body.frame_at(-1.0) == 0
    assert body.frame_at(1.01) == 30
    assert body.frame_at(1e9) == len(values) - 1


@settings(max_examples=30)
@given(st.lists(st.one_of(st.floats(-100, 100), st.just(float("nan")))))
def test_the_median_is_over_what_is_known(values):
    known = [value for value in values if not np.isnan(value)]
    found = median(np.array(values, float))
    if known:
        assert found == pytest.approx(np.median(known))
    else:
        assert np.isnan(found)


def test_nobody_has_no_body():
    pose, _ = film(squat(once(30)), 90)
    empty = replace(pose, xy=np.full_like(pose.xy, np.nan), score=np.zeros_like(pose.score))
    assert body_of(empty, clean(empty)) is None


# ---- depth


def tilted(near, far, degrees=90):
    """A body whose near and far thigh have these slopes throughout."""
    body = body_at(degrees)
    slopes = np.empty_like(body.thighs)
    slopes[:, body.side], slopes[:, 1 - body.side] = near, far
    return replace(body, thighs=slopes)


@pytest.mark.parametrize("tilt", [0.0, 5.0, 9.0])
def test_what_tilts_the_thighs_opposite_ways_leaves_the_depth(tilt):
    """A camera above the knees sees the near one lower and the far one higher."""
    level = tilted(0.0, 0.0).depth[0]
    assert tilted(-tilt, tilt).depth[0] == pytest.approx(level)
    assert tilted(tilt, -tilt).depth[0] == pytest.approx(level)


def test_depth_needs_the_near_thigh_from_the_side_and_both_from_elsewhere():
    assert np.isnan(tilted(np.nan, 3.0).depth).all()
    assert np.isfinite(tilted(3.0, np.nan).depth).all()
    for degrees in (0, 45):
        assert np.isnan(tilted(np.nan, 3.0, degrees=degrees).depth).all()
        assert np.isnan(tilted(3.0, np.nan, degrees=degrees).depth).all()
        assert np.isfinite(tilted(3.0, 3.0, degrees=degrees).depth).all()


def test_thighs_that_cannot_belong_together_have_no_depth():
    assert np.isnan(tilted(-APART, APART).depth).all()


def test_each_shot_has_a_body_of_its_size_and_view():
    """Small and from the front, then twice as large and from the side."""
    front, _ = film(POINTS, 0)
    side, _ = film(POINTS, 90)
    xy = np.concatenate([front.xy, side.xy * 2])
    count = len(front)
    pose = replace(
        front,
        xy=xy,
        score=np.concatenate([front.score, side.score]),
        boxes=np.concatenate([front.boxes, side.boxes * 2]),
        time_s=np.arange(2 * count) / 30,
        shots=np.repeat([0, 1], count).astype(np.int32),
        peaks=np.concatenate([front.peaks, side.peaks]),
        image_size=(1280, 960),
    )
    first, second = bodies_of(pose, clean(pose))
    assert first.from_front
    assert second.from_side
    assert second.size == pytest.approx(2 * first.size, rel=0.1)
    assert second.time_s[0] == pytest.approx(count / 30)
    nobody = replace(pose, xy=np.full_like(xy, np.nan), score=np.zeros_like(pose.score))
    assert bodies_of(nobody, clean(nobody)) == []


def test_feet_are_not_guessed_long_before_they_are_first_seen():
    """The camera may have moved: between two sightings they stand, outside of them who knows."""
    pose, _ = film(POINTS, 0)
    score = pose.score.copy()
    xy = pose.xy.copy()
    hidden = [*range(30), *range(60, 70)]
    score[np.ix_(hidden, sk.ANKLES)] = 0
    xy[np.ix_(hidden, sk.ANKLES)] = np.nan
    part = replace(pose, xy=xy, score=score)
    height = body_of(part, clean(part)).height(sk.HIPS)
    assert np.isnan(height[:15]).all()
    assert np.isfinite(height[25:]).all()


def test_a_value_rests_on_frames_that_were_looked_at():
    pose, _ = film(squat(once(30)), 90)
    pose = sparsely(pose)
    body = body_of(pose, clean(pose))
    lean = body.lean.copy()
    lean[~body.observed] = 1000  # whatever is between
    assert body.about(lean, 47) < 90
    assert np.isfinite(lean).all()
    at_s = body.time_s[47]
    asked = [(at_s - 0.1, at_s + 0.1, 0.07), (at_s, at_s, 0.0)]
    np.testing.assert_allclose(sorted(body.asked), asked)
    lean[body.observed] = np.nan
    assert np.isnan(body.about(lean, 47))
