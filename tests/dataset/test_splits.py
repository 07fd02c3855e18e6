"""R17: one person, one clip or a copy of it is never in two parts; a split in which it is gets
refused, naming the two clips."""

from collections import Counter
from dataclasses import replace

import pytest

from gymform.dataset.splits import check_split, folds, linked_groups, split
from gymform.errors import LeakError, OptionsError
from tests.dataset.makers import clip_record, item_of

ITEMS = [item_of(clip_record(number)) for number in range(240)]


def pair(first: int, second: int) -> tuple[str, str]:
    return ITEMS[first].clip_sha256, ITEMS[second].clip_sha256


def test_groups_stay_whole_and_shares_come_close():
    parts = split(ITEMS)
    by_group = {}
    for item, part in zip(ITEMS, parts, strict=True):
        by_group.setdefault(item.group, set()).add(part)
    assert all(len(found) == 1 for found in by_group.values())
    counts = Counter(parts)
    assert counts["train"] / len(ITEMS) == pytest.approx(0.7, abs=0.05)
    assert counts["val"] / len(ITEMS) == pytest.approx(0.15, abs=0.05)
    for part in counts:
        exercises = Counter(i.exercise for i, p in zip(ITEMS, parts, strict=True) if p == part)
        assert max(exercises.values()) - min(exercises.values()) <= 6
    check_split(ITEMS, parts)


def test_the_seed_decides_and_nothing_else():
    assert split(ITEMS, seed=3) == split(list(ITEMS), seed=3)
    assert split(ITEMS, seed=3) != split(ITEMS, seed=4)


def test_copies_keep_groups_together():
    parts = split(ITEMS)
    other = next(i for i, part in enumerate(parts) if part != parts[0])
    joined = split(ITEMS, copies=[pair(0, other)])
    assert joined[0] == joined[other]
    check_split(ITEMS, joined, copies=[pair(0, other)])


def test_linked_groups_follow_chains_of_copies():
    few = [replace(item, group=f"g{i}") for i, item in enumerate(ITEMS[:6])]
    numbers = linked_groups(few, [pair(0, 1), pair(1, 2), pair(4, 200)])
    assert numbers[0] == numbers[1] == numbers[2]
    assert len(set(numbers)) == 4


def test_folds_test_everything_once_and_share_no_group():
    numbers = folds(ITEMS, 5, copies=[pair(0, 1)])
    assert set(numbers) == set(range(5))
    check_split(ITEMS, numbers, copies=[pair(0, 1)])
    assert max(Counter(numbers).values()) <= 1.3 * min(Counter(numbers).values())


@pytest.mark.parametrize("count", [1, 41])
def test_more_folds_than_people_are_refused(count):
    with pytest.raises(OptionsError, match="40 people"):
        folds(ITEMS, count)


def test_shares_have_to_be_shares():
    with pytest.raises(OptionsError):
        split(ITEMS, shares={"train": 1.0, "test": 0.0})


def test_few_people_leave_later_parts_empty():
    assert split(ITEMS[:1]) == ["train"]
    assert split([]) == []


def leak(items, parts, **options):
    with pytest.raises(LeakError) as error:
        check_split(items, parts, **options)
    return str(error.value)


def test_a_group_on_both_sides_is_refused():
    same = [ITEMS[0], ITEMS[40]]  # both person-0
    text = leak(same, ["train", "test"], names={i.clip_sha256: i.name for i in same})
    assert "clip-0000.mp4 (train) and clip-0040.mp4 (test) are of one group, person-0" in text


def test_a_clip_on_both_sides_is_refused_whatever_its_group_is_called():
    twice = [ITEMS[0], replace(ITEMS[0], id="other", group="somebody")]
    assert "are one clip" in leak(twice, ["train", "val"])


def test_a_copy_on_the_other_side_is_refused():
    names = {item.clip_sha256: item.name for item in ITEMS[:2]}
    text = leak(ITEMS[:2], ["train", "test"], copies=[pair(0, 1)], names=names)
    assert "clip-0001.mp4 (test) and clip-0000.mp4 (train) show the same recording" in text


def test_the_same_content_on_both_sides_is_refused_whatever_it_is_called():
    """A copy that nobody noticed: another file, another group, the same keypoints."""
    assert "hold the same" in leak(ITEMS[:2], ["train", "test"], contents=["ab", "ab"])
    check_split(ITEMS[:2], ["train", "test"], contents=[None, None])


def test_what_is_left_out_cannot_leak():
    check_split([ITEMS[0], ITEMS[40]], ["train", None])
