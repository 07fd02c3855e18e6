"""Groups are put together, taken apart, confirmed, and never claimed when nobody confirmed them."""

import pytest

from gymform.dataset import groups
from gymform.dataset.groups import assign, confirm, merge, separate, unconfirmed, undo
from gymform.dataset.reviews import ReviewStore
from gymform.errors import OptionsError
from tests.dataset.makers import clip_record, fill_store


@pytest.fixture
def store(tmp_path):
    with ReviewStore.open(tmp_path / "set", create=True) as opened:
        fill_store(opened, 5, files=False)
        yield opened


def ids(store):
    return [clip.sha256 for clip in store.clips()]


def named(store):
    return [clip.group for clip in store.clips()]


def test_what_nobody_said_is_unconfirmed_until_somebody_does(store):
    assert unconfirmed(store) == set(ids(store))
    merge(store, ids(store)[:2], "  Anna\n", reviewer="Ann")
    assert named(store)[:2] == ["Anna", "Anna"]
    assert unconfirmed(store) == set(ids(store)[2:])
    assert unconfirmed(store, ids(store)[1:3]) == {ids(store)[2]}
    assert confirm(store, reviewer="Ann") == 3
    assert unconfirmed(store) == set()
    assert confirm(store, reviewer="Ann") == 0
    assert undo(store, reviewer="Ann") == 3
    assert undo(store, reviewer="Ann") == 2
    assert unconfirmed(store) == set(ids(store))
    assert named(store) == [clip_record(number).group for number in range(5)]


def test_taken_apart_each_has_a_name_that_nobody_else_has(store):
    first, second, third, *_ = ids(store)
    assign(store, {third: "clip-0000"}, reviewer="Ann")
    merge(store, [first, second], "Zoe", reviewer="Ann")
    separate(store, [first, second], reviewer="Ben")
    found = named(store)
    assert found[0] == f"clip-0000 {first[:8]}"
    assert found[1] == "clip-0001"
    assert len(set(found)) == 5


@pytest.mark.parametrize("name", ["", "   ", "\x00\u202e"])
def test_a_person_without_a_name_is_refused(store, name):
    with pytest.raises(OptionsError, match="name of a person"):
        merge(store, ids(store), name, reviewer="Ann")
    assert unconfirmed(store) == set(ids(store))


def test_the_words_for_it_claim_nothing():
    assert "Nobody confirmed" in groups.UNCONFIRMED
    assert "never seen" not in groups.UNCONFIRMED
