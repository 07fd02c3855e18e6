"""Two repetitions on a page: both films with one scrubber, how they differ, and their curves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from gymform.analysis import Analysis
from gymform.compare.pair import Pair, Take, compare
from gymform.draw.comparison import Lines, curves
from gymform.service.analysis_worker import PROXY
from gymform.service.history import Entry
from pages.components.duo.duo import duo
from pages.components.duo.payload import DuoData, Half
from pages.components.player.player import served
from pages.components.result import load_result, player_data
from pages.components.results import job_queue
from pages.components.text import plain


def pair(first: Entry, one: int, second: Entry, other: int, how: str) -> None:
    """Show two repetitions, numbered from 0. Raises GymformError, IndexError."""
    folders = [job_queue().store.root / entry.key for entry in (first, second)]
    results = [load_result(folder) for folder in folders]
    found = compared(folders[0], one, folders[1], other, how)
    key = f"{first.key[:8]}-{one}-{second.key[:8]}-{other}-{how}"
    names = (_name(first, one), _name(second, other))
    halves = [
        _half(folders[k], results[k], found.frames[k].tolist(), names[k], f"duo-{k}")
        for k in (0, 1)
    ]
    fit = found.fit
    data: DuoData = {
        "first": halves[0],
        "second": halves[1],
        "fit": {"scale": fit.scale, "mirrored": fit.mirrored, "first": fit.first,
                "second": fit.second},
        "seconds": found.alignment.first_s.round(4).tolist(),
        "moments": list(found.alignment.moments),
        "sample": found.alignment.moments[min(1, len(found.alignment.moments) - 1)][1],
        "turn": abs(hash(key)) % 2**31,
    }  # fmt: skip
    duo(data, key="duo")
    if fit.mirrored:
        st.caption("The second clip is mirrored: it was filmed from the other side.")
    _differences(found)
    _curves(found, names)


@st.cache_resource(max_entries=32, show_spinner=False)
def compared(first: Path, one: int, second: Path, other: int, how: str) -> Pair:
    """The comparison of two repetitions of the results in two folders, cached."""
    takes = [_take(load_result(folder)) for folder in (first, second)]
    return compare(takes[0], one, takes[1], other, how)


def _take(result: Analysis) -> Take:
    return Take(result.pose, result.tracks, result.form, result.slow_motion)


def _name(entry: Entry, number: int) -> str:
    """A repetition in a few words: its lifter or clip, and its number."""
    return f"{entry.lifter or entry.name}, repetition {number + 1}"


def _half(folder: Path, result: Analysis, frames: list[int], name: str, slot: str) -> Half:
    width, height = result.pose.image_size
    return {
        "video": served(folder / PROXY, "video/mp4", f"{slot}-clip"),
        "poses": served(player_data(folder), "application/json", f"{slot}-keypoints"),
        "name": name,
        "ratio": width / height,
        "frames": frames,
    }


def _differences(found: Pair) -> None:
    """A table of the measures that both repetitions have."""
    if not found.differences:
        return
    st.header("Measures")
    table: dict[str, list[Any]] = {
        "Measure": [title for title, *_ in found.differences],
        "First": [f"{first:.1f}" for *_, first, _ in found.differences],
        "Second": [f"{second:.1f}" for *_, second in found.differences],
        "Difference": [f"{b - a:+.1f}" for *_, a, b in found.differences],
        "Unit": [unit for _, unit, *_ in found.differences],
    }
    st.dataframe(table, hide_index=True)


def _curves(found: Pair, names: tuple[str, str]) -> None:
    """Angles and heights of both over their common time."""
    if not found.curves:
        st.caption("No angle was seen well enough in both to draw its curve.")
        return
    st.header("Curves")
    panels = [
        Lines(one.title, one.unit, one.first, one.second, one.low, one.high) for one in found.curves
    ]
    shown = (f"1. {plain(names[0], 40)}", f"2. {plain(names[1], 40)}")
    st.plotly_chart(
        curves(panels, found.alignment.moments, shown),
        key="duo-curves",
        config={"displayModeBar": False},
        alt=f"Curves of {len(panels)} angles and heights of both repetitions over their time.",
    )
    if any(one.low is not None for one in panels):
        st.caption(
            "Grey: where the first lifter's repetitions in this clip usually lie, the mean less "
            "and plus twice the standard deviation."
        )
