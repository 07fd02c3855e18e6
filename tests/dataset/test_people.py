"""Proposals of who is the same: alike clips together, what somebody said kept, nothing written."""

import numpy as np
import pytest

from gymform.dataset import people
from gymform.dataset.groups import assign, unconfirmed
from gymform.dataset.looks import BINS_AB, BINS_L, PARTS, SIDE, Look, save_look
from gymform.dataset.people import (
    agreement,
    are_neighbours,
    clustered,
    name_likeness,
    probabilities,
    propose_groups,
)
from gymform.dataset.reviews import ReviewStore
from gymform.errors import Cancelled
from tests.dataset.makers import clip_record, fill_store, item_of, quality_of


def look(person: int, place: int, seed: int) -> Look:
    """A look of somebody at a place; every clip differs a little."""
    rng = np.random.default_rng([person, 7])
    colours = rng.dirichlet(np.full(BINS_L + BINS_AB**2, 0.05), len(PARTS))
    noise = np.random.default_rng(seed)
    colours = 0.93 * colours + 0.07 * noise.dirichlet(np.ones(colours.shape[1]), len(PARTS))
    background = np.random.default_rng([place, 8]).uniform(0, 255, (SIDE, SIDE, 3))
    background += noise.normal(0, 8, background.shape)
    background[4:12, 6:10] = np.nan
    return Look(colours.astype(np.float32), background.astype(np.float32))


PEOPLE = [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]


@pytest.fixture
def store(tmp_path):
    """Twelve clips of four people from one flat folder: each is a group of its own."""
    with ReviewStore.open(tmp_path / "set", create=True) as opened:
        for number, person in enumerate(PEOPLE):
            name = f"IMG_{number * 37:04d}.mp4"
            clip = clip_record(number, name=name, group=name.removesuffix(".mp4"))
            opened.add_clip(clip)
            opened.set_extracted(clip.sha256, [item_of(clip)], [quality_of(number)])
            save_look(opened.files.look(clip.sha256), look(person, person // 2, number))
        yield opened


def truth(store):
    numbers = {clip_record(number).sha256: number for number in range(len(PEOPLE))}
    return {clip.sha256: str(PEOPLE[numbers[clip.sha256]]) for clip in store.clips()}


def test_clips_of_one_person_are_put_together(store):
    before = store.clips()
    proposal = propose_groups(store)
    assert agreement(proposal.groups, truth(store)) == 12
    assert len(set(proposal.groups.values())) == 4
    assert all(0 <= sure <= 1 for sure in proposal.sureness.values())
    assert store.clips() == before
    assert unconfirmed(store) == {clip.sha256 for clip in before}


def test_what_somebody_said_is_kept_and_others_join_it(store):
    clips = {clip.name: clip.sha256 for clip in store.clips()}
    first, second = clips["IMG_0000.mp4"], clips["IMG_0037.mp4"]  # of one person, in truth
    assign(store, {first: "Anna", second: "Zoe"}, reviewer="Ann")
    groups = propose_groups(store).groups
    assert (groups[first], groups[second]) == ("Anna", "Zoe")
    third = groups[clips["IMG_0074.mp4"]]
    assert third in ("Anna", "Zoe")
    assert "Anna" not in {groups[sha256] for name, sha256 in clips.items() if name > "IMG_0100"}


def test_a_confirmed_group_is_not_torn_apart(store):
    ids = [clip.sha256 for clip in store.clips()]
    assign(store, dict.fromkeys(ids, "Everybody"), reviewer="Ann")
    assert set(propose_groups(store).groups.values()) == {"Everybody"}


def test_a_clip_that_cannot_be_read_is_left_out(store):
    clip = store.clips()[0]
    store.files.look(clip.sha256).unlink()
    assert clip.sha256 not in propose_groups(store).groups
    assert len(propose_groups(store).groups) == 11


def test_looks_are_made_once_from_clip_and_keypoints(tmp_path):
    with ReviewStore.open(tmp_path / "real", create=True) as store:
        fill_store(store, 2)
        heard = []
        proposal = propose_groups(store, progress=lambda *told: heard.append(told))
        assert set(proposal.groups) == {clip.sha256 for clip in store.clips()}
        assert len(set(proposal.groups.values())) == 1  # the same film
        assert heard == [("people", 0, 2), ("people", 1, 2), ("people", 2, 2)]
        assert all(store.files.look(clip.sha256).is_file() for clip in store.clips())

        def stop(*_):
            raise Cancelled("enough")

        with pytest.raises(Cancelled):
            propose_groups(store, progress=stop)


def test_without_keypoints_nothing_is_proposed(tmp_path):
    with ReviewStore.open(tmp_path / "new", create=True) as store:
        store.add_clip(clip_record(0))
        assert propose_groups(store).groups == {}


def test_one_clip_is_one_person():
    assert clustered(np.ones((1, 1)), [None]) == [0]
    clips, looks = [clip_record(0)], [look(0, 0, 0)]
    assert probabilities(clips, looks).shape == (1, 1)


def test_neither_clothes_nor_place_alone_are_enough():
    clips = [clip_record(number, name=f"{number}.mp4") for number in range(3)]
    looks = [look(0, 0, 0), look(1, 0, 1), look(0, 5, 2)]
    same = probabilities(clips, looks)
    assert same[0, 1] < 0.1  # another person at the same place
    assert same[0, 2] > same[0, 1]


@pytest.mark.parametrize(
    ("a", "b", "low", "high"),
    [
        ("anna squat 1.mp4", "anna squat 2.mp4", 1.0, 1.0),
        ("anna_squat.mp4", "ben_deadlift.mov", 0.0, 0.6),
        ("IMG_0041.mp4", "IMG_0042.mp4", 0.0, 0.0),
        ("VID_20240101.mp4", "anna.mp4", 0.0, 0.0),
    ],
)
def test_names_are_compared_by_their_words(a, b, low, high):
    assert low <= name_likeness(a, b) <= high


@pytest.mark.parametrize(
    ("a", "b", "near"),
    [
        ("IMG_0041.mp4", "IMG_0042.mp4", True),
        ("IMG_0041.mp4", "IMG_0049.mp4", False),
        ("20240101_120000.mp4", "20240101_120002.mp4", True),
        ("20240101_120000.mp4", "20240102_120002.mp4", False),
        ("anna.mp4", "anna.mp4", False),
        ("a1.mp4", "b2.mp4", False),
        ("IMG_" + "9" * 400 + ".mp4", "IMG_" + "9" * 400 + ".mp4", True),
    ],
)
def test_neighbours_in_time_have_near_numbers(a, b, near):
    assert are_neighbours(a, b) is near


def test_agreement_matches_groups_with_people():
    assert agreement({"1": "x", "2": "x", "3": "y"}, {"1": "a", "2": "a", "3": "b"}) == 3
    assert agreement({"1": "x", "2": "x", "3": "x"}, {"1": "a", "2": "a", "3": "b"}) == 2
    assert people.THRESHOLD < 1
