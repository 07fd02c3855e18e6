"""From the film's seconds to life's, and back."""

import numpy as np
import pytest

from gymform.motion.clean import clean
from gymform.motion.slow_motion import at_speed, in_film
from tests.motion.makers import squat_sequence


@pytest.mark.parametrize("factor", [0.5, 2.0, 8.0])
def test_moments_come_back_and_speeds_are_those_of_life(factor):
    pose = squat_sequence()
    real = at_speed(pose, factor)
    assert real.time_s[-1] == pytest.approx(pose.time_s[-1] / factor)
    tracks = clean(real)
    film = in_film(tracks, factor)
    np.testing.assert_allclose(film.time_s, pose.time_s)
    np.testing.assert_array_equal(film.velocity, tracks.velocity)


def test_life_is_left_as_it_is():
    pose = squat_sequence()
    assert at_speed(pose, 1.0) is pose
