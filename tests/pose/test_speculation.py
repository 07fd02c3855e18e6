"""Looks computed ahead: the same answers, in threads that end with the search."""

import threading
from collections.abc import Callable

import numpy as np
import pytest

from gymform.errors import Cancelled
from gymform.pose import sequence
from gymform.pose.detection import Detection
from gymform.pose.sequence import extract_poses
from gymform.pose.speculation import Speculation
from gymform.pose.tracking import FollowedBoxes, follow
from gymform.video.read import probe
from gymform.video.write import VideoWriter
from tests.pose.painted import dot_model, paint, person_at
from tests.pose.silhouettes import SilhouetteEstimator, person
from tests.pose.test_tracking import sparse

PATIENCE_S = 10


def somebody() -> Detection:
    return Detection(np.zeros((17, 2)), np.ones(17), 1.0)


PEOPLE = [somebody() for _ in range(6)]
"""Who is found in each sample."""


def searching() -> list[str]:
    """The names of the threads that compute ahead."""
    return [one.name for one in threading.enumerate() if one.name.startswith("search")]


def in_order(sample: int, last: Detection) -> Detection:
    assert last is PEOPLE[sample - 1]
    return PEOPLE[sample]


def same(sample: int, found: Detection | None) -> Detection | None:
    return found


def never() -> Detection:
    pytest.fail("it was known ahead")


# ---- a chain


def test_steps_that_were_taken_ahead_are_not_taken_again():
    with Speculation(2) as ahead:
        chain = ahead.chain([1, 2, 3], PEOPLE[0], in_order, same)
        for sample in (1, 2, 3):
            assert chain.answer(sample, PEOPLE[sample - 1], never) is PEOPLE[sample]


def test_two_chains_are_followed_at_the_same_time():
    both = threading.Barrier(2)

    def meet(sample: int, last: Detection) -> Detection:
        both.wait(PATIENCE_S)
        return PEOPLE[sample]

    with Speculation(2) as ahead:
        chains = [ahead.chain([sample], PEOPLE[0], meet, same) for sample in (1, 2)]
        assert [chain.answer(sample, PEOPLE[0], never) for sample, chain in enumerate(chains, 1)]


def test_another_way_ends_the_chain_and_is_looked_at_now():
    other, found = somebody(), somebody()
    with Speculation(2) as ahead:
        chain = ahead.chain([1, 2, 3], PEOPLE[0], in_order, same)
        assert chain.answer(1, PEOPLE[0], never) is PEOPLE[1]
        assert chain.answer(2, other, lambda: found) is found
        # the chain may have announced this step and will not take it: nobody waits for it
        assert chain.answer(3, PEOPLE[2], lambda: found) is found


def test_a_chain_ends_where_nobody_is_to_be_followed_on():
    taken = []

    def step(sample: int, last: Detection) -> None:
        taken.append(sample)

    with Speculation(2) as ahead:
        chain = ahead.chain([1, 2, 3], PEOPLE[0], step, same)
        assert chain.answer(1, PEOPLE[0], never) is None
        assert chain.answer(2, PEOPLE[0], lambda: PEOPLE[2]) is PEOPLE[2]
    assert taken == [1]


def test_an_error_is_raised_where_the_step_is_asked_for():
    def fail(sample: int, last: Detection) -> Detection:
        raise OSError("the engine failed")

    with Speculation(2) as ahead:
        chain = ahead.chain([1, 2], PEOPLE[0], fail, same)
        with pytest.raises(OSError, match="the engine failed"):
            chain.answer(1, PEOPLE[0], never)


def test_leaving_ends_chains_that_are_under_way():
    begun = threading.Event()

    def step(sample: int, last: Detection) -> Detection:
        begun.set()
        return PEOPLE[0]

    def leave() -> None:
        with Speculation(2) as ahead:
            ahead.chain(range(10**9), PEOPLE[0], step, same)
            assert begun.wait(PATIENCE_S)
            raise Cancelled("The analysis was cancelled.")

    with pytest.raises(Cancelled):
        leave()
    assert searching() == []


# ---- calls side by side


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_calls_give_what_they_give_and_know_what_came_before(threads):
    def call(number: int) -> Callable[[Callable[[], list[int]]], int]:
        return lambda earlier: number + sum(earlier())

    with Speculation(threads) as ahead:
        assert ahead.at_once([call(number) for number in (1, 2, 3, 4)]) == [1, 3, 7, 15]


def test_calls_are_computed_at_the_same_time():
    both = threading.Barrier(2)
    with Speculation(2) as ahead:
        ahead.at_once([lambda _: both.wait(PATIENCE_S)] * 2)


def test_with_one_thread_nothing_is_computed_ahead():
    with Speculation(1) as ahead:
        chain = ahead.chain([1, 2], PEOPLE[0], lambda *_: never(), same)
        assert chain.answer(1, PEOPLE[0], lambda: PEOPLE[1]) is PEOPLE[1]
        names = ahead.at_once([lambda _: threading.current_thread().name] * 2)
        assert names == [threading.current_thread().name] * 2
        assert searching() == []


# ---- the search


def squats(count: int = 16, x: float = 300) -> list[np.ndarray]:
    return [person(x, 330, 250, depth=0.5 - 0.5 * np.cos(i / 2)) for i in range(count)]


def alone() -> list[list[tuple[np.ndarray, float]]]:
    return [[(squat, 0.9)] for squat in squats()]


def passed_by() -> list[list[tuple[np.ndarray, float]]]:
    return [
        [(squat, 0.9), (person(-250 + 70 * i, 345, 280), 0.9)] for i, squat in enumerate(squats())
    ]


def beside_another() -> list[list[tuple[np.ndarray, float]]]:
    return [[(person(520, 330, 240), 0.8), (squat, 0.9)] for squat in squats(x=200)]


def gone_for_a_while() -> list[list[tuple[np.ndarray, float]]]:
    return [[(squat, 0.9)] if not 6 <= i < 9 else [] for i, squat in enumerate(squats())]


def elsewhere_after_a_loss() -> list[list[tuple[np.ndarray, float]]]:
    return [*alone()[:6], [], *([(squat, 0.9)] for squat in squats(x=480))]


def jumping() -> list[list[tuple[np.ndarray, float]]]:
    return [[(person(200 + 180 * (i % 5 == 4), 330, 250), 0.9)] for i in range(16)]


class Watching(SilhouetteEstimator):
    """Knows the threads in which it was asked."""

    def keypoints_in_frame(self, picture, crops):
        self.asked.append(threading.current_thread().name)
        return super().keypoints_in_frame(picture, crops)

    def __init__(self, *scenes) -> None:
        super().__init__(*scenes)
        self.asked: list[str] = []


def assert_same(ahead: FollowedBoxes, followed: FollowedBoxes) -> None:
    np.testing.assert_array_equal(ahead.boxes, followed.boxes)
    assert (ahead.notes, ahead.plain, ahead.turn) == (
        followed.notes,
        followed.plain,
        followed.turn,
    )


@pytest.mark.parametrize(
    "scenes", [alone, passed_by, beside_another, gone_for_a_while, elsewhere_after_a_loss, jumping]
)
@pytest.mark.parametrize("threads", [2, 3])
def test_the_search_finds_the_same_with_more_threads(scenes, threads):
    estimator = Watching(*scenes())
    frames = sparse(estimator.pictures())
    followed = follow(frames, estimator, witness=estimator)
    assert not any(name.startswith("search") for name in estimator.asked)
    assert_same(follow(frames, estimator, witness=estimator, threads=threads), followed)
    assert any(name.startswith("search") for name in estimator.asked)
    assert searching() == []


def test_a_lifter_who_is_alone_is_followed_ahead_alone():
    """Each step is taken once, and none by the thread that searches."""
    estimator = Watching(*alone())
    frames = sparse(estimator.pictures())
    follow(frames, estimator)
    looks = len(estimator.asked)
    estimator.asked.clear()
    follow(frames, estimator, threads=2)
    assert len(estimator.asked) == looks
    assert all(name.startswith("search") for name in estimator.asked)


def test_cancelling_a_search_ends_its_threads():
    estimator = SilhouetteEstimator(*alone())

    def cancel(done: int, total: int) -> None:
        if done == 3:
            raise Cancelled("The analysis was cancelled.")

    with pytest.raises(Cancelled):
        follow(sparse(estimator.pictures()), estimator, progress=cancel, threads=2)
    assert searching() == []


@pytest.mark.parametrize("after", [0, 8, 20])
def test_an_engine_that_fails_ends_the_search_and_its_threads(after):
    class Failing(Watching):
        def keypoints_in_frame(self, picture, crops):
            if len(self.asked) >= after:
                raise OSError("the engine failed")
            return super().keypoints_in_frame(picture, crops)

    estimator = Failing(*alone())
    with pytest.raises(OSError, match="the engine failed"):
        follow(sparse(estimator.pictures()), estimator, threads=2)
    assert searching() == []


@pytest.mark.parametrize("threads", [1, 2])
def test_an_analysis_computes_ahead_with_as_many_threads_as_pytorch_may_use(
    threads, tmp_path, monkeypatch
):
    given = []

    def watch(frames, estimator, **options):
        given.append(options["threads"])
        return follow(frames, estimator, **options)

    path = tmp_path / "clip.mp4"
    with VideoWriter(path, width=480, height=320, fps=5, crf=4) as writer:
        for frame in range(8):
            writer.write(paint((480, 320), person_at(200, 40, 230)), frame / 5)
    monkeypatch.setattr(sequence, "follow", watch)
    monkeypatch.setattr(sequence.torch, "get_num_threads", lambda: threads)
    extract_poses(path, probe(path), sequence.PoseEstimator(dot_model()))
    assert given == [threads]
