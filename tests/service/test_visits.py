"""Who belongs to a session: the latest word counts, and old sessions are forgotten."""

from gymform.roles import Role, Visitor
from gymform.service import visits as module
from gymform.service.visits import Visits

ANN, BOB = Visitor(Role.ADMIN, "ann"), Visitor(Role.VISITOR, "bob")


def test_a_session_that_ran_no_page_is_nobody_s():
    assert Visits().of("session") is None


def test_the_latest_word_counts():
    """Who signs in, or out, is somebody else in the same session."""
    visits = Visits()
    visits.note("one", ANN)
    visits.note("two", BOB)
    assert (visits.of("one"), visits.of("two")) == (ANN, BOB)
    visits.note("one", BOB)
    assert visits.of("one") == BOB


def test_the_sessions_not_heard_of_for_longest_are_forgotten(monkeypatch):
    monkeypatch.setattr(module, "_KEPT", 3)
    visits = Visits()
    for session in "abc":
        visits.note(session, ANN)
    visits.note("a", ANN)  # heard of again
    visits.note("d", ANN)
    assert [session for session in "abcd" if visits.of(session)] == ["a", "c", "d"]


def test_asking_is_no_visit(monkeypatch):
    monkeypatch.setattr(module, "_KEPT", 2)
    visits = Visits()
    for session in "ab":
        visits.note(session, ANN)
    visits.of("a")
    visits.note("c", ANN)
    assert visits.of("a") is None


def test_the_sessions_of_a_visitor_are_known():
    visits = Visits()
    for session, key in (("1", "a"), ("2", "b"), ("3", "a"), ("1", "a")):
        visits.note(session, Visitor(Role.VISITOR, key=key))
    assert visits.sessions("a") == ["3", "1"]
    assert visits.sessions("nobody") == []
