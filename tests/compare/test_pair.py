"""Two repetitions of people of other sizes, frame rates and sides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gymform.compare.pair import Take, compare
from gymform.form.cues import assess_form
from gymform.form.events import BOTTOM
from gymform.motion.clean import clean
from gymform.motion.quality import assess
from gymform.types import PoseSequence
from tests import fakes


def take(pose: PoseSequence, slow_motion: float = 1.0) -> Take:
    tracks = clean(pose)
    form = assess_form(pose, tracks, assess(pose, tracks), fakes.make_prediction())
    return Take(pose, tracks, form, slow_motion)


def mirrored(pose: PoseSequence) -> PoseSequence:
    """The same, filmed from the other side."""
    xy = pose.xy.copy()
    xy[..., 0] = pose.image_size[0] - 1 - xy[..., 0]
    return replace(pose, xy=xy)


def several(count: int, seed: int = 0) -> PoseSequence:
    """So many squats one after the other, each a little other than the last."""
    parts = [fakes.make_pose(90, seed=seed + n, noise=1.0 + n) for n in range(count)]
    time_s = np.arange(90 * count) / 30
    join = {name: np.concatenate([getattr(one, name) for one in parts]) for name in
            ("xy", "score", "boxes")}  # fmt: skip
    return PoseSequence(**join, time_s=time_s, image_size=parts[0].image_size)


def test_another_size_rate_and_side_is_the_same_squat():
    first = take(fakes.make_pose())
    other = mirrored(fakes.make_pose(150, 50.0, size=(720, 960), seed=1))
    found = compare(first, 0, take(other), 0)
    assert found.fit.mirrored
    assert found.fit.scale == pytest.approx(0.5, rel=0.05)
    bottom = dict(found.alignment.moments)[BOTTOM]
    a, b = found.frames[:, bottom]
    assert a / 90 == pytest.approx(b / 150, abs=0.07 / 3)  # the hips hang still for 0.07 s
    for curve in found.curves:
        spread = 12 if curve.unit == "°" else 4
        assert np.abs(curve.first - curve.second).max() < spread, curve.title
    assert {"Knee angle", "Trunk lean", "Height of the hips"} <= {c.title for c in found.curves}
    # the point of the feet of the second goes to that of the first
    x, y = found.fit.second
    assert x == pytest.approx(719 - 2 * found.fit.first[0], abs=12)
    assert y == pytest.approx(2 * found.fit.first[1], abs=12)


def test_the_same_side_is_not_mirrored():
    pose = fakes.make_pose()
    found = compare(take(pose), 0, take(pose), 0)
    assert not found.fit.mirrored
    assert found.fit.scale == pytest.approx(1.0)
    assert all(np.array_equal(one.first, one.second) for one in found.curves)
    assert all(first == second for *_, first, second in found.differences)
    assert found.differences


def test_the_band_is_that_of_the_first_lifter_s_other_repetitions():
    set_of_four, alone = take(several(4)), take(fakes.make_pose())
    assert len(set_of_four.form.repetitions) == 4
    knee = compare(set_of_four, 0, alone, 0).curves[0]
    assert knee.low is not None
    assert (knee.low < knee.high).all()
    assert ((knee.first > knee.low - 8) & (knee.first < knee.high + 8)).all()
    assert compare(alone, 0, set_of_four, 1).curves[0].low is None


def test_a_repetition_that_is_not_there_is_an_error():
    one = take(fakes.make_pose())
    with pytest.raises(IndexError):
        compare(one, 0, one, 3)


def test_slow_motion_is_compared_at_life_s_speed_and_shown_in_the_film_s_frames():
    pose = fakes.make_pose()
    real = take(pose)
    slow = replace(pose, time_s=pose.time_s * 4)
    reps = tuple(rep.in_film(4) for rep in real.form.repetitions)
    tracks = replace(real.tracks, time_s=real.tracks.time_s * 4)
    film = Take(slow, tracks, replace(real.form, repetitions=reps), 4.0)
    found = compare(real, 0, film, 0)
    assert np.allclose(found.alignment.second_s, 4 * found.alignment.first_s, atol=0.02)
    assert np.abs(found.frames[0] - found.frames[1]).max() <= 1
