"""Plotly figures of a comparison: curves of two repetitions, and a measure over weeks.

Pure functions from plain arrays to figures. The first repetition is blue, the second orange, the
band of what is usual grey.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from gymform import skeleton as sk

FIRST, SECOND = sk.COLOURS[sk.Side.LEFT], sk.COLOURS[sk.Side.RIGHT]
NEUTRAL = "#8A8F98"
_PANEL_HEIGHT = 170


@dataclass(frozen=True, eq=False)
class Lines:
    """One panel: ``title`` with ``unit``, both repetitions (N,), and the band of the usual."""

    title: str
    unit: str
    first: np.ndarray
    second: np.ndarray
    low: np.ndarray | None = None
    high: np.ndarray | None = None


def curves(
    panels: Sequence[Lines], moments: Sequence[tuple[str, int]], names: tuple[str, str]
) -> go.Figure:
    """One panel for each quantity over the samples; ``moments`` (name, sample) are marked."""
    figure = make_subplots(
        rows=max(1, len(panels)),
        shared_xaxes=True,
        vertical_spacing=0.18 / max(1, len(panels)),
        subplot_titles=[f"{one.title} ({one.unit})" for one in panels],
    )
    for row, one in enumerate(panels, start=1):
        samples = np.arange(len(one.first))
        if one.low is not None and one.high is not None:
            _add_band(figure, row, samples, one.low, one.high)
        for name, values, colour in (
            (names[0], one.first, FIRST), (names[1], one.second, SECOND)
        ):  # fmt: skip
            figure.add_trace(
                go.Scatter(
                    x=samples, y=values, name=name, mode="lines+markers", line_color=colour,
                    line_width=2.5, marker={"size": 6, "opacity": 0}, legendgroup=name,
                    showlegend=row == 1, hovertemplate="%{y:.0f}",
                ),
                row, 1,
            )  # fmt: skip
    for _, sample in moments:
        figure.add_vline(sample, line_color=NEUTRAL, line_width=1, line_dash="dot")
    _lay_out(figure, len(panels), moments)
    return figure


def _add_band(
    figure: go.Figure, row: int, samples: np.ndarray, low: np.ndarray, high: np.ndarray
) -> None:
    """What is usual for the first lifter, as a grey band."""
    around = np.concatenate([samples, samples[::-1]])
    figure.add_trace(
        go.Scatter(
            x=around, y=np.concatenate([high, low[::-1]]), fill="toself", mode="lines",
            line_width=0, fillcolor="rgba(138, 143, 152, 0.22)", hoverinfo="skip",
            name="Usual for the first", legendgroup="usual", showlegend=row == 1,
        ),
        row, 1,
    )  # fmt: skip


def _lay_out(figure: go.Figure, rows: int, moments: Sequence[tuple[str, int]]) -> None:
    figure.update_xaxes(showgrid=False, zeroline=False)
    figure.update_xaxes(
        tickmode="array",
        tickvals=[sample for _, sample in moments],
        ticktext=[name for name, _ in moments],
    )
    figure.update_yaxes(zeroline=False)
    figure.update_annotations(x=0, xanchor="left", font_size=13)
    height = _PANEL_HEIGHT * max(1, rows)
    figure.update_layout(
        height=height + 96,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        legend={"orientation": "h", "x": 0, "y": 1 + 28 / height, "yanchor": "bottom"},
        hovermode="x unified",
        clickmode="event+select",
        dragmode=False,
    )


def over_time(days: Sequence[str], values: Sequence[float], labels: Sequence[str], title: str,
              unit: str) -> go.Figure:  # fmt: skip
    """A measure of several results by their days (ISO); each point names its result."""
    figure = go.Figure(
        go.Scatter(
            x=list(days), y=list(values), text=list(labels), mode="lines+markers",
            line_color=FIRST, marker={"size": 12},
            customdata=list(range(len(days))),
            hovertemplate="%{text}<br>%{y:.1f} " + unit + "<extra></extra>",
        )
    )  # fmt: skip
    figure.update_yaxes(title=f"{title} ({unit})", zeroline=False)
    figure.update_layout(
        height=320, margin={"l": 8, "r": 8, "t": 8, "b": 8}, clickmode="event+select",
        dragmode=False, showlegend=False,
    )  # fmt: skip
    return figure
