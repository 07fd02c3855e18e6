"""Working ahead in a thread: order, errors, and that it ends."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gymform.video.ahead import ahead


@given(items=st.lists(st.integers(), max_size=30), size=st.integers(1, 4))
def test_items_come_in_order_and_all(items, size):
    with ahead(lambda: (item for item in items), size) as made:
        assert list(made) == items


def test_it_works_ahead_but_not_further_than_told():
    made, free = [], threading.Semaphore(0)

    def source():
        for number in range(100):
            made.append(number)
            free.release()
            yield number

    with ahead(source, 2) as items:
        assert next(items) == 0
        for _ in range(4):  # one taken, two waiting, one that waits for a place
            assert free.acquire(timeout=30)
        assert not free.acquire(timeout=0.3)
        assert len(made) == 4


def test_an_error_is_raised_where_items_are_taken():
    def source():
        yield 1
        raise ValueError("damaged")

    with ahead(source, 2) as items:
        assert next(items) == 1
        with pytest.raises(ValueError, match="damaged"):
            next(items)


@pytest.mark.parametrize("taken", [0, 1, 50])
def test_the_source_is_closed_and_the_thread_ended_whenever_the_block_ends(taken):
    closed = threading.Event()

    def source():
        try:
            yield from range(100)
        finally:
            closed.set()

    def leave_early():
        with ahead(source, 2) as items:
            for _ in range(taken):
                next(items)
            raise KeyboardInterrupt

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        leave_early()
    assert closed.is_set() or taken == 0
    assert threading.active_count() == before
