"""The line of depth: where it is, when it is shown, and of what it is not drawn."""

from dataclasses import replace

import numpy as np
import pytest

from gymform import skeleton as sk
from gymform.draw.depth import DEPTH, depth_lines, line_at
from gymform.form.cues import assess_form
from gymform.types import Prediction
from tests.fakes import make_quality
from tests.form.figures import SIZE_PX, film, once, squat


def lines_of(depth, degrees=90):
    pose, tracks = film(squat(once(30), depth), degrees)
    squatted = Prediction(("squat",), (1.0,), "squat", None, "")
    form = assess_form(pose, tracks, make_quality(), squatted)
    return depth_lines(tracks, form), tracks, form


def test_the_line_is_a_little_above_the_knees_while_the_hips_are_lowest():
    (line,), tracks, form = lines_of(0.3)
    bottom = form.repetitions[0].value(DEPTH).at_s
    assert tracks.time_s[line["first"]] < bottom < tracks.time_s[line["last"]]
    knees = tracks.xy[line["first"], sk.KNEES, :]
    left, right, level = line["line"]
    assert left < knees[:, 0].min()
    assert knees[:, 0].max() < right
    assert 0 < knees[:, 1].mean() - level < 0.1 * SIZE_PX


@pytest.mark.parametrize("depth", [0.1, 0.2, 0.36])
def test_the_crease_is_below_the_line_as_far_as_is_said(depth):
    (line,), _, form = lines_of(depth)
    below = line["crease"][1] - line["line"][2]
    said = form.repetitions[0].value(DEPTH).value
    assert np.sign(below) == np.sign(said)
    assert below == pytest.approx(0.245 * SIZE_PX * np.sin(np.radians(said)), abs=4)


def test_no_line_from_the_front_or_without_a_depth():
    assert lines_of(0.3, degrees=0)[0] == []
    _, tracks, form = lines_of(0.3)
    bare = replace(form.repetitions[0], measures=())
    assert depth_lines(tracks, replace(form, repetitions=(bare,))) == []


def test_a_frame_finds_its_line():
    lines, *_ = lines_of(0.3)
    assert line_at(lines, lines[0]["first"]) is lines[0]
    assert line_at(lines, lines[0]["last"]) is lines[0]
    assert line_at(lines, lines[0]["last"] + 1) is None
    assert line_at([], 0) is None
