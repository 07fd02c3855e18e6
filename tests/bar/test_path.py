"""The bar of a clip, found, followed and measured (gymform/bar/path.py)."""

import numpy as np
import pytest

from gymform.bar.figures import figures
from gymform.bar.path import bridged, follow_bar, radii
from gymform.types import PoseSequence
from tests.bar.conftest import VIEW
from tests.bar.films import bar_films as bf

POSE = bf.skeleton(bf.SNATCH, VIEW)


def test_a_snatch_in_metres(snatch):
    """Path within 1 cm, size within 3 %, mean velocity within 0.05 m/s, from 10° aside."""
    bar = follow_bar(snatch, POSE, repetitions=bf.SNATCH.repetitions)
    assert bar.found
    assert bar.seen > 0.9
    assert bar.mm_per_px is not None
    truth = bf.truth_px(bf.SNATCH, VIEW, bar.time_s)
    true_mm = 1000 * bf.RADIUS / np.median(truth[:, 2])
    assert bar.mm_per_px == pytest.approx(true_mm, rel=0.03)
    apart = (bar.xy - truth[:, :2]) * true_mm
    apart -= np.nanmedian(apart, axis=0)
    assert np.sqrt(np.nanmean((apart**2).sum(-1))) < 10
    (rep,) = figures(bar, bf.SNATCH.repetitions).repetitions
    (true,) = figures(bf.true_bar(bf.SNATCH, bar.time_s), bf.SNATCH.repetitions).repetitions
    assert rep.rise_cm == pytest.approx(true.rise_cm, rel=0.03)
    assert rep.mean_velocity == pytest.approx(true.mean_velocity, abs=0.05)
    assert rep.peak_velocity == pytest.approx(true.peak_velocity, abs=0.1)


def test_without_a_plate_nothing_is_followed(dumbbell):
    bar = follow_bar(dumbbell, POSE, repetitions=bf.SNATCH.repetitions)
    assert not bar.found
    assert bar.mm_per_px is None
    assert bar.reasons


def test_a_mark_is_followed(snatch):
    x, y, r = bf.truth_px(bf.SNATCH, VIEW, np.array(1.5))
    bar = follow_bar(snatch, POSE, mark=(1.5, float(x), float(y), float(r)))
    assert bar.marked
    truth = bf.truth_px(bf.SNATCH, VIEW, bar.time_s)
    error = np.linalg.norm(bar.xy - truth[:, :2], axis=1) / (2 * truth[:, 2])
    assert np.nanquantile(error, 0.9) < 0.06


def test_nobody_s_bar(snatch):
    nobody = PoseSequence(
        np.full_like(POSE.xy, np.nan), np.zeros_like(POSE.score), np.full_like(POSE.boxes, np.nan),
        POSE.time_s, POSE.image_size,
    )  # fmt: skip
    bar = follow_bar(snatch, nobody)
    assert not bar.found
    assert "hands" in bar.reasons[0]


def test_short_gaps_are_bridged_and_long_ones_are_not():
    time_s = np.arange(60) / 30
    xy = np.zeros((60, 2))
    observed = np.ones(60, bool)
    observed[10:14] = observed[30:50] = False
    known = np.isfinite(bridged(xy, observed, time_s)[:, 0])
    assert known[:30].all()
    assert not known[31:49].any()


def test_the_radius_is_slow():
    time_s = np.arange(90) / 30
    seen = 50 + time_s
    seen[40] = 80
    seen[50:55] = np.nan
    assert radii(seen, time_s) == pytest.approx(50 + time_s, abs=0.4)
