"""The stopwatch adds up by stage, nests, and counts what an error cut short."""

import pytest

from gymform import timing
from gymform.timing import Stopwatch, ignore_progress


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test moves: ``clock.now += 2``."""

    class Clock:
        now = 0.0

    monkeypatch.setattr(timing.time, "perf_counter", lambda: Clock.now)
    return Clock


def test_seconds_add_up_by_stage(clock):
    watch = Stopwatch()
    for seconds in (2, 3):
        with watch("read"):
            clock.now += seconds
        clock.now += 100  # between blocks nothing counts
    with watch("draw"):
        clock.now += 1
    assert watch.seconds == {"read": 5, "draw": 1}


def test_nested_blocks_count_all_of_their_own_time(clock):
    watch = Stopwatch()
    with watch("all"):
        clock.now += 1
        with watch("part"):
            clock.now += 2
    assert watch.seconds == {"all": 3, "part": 2}


def test_a_block_that_fails_counts_and_its_error_goes_on(clock):
    def fail():
        with watch("read"):
            clock.now += 4
            raise RuntimeError("broken")

    watch = Stopwatch()
    with pytest.raises(RuntimeError, match="broken"):
        fail()
    assert watch.seconds == {"read": 4}


def test_each_watch_has_its_own_stages():
    one, other = Stopwatch(), Stopwatch()
    with one("read"):
        pass
    assert list(one.seconds) == ["read"]
    assert not other.seconds


def test_progress_that_nobody_watches_is_silent(capsys):
    assert ignore_progress("read", 1, 2) is None
    assert capsys.readouterr() == ("", "")
