"""Page Compare: two repetitions side by side or laid over each other, and results over weeks."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from gymform.errors import GymformError
from gymform.exercises import title_of
from gymform.in_use import held
from gymform.service.history import Entry
from gymform.text import shortened
from pages.components import cards, notes
from pages.components.clip_session import queue_or_reason
from pages.components.entry import arrive, come_through_app
from pages.components.results import RESULT, history, job_queue
from pages.components.text import as_text, plain

STYLE = Path(__file__).parent / "assets" / "result.css"
MOST = 200  # results to choose from, the newest
FIRST, SECOND = "first", "second"  # parameters in the page's address
HOW = {"evenly": "Evenly", "warped": "Warped to fit"}


def main() -> None:
    """Choose two repetitions and compare them; below, one measure over weeks."""
    st.html(STYLE)
    st.title("Compare")
    if not queue_or_reason():
        return
    try:
        entries, _ = history().find(most=MOST)
        if not entries:
            st.info("Analyse a clip first: there is nothing to compare.", icon=":material/compare:")
            st.page_link(cards.ANALYZE, label="Analyze a clip", icon=":material/exercise:")
            return
        side_by_side(entries)
        over_weeks(entries)
    except GymformError as error:
        st.error(as_text(error), icon=":material/error:")


# -- two repetitions ---------------------------------------------------------------------------


def side_by_side(entries: list[Entry]) -> None:
    """The choice of two repetitions, both films with one scrubber, and how they differ."""
    left, right = st.columns(2, gap="large")
    with left:
        first, one = choice(entries, FIRST, "First", 0)
    with right:
        like = [entry for entry in entries if entry.exercise == first.exercise]
        # another result of the same exercise comes first, where there is one
        own = [entry for entry in like if entry is not first] or like
        rest = [entry for entry in entries if entry not in own]
        second, other = choice([*own, *rest], SECOND, "Second", 0)
    if one is None or other is None:
        st.info("Choose two results with a repetition each.", icon=":material/compare:")
        return
    how = st.segmented_control(
        "Between the moments that both have, time runs",
        list(HOW),
        default="evenly",
        format_func=HOW.__getitem__,
        key="compare-how",
        persist_state="session",
    )
    store = job_queue().store
    folders = [store.find(entry.key) for entry in (first, second)]
    if folders[0] is None or folders[1] is None:
        st.warning("The files of a result made way for newer ones.", icon=":material/warning:")
        return
    with held(folders[0]), held(folders[1]):
        show_pair(first, one, second, other, how or "evenly")


def choice(entries: list[Entry], which: str, label: str, default: int) -> tuple[Entry, int | None]:
    """A result and one of its repetitions, numbered from 0; None where it has none."""
    by_address = {entry.address: entry for entry in entries}
    asked = st.query_params.get(which, "")
    if asked and asked not in by_address and (found := history().get(asked)):
        by_address[asked] = found
    addresses = list(by_address)
    key = f"compare-{which}"
    if asked in by_address and st.session_state.get(f"{key}-asked") != asked:
        st.session_state[key] = st.session_state[f"{key}-asked"] = asked
    if st.session_state.get(key) not in by_address:
        st.session_state[key] = addresses[min(default, len(addresses) - 1)]
    address = st.selectbox(
        f"{label} result", addresses, format_func=lambda one: in_words(by_address[one]), key=key
    )
    entry = by_address[address]
    cards.picture(entry, job_queue().store, 96)
    reps = entry.summary.get("repetitions", [])
    numbers = [number for number, rep in enumerate(reps) if not rep.get("cut_off")]
    if not numbers:
        st.caption("It shows no whole repetition.")
        return entry, None
    number = st.selectbox(
        f"{label} repetition",
        numbers,
        format_func=lambda one: f"{one + 1}. ({reps[one]['start_s']:.1f} s)",
        key=f"{key}-{address}",
    )
    return entry, number


def in_words(entry: Entry) -> str:
    """A result in a list to choose from."""
    load = "" if entry.load_kg is None else f"{entry.load_kg:g} kg"
    star = "★" if entry.reference else ""
    parts = (star, title_of(entry.exercise), entry.lifter, load, notes.day_in_words(entry.day))
    return " · ".join([*filter(None, parts), shortened(entry.name, 30)])


def show_pair(first: Entry, one: int, second: Entry, other: int, how: str) -> None:
    """Both films, the curves and the measures of two repetitions."""
    from pages.components.duo import show

    try:
        show.pair(first, one, second, other, how)
    except (GymformError, IndexError):
        st.error(
            "A result cannot be read any more. Analyse its clip again.", icon=":material/error:"
        )


# -- over weeks --------------------------------------------------------------------------------


def over_weeks(entries: list[Entry]) -> None:
    """One measure of an exercise and a lifter over time; each point opens its result."""
    from gymform.compare.trend import TITLES, followed, value_of
    from gymform.draw.comparison import over_time

    st.header("Over weeks")
    groups = sorted({(entry.exercise, entry.lifter) for entry in entries})
    group = st.selectbox(
        "Exercise and lifter",
        groups,
        format_func=lambda one: " · ".join(filter(None, (title_of(one[0]), one[1]))),
        key="weeks-group",
    )
    own = [entry for entry in entries if (entry.exercise, entry.lifter) == group]
    keys = followed([entry.summary for entry in own])
    if not keys:
        st.caption("Two results of one exercise and lifter make a line. Note the lifter's name.")
        return
    key = st.selectbox("Measure", keys, format_func=lambda one: TITLES[one][0], key="weeks-measure")
    points = [
        (entry, value) for entry in sorted(own, key=lambda one: (one.day, one.created_at))
        if (value := value_of(entry.summary, key)) is not None
    ]  # fmt: skip
    title, unit = TITLES[key]
    chosen = st.plotly_chart(
        over_time(
            [entry.day for entry, _ in points],
            [value for _, value in points],
            [plain(in_words(entry), 80) for entry, _ in points],
            title,
            unit,
        ),
        key="weeks",
        on_select="rerun",
        selection_mode="points",
        config={"displayModeBar": False},
        alt=f"{title} of {len(points)} results over time.",
    )
    for point in chosen["selection"]["points"][:1]:
        entry = points[point["point_index"]][0]
        st.switch_page(cards.ANALYZE, query_params={RESULT: entry.address})
    st.caption("Choose a point to open its result.")


come_through_app()
arrive("compare")
main()
