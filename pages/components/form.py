"""Shows the form of the repetitions: cues with their times, and all measures."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from gymform.form.cues import shown
from gymform.types import Cue, FormReport, Verdict
from pages.components.text import as_text

ICONS = {
    Verdict.GOOD: ":green[:material/check_circle:]",
    Verdict.LOOK: ":orange[:material/visibility:]",
    Verdict.CLOSE: ":gray[:material/help:]",
}
COLUMNS = [5, 1]


def show_form(form: FormReport, see: Callable[[float], None]) -> None:
    """Show a form report; ``see`` moves the player to a time in the clip, s."""
    st.markdown("##### Form")
    st.caption(_measured(form))
    for number, cue in enumerate(form.cues):
        _cue(cue, number, see)
    for note in form.notes:
        st.markdown(f":material/info: {as_text(note)}")
    if form.repetitions:
        with st.expander("All measures", icon=":material/straighten:", expanded=not form.cues):
            st.dataframe(measures_table(form), hide_index=True)


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


def _cue(cue: Cue, number: int, see: Callable[[float], None]) -> None:
    text, button = st.columns(COLUMNS, vertical_alignment="center")
    title = cue.title if cue.title.endswith("?") else f"{cue.title}."
    said = f"{ICONS[cue.verdict]} **{as_text(title)}** {as_text(cue.text)}"
    text.markdown(said, help=as_text(cue.basis))
    button.button(
        f"See {cue.at_s:.1f} s",
        key=f"cue-{number}",
        on_click=see,
        args=(cue.at_s,),
        width="stretch",
        help="Show this moment in the player.",
    )


def measures_table(form: FormReport) -> dict[str, list[str]]:
    """A table by column: the measures' names, then their values in each repetition."""
    titles = {m.key: m.title for rep in form.repetitions for m in rep.measures}
    table = {"Measure": list(titles.values())}
    for number, rep in enumerate(form.repetitions, start=1):
        found = {m.key: shown(m) for m in rep.measures}
        times = f"{rep.start_s:.1f} to {rep.end_s:.1f} s"
        name = f"{number}. ({times}{', cut off' if rep.cut_off_by else ''})"
        table[name] = [found.get(key, "") for key in titles]
    return table
