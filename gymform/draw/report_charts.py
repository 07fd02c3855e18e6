"""Plotly figures of a training and its report: curves, confusion, calibration, accuracy.

Pure functions from plain numbers to figures, without Streamlit or a network. Green is right,
vermilion wrong, blue training and orange validation: Okabe & Ito's palette, as in `charts`, pale
enough for the theme's text to stay legible in light and dark mode. Shares have 95 % intervals,
because most data sets are small.
"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from gymform import skeleton as sk
from gymform.draw.charts import percent
from gymform.exercises import title_of
from gymform.text import cleaned

TRAINING, VALIDATION = sk.COLOURS[sk.Side.LEFT], sk.COLOURS[sk.Side.RIGHT]
RIGHT, WRONG = sk.COLOURS[sk.Side.CENTRE], "#D55E00"
NEUTRAL = "#8A8F98"
"""A grey that is visible on white and on black."""

_RIGHT_CELL, _WRONG_CELL = "#007A59", "#B84F00"
"""Darker versions of right and wrong: white text on them has a contrast of 5 to 1."""

_STRONG = 0.4
"""Cells with at least this share of their row are filled, and their counts written in white."""

_BAR_HEIGHT = 34
_MAX_POINTS = 1200
"""The most points of one line: more than a screen has pixels only slows the browser down."""


def wilson(right: float, count: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's confidence interval, by default of 95 %, for a share of ``right`` in ``count``.

    (0, 1) for a count of 0. Source: Wilson, "Probable Inference", JASA 1927.
    """
    if count <= 0:
        return 0.0, 1.0
    share = right / count
    centre = share + z * z / (2 * count)
    spread = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    scale = 1 + z * z / count
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


# -- during training -------------------------------------------------------------------------


def training_curves(
    steps: Sequence[int],
    train_loss: Sequence[float | None],
    val_loss: Sequence[float | None],
    val_accuracy: Sequence[float | None],
    folds: Sequence[int],
) -> go.Figure:
    """Loss and, below it, accuracy on held-out clips over the steps; None where not measured.

    The sequences are columns of the log. The last fold is drawn bold, the earlier ones faint.
    """
    figure = make_subplots(
        rows=2,
        shared_xaxes=True,
        vertical_spacing=0.14,
        subplot_titles=["Loss", "Accuracy on held-out clips"],
    )
    order = list(dict.fromkeys(folds))
    for fold in order:
        rows = _thinned([row for row, its_fold in enumerate(folds) if its_fold == fold])
        newest = fold == order[-1]
        lines = (
            ("Training", train_loss, TRAINING, 1),
            ("Validation", val_loss, VALIDATION, 1),
            ("Accuracy", val_accuracy, VALIDATION, 2),
        )
        for name, values, colour, panel in lines:
            known = [row for row in rows if values[row] is not None]
            trace = go.Scatter(
                x=[steps[row] for row in known],
                y=[values[row] for row in known],
                name=name,
                mode="lines" if len(known) > 1 else "markers",
                line={"color": colour, "width": 2.5 if newest else 1},
                marker_color=colour,
                opacity=1 if newest else 0.35,
                showlegend=newest and panel == 1,
                hovertemplate="%{y:.1%}" if panel == 2 else "%{y:.3f}",
                hoverinfo=None if newest else "skip",
            )
            figure.add_trace(trace, panel, 1)
    figure.update_yaxes(rangemode="tozero", row=1, col=1)
    figure.update_yaxes(range=[0, 1.03], tickformat=".0%", row=2, col=1)
    figure.update_xaxes(title="Step", row=2, col=1)
    figure.update_annotations(x=0, xanchor="left", font_size=13)
    _style(figure, height=400, legend=True)
    figure.update_layout(hovermode="x unified")
    return figure


def describe_training(val_accuracy: Sequence[float | None]) -> str:
    """The training curves in words, for a screen reader."""
    known = [value for value in val_accuracy if value is not None]
    last = f", last {percent(known[-1])}" if known else ""
    return f"Loss in training and validation, and accuracy on held-out clips{last}, over the steps."


# -- the report ------------------------------------------------------------------------------


def confusion(classes: Sequence[str], matrix: Sequence[Sequence[int]]) -> go.Figure:
    """A confusion matrix: rows are true classes, columns predicted ones, cells hold the counts.

    Cells are green (right) or vermilion (wrong), the stronger the larger their share of the row.
    Plotly reports no clicks on a heat map, so every cell has an invisible marker whose
    ``customdata`` are the indices ``[true, predicted]``: a click leads to a list of clips.
    """
    names = [_label(name) for name in classes]
    totals = [max(1, sum(row)) for row in matrix]
    share = [[n / total for n in row] for row, total in zip(matrix, totals, strict=True)]
    figure = go.Figure()
    for colour, diagonal in ((_RIGHT_CELL, True), (_WRONG_CELL, False)):
        z = [
            [value if (i == j) == diagonal else None for j, value in enumerate(row)]
            for i, row in enumerate(share)
        ]
        figure.add_trace(_cells(names, z, colour))
    pairs = [(i, j) for i in range(len(names)) for j in range(len(names))]
    invisible = {"marker": {"opacity": 0}}
    figure.add_trace(
        go.Scatter(
            x=[names[j] for _, j in pairs],
            y=[names[i] for i, _ in pairs],
            customdata=[[i, j] for i, j in pairs],
            mode="markers",
            marker={"symbol": "square", "size": 44, "opacity": 0},
            selected=invisible,
            unselected=invisible,
            hovertext=[
                f"{names[i]} taken for {names[j]}: {matrix[i][j]} of {sum(matrix[i])}"
                for i, j in pairs
            ],
            hovertemplate="%{hovertext}<extra></extra>",
        )
    )
    for i, j in pairs:  # annotations, since a click on a point would fade the text of the others
        if matrix[i][j]:
            ink = {"color": "white"} if share[i][j] >= _STRONG else {}  # else the theme's own
            figure.add_annotation(
                x=names[j],
                y=names[i],
                text=f"<b>{matrix[i][j]}</b>",
                showarrow=False,
                font={"size": 15} | ink,
            )
    figure.update_xaxes(title="Predicted", side="top", type="category", automargin=True)
    figure.update_yaxes(
        title="True class", type="category", autorange="reversed", automargin=True, showgrid=False
    )
    _style(figure, height=58 * len(names) + 90)
    figure.update_layout(clickmode="event+select", showlegend=False)
    return figure


def describe_confusion(classes: Sequence[str], matrix: Sequence[Sequence[int]]) -> str:
    """The confusion matrix in words: which class is mistaken for which, most frequent first."""
    wrong = sorted(
        (-n, title_of(classes[i]), title_of(classes[j]))
        for i, row in enumerate(matrix)
        for j, n in enumerate(row)
        if i != j and n
    )
    if not wrong:
        return "Confusion matrix: no clip was mistaken."
    return "Confusion matrix: " + ", ".join(f"{a} for {b} {-n}" for n, a, b in wrong) + "."


def reliability(
    confidence: Sequence[float], accuracy: Sequence[float], counts: Sequence[int]
) -> go.Figure:
    """A reliability diagram: accuracy over confidence, one point for each bin that holds clips.

    On the diagonal, a confidence of 80 % means right 8 times out of 10. A point's size shows how
    many clips its bin holds.
    """
    known = [k for k, count in enumerate(counts) if count]
    most = max((counts[k] for k in known), default=1)
    figure = go.Figure(
        go.Scatter(
            x=[0, 1],
            y=[0, 1],
            mode="lines",
            name="As sure as right",
            line={"color": NEUTRAL, "dash": "dash", "width": 1.5},
            hoverinfo="skip",
        )
    )
    figure.add_trace(
        go.Scatter(
            x=[confidence[k] for k in known],
            y=[accuracy[k] for k in known],
            error_y=_error_bars([(accuracy[k], counts[k]) for k in known]),
            customdata=[counts[k] for k in known],
            mode="markers",
            name="Clips",
            marker={
                "color": TRAINING,
                "size": [8 + 16 * math.sqrt(counts[k] / most) for k in known],
                "line": {"width": 0},
            },
            hovertemplate="%{x:.0%} sure, %{y:.0%} right, %{customdata} clips<extra></extra>",
        )
    )
    figure.update_xaxes(title="Confidence", range=[-0.03, 1.06], tickformat=".0%")
    figure.update_yaxes(title="Right", range=[-0.05, 1.06], tickformat=".0%")
    _style(figure, height=340, legend=True)
    return figure


def class_bars(
    classes: Sequence[str],
    precision: Sequence[float],
    recall: Sequence[float],
    f1: Sequence[float],
) -> go.Figure:
    """Precision, recall and F1 of every class side by side."""
    figure = go.Figure()
    parts = (("Precision", precision, TRAINING), ("Recall", recall, RIGHT), ("F1", f1, NEUTRAL))
    for name, values, colour in parts:
        figure.add_trace(
            go.Bar(
                x=[_label(one) for one in classes],
                y=list(values),
                name=name,
                marker_color=colour,
                hovertemplate="%{y:.1%}",
            )
        )
    figure.update_yaxes(range=[0, 1.03], tickformat=".0%")
    figure.update_xaxes(type="category", automargin=True)
    _style(figure, height=300, legend=True)
    figure.update_layout(barmode="group", bargap=0.3, hovermode="x unified")
    return figure


def accuracy_bars(parts: Mapping[str, tuple[float, int]]) -> go.Figure:
    """Accuracy of each part of the data (share right, clips) with its 95 % interval, as rows."""
    names = list(parts)[::-1]  # plotly draws upwards
    figure = go.Figure(
        go.Scatter(
            x=[parts[name][0] for name in names],
            y=[f"{_label(name)} ({parts[name][1]})" for name in names],
            error_x=_error_bars([parts[name] for name in names]),
            mode="markers",
            marker={"color": RIGHT, "size": 11},
            customdata=[list(wilson(share * n, n)) for share, n in (parts[k] for k in names)],
            hovertemplate="%{y}: %{x:.0%}, by chance anything from %{customdata[0]:.0%} "
            "to %{customdata[1]:.0%}<extra></extra>",
        )
    )
    figure.update_xaxes(range=[0, 1.03], tickformat=".0%")
    figure.update_yaxes(type="category", automargin=True, showgrid=False, ticksuffix="  ")
    _style(figure, height=_BAR_HEIGHT * max(1, len(names)) + 56)
    figure.update_layout(showlegend=False)
    return figure


def describe_accuracy(parts: Mapping[str, tuple[float, int]]) -> str:
    """The accuracy of each part of the data in words."""
    return ", ".join(
        f"{title_of(name)} {percent(share)} of {n} clips" for name, (share, n) in parts.items()
    )


def learning_curve(
    clips: Sequence[int],
    training: Sequence[float | None],
    validation: Sequence[float],
    counts: Sequence[int],
) -> go.Figure:
    """Accuracy over the number of training clips; ``counts`` are the held-out clips at each.

    The band is the 95 % interval of the held-out accuracy. If that still rises, more clips help.
    """
    bounds = [wilson(share * n, n) for share, n in zip(validation, counts, strict=True)]
    figure = go.Figure()
    for values, fill in (([low for low, _ in bounds], None), ([up for _, up in bounds], "tonexty")):
        figure.add_trace(
            go.Scatter(
                x=list(clips),
                y=values,
                fill=fill,
                fillcolor=_with_alpha(VALIDATION, 0.18),
                mode="lines",
                line_width=0,
                showlegend=False,
                hoverinfo="skip",
            )
        )
    lines = (("Training", training, TRAINING), ("Held out", validation, VALIDATION))
    for name, shares, colour in lines:
        if any(share is not None for share in shares):
            figure.add_trace(
                go.Scatter(
                    x=list(clips),
                    y=list(shares),
                    name=name,
                    mode="lines+markers",
                    line={"color": colour, "width": 2.5},
                    hovertemplate="%{y:.1%}",
                )
            )
    figure.update_xaxes(title="Clips trained on", rangemode="tozero")
    figure.update_yaxes(range=[0, 1.03], tickformat=".0%", title="Accuracy")
    _style(figure, height=320, legend=True)
    figure.update_layout(hovermode="x unified")
    return figure


def clip_bars(counts: Mapping[str, int], groups: Mapping[str, int]) -> go.Figure:
    """Accepted repetitions of each exercise as horizontal bars, with the number of groups."""
    names = sorted(counts, key=lambda name: counts[name])
    figure = go.Figure(
        go.Bar(
            x=[counts[name] for name in names],
            y=[_label(name) for name in names],
            orientation="h",
            marker_color=RIGHT,
            text=[f"{counts[name]} from {_group_count(groups.get(name, 0))}" for name in names],
            textposition="outside",
            cliponaxis=False,
            hoverinfo="skip",
        )
    )
    most = max(counts.values(), default=1)
    figure.update_xaxes(range=[0, 1.5 * max(1, most)], visible=False)
    figure.update_yaxes(type="category", automargin=True, showgrid=False, ticksuffix="  ")
    _style(figure, height=_BAR_HEIGHT * max(1, len(names)) + 16)
    figure.update_layout(showlegend=False, bargap=0.4)
    return figure


def describe_clips(counts: Mapping[str, int], groups: Mapping[str, int]) -> str:
    """The bars of :func:`clip_bars` in words."""
    return ", ".join(
        f"{title_of(name)} {count} from {_group_count(groups.get(name, 0))}"
        for name, count in counts.items()
    )


def _label(name: str) -> str:
    """A title on a chart: Plotly would take ``<a href=...>`` in a name for a link."""
    return html.escape(title_of(cleaned(name)), quote=False)


# -- styles ----------------------------------------------------------------------------------


def _group_count(count: int) -> str:
    return "1 group" if count == 1 else f"{count} groups"


def _thinned(rows: list[int]) -> list[int]:
    """At most ``_MAX_POINTS`` of ``rows``, evenly spread, with the last one."""
    stride = max(1, math.ceil(len(rows) / _MAX_POINTS))
    return rows[::-stride][::-1]


def _cells(names: list[str], z: list[list[float | None]], colour: str) -> go.Heatmap:
    """Cells of one colour, from nearly transparent for small shares to filled for large ones."""
    return go.Heatmap(
        x=names,
        y=names,
        z=z,
        zmin=0,
        zmax=1,
        colorscale=[
            [0, _with_alpha(colour, 0.04)],
            [0.01, _with_alpha(colour, 0.12)],
            [_STRONG - 0.001, _with_alpha(colour, 0.3)],
            [_STRONG, _with_alpha(colour, 0.85)],
            [1, _with_alpha(colour, 1)],
        ],
        showscale=False,
        xgap=3,
        ygap=3,
        hoverinfo="skip",
    )


def _error_bars(shares: Sequence[tuple[float, int]]) -> dict[str, object]:
    """Plotly's error bars: the 95 % interval of each (share right, clips)."""
    bounds = [wilson(share * count, count) for share, count in shares]
    return {
        "type": "data",
        "symmetric": False,
        "array": [max(0.0, up - share) for (share, _), (_, up) in zip(shares, bounds, strict=True)],
        "arrayminus": [
            max(0.0, share - low) for (share, _), (low, _) in zip(shares, bounds, strict=True)
        ],
        "color": NEUTRAL,
        "thickness": 1.5,
        "width": 4,
    }


def _with_alpha(colour: str, alpha: float) -> str:
    """A hex colour as rgba: the page's background shows through, in light and dark mode."""
    red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {alpha})"


def _style(figure: go.Figure, *, height: int, legend: bool = False) -> None:
    """Disable dragging and zooming, make the margins thin and put the legend above."""
    figure.update_xaxes(zeroline=False, showgrid=False, fixedrange=True)
    figure.update_yaxes(zeroline=False, fixedrange=True)
    figure.update_layout(height=height, margin={"l": 8, "r": 8, "t": 8, "b": 8}, dragmode=False)
    if legend:
        figure.update_layout(
            legend={
                "orientation": "h",
                "x": 0,
                "y": 1.08,
                "yanchor": "bottom",
                "title": None,
                "traceorder": "normal",
            }
        )
