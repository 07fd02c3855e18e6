"""Shows the bar: its path and its speed, and what is not said of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import streamlit as st

from gymform import limits
from gymform.analysis import Analysis
from gymform.bar.carrier import Bar
from gymform.bar.scale import PLATES
from gymform.draw import bar_charts
from gymform.form.bar import spans_of_path
from gymform.form.loops import midfoots
from gymform.types import Target
from pages.components.text import as_text

Plate = tuple[float, float, float, float]
"""Where a user showed the plate of the bar: second, x, y, radius px."""


@dataclass(frozen=True)
class Again:
    """How to analyse a clip anew: following another person, or the bar by a plate that was shown
    (None: the one that is found), or that has another diameter, mm, or beside a lifter who is so
    tall, cm (None: not known).
    """

    person: Callable[[Target], None]
    plate: Callable[[Plate | None], None]
    diameter: Callable[[float], None]
    height: Callable[[float | None], None]


T = TypeVar("T")

ASKED = "analysed-anew"
"""Whether a callback has asked for another analysis: the whole page has to follow, not only the
fragment in which it was asked."""

CONFIG = {"displayModeBar": False}
KEYS = ("bar-paths", "bar-speed")


def show_bar(
    result: Analysis,
    go_to: Callable[[float], None],
    again: Again | None,
) -> None:
    """The charts of the bar, where one was looked for; ``go_to`` shows a second in the player.

    ``again`` is None for somebody who may only look.
    """
    bar = result.bar
    if bar is None:
        return
    if not bar.found:
        _why_none(bar, may_mark=again is not None)
        return
    st.markdown("## Bar")
    for reason in bar.reasons:
        st.markdown(f":material/info: {as_text(reason)}")
    _charts(result, bar, go_to)
    if again:
        _controls(bar, again)


def _why_none(bar: Bar, *, may_mark: bool) -> None:
    """A line on why no bar is followed; many lift without one."""
    why = as_text(" ".join(bar.reasons))
    mark = " If there is one, show it by **Mark the plate** below the film." if may_mark else ""
    st.caption(f"No barbell is followed. {why}{mark}")


def _charts(result: Analysis, bar: Bar, go_to: Callable[[float], None]) -> None:
    whole = spans_of_path(result.form)
    figures = (
        bar_charts.bar_paths(bar, whole, midfoots(result.form)),
        bar_charts.bar_speed(bar, whole, result.slow_motion),
    )
    for place, figure, key in zip(st.columns(2, gap="large"), figures, KEYS, strict=True):
        with place:
            st.plotly_chart(
                figure, key=key, on_select=_clicked(key, go_to), selection_mode="points",
                config=CONFIG, alt=bar_charts.describe_bar(bar, whole),
            )  # fmt: skip
    st.caption(
        f"Click a point to see its frame. The plate was seen in {round(100 * bar.seen)} % of the "
        "lift, and its path is drawn over the film, blue where it is slow, yellow where it is fast."
    )


def _controls(bar: Bar, again: Again) -> None:
    """What metres rest on, the plate's diameter and the lifter's height, and a way back from a
    plate that was shown."""

    with st.container(horizontal=True, vertical_alignment="bottom"):
        _diameter(bar, again)
        _height(again)
        if bar.marked:
            st.button(
                "Look for the plate again",
                icon=":material/undo:",
                on_click=_ask,
                args=(again.plate, None),
            )


def _ask(analyse: Callable[[T], None], said: T) -> None:
    """Have the clip analysed anew by what was ``said``, and the whole page follow."""
    analyse(said)
    st.session_state[ASKED] = True


def _diameter(bar: Bar, again: Again) -> None:
    key = f"plate-mm-{st.session_state.get('shown', '')}"

    def said() -> None:
        if size := st.session_state[key]:
            _ask(again.diameter, float(size))

    sizes = "; ".join(f"{name}: {mm:g}" for name, mm in PLATES.items())
    st.number_input(
        "Diameter of the plate, mm",
        limits.MIN_PLATE_MM,
        limits.MAX_PLATE_MM,
        value=None if bar.mm_per_px is None else bar.plate_mm,
        step=5.0,
        key=key,
        on_change=said,
        placeholder="such as 450",
        width=220,
        help=f"Metres follow from it. Usual sizes: {sizes}. Others differ: measure yours.",
    )


def _height(again: Again) -> None:
    key = f"bar-height-{st.session_state.get('shown', '')}"

    def said() -> None:
        _ask(again.height, st.session_state[key])

    st.number_input(
        "Height of the lifter, cm",
        limits.MIN_HEIGHT_CM,
        limits.MAX_HEIGHT_CM,
        value=None,
        step=1.0,
        key=key,
        on_change=said,
        placeholder="such as 175",
        width=220,
        help="Checks the metres: where the plate and the lifter tell different scales, none is "
        "given. Nothing else depends on it.",
    )


def _clicked(key: str, go_to: Callable[[float], None]) -> Callable[[], None]:
    """Shows the second of the point that was clicked in the chart ``key``."""

    def clicked() -> None:
        points = st.session_state[key].selection.points
        if points:
            go_to(float(points[0]["customdata"]))

    return clicked
