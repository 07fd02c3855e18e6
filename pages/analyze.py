"""Page Analyze: a clip goes in; skeleton, trajectories and the exercise come out."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

import gymform
from gymform import limits
from gymform.errors import GymformError
from gymform.exercises import find_exercise, listed, name_of
from gymform.service.pace import in_words, measured_pace
from gymform.service.result_store import discard_oldest
from gymform.sniff import VIDEO_SUFFIXES
from gymform.storage import data_dir, store_upload
from pages.components import access, cards
from pages.components.clip_session import (
    ClipSession,
    chosen_options,
    queue_or_reason,
    show_options,
    tell,
)
from pages.components.entry import arrive
from pages.components.exercise_pictures import named_exercises, show_exercises
from pages.components.results import history, job_queue
from pages.components.text import plain
from pages.components.upload_memory import forget

STYLE = Path(__file__).parent / "assets" / "page.css"
SAMPLE = Path(gymform.__file__).parent / "assets" / "sample_squat.mp4"

TYPICAL_S = 5.0  # seconds of a clip for which the page says how long it takes
MOST_NAMED = 4  # exercises in the sentence at the top
LAST = 4  # results that are shown at the start

ADVICE = (
    ("accessibility_new", "Whole body in the picture", "head to feet, the whole time"),
    ("videocam", "Camera still, at hip height", "on a tripod or leaning on something"),
    ("360", "From the side or at 45°", "so that knees, hips and bar can be seen"),
    ("repeat", "One repetition or a few", "two to twenty seconds"),
    ("light_mode", "Light on the lifter", "not behind, and as few people around as possible"),
)


def main() -> None:
    """Show the state of this session's clip: none yet, being analysed, stopped, or done."""
    if queue_or_reason():
        clip_session().show(welcome)


def clip_session() -> ClipSession:
    """This page's clip in this session."""
    return ClipSession("analyze", another="Another clip")


def uploaded() -> None:
    """Copy the uploaded file to disk at once and analyse it."""
    place = clip_session().place
    file = st.session_state.get(f"upload{place.left}")
    if file is None:
        return
    folder, name = data_dir() / "uploads", file.name
    try:
        path = store_upload(file, folder)
    except GymformError as error:
        forget([file])
        place.left += 1  # another key empties the file uploader
        place.problem = error
        return
    forget([file])
    discard_oldest(folder, limits.MAX_STORED_UPLOAD_BYTES, spare=path.parent.name)
    clip_session().analyse(path, name, chosen_options())


def known_exercises() -> str:
    """The exercises that the model in use knows: "a **snatch** or a **squat**"; their number where
    they are many, since the pictures below name them."""
    names = named_exercises()
    if not names:
        return "one of those below"
    if len(names) > MOST_NAMED:
        return f"one of the {len(names)} below"
    return listed([f"{_article(name)} **{plain(name_of(name), 40)}**" for name in names])


def _article(name: str) -> str:
    known = find_exercise(name)
    if known:
        return known.article
    return "an" if name[:1].lower() in "aeiou" else "a"


def welcome(problem: GymformError | None) -> None:
    """What gymform does, the upload, advice on how to film, and the last results.

    ``problem`` is why the last analysis failed.
    """
    st.html(STYLE)
    left, right = st.columns([3, 2], gap="large", vertical_alignment="center")
    with left:
        st.title("How good is the lift?")
        st.markdown(
            "Choose a clip of one repetition or a few. You get every repetition's **form** (depth, "
            "lockout, tempo, speed), with the moment of each cue in the clip; the **skeleton** "
            f"and the paths of the joints; and the **exercise**: {known_exercises()}."
        )
        if problem:
            tell(problem)
        with st.container(key="drop"):
            st.file_uploader(
                "Video of a repetition",
                type=list(VIDEO_SUFFIXES),
                key=f"upload{clip_session().place.left}",
                on_change=uploaded,
                max_upload_size=limits.MAX_UPLOAD_BYTES // 1024**2,
                label_visibility="collapsed",
            )
        st.caption(
            f"At most {limits.MAX_SECONDS:.0f} seconds. {how_long()}"
            "The clip stays on the computer that runs gymform."
        )
        access.tell_upload_quota()
        sample()
        with st.expander("Options", icon=":material/tune:"):
            show_options()
    with right, st.container(border=True):
        st.markdown("##### For a good result")
        for icon, what, how in ADVICE:
            st.markdown(f":material/{icon}: &nbsp;**{what}**  \n:small[:gray[{how}]]")
    last_results()
    show_exercises()


def how_long() -> str:
    """How long an analysis takes here, in a sentence; "" where it was not measured yet."""
    found = job_queue().pace_s or measured_pace()
    if found is None:
        return ""
    took = in_words(found, TYPICAL_S)
    return f"A clip of {TYPICAL_S:.0f} seconds takes {took} on this computer. "


def last_results() -> None:
    """The latest results with their pictures, and the way to all of them."""
    try:
        entries, total = history().find(most=LAST)
    except GymformError as error:
        tell(error)
        return
    if not entries:
        return
    st.markdown("##### Last results")
    cards.row(entries, job_queue().store)
    if total > len(entries):
        st.page_link("pages/history.py", label="All results", icon=":material/history:")


def sample() -> None:
    """A button that analyses the sample clip."""
    st.button(
        "Try the sample",
        icon=":material/play_circle:",
        disabled=not SAMPLE.is_file(),
        help=None if SAMPLE.is_file() else "The sample clip is missing from this installation.",
        on_click=lambda: clip_session().analyse(SAMPLE, "sample squat.mp4", chosen_options()),
    )


arrive("analyze")
main()
