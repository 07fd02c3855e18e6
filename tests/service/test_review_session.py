"""A review session: every decision is written once, in order, and replied to."""

from __future__ import annotations

from typing import Any

import pytest

from gymform.dataset.corrections import corrections_of
from gymform.dataset.items import ACCEPTED, DISPUTED, PENDING, REJECTED, SKIPPED, Filter
from gymform.dataset.reviews import ReviewStore
from gymform.errors import DatasetError
from gymform.service.review_session import CONFLICT, REFUSED, SAVED, ReplyLog, ReviewSession, card
from tests.dataset.makers import clip_record, fill_store, item_of, quality_of

WAITING = Filter(verdicts=(PENDING,))


@pytest.fixture(name="store")
def _store(tmp_path):
    with ReviewStore.open(tmp_path / "lifts", create=True) as store:
        fill_store(store, 6, files=False)
        yield store


def open_session(
    store: ReviewStore, name: str = "Anna", wanted: Filter = WAITING, **more: Any
) -> ReviewSession:
    return ReviewSession(store, name, wanted, **more)


def message(
    session: ReviewSession, *decisions: dict[str, Any], at: str | None = None, client: str = "w"
):
    return {"desk": session.replies.id, "client": client, "at": at, "decisions": list(decisions)}


def verdict(seq: int, item: str, what: str = ACCEPTED, revision: int = 0, **more: Any):
    sent = {"seq": seq, "kind": "verdict", "item": item, "revision": revision, "verdict": what}
    return sent | more


def worst_first(store: ReviewStore) -> list[str]:
    return [one.item.id for one in store.judged(Filter())]


def test_the_worst_item_is_on_screen_first(store):
    order = worst_first(store)
    state = open_session(store).state(None, 3)
    assert state.current == order[0]
    assert state.coming == tuple(order[1:4])
    assert state.left == 5
    assert state.counts == {PENDING: 6, ACCEPTED: 0, REJECTED: 0, SKIPPED: 0, DISPUTED: 0}


def test_a_decision_is_written_replied_to_and_passed_over(store):
    order, session = worst_first(store), open_session(store)
    session.state(None, 3)
    session.receive(
        message(session, verdict(1, order[0], REJECTED, reasons=["occluded"], comment="bar"))
    )
    state = session.state(order[1], 3)
    assert [(a.seq, a.state, a.item_id) for a in state.replies] == [(1, SAVED, order[0])]
    assert order[0] not in state.coming
    standing = store.get(order[0])
    assert (standing.verdict, standing.reasons, standing.comment, standing.reviewer) == (
        REJECTED,
        ("occluded",),
        "bar",
        "Anna",
    )


def test_a_message_that_comes_again_is_written_once_and_replied_to_again(store):
    order, session = worst_first(store), open_session(store)
    decisions = [verdict(1, order[0]), verdict(2, order[1])]
    session.receive(message(session, decisions[0]))
    for _ in range(3):
        session.receive(message(session, *decisions))
    assert store.revision() == 2
    assert [reply.seq for reply in session.state(order[2], 3).replies] == [1, 2]


def test_another_session_of_the_same_app_knows_the_replies(store):
    order, replies = worst_first(store), ReplyLog()
    first = open_session(store, replies=replies)
    told = message(first, verdict(1, order[0]))
    first.receive(told)
    second = open_session(store, wanted=Filter(), replies=replies)
    second.receive(told)
    assert store.revision() == 1
    assert [reply.seq for reply in second.state(None, 3).replies] == [1]


def test_after_a_restart_nothing_is_doubled(store):
    order, before = worst_first(store), open_session(store)
    before.receive(message(before, verdict(1, order[0])))
    undo = {"seq": 2, "kind": "undo", "item": None}
    after = open_session(store)
    after.receive(message(before, verdict(1, order[0]), undo))  # meant for the process that is gone
    assert store.revision() == 1
    after.receive(message(after, verdict(1, order[0])))  # sent again, as it got no reply
    assert store.revision() == 1
    assert after.state(order[1], 3).replies[0].state == SAVED


def test_a_conflict_is_replied_to_in_words_and_changes_nothing(store):
    order, anna = worst_first(store), open_session(store)
    anna.state(None, 3)
    store.decide(order[0], REJECTED, reviewer="Ben", reasons=("occluded",))
    anna.receive(message(anna, verdict(1, order[0])))
    reply = anna.state(order[1], 3).replies[0]
    assert reply.state == CONFLICT
    assert "Ben" in reply.text
    assert store.get(order[0]).verdict == REJECTED
    assert reply.revision == store.get(order[0]).revision
    anna.receive(message(anna, verdict(2, order[0], revision=reply.revision)))
    assert store.get(order[0]).reviewer == "Anna"


def test_what_others_decide_is_news_and_passed_over(store):
    order, anna = worst_first(store), open_session(store)
    anna.state(None, 6)
    store.decide(order[1], ACCEPTED, reviewer="Ben")
    state = anna.state(order[0], 6)
    assert order[1] not in state.coming
    assert state.counts[ACCEPTED] == 1
    assert len(state.news) == 1
    assert "Ben accepted it" in state.news[0]


def test_the_first_item_stays_on_screen_when_somebody_else_decides_about_it(store):
    order, anna = worst_first(store), open_session(store)
    anna.state(None, 6)
    store.decide(order[0], ACCEPTED, reviewer="Ben")
    state = anna.state(None, 6)
    assert (state.current, state.coming) == (order[0], tuple(order[1:]))
    assert card(anna, order[0])["reviewer"] == "Ben"


def test_who_judges_blind_hears_nothing_of_others(store):
    store.set_blind(True, reviewer="Anna")
    order, anna = worst_first(store), open_session(store)
    anna.state(None, 6)
    store.decide(order[1], ACCEPTED, reviewer="Ben", comment="secret")
    state = anna.state(order[0], 6)
    assert order[1] in state.coming
    assert (state.counts[PENDING], state.news) == (6, ())
    shown = card(anna, order[1])
    assert (shown["verdict"], shown["reviewer"], shown["history"]) == (PENDING, "", [])
    assert shown["revision"] == 0
    anna.receive(message(anna, verdict(1, order[1], REJECTED, reasons=["occluded"])))
    state = anna.state(order[0], 6)
    assert state.replies[0].state == SAVED
    assert store.get(order[1]).verdict == DISPUTED
    shown = card(anna, order[1])
    assert shown["reviewer"] == "Anna and Ben"
    assert len(shown["history"]) == 2
    anna.receive(message(anna, verdict(2, order[1], ACCEPTED, shown["revision"])))
    assert store.get(order[1]).settled
    assert "for good" in card(anna, order[1])["history"][-1]
    anna.receive(message(anna, {"seq": 3, "kind": "undo", "item": None}))
    assert store.get(order[1]).verdict == DISPUTED


def test_my_own_decisions_are_no_news(store):
    order, session = worst_first(store), open_session(store)
    session.state(None, 6)
    session.receive(message(session, verdict(1, order[0])))
    assert session.state(order[1], 6).news == ()


def test_clips_that_come_later_are_put_at_the_end(store):
    order, session = worst_first(store), open_session(store)
    session.state(None, 6)
    late = clip_record(100)
    store.add_clip(late)
    store.set_extracted(late.sha256, [item_of(late)], [quality_of(0)])
    assert session.state(order[0], 10).coming == (*order[1:], item_of(late).id)


def test_what_was_passed_over_comes_again_at_the_end(store):
    order, session = worst_first(store), open_session(store)
    session.state(None, 6)
    assert session.state(order[4], 6).coming == (order[5], *order[:4])
    assert session.state("", 6).current == order[0]


def test_when_all_is_done_nothing_is_on_screen(store):
    order, session = worst_first(store), open_session(store)
    session.state(None, 6)
    store.decide_all(order, ACCEPTED, reviewer="Anna")
    state = session.state("", 6)
    assert (state.current, state.coming, state.left) == (None, (), 0)


def test_an_item_that_is_not_there_gives_way_to_the_first(store):
    assert open_session(store).state("unknown-1", 3).current == worst_first(store)[0]


def test_an_empty_store_has_nothing_to_show(tmp_path):
    with ReviewStore.open(tmp_path / "empty", create=True) as store:
        state = open_session(store).state(None, 6)
    assert (state.current, state.coming) == (None, ())


def test_undo_tells_which_item_is_back(store):
    order, session = worst_first(store), open_session(store)
    session.receive(
        message(session, verdict(1, order[0]), {"seq": 2, "kind": "undo", "item": None})
    )
    replies = session.state(order[1], 3).replies
    assert (replies[1].state, replies[1].item_id) == (SAVED, order[0])
    assert store.get(order[0]).verdict == PENDING
    session.receive(message(session, {"seq": 3, "kind": "undo", "item": None}))
    assert session.state(order[0], 3).replies[2].state == REFUSED


def test_relabel_and_trim(store):
    order, session = worst_first(store), open_session(store)
    relabel = {"seq": 1, "kind": "relabel", "item": order[0], "revision": 0, "exercise": "lunge"}
    trim = {"seq": 2, "kind": "trim", "item": order[0], "revision": 0}
    session.receive(message(session, relabel, trim | {"start_s": 0.5, "end_s": 2.0}))
    item = store.get(order[0]).item
    assert (item.exercise, item.start_s, item.end_s) == ("lunge", 0.5, 2.0)
    shown = card(session, order[0])
    assert shown["start"] == 0.5
    assert len(shown["history"]) == 2
    assert "Anna trimmed it to 0.50 – 2.00 s" in shown["history"][1]
    session.state(order[0], 1)
    assert "lunge" in session.exercises()


@pytest.mark.parametrize(
    "sent",
    [
        {"kind": "verdict"},
        {"kind": "verdict", "item": "x", "revision": "many", "verdict": ACCEPTED},
        {"kind": "trim", "item": "x", "revision": 0, "start_s": None, "end_s": 1},
        {"kind": "delete", "item": "x", "revision": 0},
        {"kind": "verdict", "item": "unknown-1", "revision": 0, "verdict": ACCEPTED},
        {"kind": "verdict", "item": "unknown-1", "revision": 0, "verdict": "perfect"},
    ],
)
def test_what_cannot_be_read_is_refused_in_words(store, sent):
    session = open_session(store)
    session.receive(message(session, sent | {"seq": 1}))
    reply = session.state(None, 1).replies[0]
    assert reply.state == REFUSED
    assert reply.text
    assert store.revision() == 0


def test_a_store_that_does_not_write_is_never_called_saved(store, monkeypatch):
    order, session = worst_first(store), open_session(store)

    def full(*_: Any, **__: Any) -> None:
        raise DatasetError("The disk is full: nothing was saved.")

    monkeypatch.setattr(store, "decide", full)
    session.receive(message(session, verdict(1, order[0])))
    reply = session.state(order[1], 1).replies[0]
    assert (reply.state, reply.text) == (REFUSED, "The disk is full: nothing was saved.")


def test_under_a_typed_name_only_what_was_decided_in_this_session_is_taken_back(store):
    order, here = worst_first(store), open_session(store)
    here.receive(message(here, verdict(1, order[0])))
    mine: set[int] = set()
    other = open_session(store, "Anna", own=mine)  # who else types this name
    revision = store.revision()
    other.receive(message(other, {"seq": 1, "kind": "undo", "item": None}))
    other.receive(message(other, verdict(2, order[0], PENDING, revision)))
    replies = other.state(order[0], 1).replies
    assert [reply.state for reply in replies] == [REFUSED, REFUSED]
    assert "another session" in replies[1].text
    assert store.get(order[0]).verdict == ACCEPTED
    other.receive(message(other, verdict(3, order[1])))
    other.receive(message(other, {"seq": 4, "kind": "undo", "item": None}))
    assert other.state(order[1], 1).replies[-1].state == SAVED
    assert store.get(order[1]).verdict == PENDING
    assert len(mine) == 1


# --- corrections of keypoints ---------------------------------------------------------------------


def drag(seq: int, item: str, **changes: Any) -> dict[str, Any]:
    point = {"kind": "point", "time_s": 1.0, "keypoint": "left_elbow", "x": 12.0, "y": 34.0}
    return {"seq": seq, "kind": "correct", "item": item, "correction": point | changes}


@pytest.fixture(name="drawn")
def _drawn(tmp_path):
    """A data set with keypoints."""
    with ReviewStore.open(tmp_path / "drawn", create=True) as store:
        fill_store(store, 2)
        yield store


def test_a_joint_is_put_where_it_is_and_back(drawn):
    session, item = open_session(drawn), worst_first(drawn)[0]
    sha256 = drawn.get(item).item.clip_sha256
    session.receive(message(session, drag(1, item), drag(2, item, x=13.0)))
    assert [reply.state for reply in session.replies.to("w")] == [SAVED, SAVED]
    assert [one.x for one in corrections_of(drawn, sha256)] == [12.0, 13.0]
    assert drawn.get(item).revision == 0  # no verdict
    facts = card(session, item)
    assert facts["corrections"] == 2
    assert facts["history"][-1].endswith("Anna put the left elbow at 1.00 s")
    session.receive(message(session, {"seq": 3, "kind": "uncorrect", "item": item}))
    assert [one.x for one in corrections_of(drawn, sha256)] == [12.0]
    session.receive(
        message(session, *({"seq": n, "kind": "uncorrect", "item": item} for n in (4, 5)))
    )
    assert [reply.state for reply in session.replies.to("w")][-2:] == [SAVED, REFUSED]
    assert corrections_of(drawn, sha256) == ()


@pytest.mark.parametrize(
    "changes",
    [{"keypoint": "tail"}, {"x": "here"}, {"time_s": 99.0}, {"kind": "twist"}, {"y": 1e9}],
)
def test_a_correction_that_is_none_is_refused_in_words(drawn, changes):
    session, item = open_session(drawn), worst_first(drawn)[0]
    session.receive(message(session, drag(1, item, **changes)))
    (reply,) = session.replies.to("w")
    assert reply.state == REFUSED
    assert "Correction, " in reply.text
    assert card(session, item)["corrections"] == 0


@pytest.mark.parametrize("sent", [{"correction": None}, {"correction": []}, {}])
def test_a_message_without_a_correction_is_refused(drawn, sent):
    session, item = open_session(drawn), worst_first(drawn)[0]
    session.receive(message(session, {"seq": 1, "kind": "correct", "item": item} | sent))
    assert [reply.state for reply in session.replies.to("w")] == [REFUSED]


def test_who_only_typed_a_name_takes_back_no_others_corrections(drawn):
    item = worst_first(drawn)[0]
    first = open_session(drawn, own=set())
    first.receive(message(first, drag(1, item)))
    other = open_session(drawn, own=set())
    other.receive(message(other, {"seq": 1, "kind": "uncorrect", "item": item}))
    assert [reply.state for reply in other.replies.to("w")] == [REFUSED]
    assert card(other, item)["corrections"] == 1
    first.receive(message(first, {"seq": 2, "kind": "uncorrect", "item": item}))
    assert card(first, item)["corrections"] == 0


def test_spans_are_said_in_the_history(drawn):
    session, item = open_session(drawn), worst_first(drawn)[0]
    span = {"start_s": 0.5, "end_s": 1.0, "keypoints": []}
    hidden = span | {"kind": "hidden", "keypoints": ["nose", "left_eye"]}
    session.receive(
        message(
            session,
            {"seq": 1, "kind": "correct", "item": item, "correction": span | {"kind": "exchange"}},
            {"seq": 2, "kind": "correct", "item": item, "correction": hidden},
        )
    )
    told = [line.partition(" · ")[2] for line in card(session, item)["history"]]
    assert told == [
        "Anna exchanged left and right from 0.50 to 1.00 s",
        "Anna marked nose, left eye as hidden from 0.50 to 1.00 s",
    ]
