"""Traces beside a clip: the side that is seen better, upright heights, JSON without NaN."""

import json
from dataclasses import replace

import numpy as np
import pytest

from gymform import skeleton as sk
from gymform.draw.traces import MAX_POINTS, traces_json, traces_payload
from gymform.motion.clean import clean
from tests.fakes import make_pose, make_tracks

POSE = make_pose()
TRACKS = make_tracks(POSE)


def with_scores(side, score):
    """The pose with all joints of a side seen with ``score``."""
    scores = POSE.score.copy()
    scores[:, [i for i, name in enumerate(sk.KEYPOINTS) if name.startswith(side)]] = score
    return replace(POSE, score=scores)


@pytest.mark.parametrize(("side", "other"), [("left", "right"), ("right", "left")])
def test_the_side_that_is_seen_better_is_shown_in_its_colour(side, other):
    payload = traces_payload(with_scores(other, 0.1), TRACKS)
    assert payload["joints"] == [f"{side} wrist", f"{side} hip", f"{side} knee"]
    assert payload["colour"] == sk.COLOURS[sk.Side(side)]


def test_values_are_those_of_the_tracks():
    payload = traces_payload(with_scores("left", 1.0), TRACKS)
    hip = TRACKS.xy[:, sk.LEFT_HIP]
    series = {name: np.array(lines[1]) for name, lines in payload["series"].items()}
    np.testing.assert_allclose(series["height"], POSE.image_size[1] - hip[:, 1], atol=0.006)
    np.testing.assert_allclose(series["sideways"], hip[:, 0], atol=0.006)
    speed = np.linalg.norm(TRACKS.velocity[:, sk.LEFT_HIP], axis=1)
    np.testing.assert_allclose(series["speed"], speed, atol=0.006)
    np.testing.assert_allclose(series["confidence"], 1.0)


def test_height_points_up():
    """Who squats goes down first."""
    height = traces_payload(POSE, TRACKS)["series"]["height"][1]
    assert height[0] > min(height) < height[-1]
    assert min(height) >= 0


@pytest.mark.parametrize("frames", [1, MAX_POINTS, MAX_POINTS + 1, 5 * MAX_POINTS])
def test_a_long_clip_has_all_its_times_and_no_more_points_than_fit(frames):
    pose = make_pose(frames)
    payload = traces_payload(pose, clean(pose))
    assert len(payload["times"]) == frames
    assert len(payload["at"]) <= MAX_POINTS
    assert payload["at"][0] == payload["times"][0]
    assert {len(line) for lines in payload["series"].values() for line in lines} == {
        len(payload["at"])
    }


def test_what_is_unknown_is_null():
    xy = TRACKS.xy.copy()
    xy[3:6] = np.nan
    payload = json.loads(traces_json(POSE, replace(TRACKS, xy=xy)))
    for line in payload["series"]["height"]:
        assert line[3:6] == [None] * 3
        assert None not in line[:3] + line[6:]
    assert None not in payload["series"]["confidence"][0]
