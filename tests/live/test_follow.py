"""Whom the live view follows: somebody who stays a person at the second look."""

from __future__ import annotations

import numpy as np
import pytest

from gymform.live.follow import Follower, live_windows, overlap
from tests.live.makers import GREY, SIZE, watch
from tests.live.people import FakeNetwork, Person


@pytest.mark.parametrize("person", [Person(320, 180, 300), Person(120, 220, 150)])
def test_somebody_is_found_within_a_second_and_followed(person):
    network = FakeNetwork([person])
    follower = Follower(network)
    found = watch(follower, 14)
    assert found is not None
    np.testing.assert_allclose(found.xy, person.xy, atol=0.5)
    for _ in range(10):
        person.x += 5
        found = follower.look(GREY, 2.0)
        assert found is not None
        np.testing.assert_allclose(found.xy, person.xy, atol=0.5)


def test_no_frame_costs_more_than_three_looks():
    network = FakeNetwork([Person(320, 180, 300)])
    follower = Follower(network)
    for number in range(60):
        before = network.looks
        follower.look(GREY, number / 10)
        assert network.looks - before <= 3
    before = network.looks
    watch(follower, 100, start=10.0)
    assert network.looks - before <= 100 + 11  # one each, and a second one every second


def test_an_empty_room_has_nobody_and_every_window_is_searched():
    network = FakeNetwork()
    follower = Follower(network)
    windows = len(live_windows(*SIZE))
    assert watch(follower, windows) is None
    assert network.looks == windows


def test_a_chair_that_looks_otherwise_at_the_second_look_is_not_followed():
    class Chair(FakeNetwork):
        def _look(self, crop):
            self.looks += 1
            rng = np.random.default_rng(self.looks)
            return rng.uniform(0, 300, (17, 2)).astype(np.float32), np.full(17, 0.4, np.float32)

    assert watch(Follower(Chair()), 30) is None


def test_one_blurred_frame_is_no_loss_and_a_person_who_left_is_searched_anew():
    person = Person(320, 180, 300)
    network = FakeNetwork([person])
    follower = Follower(network)
    assert watch(follower, 5)
    network.people = []
    assert follower.look(GREY, 1.0) is None
    network.people = [person]
    assert follower.look(GREY, 1.1) is not None
    network.people = []
    watch(follower, 5, start=2.0)
    elsewhere = Person(120, 220, 150)
    network.people = [elsewhere]
    found = watch(follower, 14, start=3.0)
    assert found is not None
    assert abs(found.centre[0] - elsewhere.x) < 20


def test_another_person_is_noticed_and_forgotten():
    lifter, other = Person(320, 180, 320), Person(60, 180, 200)
    network = FakeNetwork([lifter, other])
    follower = Follower(network)
    watch(follower, 200)
    assert follower.others == 1
    network.people = [lifter]
    watch(follower, 30, start=20.0)
    assert follower.others == 0


def test_the_one_who_looks_more_like_the_lifter_is_followed():
    bystander = Person(560, 200, 120)
    network = FakeNetwork([bystander])
    follower = Follower(network)
    assert watch(follower, 30) is not None
    lifter = Person(300, 180, 330)
    network.people.append(lifter)
    found = watch(follower, 200, start=3.0)
    assert found is not None
    assert abs(found.centre[0] - lifter.x) < 20


def test_a_turned_phone_begins_anew():
    follower = Follower(FakeNetwork([Person(320, 180, 300)]))
    assert watch(follower, 5)
    assert follower.look(np.swapaxes(GREY, 0, 1), 1.0) is None


def test_overlap():
    box = np.array([0.0, 0, 10, 10])
    assert overlap(box, box) == pytest.approx(1)
    assert overlap(box, box + 20) == 0
    assert overlap(box, np.array([0.0, 0, 10, 5])) == pytest.approx(0.5)
