"""The reviewer's desk: every decision once, in order, and answered."""

from __future__ import annotations

from typing import Any

import pytest

from gymform.dataset.items import ACCEPTED, PENDING, REJECTED, SKIPPED, Filter
from gymform.dataset.reviews import ReviewStore
from gymform.errors import DatasetError
from gymform.service.review_session import CONFLICT, REFUSED, SAVED, Heard, ReviewSession, card
from tests.dataset.makers import clip_record, fill_store, item_of, quality_of

WAITING = Filter(verdicts=(PENDING,))


@pytest.fixture(name="store")
def _store(tmp_path):
    with ReviewStore.open(tmp_path / "lifts", create=True) as store:
        fill_store(store, 6, files=False)
        yield store


def sit(
    store: ReviewStore, name: str = "Anna", wanted: Filter = WAITING, **more: Any
) -> ReviewSession:
    return ReviewSession(store, name, wanted, **more)


def message(desk: ReviewSession, *wishes: dict[str, Any], at: str | None = None, client: str = "w"):
    return {"desk": desk.heard.id, "client": client, "at": at, "decisions": list(wishes)}


def verdict(seq: int, item: str, what: str = ACCEPTED, revision: int = 0, **more: Any):
    wish = {"seq": seq, "kind": "verdict", "item": item, "revision": revision, "verdict": what}
    return wish | more


def worst_first(store: ReviewStore) -> list[str]:
    return [one.item.id for one in store.judged(Filter())]


def test_the_worst_item_is_on_the_desk_first(store):
    order = worst_first(store)
    view = sit(store).view(None, 3)
    assert view.current == order[0]
    assert view.coming == tuple(order[1:4])
    assert view.left == 5
    assert view.counts == {PENDING: 6, ACCEPTED: 0, REJECTED: 0, SKIPPED: 0}


def test_a_decision_is_written_answered_and_passed_over(store):
    order, desk = worst_first(store), sit(store)
    desk.view(None, 3)
    desk.take(message(desk, verdict(1, order[0], REJECTED, reasons=["occluded"], comment="bar")))
    view = desk.view(order[1], 3)
    assert [(a.seq, a.state, a.item_id) for a in view.answers] == [(1, SAVED, order[0])]
    assert order[0] not in view.coming
    standing = store.get(order[0])
    assert (standing.verdict, standing.reasons, standing.comment, standing.reviewer) == (
        REJECTED,
        ("occluded",),
        "bar",
        "Anna",
    )


def test_a_message_that_comes_again_is_written_once_and_answered_again(store):
    order, desk = worst_first(store), sit(store)
    wishes = [verdict(1, order[0]), verdict(2, order[1])]
    desk.take(message(desk, wishes[0]))
    for _ in range(3):
        desk.take(message(desk, *wishes))
    assert store.revision() == 2
    assert [answer.seq for answer in desk.view(order[2], 3).answers] == [1, 2]


def test_another_desk_of_the_same_app_knows_what_was_heard(store):
    order, heard = worst_first(store), Heard()
    first = sit(store, heard=heard)
    told = message(first, verdict(1, order[0]))
    first.take(told)
    second = sit(store, wanted=Filter(), heard=heard)
    second.take(told)
    assert store.revision() == 1
    assert [answer.seq for answer in second.view(None, 3).answers] == [1]


def test_after_a_restart_nothing_is_doubled(store):
    order, before = worst_first(store), sit(store)
    before.take(message(before, verdict(1, order[0])))
    undo = {"seq": 2, "kind": "undo", "item": None}
    after = sit(store)
    after.take(message(before, verdict(1, order[0]), undo))  # meant for the process that is gone
    assert store.revision() == 1
    after.take(message(after, verdict(1, order[0])))  # the widget sends what was never answered
    assert store.revision() == 1
    assert after.view(order[1], 3).answers[0].state == SAVED


def test_a_conflict_is_answered_in_words_and_changes_nothing(store):
    order, anna = worst_first(store), sit(store)
    anna.view(None, 3)
    store.decide(order[0], REJECTED, reviewer="Ben", reasons=("occluded",))
    anna.take(message(anna, verdict(1, order[0])))
    answer = anna.view(order[1], 3).answers[0]
    assert answer.state == CONFLICT
    assert "Ben" in answer.text
    assert store.get(order[0]).verdict == REJECTED
    assert answer.revision == store.get(order[0]).revision
    anna.take(message(anna, verdict(2, order[0], revision=answer.revision)))
    assert store.get(order[0]).reviewer == "Anna"


def test_what_others_decide_is_news_and_passed_over(store):
    order, anna = worst_first(store), sit(store)
    anna.view(None, 6)
    store.decide(order[1], ACCEPTED, reviewer="Ben")
    view = anna.view(order[0], 6)
    assert order[1] not in view.coming
    assert view.counts[ACCEPTED] == 1
    assert len(view.news) == 1
    assert "Ben accepted it" in view.news[0]


def test_the_first_item_stays_on_the_desk_when_somebody_else_decides_about_it(store):
    order, anna = worst_first(store), sit(store)
    anna.view(None, 6)
    store.decide(order[0], ACCEPTED, reviewer="Ben")
    view = anna.view(None, 6)
    assert (view.current, view.coming) == (order[0], tuple(order[1:]))
    assert card(anna, order[0])["reviewer"] == "Ben"


def test_my_own_decisions_are_no_news(store):
    order, desk = worst_first(store), sit(store)
    desk.view(None, 6)
    desk.take(message(desk, verdict(1, order[0])))
    assert desk.view(order[1], 6).news == ()


def test_clips_that_come_later_are_put_at_the_end(store):
    order, desk = worst_first(store), sit(store)
    desk.view(None, 6)
    late = clip_record(100)
    store.add_clip(late)
    store.set_extracted(late.sha256, [item_of(late)], [quality_of(0)])
    assert desk.view(order[0], 10).coming == (*order[1:], item_of(late).id)


def test_what_was_passed_over_comes_again_at_the_end(store):
    order, desk = worst_first(store), sit(store)
    desk.view(None, 6)
    assert desk.view(order[4], 6).coming == (order[5], *order[:4])
    assert desk.view("", 6).current == order[0]


def test_when_all_is_done_nothing_is_on_the_desk(store):
    order, desk = worst_first(store), sit(store)
    desk.view(None, 6)
    store.decide_all(order, ACCEPTED, reviewer="Anna")
    view = desk.view("", 6)
    assert (view.current, view.coming, view.left) == (None, (), 0)


def test_an_item_that_is_not_there_gives_way_to_the_first(store):
    assert sit(store).view("unknown-1", 3).current == worst_first(store)[0]


def test_an_empty_store_has_nothing_to_show(tmp_path):
    with ReviewStore.open(tmp_path / "empty", create=True) as store:
        view = sit(store).view(None, 6)
    assert (view.current, view.coming) == (None, ())


def test_undo_tells_which_item_is_back(store):
    order, desk = worst_first(store), sit(store)
    desk.take(message(desk, verdict(1, order[0]), {"seq": 2, "kind": "undo", "item": None}))
    answers = desk.view(order[1], 3).answers
    assert (answers[1].state, answers[1].item_id) == (SAVED, order[0])
    assert store.get(order[0]).verdict == PENDING
    desk.take(message(desk, {"seq": 3, "kind": "undo", "item": None}))
    assert desk.view(order[0], 3).answers[2].state == REFUSED


def test_relabel_and_trim(store):
    order, desk = worst_first(store), sit(store)
    relabel = {"seq": 1, "kind": "relabel", "item": order[0], "revision": 0, "exercise": "lunge"}
    trim = {"seq": 2, "kind": "trim", "item": order[0], "revision": 0}
    desk.take(message(desk, relabel, trim | {"start_s": 0.5, "end_s": 2.0}))
    item = store.get(order[0]).item
    assert (item.exercise, item.start_s, item.end_s) == ("lunge", 0.5, 2.0)
    shown = card(desk, order[0])
    assert shown["start"] == 0.5
    assert len(shown["history"]) == 2
    assert "Anna trimmed it to 0.50 – 2.00 s" in shown["history"][1]
    desk.view(order[0], 1)
    assert "lunge" in desk.exercises()


@pytest.mark.parametrize(
    "wish",
    [
        {"kind": "verdict"},
        {"kind": "verdict", "item": "x", "revision": "many", "verdict": ACCEPTED},
        {"kind": "trim", "item": "x", "revision": 0, "start_s": None, "end_s": 1},
        {"kind": "delete", "item": "x", "revision": 0},
        {"kind": "verdict", "item": "unknown-1", "revision": 0, "verdict": ACCEPTED},
        {"kind": "verdict", "item": "unknown-1", "revision": 0, "verdict": "perfect"},
    ],
)
def test_what_cannot_be_read_is_refused_in_words(store, wish):
    desk = sit(store)
    desk.take(message(desk, wish | {"seq": 1}))
    answer = desk.view(None, 1).answers[0]
    assert answer.state == REFUSED
    assert answer.text
    assert store.revision() == 0


def test_a_store_that_does_not_write_is_never_called_saved(store, monkeypatch):
    order, desk = worst_first(store), sit(store)

    def full(*_: Any, **__: Any) -> None:
        raise DatasetError("The disk is full: nothing was saved.")

    monkeypatch.setattr(store, "decide", full)
    desk.take(message(desk, verdict(1, order[0])))
    answer = desk.view(order[1], 1).answers[0]
    assert (answer.state, answer.text) == (REFUSED, "The disk is full: nothing was saved.")
