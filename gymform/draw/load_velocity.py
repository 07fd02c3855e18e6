"""A Plotly figure of load and velocity: sets, their line, and where it reaches the least speed."""

from __future__ import annotations

from collections.abc import Sequence

import pandas  # noqa: F401 - plotly fails if another thread has imported it only half
import plotly.graph_objects as go

HEIGHT_PX = 320
_BLUE, _ORANGE, _NEUTRAL = "#0072B2", "#D55E00", "#8A8F98"

Estimate = tuple[float, float, float, float]
"""Load kg, lowest and highest load of its interval, and the velocity there, m/s."""


def load_velocity_chart(
    loads_kg: Sequence[float],
    velocities: Sequence[float],
    names: Sequence[str],
    line: tuple[float, float] | None = None,
    estimate: Estimate | None = None,
) -> go.Figure:
    """Sets (N,) called ``names`` as points, velocity over load.

    ``line`` is its slope and intercept, drawn to the ``estimate`` or the heaviest load.
    """
    figure = go.Figure(
        go.Scatter(
            x=list(loads_kg), y=list(velocities), text=list(names), mode="markers", name="Sets",
            marker={"size": 11, "color": _BLUE},
            hovertemplate="%{text}: %{x:g} kg at %{y:.2f} m/s<extra></extra>",
        )
    )  # fmt: skip
    if line:
        slope, intercept = line
        ends = [min(loads_kg), estimate[0] if estimate else max(loads_kg)]
        figure.add_scatter(
            x=ends, y=[intercept + slope * x for x in ends], mode="lines", name="Line",
            line={"color": _NEUTRAL, "width": 2}, hoverinfo="skip",
        )  # fmt: skip
    if estimate:
        load, low, high, velocity = estimate
        figure.add_scatter(
            x=[load], y=[velocity], mode="markers", name="Estimate of the most",
            marker={"size": 13, "color": _ORANGE, "symbol": "diamond"},
            error_x={"type": "data", "symmetric": False, "array": [high - load],
                     "arrayminus": [load - low], "color": _ORANGE},
            hovertemplate="%{x:.0f} kg at %{y:.2f} m/s<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title="Load (kg)", zeroline=False)
    figure.update_yaxes(title="Mean speed of the bar (m/s)", rangemode="tozero", zeroline=False)
    figure.update_layout(
        height=HEIGHT_PX,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        dragmode=False,
    )
    return figure
