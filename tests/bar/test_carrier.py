"""What the room of the bar hands out (gymform/bar/carrier.py)."""

from dataclasses import replace

import numpy as np
import pytest

from gymform.bar.carrier import no_bar
from tests import fakes


def test_no_bar_says_why():
    bar = no_bar(np.arange(4.0), 450.0, "The hands are not seen.")
    assert not bar.found
    assert bar.seen == 0
    assert bar.mm_per_px is None
    assert bar.reasons == ("The hands are not seen.",)
    assert bar.xy.shape == (4, 2)


def test_the_middle_of_the_bar_is_nearer_in_the_picture_to_the_far_plate():
    """Ends 3 and 4 m away: the middle of the bar is 3.5 m away."""
    count = np.zeros(5)
    near, far = np.array([-0.7 / 3, 0.2]), np.array([0.7 / 4, -0.1])
    bar = replace(
        fakes.make_bar(5), xy=near + count[:, None], r=count + 1 / 3, far=far + count[:, None],
        far_r=1 / 4,
    )  # fmt: skip
    assert bar.middle == pytest.approx((3 * near + 4 * far) / 7 + count[:, None])
    assert fakes.make_bar(5).middle is None
