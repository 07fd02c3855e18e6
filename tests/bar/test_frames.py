"""The bar in the frames that were analysed: all of them, or each so many-th."""

from dataclasses import replace

import numpy as np
import pytest

from gymform.bar.frames import at_frames
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
