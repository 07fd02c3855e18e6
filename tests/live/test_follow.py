"""Tracking in the live view: somebody who is confirmed by a second detection is followed."""

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
        found = follower.track(GREY, 2.0)
        assert found is not None
        np.testing.assert_allclose(found.xy, person.xy, atol=0.5)


def test_no_frame_costs_more_than_three_crops():
    network = FakeNetwork([Person(320, 180, 300)])
    follower = Follower(network)
    for number in range(60):
        before = network.crops
        follower.track(GREY, number / 10)
        assert network.crops - before <= 3
    before = network.crops
    watch(follower, 100, start=10.0)
    assert network.crops - before <= 100 + 11  # one per frame, and an extra one per second


def test_an_empty_room_has_nobody_and_every_window_is_searched():
    network = FakeNetwork()
    follower = Follower(network)
    windows = len(live_windows(*SIZE))
    assert watch(follower, windows) is None
    assert network.crops == windows


def test_a_chair_whose_keypoints_change_with_the_crop_is_not_followed():
    class Chair(FakeNetwork):
        def _detect(self, crop):
            self.crops += 1
            rng = np.random.default_rng(self.crops)
            return rng.uniform(0, 300, (17, 2)).astype(np.float32), np.full(17, 0.4, np.float32)

    assert watch(Follower(Chair()), 30) is None


def test_one_blurred_frame_loses_nobody_and_a_person_who_left_is_searched_for():
    person = Person(320, 180, 300)
    network = FakeNetwork([person])
    follower = Follower(network)
    assert watch(follower, 5)
    network.people = []
    assert follower.track(GREY, 1.0) is None
    network.people = [person]
    assert follower.track(GREY, 1.1) is not None
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


def test_a_rotated_phone_starts_over():
    follower = Follower(FakeNetwork([Person(320, 180, 300)]))
    assert watch(follower, 5)
    assert follower.track(np.swapaxes(GREY, 0, 1), 1.0) is None


def test_overlap():
    box = np.array([0.0, 0, 10, 10])
    assert overlap(box, box) == pytest.approx(1)
    assert overlap(box, box + 20) == 0
    assert overlap(box, np.array([0.0, 0, 10, 5])) == pytest.approx(0.5)
