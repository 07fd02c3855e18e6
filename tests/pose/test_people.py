"""Who lifts, who is hidden, who comes along: on keypoints made by hand."""

import numpy as np
import pytest

from gymform.pose.detection import Detection
from gymform.pose.people import (
    Track,
    alike,
    changed_place,
    choose_lifter,
    clothes_of,
    covered,
    hides,
    is_somebody,
    is_unchanged,
    mixed,
    movement,
    second_person,
    without,
)
from tests.pose.painted import person_at
from tests.pose.silhouettes import SIZE, person

SAMPLES = 20


def seen(xy: np.ndarray, confidence: float = 0.8) -> Detection:
    return Detection(xy, np.full(17, confidence), confidence)


def track(*people: np.ndarray, confidence: float = 0.8) -> Track:
    made = Track()
    for sample, xy in enumerate(people):
        made.add(sample, seen(xy, confidence))
    return made


def squats(x: float, height: float = 240, **options: float) -> Track:
    depths = 0.5 - 0.5 * np.cos(np.arange(SAMPLES) * 0.9)
    return track(*(person(x, 320, height, depth=d) for d in depths), **options)


def stands(x: float, height: float = 240, **options: float) -> Track:
    return track(*[person(x, 320, height)] * SAMPLES, **options)


def walks(**options: float) -> Track:
    return track(*(person(40 + 30 * i, 320, 240) for i in range(SAMPLES)), **options)


def comes_nearer(**options: float) -> Track:
    return track(*(person(300, 300 + 3 * i, 150 + 8 * i) for i in range(SAMPLES)), **options)


def test_movement_is_up_and_down_against_the_feet():
    assert movement(squats(200)) > 0.15
    assert movement(stands(200)) < 0.02
    assert movement(walks()) < 0.02
    assert movement(comes_nearer()) < 0.3 * movement(squats(200))


def test_one_wrong_detection_is_no_movement():
    standing = [person(200, 320, 240)] * SAMPLES
    standing[7] = standing[7] - [0, 90]
    assert movement(track(*standing)) < 0.02


def test_too_few_samples_are_no_movement():
    assert movement(track(person(200, 320, 240), person(200, 320, 240, depth=1))) == 0


@pytest.mark.parametrize(
    "other",
    [
        stands(320, 300, confidence=0.9),
        walks(confidence=0.9),
        comes_nearer(confidence=0.85),
    ],
    ids=["larger, in the middle", "walks through", "comes nearer"],
)
def test_who_moves_up_and_down_lifts(other):
    lifter = squats(150)
    assert choose_lifter([other, lifter], SAMPLES, np.array(SIZE)) is lifter


def test_a_person_who_walks_is_expected_farther_on():
    walker = walks()
    last = walker.seen[SAMPLES - 1].centre
    assert walker.expected(SAMPLES + 3).centre[0] == pytest.approx(last[0] + 4 * 30)
    standing = stands(200)
    np.testing.assert_allclose(standing.expected(SAMPLES + 3).xy, standing.seen[0].xy)


def test_who_came_along_and_stands_nearer_hides():
    lifter = seen(person(320, 320, 240))
    passer = track(*(person(20 + 40 * i, 330, 240) for i in range(8)))
    assert hides(passer, passer.seen[7], lifter, 240)
    behind = track(*(person(20 + 40 * i, 300, 220) for i in range(8)))
    assert not hides(behind, behind.seen[7], lifter, 240)
    beside = track(*[person(330, 330, 240)] * 8)  # a partner who was there from the start
    assert not hides(beside, beside.seen[7], lifter, 240)
    assert not hides(passer, None, lifter, 240)


def test_a_skeleton_with_joints_of_somebody_else_is_mixed():
    expected = seen(person(320, 320, 240))
    assert not mixed(seen(person(325, 320, 240, depth=0.2)), expected)
    wrong = person(320, 320, 240)
    wrong[13:] -= [80, 0]  # knees and ankles on the other's legs
    assert mixed(seen(wrong), expected)


def test_clothes_tell_people_apart():
    def dressed(torso: tuple[int, int, int], legs: tuple[int, int, int]) -> np.ndarray:
        picture = np.full((360, 640, 3), 200, np.uint8)
        picture[60:195, 240:400] = torso
        picture[195:, 240:400] = legs
        clothes = clothes_of(picture, seen(person_at(320, 60, 240)))
        assert clothes is not None
        return clothes

    red = dressed((200, 20, 20), (20, 20, 20))
    assert alike(red, dressed((200, 20, 20), (20, 20, 20))) == pytest.approx(1, abs=0.05)
    assert alike(red, dressed((20, 20, 200), (20, 20, 20))) < 0.75
    assert alike(red, None) == 1


def test_clothes_are_unknown_where_no_torso_shows():
    hidden = Detection(person_at(320, 60, 240), np.zeros(17), 0.5)
    assert clothes_of(np.zeros((360, 640, 3), np.uint8), hidden) is None


def test_a_second_person_of_like_size_is_spoken_of():
    lifter = squats(150)
    assert second_person(lifter, [lifter, stands(450)]) is not None
    assert second_person(lifter, [lifter, stands(450, 100)]) is None
    assert second_person(lifter, [lifter, squats(155)]) is None  # the same body
    assert second_person(lifter, [lifter, track(person(450, 320, 240))]) is None


def test_a_change_is_noticed_away_from_those_who_are_followed():
    before = np.full((360, 640, 3), 200, np.uint8)
    after = before.copy()
    after[60:330, 20:90] = 40
    place = changed_place(before, after, [], 240)
    assert place is not None
    np.testing.assert_allclose(place, [20, 60, 90, 330], atol=16)
    assert changed_place(before, after, [place], 240) is None  # the lifter moves
    assert changed_place(before, 255 - before, [], 240) is None  # the light goes out
    small = before.copy()
    small[100:140, 20:60] = 40
    assert changed_place(before, small, [], 240) is None


@pytest.mark.parametrize(
    ("certainty", "standing", "lifting"),
    [(0.9, True, True), (0.4, False, True), (0.1, False, False)],
)
def test_somebody_is_seen_for_sure_or_moves(certainty, standing, lifting):
    assert is_somebody(stands(200), certainty) == standing
    assert is_somebody(squats(200), certainty) == lifting


def test_a_picture_is_unchanged_but_for_noise():
    rng = np.random.default_rng(0)
    before = rng.integers(60, 200, (360, 640, 3), dtype=np.uint8)
    noisy = np.clip(before + rng.normal(scale=6, size=before.shape), 0, 255).astype(np.uint8)
    assert is_unchanged(before, noisy)
    somebody = noisy.copy()
    somebody[60:330, 200:270] = 30
    assert not is_unchanged(before, somebody)


def test_painting_over_and_covering():
    box = np.array([10.0, 20.0, 60.0, 100.0])
    painted = without(np.zeros((120, 80, 3), np.uint8), [box])
    assert (painted[20:100, 10:60] == 128).all()
    assert painted.sum() == 80 * 50 * 3 * 128
    assert covered(box, np.array([35.0, 0.0, 200.0, 200.0])) == pytest.approx(0.5)
