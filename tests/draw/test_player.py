"""The player's data is the analysis, in JSON that a browser can read."""

import json

import numpy as np
import pytest

from gymform import skeleton as sk
from gymform.bar.carrier import no_bar
from gymform.draw.player import player_json, player_payload
from gymform.form.cues import assess_form
from gymform.types import Prediction
from tests import fakes
from tests.form.figures import film, once, squat


def test_payload_is_the_analysis():
    pose = fakes.make_pose()
    payload = player_payload(pose, fakes.make_tracks(pose))
    assert (payload["width"], payload["height"]) == pose.image_size
    np.testing.assert_allclose(payload["times"], pose.time_s, atol=1e-6)
    np.testing.assert_allclose(payload["raw"], pose.xy, atol=0.051)
    np.testing.assert_allclose(payload["boxes"], pose.boxes, atol=0.051)
    np.testing.assert_allclose(payload["score"], pose.score, atol=0.00051)


def test_missing_points_and_boxes_are_null():
    pose = fakes.make_pose(missing=slice(3, 5))
    data = json.loads(player_json(pose, fakes.make_tracks(pose)))
    assert data["boxes"][3] is None
    assert data["raw"][4] == [None] * sk.NUM_KEYPOINTS
    assert data["raw"][5][0] is not None


def test_where_cleaning_left_nothing_the_raw_point_is_used_unless_its_score_is_too_low():
    pose = fakes.make_pose(frames=4)
    tracks = fakes.make_tracks(pose)
    pose.score[2, sk.NOSE] = 0.01
    tracks.xy[1:3, sk.NOSE] = np.nan
    payload = player_payload(pose, tracks)
    assert payload["clean"][1][sk.NOSE] == payload["raw"][1][sk.NOSE]
    assert payload["clean"][2][sk.NOSE] is None
    assert payload["clean"][3][sk.NOSE] != payload["raw"][3][sk.NOSE]


def test_edges_are_in_the_palette():
    pose = fakes.make_pose(frames=2)
    edges = player_payload(pose, fakes.make_tracks(pose))["edges"]
    assert len(edges) == len(sk.EDGES)
    assert {colour for _, _, colour in edges} == set(sk.COLOURS.values())


@pytest.mark.parametrize("frames", [300])
def test_a_clip_of_ten_seconds_is_a_small_file(frames):
    pose = fakes.make_pose(frames=frames)
    assert len(player_json(pose, fakes.make_tracks(pose))) < 400_000


def test_lines_of_depth_are_there_when_form_is_known():
    pose, tracks = film(squat(once(30), 0.3), 90)
    squatted = Prediction(("squat",), (1.0,), "squat", None, "")
    form = assess_form(pose, tracks, fakes.make_quality(), squatted)
    (line,) = json.loads(player_json(pose, tracks, form))["depths"]
    assert line["first"] < line["last"]
    assert player_payload(pose, tracks)["depths"] == []


def test_the_path_of_the_bar_is_there_where_one_was_followed():
    pose, bar = fakes.make_pose(), fakes.make_bar()
    bar.xy[3] = bar.velocity[3] = bar.still[3] = np.nan
    data = json.loads(player_json(pose, fakes.make_tracks(pose), None, bar))["bar"]
    assert data["at"][3] is data["still"][3] is data["speed"][3] is None
    assert data["at"][0] == [150.0, 120.0]
    assert max(one for one in data["speed"] if one is not None) == 1
    nothing = no_bar(pose.time_s, 450.0, "There is none.")
    assert player_payload(pose, fakes.make_tracks(pose), None, nothing)["bar"] is None
