"""Shows the form of the repetitions: cues with their moments, and a table of all measures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from gymform.form import pulls
from gymform.form.bar import BAR_SPEED
from gymform.form.cues import shown
from gymform.form.set_speed import in_words, not_counted
from gymform.form.table import BEST, WORST, rated
from gymform.types import Cue, FormReport, SetSpeed, Verdict
from pages.components.text import as_text

ICONS = {
    Verdict.GOOD: ":green[:material/check_circle:]",
    Verdict.LOOK: ":orange[:material/visibility:]",
    Verdict.CLOSE: ":gray[:material/help:]",
}
MARKS = {BEST: "▲ ", WORST: "▼ ", None: ""}
"""Before the best and the worst value of a row."""

COLUMNS = [5, 2]

LOSS, MOST_LOSS = "Slower than the fastest before", 60
"""A column of the table of a set, and the loss of a full bar in it, per cent."""

SET_HELP = (
    "By how much the mean speed on the way up falls within the set, against the fastest repetition "
    "so far (velocity loss: Sanchez-Medina & Gonzalez-Badillo 2011). It needs no scale. From 20 % "
    "on a set is said to tire."
)


def show_cues(form: FormReport, see: Callable[[Cue], None]) -> None:
    """Show the remarks of a form report; ``see`` shows the moment of one in the player."""
    st.markdown("## Form")
    st.caption(_measured(form))
    for number, cue in enumerate(form.cues):
        _cue(cue, number, see)
    for note in form.notes:
        st.markdown(f":material/info: {as_text(note)}")


def show_measures(form: FormReport) -> None:
    """Show a table of all measures: a row for each, a column for each repetition."""
    if not form.repetitions:
        return
    table = measures_table(form)
    with st.expander("All measures", icon=":material/straighten:", expanded=True):
        st.dataframe(
            table,
            hide_index=True,
            height="content",
            column_config={
                TREND: st.column_config.LineChartColumn(TREND, width="small"),
                MEASURE: PINNED,
            },
        )
        if any(MARKS[BEST] in str(cell) for column in table.values() for cell in column):
            st.caption("▲ the best and ▼ the least good of the set, by the rule of the measure.")


def show_pull(form: FormReport) -> None:
    """Show the phases of a pull, where one was told."""
    table = pull_table(form)
    if table:
        st.markdown("## Phases of the pull", help=pulls.HOW)
        st.dataframe(table, hide_index=True, width="content", column_config={PHASE: PINNED})


def pull_table(form: FormReport) -> dict[str, list[str]]:
    """A table by column: the phases, and how long and how fast they are in each repetition."""
    reps = [(number, rep) for number, rep in enumerate(form.repetitions, 1)
            if any(m.key in pulls.KEYS for m in rep.measures)]  # fmt: skip
    if not reps:
        return {}
    table = {PHASE: [title for _, title in pulls.PHASES]}
    for number, rep in reps:
        before = f"{number}. " if len(form.repetitions) > 1 else ""
        for name, what in (("duration", "s"), ("peak speed", "peak")):
            found = [rep.value(f"{key}_{what}") for key, _ in pulls.PHASES]
            title = f"{before}{name}" if before else name.capitalize()
            table[title] = [shown(one) if one else "" for one in found]
            if what == "peak" and found[-1]:
                table[title][-1] += " down"
    return table


def show_set(form: FormReport) -> None:
    """Show how the set slows down, where two repetitions can be compared."""
    found = form.set_speed
    if found is None:
        return
    st.markdown("## Speed of the set", help=SET_HELP)
    st.markdown(as_text(in_words(found)))
    st.dataframe(
        set_table(form, found),
        hide_index=True,
        width=460,
        column_config={
            LOSS: st.column_config.ProgressColumn(
                LOSS, format="%.0f %%", min_value=0, max_value=MOST_LOSS, width="medium"
            )
        },
    )
    if left_out := not_counted(found):
        st.caption(as_text(left_out))


def set_table(form: FormReport, found: SetSpeed) -> dict[str, list[Any]]:
    """A table by column: the repetition, per cent that it is slower, and m/s where they are known.

    Repetitions that do not count have no loss.
    """
    table: dict[str, list[Any]] = {
        "Repetition": list(range(1, len(found.losses) + 1)),
        LOSS: list(found.losses),
    }
    speeds = [rep.value(BAR_SPEED) for rep in form.repetitions]
    if any(speeds):
        table["Mean speed"] = [shown(speed) if speed else "" for speed in speeds]
    return table


def _measured(form: FormReport) -> str:
    """What was measured from which side, and how far to trust it."""
    if not form.repetitions:
        return "Nothing was measured."
    count = sum(not rep.cut_off_by for rep in form.repetitions)
    if not count:
        return "Nothing was measured: no repetition is whole."
    of = "one repetition" if count == 1 else f"{count} repetitions"
    return (
        f"Measured in the picture of {of}, {form.seen_from}. It compares measures with the limits "
        "that are named; whether to follow them is up to you and your coach."
    )


def _cue(cue: Cue, number: int, see: Callable[[Cue], None]) -> None:
    text, button = st.columns(COLUMNS, vertical_alignment="center")
    title = cue.title if cue.title.endswith("?") else f"{cue.title}."
    said = f"{ICONS[cue.verdict]} **{as_text(title)}** {as_text(cue.text)}"
    text.markdown(said, help=as_text(cue.basis))
    button.button(
        f"See {cue.at_s:.1f} s",
        key=f"cue-{number}",
        on_click=see,
        args=(cue,),
        width="stretch",
        help="Play this moment slowly, with what it is about drawn in.",
    )


MEASURE, TREND, PHASE = "Measure", "Trend", "Phase"

PINNED = st.column_config.TextColumn(pinned=True)


def measures_table(form: FormReport) -> dict[str, list[Any]]:
    """A table by column: the measures' names, their values in each repetition, and their trend.

    Where a rule says which is better, the best and the worst repetition are marked. Phases of a
    pull have a table of their own.
    """
    every = (m for rep in form.repetitions for m in rep.measures)
    titles = {m.key: m.title for m in every if m.key not in pulls.KEYS}
    marks = rated(form)
    table: dict[str, list[Any]] = {MEASURE: list(titles.values())}
    for number, rep in enumerate(form.repetitions, start=1):
        found = {m.key: f"{MARKS[marks.get((m.key, number))]}{shown(m)}" for m in rep.measures}
        times = f"{rep.start_s:.1f} to {rep.end_s:.1f} s"
        side = f", {rep.side}" if rep.side else ""
        name = f"{number}. ({times}{side}{', cut off' if rep.cut_off_by else ''})"
        table[name] = [found.get(key, "") for key in titles]
    if len(form.repetitions) > 1:
        table[TREND] = [
            [m.value for rep in form.repetitions if (m := rep.value(key))] for key in titles
        ]
    return table
