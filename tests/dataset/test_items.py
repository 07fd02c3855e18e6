"""What a data set is made of: filters, and the names of files and items."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gymform.dataset.items import (
    ACCEPTED,
    PENDING,
    REJECTED,
    VERDICTS,
    DatasetFiles,
    Filter,
    Judged,
    item_id,
)
from tests.dataset.makers import clip_record, item_of


def judged(exercise="squat", group="ann", verdict=PENDING, problems=()):
    item = item_of(clip_record(0, exercise=exercise, group=group))
    return Judged(item, verdict, problems=problems)


@pytest.mark.parametrize(
    ("wanted", "passes"),
    [
        (Filter(), True),
        (Filter(exercises=("row", "squat")), True),
        (Filter(exercises=("row",)), False),
        (Filter(groups=("ann",)), True),
        (Filter(groups=("bob",)), False),
        (Filter(verdicts=(REJECTED, ACCEPTED)), True),
        (Filter(verdicts=(PENDING,)), False),
        (Filter(problems=("jitter", "swaps")), True),
        (Filter(problems=("blur",)), False),
        (Filter(exercises=("squat",), groups=("bob",)), False),
    ],
)
def test_an_item_passes_when_each_part_of_the_filter_lets_it(wanted, passes):
    assert wanted.passes(judged(verdict=ACCEPTED, problems=("jitter",))) is passes


words = st.lists(st.sampled_from("abc"), max_size=3).map(tuple)


@given(words, words, st.sampled_from(VERDICTS), words)
def test_more_to_choose_from_never_shows_less(exercises, groups, verdict, problems):
    one = judged("a", "b", verdict, ("c",))
    wanted = Filter(exercises, groups, (verdict,), problems)
    wider = Filter((*exercises, "a") if exercises else (), (), VERDICTS, ())
    assert wider.passes(one) or not wanted.passes(one)
    assert wider.passes(one)


def test_an_item_without_problems_passes_no_filter_for_problems():
    assert not Filter(problems=("jitter",)).passes(judged())


@given(st.text("0123456789abcdef", min_size=64, max_size=64), st.integers(1, 10_000))
def test_an_item_s_id_is_that_of_its_clip_and_number_again_and_again(sha256, part):
    name = item_id(sha256, part)
    assert name == item_id(sha256, part)
    assert sha256.startswith(name.split("-")[0])
    assert name != item_id(sha256, part + 1)
    assert Path(name).name == name  # it is a file's name too


def test_every_file_has_a_place_of_its_own_in_the_folder():
    files, clip = DatasetFiles(Path("lifts")), clip_record(1, suffix=".mov")
    places = [
        files.store, files.clip(clip), files.poses(clip.sha256), files.proxy(clip.sha256),
        files.thumb(item_id(clip.sha256, 1)), files.thumb(item_id(clip.sha256, 2)),
    ]  # fmt: skip
    assert len(set(places)) == len(places)
    assert all(place.is_relative_to("lifts") for place in places)
    assert files.clip(clip).name == f"{clip.sha256}.mov"  # whatever its own name is
