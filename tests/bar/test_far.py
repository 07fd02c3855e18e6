"""The plate on the other end of the bar (gymform/bar/far.py)."""

from dataclasses import replace

import numpy as np
import pytest

from gymform.bar.far import far_of, goes_along
from gymform.bar.find import Candidate
from gymform.bar.follow import PEAKS, Plate, Sights
from gymform.bar.path import with_far
from gymform.bar.rim import ANGLES, SIZES
from gymform.bar.windows import MIDDLE, TORSO_PX
from tests import fakes


def disc(x: float, r: float, score: float = 0.5) -> Candidate:
    """A disc ``x`` torsos beside the hands, of ``r`` torsos."""
    around = np.full(64, 0.5)
    return Candidate(MIDDLE + x * TORSO_PX, MIDDLE, r * TORSO_PX, 1.0, score, np.zeros((4, 2)),
                     np.zeros(4), around)  # fmt: skip


NEAR, FAR = disc(-1.0, 0.55), disc(0.9, 0.43)


def test_the_far_plate_is_smaller_and_on_the_other_side():
    assert far_of(NEAR, [NEAR, FAR]) is FAR


@pytest.mark.parametrize(
    "other",
    [disc(-0.9, 0.43), disc(0.1, 0.43), disc(0.9, 0.6), disc(0.9, 0.25), disc(0.9, 0.43, 0.1)],
    ids=["same side", "at the hands", "larger", "too small", "not seen"],
)
def test_what_is_no_far_plate(other):
    assert far_of(NEAR, [NEAR, other]) is None
    assert far_of(disc(0.0, 0.55), [FAR]) is None  # straight from the side


def test_it_goes_along_or_is_left_out():
    t = np.linspace(0, 6, 100)
    near = np.stack([np.full(100, 50.0), 100 * np.sin(t)], axis=-1)
    far = np.stack([np.full(100, 300.0), 78 * np.sin(t)], axis=-1)
    lifting = np.ones(100, bool)
    assert goes_along(near, far, lifting)
    assert not goes_along(near, np.roll(far, 20, axis=0), lifting)
    hidden = far.copy()
    hidden[:50] = np.nan
    assert not goes_along(near, hidden, lifting)


def test_both_plates_of_a_bar_seen_obliquely():
    """What every frame shows at the far end, and what shows nothing there."""
    time_s = np.arange(100) / 30
    bar = replace(fakes.make_bar(100), time_s=time_s, lifting=np.ones(100, bool))
    bar.xy[:, 1] = 200 + 80 * np.sin(2 * time_s)
    places = np.full((100, PEAKS, 2), np.nan)
    places[:, 0] = np.stack([np.full(100, 300.0), 150 + 62 * np.sin(2 * time_s)], axis=-1)
    support = np.where(np.isfinite(places[..., 0]), 0.5, 0.0)
    rims = np.full((100, len(SIZES), ANGLES), np.nan, np.float16)
    sights = Sights(time_s, places[:, 0], places, support, rims)
    plate = Plate(100.0, 0.0, 30.0, 0.9, np.array([0.0]), np.zeros((1, 2)))
    both = with_far(bar, sights, plate)
    assert both.far == pytest.approx(places[:, 0], abs=1.0)
    assert both.far_r == 30
    unseen = replace(sights, support=np.zeros_like(support))
    assert with_far(bar, unseen, plate) is bar
