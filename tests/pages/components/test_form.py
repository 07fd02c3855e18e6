"""The form of the repetitions as a page shows it: measures, cues and a way to see them."""

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from gymform.types import Cue, Measure, RepForm, Verdict
from pages.components.form import ICONS, measures_table, pull_table, set_table
from tests.fakes import make_form, make_set_speed

DEPTH = Measure("depth", "Depth", 3.0, "%", 1.0)
PACE = Measure("lowering_s", "Way down", 1.25, "s", 1.0)


def show(form):
    """A page that shows ``form``, and says which second it was asked to see."""

    def page():
        import streamlit as st

        from pages.components.form import show_cues, show_measures, show_pull, show_set

        show_cues(st.session_state["form"], lambda cue: st.session_state.update(seen=cue.at_s))
        show_measures(st.session_state["form"])
        show_pull(st.session_state["form"])
        show_set(st.session_state["form"])

    app = AppTest.from_function(page, default_timeout=60)
    app.session_state["form"] = form
    app.run()
    assert not app.exception
    return app


def words(app):
    return " ".join(str(one.value) for kind in (app.markdown, app.caption) for one in kind)


def test_a_measure_that_a_repetition_lacks_leaves_its_cell_empty():
    form = make_form(repetitions=(RepForm(0.5, 2.0, (DEPTH,)), RepForm(2.0, 4.0, (PACE, DEPTH))))
    assert measures_table(form) == {
        "Measure": ["Depth", "Way down"],
        "1. (0.5 to 2.0 s)": ["3 %", ""],
        "2. (2.0 to 4.0 s)": ["3 %", "1.2 s"],
        "Trend": [[3.0, 3.0], [1.25]],
    }


def test_the_best_and_the_worst_repetition_are_marked():
    deep, high = (replace(DEPTH, key="thigh_below_level", value=value) for value in (12.0, -4.0))
    form = make_form(repetitions=(RepForm(0.5, 2.0, (high,)), RepForm(2.0, 4.0, (deep,))))
    first, second = list(measures_table(form).values())[1:3]
    assert first[0].startswith("▼ ")
    assert second[0].startswith("▲ ")
    assert any("▲ the best" in caption.value for caption in show(form).caption)


def test_the_speed_of_a_set_is_a_sentence_and_a_table():
    left_out = (None, "it rises less than the others", None)
    found = make_set_speed(losses=(0.0, None, 30.0), left_out=left_out)
    app = show(make_form(set_speed=found))
    assert "Speed of the set" in words(app)
    assert "Slower by 30 % in the last repetition" in words(app)
    assert "Not counted: repetition 2 (it rises less than the others)." in words(app)
    assert set_table(make_form(), found) == {
        "Repetition": [1, 2, 3],
        "Slower than the fastest before": [0.0, None, 30.0],
    }


def test_metres_a_second_stand_beside_the_loss_where_they_are_known():
    speed = Measure("bar_speed", "Mean speed of the bar", 0.52, "m/s", 1.0)
    form = make_form(repetitions=(RepForm(0.5, 2.0, (speed,)), RepForm(2.0, 4.0, ())))
    table = set_table(form, make_set_speed(losses=(0.0, 10.0)))
    assert table["Mean speed"] == ["0.52 m/s", ""]


def test_phases_of_a_pull_have_a_table_of_their_own():
    pull = (
        Measure("transition_s", "Transition", 0.12, "s", 1.0),
        Measure("transition_peak", "Transition, peak speed", 1.5, "m/s", 1.0),
    )
    one = make_form(repetitions=(RepForm(0.5, 2.0, (DEPTH, *pull)),))
    assert measures_table(one)["Measure"] == ["Depth"]
    assert pull_table(one) == {
        "Phase": ["First pull", "Transition", "Second pull", "Turnover", "Catch"],
        "Duration": ["", "0.12 s", "", "", ""],
        "Peak speed": ["", "1.50 m/s", "", "", ""],
    }
    down = (Measure("catch_peak", "Catch", 0.6, "m/s", 1.0),)
    assert pull_table(make_form(repetitions=(RepForm(0.5, 2.0, down),)))["Peak speed"][-1] == (
        "0.60 m/s down"
    )
    several = make_form(repetitions=(RepForm(0.5, 2.0, (DEPTH,)), RepForm(2.0, 4.0, pull)))
    assert list(pull_table(several)) == ["Phase", "2. duration", "2. peak speed"]
    assert "Phases of the pull" in words(show(one))
    assert "Phases of the pull" not in words(show(make_form()))


def test_one_repetition_has_no_speed_of_a_set():
    assert "Speed of the set" not in words(show(make_form()))


def test_without_repetitions_it_says_so_and_shows_no_table():
    app = show(make_form(repetitions=(), cues=()))
    assert "Nothing was measured." in words(app)
    assert not app.dataframe
    assert "Turn the camera." in words(app)


def test_a_cue_is_shown_with_its_moment_which_a_click_shows():
    app = show(make_form())
    assert f"{ICONS[Verdict.LOOK]} **Above parallel.** The thighs point" in words(app)
    (button,) = app.button
    assert button.label == "See 1.5 s"
    button.click().run()
    assert app.session_state["seen"] == 1.5


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_has_a_sign_of_its_own(verdict):
    assert len(set(ICONS.values())) == len(Verdict)
    cue = Cue(verdict, "Is it deep?", "Perhaps.", "A rule.", 1.0)
    assert f"{ICONS[verdict]} **Is it deep?** Perhaps" in words(show(make_form(cues=(cue,))))


def test_what_was_measured_is_told_with_where_it_was_seen_from():
    form = make_form()
    assert f"of one repetition, {form.seen_from}" in words(show(form))
    both = replace(form, repetitions=form.repetitions * 2)
    assert f"of 2 repetitions, {form.seen_from}" in words(show(both))
