"""What the model would learn most from: doubt, contradiction, and what is unlike all accepted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gymform.dataset import next_clips
from gymform.dataset.items import ACCEPTED, LEARN, PENDING, Filter
from gymform.dataset.next_clips import rank
from gymform.dataset.ranking import read_ranking
from gymform.dataset.reviews import ReviewStore
from gymform.errors import OptionsError
from tests.dataset.makers import make_store

SURE, DOUBTFUL = [0.96, 0.02, 0.02], [0.34, 0.33, 0.33]
ELSEWHERE = [0.02, 0.02, 0.96]
AT_ODDS = [SURE, ELSEWHERE]


class Oracle:
    """Gives prepared answers, one after the other; the last one again and again."""

    sha256 = "f" * 64

    def __init__(self, *answers) -> None:
        self.answers = [np.array(one, float) for one in answers]
        self.asked = 0

    def by_network(self, _tracks):
        self.asked += 1
        return self.answers[min(self.asked, len(self.answers)) - 1]


def test_who_judges_blind_gets_an_order_that_tells_nothing(store, monkeypatch):
    monkeypatch.setattr("gymform.exercise.classifier.load_classifier", lambda: Oracle(AT_ODDS))
    store.set_blind(True, reviewer="Ann")
    before = rank(store).gains
    store.decide_all([one.item.id for one in store.judged()[:2]], ACCEPTED, reviewer="Ann")
    assert rank(store).gains == before
    assert len(before) == 4


@pytest.fixture
def store(tmp_path):
    with ReviewStore.open(make_store(tmp_path / "set", 4, files=True)) as opened:
        yield opened


def gains(asked, known=()):
    names = [str(number) for number in range(len(asked))]
    return next_clips._gains(names, [np.array(a) for a in asked], [np.array(k) for k in known])


def test_contradiction_and_doubt_come_before_what_is_clear():
    found = gains([[SURE, SURE], AT_ODDS, [DOUBTFUL, DOUBTFUL]])
    assert found["0"] < min(found["1"], found["2"])


def test_of_two_that_are_as_clear_the_one_unlike_all_accepted_comes_first():
    found = gains([[SURE, SURE], [ELSEWHERE, ELSEWHERE]], known=[[SURE, SURE]])
    assert found["1"] > found["0"]


@given(
    st.lists(
        st.lists(st.floats(0, 1), min_size=6, max_size=6).filter(lambda row: sum(row) > 0.1),
        min_size=1, max_size=9,
    ),
    st.randoms(),
)  # fmt: skip
def test_gains_are_shares_and_do_not_depend_on_the_order_of_the_items(rows, random):
    weights = [np.array(row).reshape(2, 3) + 0.01 for row in rows]
    asked = [one / one.sum(1, keepdims=True) for one in weights]
    found = gains(asked, known=asked[:1])
    assert all(0 < gain < 1 for gain in found.values())
    order = list(range(len(asked)))
    random.shuffle(order)
    again = gains([asked[number] for number in order], known=asked[:1])
    assert [again[str(place)] for place in range(len(order))] == pytest.approx(
        [found[str(number)] for number in order]
    )


def test_pending_repetitions_are_ranked_and_listed_in_that_order(store, monkeypatch):
    items = [one.item.id for one in store.judged(Filter(order="worst"))]
    store.decide_all(items[:1], ACCEPTED, reviewer="Ann")
    left = [one.item.id for one in store.judged(Filter(verdicts=(PENDING,)))]
    oracle = Oracle(*[[SURE, SURE]] * (len(left) - 1), AT_ODDS)
    monkeypatch.setattr("gymform.exercise.classifier.load_classifier", lambda: oracle)
    seen = []
    ranking = rank(store, progress=lambda *step: seen.append(step))
    assert set(ranking.gains) == set(left)
    assert read_ranking(store.files) == ranking
    assert seen[0][1] == 0
    assert seen[-1][1] == seen[-1][2] > 0
    listed = [one.item.id for one in store.judged(Filter(verdicts=(PENDING,), order=LEARN))]
    assert [ranking.gains[one] for one in listed] == sorted(ranking.gains.values(), reverse=True)


def test_what_the_model_was_not_asked_about_comes_last(store, monkeypatch):
    monkeypatch.setattr("gymform.exercise.classifier.load_classifier", lambda: Oracle(AT_ODDS))
    newest = store.judged()[0]
    store.files.poses(newest.item.clip_sha256).unlink()
    ranking = rank(store)
    assert newest.item.id not in ranking.gains
    assert store.judged(Filter(order=LEARN))[-1].item.id == newest.item.id


def test_without_a_ranking_the_worst_keypoints_come_first(store):
    assert store.judged(Filter(order=LEARN)) == store.judged(Filter(order="worst"))


def test_nothing_pending_is_said_so(store):
    store.decide_all([one.item.id for one in store.judged()], ACCEPTED, reviewer="Ann")
    with pytest.raises(OptionsError, match="Nothing is pending"):
        rank(store)


def test_the_shipped_model_answers_by_each_of_its_networks(store):
    ranking = rank(store)
    assert len(ranking.gains) == len(store.judged())
