"""The frame-exact player: a Streamlit component that shows a clip with its skeleton."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.runtime import get_instance

from pages.components.assets import script, text
from pages.components.player.payload import PlayerData

_mount = st.components.v2.component(
    "gymform.player",
    html=text("player/player.html"),
    css=text("controls.css", "player/player.css"),
    js=script("player/player.js"),
)


def served(content: Path | bytes, mimetype: str, name: str) -> str:
    """A URL under which this session's browser gets ``content``, with range requests.

    ``name`` distinguishes the files of a page: a new one under the same name replaces the old one.
    Call it in every run of the page: Streamlit drops files that a run does not use.
    """
    source = content if isinstance(content, bytes) else str(content)
    url = get_instance().media_file_mgr.add(source, mimetype, coordinates=f"gymform.{name}")
    base = st.get_option("server.baseUrlPath").strip("/")
    return f"/{base}{url}" if base else url


def player(
    video: str,
    poses: str,
    *,
    size: tuple[int, int],
    seek: tuple[int, int],
    loop: tuple[float, float] | None = None,
    focus: str = "",
    repetitions: Sequence[tuple[float, float]] = (),
    chart: str = "",
    on_frame: Callable[[], None],
    on_pick: Callable[[], None],
    key: str,
) -> Any:
    """Show the clip at URL ``video`` with the keypoints at URL ``poses``.

    ``size`` is (width, height) px; ``seek`` (frame, turn) moves the player whenever ``turn`` has
    changed, to play the seconds of ``loop`` slowly with what ``focus`` names drawn; a line in the
    chart with the key ``chart`` moves with the picture. The result, also in
    ``st.session_state[key]``, holds ``frame`` (a
    :class:`~pages.components.player.payload.FrameAtRest`), and for one run ``pick`` (a
    :class:`~pages.components.player.payload.PickedPerson`) when the user chose another person
    or showed where the plate is.
    """
    width, height = size
    data: PlayerData = {
        "video": video,
        "poses": poses,
        "seek": {"frame": seek[0], "turn": seek[1], "loop": loop, "focus": focus},
        "repetitions": [(start_s, end_s) for start_s, end_s in repetitions],
        "ratio": width / height,
        "chart": chart,
    }
    return _mount(key=key, data=data, on_frame_change=on_frame, on_pick_change=on_pick)
