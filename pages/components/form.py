"""How the repetitions were done: what stands out, each with its moment, and all figures."""

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
    """Show a report; ``see`` brings the player to a second of the clip."""
    st.markdown("##### Form")
    st.caption(_measured(form))
    for number, cue in enumerate(form.cues):
        _cue(cue, number, see)
    for note in form.notes:
        st.markdown(f":material/info: {as_text(note)}")
    if form.repetitions:
        with st.expander("All figures", icon=":material/straighten:", expanded=not form.cues):
            st.dataframe(figures(form), hide_index=True)


def _measured(form: FormReport) -> str:
    """From where, and how much to make of it."""
    if not form.repetitions:
        return "Nothing was measured."
    count = len(form.repetitions)
    of = "one repetition" if count == 1 else f"{count} repetitions"
    return (
        f"Measured in the picture of {of}, {form.seen_from}. It compares figures with the limits "
        "that are named; whether to follow them is for you and your coach."
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


def figures(form: FormReport) -> dict[str, list[str]]:
    """A table of columns: the names of the measures, and what each repetition has of them."""
    titles = {m.key: m.title for rep in form.repetitions for m in rep.measures}
    table = {"Measure": list(titles.values())}
    for number, rep in enumerate(form.repetitions, start=1):
        found = {m.key: shown(m) for m in rep.measures}
        name = f"{number}. ({rep.start_s:.1f} to {rep.end_s:.1f} s)"
        table[name] = [found.get(key, "") for key in titles]
    return table
