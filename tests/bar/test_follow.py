"""Following a plate in every frame (gymform/bar/follow.py)."""

import cv2
import numpy as np
import pytest

from gymform.bar.follow import CUT, PEAKS, Plate, Sights, chosen, look, refined, share_inside
from gymform.bar.hands import hands_of
from gymform.bar.rings import blurred, edge_field
from tests.bar.conftest import VIEW
from tests.bar.films import bar_films as bf

PLATE = Plate(0.0, 0.0, 20.0, 1.0, np.array([0.0]), np.zeros((1, 2)))


def sights(frames: int = 30) -> Sights:
    """The true place, seen fairly well in all frames, and one that stands still beside it."""
    time_s = np.arange(frames) / 30
    expected = np.stack([np.full(frames, 100.0), 200 - 100 * time_s], axis=-1)
    places = np.full((frames, PEAKS, 2), np.nan)
    support = np.zeros((frames, PEAKS))
    places[:, 0] = [104, 150]
    places[:, 1] = expected + np.array([3, 2])
    support[:, 0], support[:, 1] = 0.5, 0.45
    return Sights(time_s, expected, places, support, np.full((frames, 2, 2), np.nan))


def test_what_moves_with_the_hands_wins_over_what_stands_still():
    found, support = chosen(sights(), PLATE)
    assert found[:, 1] == pytest.approx(sights().expected[:, 1] + 2, abs=2.1)
    assert np.mean(support == 0.45) > 0.9


def test_what_is_hardly_supported_is_not_seen():
    one = sights()
    one.support[10:15] = 0.02
    found, _ = chosen(one, PLATE)
    assert np.isnan(found[10:15]).all()
    assert np.isfinite(found[:10]).all()
    assert np.isfinite(found[15:]).all()


def test_every_frame_of_a_film(snatch):
    hands = hands_of(bf.skeleton(bf.SNATCH, VIEW))
    assert hands is not None
    truth = bf.truth_px(bf.SNATCH, VIEW, hands.time_s)
    offset = np.median(truth[:, :2] - hands.xy, axis=0)
    slides = (
        truth[:, :2] - hands.xy - offset + np.random.default_rng(0).normal(0, 5, hands.xy.shape)
    )
    aspect = np.cos(np.radians(VIEW.yaw))
    plate = Plate(*offset, float(truth[0, 2]), aspect, hands.time_s, slides)
    heard = []
    found = look(snatch, hands, plate, hear=lambda grey, scale, time_s: heard.append(time_s))
    assert heard == pytest.approx(list(hands.time_s))
    places, _ = chosen(found, plate)
    error = np.linalg.norm(places - truth[:, :2], axis=1) / (2 * truth[:, 2])
    assert np.isfinite(error).mean() > 0.95
    assert np.nanquantile(error, 0.95) < 0.05


def test_places_are_refined_to_fractions_of_a_pixel():
    grey = np.full((121, 121), 200, np.uint8)
    cv2.circle(grey, (61 * 16 + 7, 58 * 16 + 4), 24 * 16, 40, -1, cv2.LINE_AA, 4)
    field = blurred(edge_field(grey.astype(np.float32)))
    near = np.array([[2.0, -2.0], [0.0, 0.0]])
    places, support = refined(field, 60, near, 24.0, 1.0)
    assert places == pytest.approx(np.array([[1.44, -1.75]] * 2), abs=0.1)
    assert support.min() > 0.4


def test_what_is_outside_the_frame_does_not_speak_against_a_plate():
    places = np.full((PEAKS, 2), np.nan)
    places[:3] = [[100, 100], [0, 100], [0, 0]]
    share = share_inside(places, PLATE, 1.0, (200, 200))
    assert share[0] == 1
    assert share[1] == CUT  # half of it is seen
    assert share[2] == CUT
