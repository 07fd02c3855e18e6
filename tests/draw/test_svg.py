"""Line charts as SVG."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from gymform.draw.svg import MAX_POINTS, WIDTH, Line, line_chart, round_ticks

TIME = np.linspace(0, 4, 200)


def test_lines_lie_where_their_values_are_and_break_where_nothing_is_known():
    values = np.where((TIME > 1) & (TIME < 2), np.nan, TIME)
    root = ET.fromstring(line_chart("A <b> & c", "°", TIME, [Line("Knee", values, "#0072B2")]))
    assert "A <b> & c" in root.attrib["aria-label"]
    (path,) = root.findall("path")
    assert path.attrib["d"].count("M") == 2
    first, *_, last = path.attrib["d"].replace("M", "L").split("L")[1:]
    (x0, y0), (x1, y1) = (tuple(map(float, one.split())) for one in (first, last))
    assert x0 < x1
    assert y0 > y1  # higher values are higher up


def test_spans_are_shaded_with_their_numbers():
    root = ET.fromstring(
        line_chart("Angles", "°", TIME, [Line("Knee", TIME, "#000")], [(0.5, 1.5), (2, 9)])
    )
    left, right = root.findall("rect")
    assert float(left.attrib["width"]) > 0
    assert float(right.attrib["x"]) + float(right.attrib["width"]) <= 720
    assert {"1", "2"} <= {text.text for text in root.findall("text")}


def test_many_points_are_thinned_and_nothing_known_is_no_chart():
    time_s = np.arange(10 * MAX_POINTS) / 100
    text = line_chart("A", "°", time_s, [Line("a", time_s, "#000")])
    assert text.count("L") < 1.1 * MAX_POINTS
    assert line_chart("A", "°", TIME, [Line("a", TIME * np.nan, "#000")]) == ""
    assert line_chart("A", "°", TIME[:1], [Line("a", TIME[:1], "#000")]) == ""


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        (0, 5.6, 8, [0, 1, 2, 3, 4, 5]),
        (-3.2, 184, 4, [0, 50, 100, 150]),
        (0.12, 0.31, 4, [0.15, 0.2, 0.25, 0.3]),
        (7, 7, 4, [7]),
    ],
)
def test_ticks_are_round_and_within_the_range(low, high, most, expected):
    found = round_ticks(low, high, most)
    assert found == pytest.approx(expected)
    assert "-0" not in [f"{tick:g}" for tick in found]


def test_no_text_reaches_over_the_edge():
    """Seconds at the right edge end there: a text there in the middle of its place would be cut."""
    time_s = np.linspace(0, 4, 50)
    root = ET.fromstring(line_chart("A", "°", time_s, [Line("a", time_s, "#000")]))
    (last,) = [text for text in root.findall("text") if text.text == "4 s"]
    assert last.attrib["text-anchor"] == "end"
    assert float(last.attrib["x"]) <= WIDTH
