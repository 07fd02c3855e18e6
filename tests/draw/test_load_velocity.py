"""The chart of load and velocity."""

import pytest

from gymform.draw.load_velocity import load_velocity_chart

LOADS, SPEEDS, NAMES = [60.0, 100.0], [0.8, 0.5], ["a", "b"]


def test_sets_alone_where_there_is_no_line():
    (points,) = load_velocity_chart(LOADS, SPEEDS, NAMES).data
    assert list(points.x) == LOADS
    assert list(points.text) == NAMES


def test_a_line_without_an_estimate_ends_at_the_heaviest_load():
    line = load_velocity_chart(LOADS, SPEEDS, NAMES, (-0.0075, 1.25)).data[1]
    assert list(line.x) == [60, 100]
    assert list(line.y) == pytest.approx([0.8, 0.5])


def test_the_estimate_has_its_interval():
    figure = load_velocity_chart(LOADS, SPEEDS, NAMES, (-0.0075, 1.25), (126.0, 110.0, 150.0, 0.3))
    _, line, most = figure.data
    assert line.x[1] == most.x[0] == 126
    assert (most.error_x.array[0], most.error_x.arrayminus[0]) == (24, 16)
