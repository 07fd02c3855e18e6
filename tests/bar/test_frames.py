"""The bar in the frames that were analysed: all of them, or each so many-th."""

from dataclasses import replace

import numpy as np
import pytest

from gymform.bar.frames import at_frames, often_enough
from tests import fakes


@pytest.mark.parametrize("step", [1, 2, 3, 7])
def test_each_frame_has_its_own_place(step):
    bar = fakes.make_bar()
    some = at_frames(bar, bar.time_s[::step] + 1e-7)  # times may be rounded
    np.testing.assert_array_equal(some.xy, bar.xy[::step])
    np.testing.assert_array_equal(some.velocity, bar.velocity[::step])
    both = at_frames(replace(bar, far=bar.xy + 9, far_r=20.0), some.time_s)
    np.testing.assert_array_equal(both.far, some.xy + 9)
    assert len(some.observed) == len(some.time_s) == len(bar.time_s[::step])


@pytest.mark.parametrize(("fps", "metres"), [(3.0, False), (7.0, False), (8.0, True), (30.0, True)])
def test_few_frames_a_second_give_no_metres_and_say_so(fps, metres):
    bar = often_enough(fakes.make_bar(fps=fps))
    assert (bar.mm_per_px is not None) == metres
    assert any("frames a second" in why for why in bar.reasons) != metres


def test_what_has_no_metres_stays_as_it_is():
    bar = fakes.make_bar(fps=3.0, mm_per_px=None)
    assert often_enough(bar) is bar
