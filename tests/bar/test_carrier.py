"""What the room of the bar hands out (gymform/bar/carrier.py)."""

import numpy as np

from gymform.bar.carrier import no_bar


def test_no_bar_says_why():
    bar = no_bar(np.arange(4.0), 450.0, "The hands are not seen.")
    assert not bar.found
    assert bar.seen == 0
    assert bar.mm_per_px is None
    assert bar.reasons == ("The hands are not seen.",)
    assert bar.xy.shape == (4, 2)
