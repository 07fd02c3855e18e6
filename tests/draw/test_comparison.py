"""Figures of a comparison."""

from __future__ import annotations

import numpy as np

from gymform.draw.comparison import FIRST, SECOND, Lines, curves, over_time


def test_each_quantity_has_a_panel_with_both_repetitions_and_the_band():
    line = np.linspace(0, 1, 21)
    panels = [
        Lines("Knee angle", "°", line, line + 1, line - 1, line + 2),
        Lines("Trunk lean", "°", line, line),
    ]
    figure = curves(panels, [("start", 0), ("bottom", 10), ("end", 20)], ("Anna", "Ben"))
    assert [one.name for one in figure.data] == [
        "Usual for the first", "Anna", "Ben", "Anna", "Ben"
    ]  # fmt: skip
    assert [one.name for one in figure.data if one.showlegend] == [
        "Usual for the first", "Anna", "Ben"
    ]  # fmt: skip
    assert [one.line.color for one in figure.data[1:3]] == [FIRST, SECOND]
    assert list(figure.layout.xaxis2.ticktext) == ["start", "bottom", "end"]
    assert list(figure.layout.xaxis2.tickvals) == [0, 10, 20]


def test_points_over_time_name_their_results():
    figure = over_time(["2026-01-01", "2026-01-08"], [3.0, 5.0], ["a", "b"], "Depth", "°")
    (line,) = figure.data
    assert list(line.text) == ["a", "b"]
    assert list(line.y) == [3.0, 5.0]
    assert "Depth" in figure.layout.yaxis.title.text
