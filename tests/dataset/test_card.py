"""The card of a data set: counts, who judged, and Cohen's kappa against figures worked by hand."""

import pytest

from gymform.dataset.card import agreements, card_of, cohens_kappa
from gymform.dataset.corrections import correct
from gymform.dataset.groups import confirm
from gymform.dataset.items import ACCEPTED, REJECTED, SKIPPED
from gymform.dataset.reviews import ReviewStore
from gymform.pose.corrections import EXCHANGE, Correction
from tests.dataset.makers import fill_store

A, R = ACCEPTED, REJECTED


@pytest.fixture
def store(tmp_path):
    with ReviewStore.open(tmp_path / "my lifts", create=True) as opened:
        fill_store(opened, 6)
        yield opened


@pytest.mark.parametrize(
    ("pairs", "kappa"),
    [
        ([(A, A)] * 20 + [(A, R)] * 5 + [(R, A)] * 10 + [(R, R)] * 15, 0.4),  # the usual example
        ([(A, A), (R, R)], 1.0),
        ([(A, R), (R, A)], -1.0),
        ([(A, A)] * 4, None),
        ([], None),
    ],
)
def test_kappa(pairs, kappa):
    assert cohens_kappa(pairs) == (None if kappa is None else pytest.approx(kappa))


def test_two_reviewers_are_compared_where_both_judged(store):
    ids = [one.item.id for one in store.judged()]
    for item, verdict in zip(ids, (A, A, A, R, SKIPPED), strict=False):
        store.decide(item, verdict, reviewer="Ann")
    for item, verdict in zip(ids, (A, A, R, R, A), strict=False):
        store.decide(item, verdict, reviewer="Ben")
    (one,) = agreements(store)
    assert (one.first, one.second, one.items, one.same) == ("Ann", "Ben", 4, 3)
    assert one.disputed == (ids[2],)
    assert one.kappa == pytest.approx(0.5)
    store.undo("Ben")
    store.undo("Ben")
    store.undo("Ben")
    assert agreements(store)[0].kappa is None


def test_the_card_says_what_is_in_it_and_what_is_not_known(store):
    clips = store.clips()
    store.decide(store.judged()[0].item.id, ACCEPTED, reviewer="A*nn")
    correct(store, clips[0].sha256, [Correction(EXCHANGE, 0.0, 1.0)], reviewer="Ann")
    text = card_of(store)
    assert text.startswith("# my lifts\n")
    assert "6 clips" in text
    assert "Nobody confirmed" in text
    assert "Licences and consent are not recorded" in text
    assert "- A\\*nn: 1 verdicts" in text
    assert "corrected by hand in 1 clips (1 corrections)" in text
    for name in ("squat", "deadlift", "snatch"):
        assert f"| {name} | 2 |" in text
    confirm(store, reviewer="Ann")
    assert "Somebody stated or confirmed" in card_of(store)


def test_disputes_are_on_the_card_with_who_settled_them(store):
    first, second, third = [one.item.id for one in store.judged()][:3]
    assert "Reviewers see each other's verdicts. 0 repetitions are disputed" in card_of(store)
    store.set_blind(True, reviewer="Ann")
    store.decide_all([first, second, third], A, reviewer="Ann")
    store.decide_all([first, second, third], R, reviewer="Ben")
    store.settle([first], A, reviewer="C*rl")
    text = card_of(store)
    assert "Reviewers judge blind now. 2 repetitions are disputed" in text
    assert "disputes settled: 1 (1 by C\\*rl)" in text
    assert "agree on 0" in text  # what was settled is still what they said
    assert "| disputed |" in text


def test_an_empty_data_set_has_a_card_too(tmp_path):
    with ReviewStore.open(tmp_path / "new", create=True) as store:
        assert "Nobody yet." in card_of(store)
