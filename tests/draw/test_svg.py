"""Line charts as SVG."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np

from gymform.draw.svg import MAX_POINTS, Line, line_chart

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
