"""Plotly figures of the bar: its path with equal axes, and its speed over time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas  # noqa: F401 - plotly fails if another thread has imported it only half
import plotly.graph_objects as go

from gymform.bar.carrier import Bar

SIDE_PX = 360
_NEUTRAL = "#8A8F98"
_HUES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
"""Okabe & Ito's colours, one after another for repetitions."""

Spans = Sequence[tuple[float, float]]


def length_of(bar: Bar) -> tuple[str, float]:
    """The unit of lengths, and how many of it a px is: cm where the size is known."""
    return ("px", 1.0) if bar.mm_per_px is None else ("cm", bar.mm_per_px / 10)


Midfoots = Sequence[tuple[float, float]]
"""Where the midfoot is at a second: how far right of the bar, cm."""


def bar_paths(bar: Bar, repetitions: Spans, midfoots: Midfoots = ()) -> go.Figure:
    """The path of each repetition (start, end) s, from where it begins; up is up.

    Both axes have the same scale. Every point has its second as ``customdata``. A line shows where
    the middle of the foot is, the median of repetitions.
    """
    unit, scale = length_of(bar)
    figure = go.Figure()
    for number, (start, end) in enumerate(repetitions, 1):
        rows = np.flatnonzero((bar.time_s >= start) & (bar.time_s <= end))
        known = rows[np.isfinite(bar.still[rows]).all(axis=1)]
        if not len(known):
            continue
        path = (bar.still[rows] - bar.still[known[0]]) * (scale, -scale)
        figure.add_trace(
            go.Scatter(
                x=path[:, 0],
                y=path[:, 1],
                customdata=bar.time_s[rows],
                mode="lines+markers",
                name=f"Repetition {number}",
                line={"color": _HUES[(number - 1) % len(_HUES)]},
                marker={"size": 6, "opacity": 0},
                selected={"marker": {"opacity": 0}},
                unselected={"marker": {"opacity": 0}},
                hovertemplate="%{customdata:.2f} s: %{x:.3~g} sideways, %{y:.3~g} up",
            )
        )
    figure.add_vline(0, line={"color": _NEUTRAL, "width": 1, "dash": "dot"})
    lines = [x for second, cm in midfoots if (x := _at_foot(bar, repetitions, second, cm))]
    if lines and bar.mm_per_px is not None:
        look = {"color": _NEUTRAL, "width": 2, "dash": "dash"}
        figure.add_vline(float(np.median(lines)), line=look)
        # a line of its own in the legend: beside the path its name would lie on it
        figure.add_scatter(x=[None], y=[None], mode="lines", name="Midfoot", line=look)
    figure.update_xaxes(title=f"Sideways ({unit})", zeroline=False)
    figure.update_yaxes(title=f"Up ({unit})", zeroline=False, scaleanchor="x", scaleratio=1)
    return _laid_out(figure)


def _at_foot(bar: Bar, repetitions: Spans, second: float, cm: float) -> float | None:
    """The chart's x of a midfoot that is ``cm`` right of the bar at a second; None where unknown.

    A path of the chart begins at 0, wherever the repetition does.
    """
    for start, end in repetitions:
        rows = np.flatnonzero((bar.time_s >= start) & (bar.time_s <= end))
        known = rows[np.isfinite(bar.still[rows]).all(axis=1)]
        if len(known) and start <= second + 1e-6 and second <= end:
            there = np.interp(second, bar.time_s, bar.still[:, 0])
            _, scale = length_of(bar)
            return float((there - bar.still[known[0], 0]) * scale + cm)
    return None


def bar_speed(bar: Bar, repetitions: Spans, slow_motion: float = 1.0) -> go.Figure:
    """The bar's speed upwards over the seconds of the clip, repetitions shaded."""
    unit, scale = ("px", 1.0) if bar.mm_per_px is None else ("m", bar.mm_per_px / 1000)
    up = -bar.velocity[:, 1] * scale * slow_motion
    figure = go.Figure(
        go.Scatter(
            x=bar.time_s,
            y=up,
            customdata=bar.time_s,
            mode="lines+markers",
            name="Speed upwards",
            line={"color": _HUES[0]},
            marker={"size": 6, "opacity": 0},
            showlegend=False,
            selected={"marker": {"opacity": 0}},
            unselected={"marker": {"opacity": 0}},
            hovertemplate="%{x:.2f} s: %{y:.2f} " + f"{unit}/s<extra></extra>",
        )
    )
    for start, end in repetitions:
        figure.add_vrect(start, end, fillcolor=_NEUTRAL, opacity=0.07, line_width=0)
    figure.add_hline(0, line={"color": _NEUTRAL, "width": 1})
    figure.update_xaxes(title="Time (s)", showgrid=False, zeroline=False)
    figure.update_yaxes(title=f"Upwards ({unit}/s)", zeroline=False)
    return _laid_out(figure)


def describe_bar(bar: Bar, repetitions: Spans) -> str:
    """What the charts show, for people who do not see them."""
    count = len(repetitions)
    return f"The bar's path in {count} repetition{'' if count == 1 else 's'}, and its speed."


def _laid_out(figure: go.Figure) -> go.Figure:
    figure.update_layout(
        height=SIDE_PX,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        clickmode="event+select",
        dragmode=False,
    )
    return figure
