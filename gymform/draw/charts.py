"""Plotly figures of an analysis: trajectories, probabilities, keypoint scores.

Pure functions from carriers to figures, without Streamlit. The colour of a line shows the side of
the body (Okabe-Ito, `skeleton.COLOURS`) and its dash the joint, so that no chart needs more than
three hues. Faint lines are raw keypoints, bold ones cleaned.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas  # noqa: F401 - plotly fails if another thread has imported it only half
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from gymform import skeleton as sk
from gymform import types
from gymform.exercises import name_of, title_of
from gymform.motion.angles import joint_angles
from gymform.motion.body_size import midpoint, stature
from gymform.types import UNKNOWN, CleanTracks, PoseSequence, Prediction

QUANTITIES: dict[str, str] = {
    "y": "Height (y)",
    "x": "Sideways (x)",
    "speed": "Speed",
    "angle": "Angle",
    "score": "Confidence",
}
"""The quantities that a trajectory chart can show, with their titles."""

_AXIS_TITLES = {"y": "px", "x": "px", "speed": "px/s", "angle": "°", "score": "0 to 1"}
BODY, CM, PIXELS = "body", "cm", "px"
UNITS: dict[str, str] = {BODY: "body heights", CM: "cm", PIXELS: "px"}
"""Units of length in charts: per cent of the lifter's height, cm where somebody said how tall the
lifter is, or px of the picture."""

_UNIT_TITLES = {BODY: "% of height", CM: "cm", PIXELS: "px"}

MOST_BARS = 6
"""The most classes that the chart of probabilities shows, the likeliest ones."""

_RAW_OPACITY = {"y": 0.35, "x": 0.35, "speed": 0.15, "angle": 0.15}
_MAX_POINTS = 1200
"""The most points of one line: more than a screen has pixels only slows the browser down."""

_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_PARTS = ("wrist", "hip", "knee", "shoulder", "elbow", "ankle")
_NEUTRAL = "#8A8F98"
"""A grey that is visible on white and on black, for everything without a side."""

_PANEL_HEIGHT = 150


def joint_name(keypoint: int) -> str:
    """The name of a keypoint for people: "Left wrist"."""
    return sk.KEYPOINTS[keypoint].replace("_", " ").capitalize()


def default_joints(pose: PoseSequence) -> list[int]:
    """Wrist, hip and knee on the side that the camera sees better: three lines describe a lift."""
    left, right = (
        [sk.INDEX[f"{side}_{part}"] for part in ("wrist", "hip", "knee")]
        for side in ("left", "right")
    )
    return left if pose.score[:, left].mean() >= pose.score[:, right].mean() else right


def nearest_frame(pose: PoseSequence, time_s: float) -> int:
    """Index of the frame whose time stamp is closest to ``time_s``."""
    return int(np.abs(pose.time_s - time_s).argmin())


def trajectories(
    pose: PoseSequence,
    tracks: CleanTracks,
    joints: Sequence[int],
    quantities: Sequence[str] = tuple(QUANTITIES),
    *,
    windows: Sequence[tuple[float, float]] = (),
    unit: str = PIXELS,
    height_cm: float | None = None,
) -> go.Figure:
    """One panel per quantity over a shared time axis, one line per joint.

    Lengths are in ``unit``, one of :data:`UNITS`; cm need the lifter's ``height_cm``, without which
    they are in body heights, and where the lifter's height in the picture is not known, in px.
    ``windows`` (start_s, end_s) are shaded. Every point has its frame index as ``customdata``, so
    that a click leads to a frame. Lines have invisible markers, because Plotly reports no clicks on
    a line alone.
    """
    pose, tracks, unit = _in_unit(pose, tracks, unit, height_cm)
    figure = make_subplots(
        rows=max(1, len(quantities)),
        shared_xaxes=True,
        vertical_spacing=0.18 / max(1, len(quantities)),
        subplot_titles=[QUANTITIES[name] for name in quantities],
    )
    for row, quantity in enumerate(quantities, start=1):
        raw, clean = _values(pose, tracks, quantity)
        bold = raw if clean is None else clean
        for joint in joints:
            if clean is not None:
                faint = _raw_line(pose, joint, raw[:, joint], _RAW_OPACITY[quantity])
                figure.add_trace(faint, row, 1)
            figure.add_trace(_bold_line(pose, joint, bold[:, joint], row == 1), row, 1)
        _set_axis(figure, row, quantity, bold[:, list(joints)], unit)
    for start_s, end_s in windows:
        figure.add_vrect(start_s, end_s, fillcolor=_NEUTRAL, opacity=0.07, line_width=0)
    _lay_out(figure, len(quantities))
    return figure


def values_at(
    pose: PoseSequence,
    tracks: CleanTracks,
    joints: Sequence[int],
    frame: int,
    *,
    unit: str = PIXELS,
    height_cm: float | None = None,
) -> dict[str, list[str | float | None]]:
    """Columns of a table with the cleaned values of ``joints`` at one frame; None where unknown.

    A frame before the start or after the end becomes the first or the last one. Units are as in
    :func:`trajectories`.
    """
    frame = min(max(frame, 0), len(pose) - 1)
    pose, tracks, unit = _in_unit(pose, tracks, unit, height_cm)
    length = _UNIT_TITLES[unit]
    columns = {
        f"y ({length})": tracks.xy[frame, :, 1],
        f"x ({length})": tracks.xy[frame, :, 0],
        f"Speed ({length}/s)": np.linalg.norm(tracks.velocity[frame], axis=-1),
        "Angle (°)": joint_angles(tracks.xy[frame]),
        "Confidence": pose.score[frame],
    }
    table: dict[str, list[str | float | None]] = {"Joint": [joint_name(joint) for joint in joints]}
    for title, values in columns.items():
        known = np.asarray(values, np.float64)[list(joints)].round(2).tolist()
        table[title] = [value if np.isfinite(value) else None for value in known]
    return table


def probabilities(prediction: Prediction) -> go.Figure:
    """Horizontal bars of the likeliest classes, the first on top; the predicted one stands out."""
    order = np.argsort(prediction.probabilities)[-MOST_BARS:]
    titles = [title_of(prediction.classes[i]) for i in order]
    names = [html.escape(title, quote=False) for title in titles]
    values = [prediction.probabilities[i] for i in order]
    chosen = [prediction.classes[i] == prediction.label for i in order]
    figure = go.Figure(
        go.Bar(
            x=values,
            y=names,
            orientation="h",
            marker_color=[sk.COLOURS[sk.Side.CENTRE] if c else _NEUTRAL for c in chosen],
            marker_opacity=[1.0 if c or prediction.label == UNKNOWN else 0.6 for c in chosen],
            text=[percent(value) for value in values],
            textposition="outside",
            textfont_size=14,
            cliponaxis=False,
            hovertemplate="%{y}: %{x:.1%}<extra></extra>",
        )
    )
    figure.update_xaxes(range=[0, 1.18], visible=False, fixedrange=True)
    figure.update_yaxes(
        ticksuffix="  ", tickfont_size=14, showgrid=False, fixedrange=True, automargin=True
    )
    figure.update_layout(
        height=38 * len(names) + 12,
        margin={"l": 0, "r": 0, "t": 4, "b": 4},
        bargap=0.42,
        showlegend=False,
    )
    return figure


def confidence_map(pose: PoseSequence) -> go.Figure:
    """Every keypoint's score over time as a heat map: which joints to trust, and when."""
    shown = _spread(len(pose), _MAX_POINTS)
    figure = go.Figure(
        go.Heatmap(
            z=pose.score[shown].T,
            x=pose.time_s[shown],
            y=[joint_name(k) for k in range(sk.NUM_KEYPOINTS)],
            zmin=0,
            zmax=1,
            colorscale="Cividis",
            colorbar={"title": "score", "thickness": 10, "outlinewidth": 0},
            hovertemplate="%{y}, %{x:.2f} s: %{z:.2f}<extra></extra>",
        )
    )
    figure.update_yaxes(autorange="reversed", automargin=True, showgrid=False, fixedrange=True)
    figure.update_xaxes(title="Time (s)", showgrid=False, fixedrange=True)
    figure.update_layout(height=380, margin={"l": 0, "r": 0, "t": 8, "b": 8})
    return figure


def describe_trajectories(joints: Sequence[int], quantities: Sequence[str]) -> str:
    """The trajectory chart in words, for a screen reader."""
    if not joints or not quantities:
        return "Trajectory chart without any joint or quantity chosen."
    names = ", ".join(joint_name(joint).lower() for joint in joints)
    titles = ", ".join(QUANTITIES[name].lower() for name in quantities)
    return f"Line charts over time of {titles} for {names}; faint lines are raw, bold ones cleaned."


def describe_probabilities(prediction: Prediction) -> str:
    """The probability bars in words, for a screen reader, likeliest first."""
    pairs = sorted(zip(prediction.probabilities, prediction.classes, strict=True), reverse=True)
    named = [f"{name_of(name)} {percent(value)}" for value, name in pairs[:MOST_BARS]]
    return f"Probabilities: {', '.join(named)}."


def percent(value: float) -> str:
    """A share as text for charts and pages, "94 %"; see :func:`gymform.types.percent`."""
    return types.percent(value).replace("%", " %")


def _values(
    pose: PoseSequence, tracks: CleanTracks, quantity: str
) -> tuple[np.ndarray, np.ndarray | None]:
    """Raw and cleaned values (T, 17) of one quantity; for scores, None instead of the cleaned ones.

    Angles are between two limbs in the picture; wrists, ankles and the head have none.
    """
    if quantity == "score":
        return pose.score, None
    if quantity == "angle":
        return joint_angles(pose.xy), joint_angles(tracks.xy)
    if quantity == "speed":
        return _raw_speed(pose), np.linalg.norm(tracks.velocity, axis=-1)
    axis = {"x": 0, "y": 1}[quantity]
    return pose.xy[..., axis], tracks.xy[..., axis]


def _raw_speed(pose: PoseSequence) -> np.ndarray:
    """px/s (T, 17) by central differences of the raw keypoints, NaN next to gaps."""
    if len(pose) < 2:
        return np.full(pose.score.shape, np.nan)
    return np.asarray(np.linalg.norm(np.gradient(pose.xy, pose.time_s, axis=0), axis=-1))


def _spread(count: int, most: int) -> np.ndarray:
    """At most ``most`` indices below ``count``, evenly spread, with the first and the last one."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))


def _raw_line(pose: PoseSequence, joint: int, values: np.ndarray, opacity: float) -> go.Scatter:
    """The raw line of one joint: thin and faint."""
    look = {"name": f"{joint_name(joint)}, raw", "showlegend": False, "hoverinfo": "skip"}
    return _line(pose, joint, values, line_width=1, opacity=opacity, **look)


def _bold_line(pose: PoseSequence, joint: int, values: np.ndarray, legend: bool) -> go.Scatter:
    """The main line of one joint: dashed by joint, named in the legend, with values on hovering."""
    hover = "%{x:.3f} s, frame %{customdata}: %{y:.4~g}"
    look = {"name": joint_name(joint), "showlegend": legend, "hovertemplate": hover}
    return _line(pose, joint, values, line_width=2.5, line_dash=_dash(joint), **look)


def _line(pose: PoseSequence, joint: int, values: np.ndarray, **look: Any) -> go.Scatter:
    """A line of ``values`` (T,) over time; every point can be clicked and has its frame index."""
    shown = _spread(len(pose), _MAX_POINTS)
    invisible = {"marker": {"opacity": 0}}  # markers only take clicks and must not hide the dashes
    return go.Scatter(
        x=pose.time_s[shown],
        y=values[shown],
        customdata=shown,
        mode="lines+markers",
        line_color=_colour(joint),
        marker={"size": 7, "opacity": 0, "color": _colour(joint)},
        selected=invisible,
        unselected=invisible,
        legendgroup=joint_name(joint),
        **look,
    )


def _in_unit(
    pose: PoseSequence, tracks: CleanTracks, unit: str, height_cm: float | None
) -> tuple[PoseSequence, CleanTracks, str]:
    """Both with lengths in ``unit``, and the unit that they are in.

    In body heights and cm places are those over the feet: y points up from the ankles, x to the
    right of their middle. In px they are those of the picture, with y down.
    """
    size = stature(tracks.xy)
    if unit == PIXELS or not np.isfinite(size):
        return pose, tracks, PIXELS
    unit = CM if unit == CM and height_cm else BODY
    factor = np.float32((height_cm if unit == CM and height_cm else 100) / size)
    feet = np.nan_to_num(np.nanmedian(midpoint(tracks.xy, sk.ANKLES), axis=0)).astype(np.float32)
    up = np.array([factor, -factor], np.float32)
    scaled = replace(tracks, xy=(tracks.xy - feet) * up, velocity=tracks.velocity * factor)
    return replace(pose, xy=(pose.xy - feet) * up), scaled, unit


def _set_axis(
    figure: go.Figure, row: int, quantity: str, shown: np.ndarray, unit: str = PIXELS
) -> None:
    """Unit, direction and range of one panel's value axis."""
    title = _AXIS_TITLES[quantity]
    title = title.replace("px", _UNIT_TITLES[unit])
    figure.update_yaxes(title=title, row=row, col=1, zeroline=False)
    if quantity == "y" and unit == PIXELS:  # down in pictures: reversed, so that up is up
        figure.update_yaxes(autorange="reversed", row=row, col=1)
    if quantity == "score":
        figure.update_yaxes(range=[0, 1.05], row=row, col=1)
    if quantity == "speed" and np.isfinite(shown).any():
        # raw speed is mostly noise, so the cleaned one sets the scale
        figure.update_yaxes(range=[0, 1.25 * max(float(np.nanmax(shown)), 1e-6)], row=row, col=1)


def _lay_out(figure: go.Figure, rows: int) -> None:
    """Put the legend above and the time below, with one hover card for all joints of a panel."""
    figure.update_xaxes(showgrid=False, zeroline=False)
    figure.update_xaxes(title="Time (s)", row=max(1, rows), col=1)
    figure.update_annotations(x=0, xanchor="left", font_size=13)
    figure.update_layout(
        height=_PANEL_HEIGHT * max(1, rows) + 96,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        legend={
            "orientation": "h",
            "x": 0,
            "y": 1 + 24 / (_PANEL_HEIGHT * max(1, rows)),  # above the first panel's title
            "yanchor": "bottom",
            "title": None,
        },
        hovermode="x unified",
        clickmode="event+select",
        dragmode=False,
    )


def _colour(joint: int) -> str:
    return sk.COLOURS[sk.side_of(joint)]


def _part(joint: int) -> int:
    """The index in ``_PARTS`` of the joint's body part, the same for left and right."""
    part = sk.KEYPOINTS[joint].rpartition("_")[2]
    return _PARTS.index(part) if part in _PARTS else len(_PARTS) - 1


def _dash(joint: int) -> str:
    return _DASHES[_part(joint)]
