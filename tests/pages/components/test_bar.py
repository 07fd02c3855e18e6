"""The bar as a page shows it: charts, reasons, and what a user may change."""

import pytest
from streamlit.testing.v1 import AppTest

from gymform.bar.carrier import no_bar
from tests import fakes


def show(bar, *, may=True):
    """A page of a result with this bar; ``again`` in the state is how it was asked for anew."""

    def page():
        import streamlit as st

        from pages.components.bar import Again, show_bar

        state = st.session_state
        told = [lambda how, kind=kind: state.update(again=(kind, how)) for kind in range(4)]
        again = Again(*told) if state["may"] else None
        show_bar(state["result"], lambda second: state.update(second=second), again)

    app = AppTest.from_function(page, default_timeout=60)
    app.session_state["result"] = fakes.make_analysis(bar=bar)
    app.session_state["may"] = may
    app.run()
    assert not app.exception
    return app


def words(app):
    return " ".join(str(one.value) for kind in (app.markdown, app.caption) for one in kind)


def test_a_bar_that_was_followed_has_two_charts():
    app = show(fakes.make_bar(reasons=("The camera pans.",)))
    assert len(app.get("plotly_chart")) == 2
    assert "The camera pans." in words(app)
    assert "seen in 100 % of the lift" in words(app)


def test_where_none_is_found_it_says_why_and_what_to_do():
    bar = no_bar(fakes.make_pose().time_s, 450.0, "Nothing round moves with the hands.")
    app = show(bar)
    assert not app.get("plotly_chart")
    assert "Nothing round moves with the hands." in words(app)
    assert "Mark the plate" in words(app)
    assert "Mark the plate" not in words(show(bar, may=False))


def test_where_none_was_looked_for_nothing_is_said():
    assert words(show(None)) == ""


def test_another_diameter_follows_the_bar_anew():
    app = show(fakes.make_bar())
    app.number_input[0].set_value(400.0).run()
    assert app.session_state["again"] == (2, 400.0)


def test_without_a_size_its_field_is_empty_so_that_the_usual_one_can_be_said():
    app = show(fakes.make_bar(mm_per_px=None))
    assert app.number_input[0].value is None
    app.number_input[0].set_value(450.0).run()
    assert app.session_state["again"] == (2, 450.0)


def test_metres_are_checked_by_the_lifter_s_height():
    app = show(fakes.make_bar())
    _, height = app.number_input
    height.set_value(175.0).run()
    assert app.session_state["again"] == (3, 175.0)
    height.set_value(None).run()
    assert app.session_state["again"] == (3, None)


def test_a_plate_that_was_shown_can_be_taken_back():
    app = show(fakes.make_bar(marked=True))
    [button] = app.button
    button.click().run()
    assert app.session_state["again"] == (1, None)


@pytest.mark.parametrize("may", [True, False])
def test_who_may_only_look_can_change_nothing(may):
    app = show(fakes.make_bar(), may=may)
    assert bool(app.number_input) == may
