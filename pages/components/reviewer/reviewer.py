"""The review widget: a Streamlit component with player, timeline, trajectories and keys."""

from __future__ import annotations

import importlib
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

import streamlit as st

from gymform.dataset.corrections import version_of
from gymform.dataset.items import REASONS
from gymform.errors import GymformError
from gymform.service.once import Once
from gymform.service.review_session import CardFacts, ReviewSession, ReviewState, card
from gymform.service.review_session import Reply as SessionReply
from pages.components.assets import script, text
from pages.components.player.player import served
from pages.components.reviewer.payload import Card, Reply, ReviewerData, Work
from pages.components.shared import open_store

COMING = 6
"""How many items after the current one the widget gets, and so how far it may run ahead."""

NEAR = 3
"""Items whose trajectories are sent: the current one and those that are loaded ahead."""

_KEPT = 3 * COMING
"""How many items' files a session keeps available."""

_mount = st.components.v2.component(
    "gymform.reviewer",
    html=text("reviewer/reviewer.html"),
    css=text("controls.css", "reviewer/reviewer.css"),
    js=script("reviewer/reviewer.js"),
)


def facts(session: ReviewSession, state: ReviewState, tour: int) -> ReviewerData:
    """Everything that the widget shows of a session in ``state``. Raises DatasetError.

    When ``tour`` changes, the widget starts again at the state's current item.
    """
    shown = [one for one in (state.current, *state.coming) if one]
    return {
        "desk": session.replies.id,
        "tour": tour,
        "dataset": session.store.folder.name,
        "reviewer": session.reviewer,
        "cards": [
            _with_files(session, card(session, item_id), traces=place < NEAR)
            for place, item_id in enumerate(shown)
        ],
        "current": state.current,
        "coming": list(state.coming),
        "left": state.left,
        "counts": dict(state.counts),
        "answers": [_sendable(reply) for reply in state.replies],
        "news": list(state.news),
        "reasons": list(REASONS),
        "exercises": session.exercises(),
    }


def reviewer(data: ReviewerData, *, key: str) -> Any:
    """Show the widget with :func:`facts`; what it sends comes from :func:`work_of`."""
    return _mount(key=key, data=data, on_work_change=lambda: None)


def work_of(key: str) -> Work | None:
    """What the widget last sent, unchecked, for :meth:`ReviewSession.receive`; None before that."""
    state = st.session_state.get(key)
    work: Work | None = state.get("work") if state else None
    return work


def _sendable(reply: SessionReply) -> Reply:
    return {
        "client": reply.client,
        "seq": reply.seq,
        "state": reply.state,
        "item_id": reply.item_id,
        "text": reply.text,
        "revision": reply.revision,
    }


def _with_files(session: ReviewSession, facts: CardFacts, *, traces: bool) -> Card:
    """``facts`` with the URLs of the clip's video and trajectories, None where absent.

    Trajectories take a moment to compute: ``traces`` says whether they are needed yet.
    """
    files, sha256 = session.store.files, facts["clip"]
    place = _place(facts["id"])
    proxy, poses = files.proxy(sha256), files.poses(sha256)
    lines = points = None
    if traces and poses.is_file() and _scipy_is_imported():
        version = version_of(session.store, sha256)
        lines, points = _traces(session.store.folder, sha256, poses.stat().st_mtime_ns, version)
    return {
        **facts,
        "video": served(proxy, "video/mp4", f"review.video.{place}") if proxy.is_file() else None,
        "traces": served(lines, "application/json", f"review.traces.{place}") if lines else None,
        "points": served(points, "application/json", f"review.points.{place}") if points else None,
    }


def _scipy_is_imported() -> bool:
    """False while SciPy is being imported: the first clip is shown without waiting for it."""
    return not _import_scipy().is_alive()


@Once
def _import_scipy() -> threading.Thread:
    load = threading.Thread(target=importlib.import_module, args=("gymform.motion.clean",))
    load.daemon = True
    load.start()
    return load


def _place(item_id: str) -> int:
    """A number for the item's files in this session; the least recently shown item's is reused.

    Streamlit keeps a file in memory until another one is served under the same name.
    """
    places: OrderedDict[str, int] = st.session_state.setdefault("review_places", OrderedDict())
    if item_id not in places:
        free = len(places) if len(places) < _KEPT else places.popitem(last=False)[1]
        places[item_id] = free
    places.move_to_end(item_id)
    return places[item_id]


@st.cache_data(max_entries=256, show_spinner=False)
def _traces(
    folder: Path, sha256: str, written: int, version: int
) -> tuple[bytes | None, bytes | None]:
    """Trajectories drawn beside a clip, and its keypoints; None when these cannot be read.

    ``written``, the time when the file was written, and the ``version`` of the corrections are
    part of the cache key.
    """
    # imported here, not above, since they import SciPy
    from gymform.dataset.corrections import corrected_poses
    from gymform.draw.traces import points_json, traces_json
    from gymform.motion.clean import clean

    try:
        found = corrected_poses(open_store(folder), sha256)
    except GymformError:
        return None, None
    return traces_json(found.pose, clean(found.pose)), points_json(found)
