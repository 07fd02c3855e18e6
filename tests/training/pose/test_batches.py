"""Batches: a function of seed and step; everybody comes in every round; pools come again."""

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from gymform.pose.vitpose import HEATMAP_SIZE
from gymform.training.pose.augment import MILD, UNCHANGED, Augmentation
from gymform.training.pose.batches import REPEATS, CropBatches, stream
from gymform.training.pose.packs import split
from tests.pose.packs import people
from tests.training.pose.makers import TINY, batches_of


def test_a_batch_follows_from_seed_and_step(pack):
    batches = batches_of(pack, how=Augmentation())
    for _ in range(2):  # asked for in any order
        batches[7], batches[2]
    again = batches_of(pack, how=Augmentation())[7]
    for name in ("images", "points", "weight", "noise"):
        assert torch.equal(getattr(batches[7], name), getattr(again, name))
    other = CropBatches(pack, split(pack)[0], 4, 1, Augmentation())[7]
    assert not torch.equal(other.images, again.images)


def test_workers_make_the_same_batches(pack):
    batches = batches_of(pack, how=Augmentation())
    made = list(stream(batches, range(3, 6), workers=1, pinned=False))
    for step, batch in zip(range(3, 6), made, strict=True):
        assert torch.equal(batch.images, batches[step].images)


def test_every_person_comes_in_every_round(pack):
    batches = batches_of(pack)
    rows, counts = np.unique(
        [batches.row(p) for p in range(len(batches.round))], return_counts=True
    )
    assert rows.tolist() == split(pack)[0].tolist()
    assert dict(zip(pack.dataset[rows].tolist(), counts.tolist(), strict=True)) == {
        "lspet": 1, "coco_subset": REPEATS["coco_subset"]}  # fmt: skip


def test_a_network_with_less_padding_sees_people_larger(pack):
    usual, closer = (
        CropBatches(pack, np.arange(4), 4, 0, UNCHANGED, config=replace(TINY, padding=padding))[0]
        for padding in (1.25, 1.0)
    )
    middle = (torch.tensor(HEATMAP_SIZE) - 1) / 2
    torch.testing.assert_close(closer.points - middle, 1.25 * (usual.points - middle))


def test_larger_crops_show_the_same(pack):
    usual, larger = (
        CropBatches(pack, np.arange(4), 4, 0, Augmentation(), config=config)[0]
        for config in (TINY, replace(TINY, input_height=320))
    )
    assert larger.images.shape == (4, 320, 240, 3)
    shares = (b.points / torch.tensor(span) for b, span in ((larger, (59, 79)), (usual, (47, 63))))
    torch.testing.assert_close(*shares, atol=1e-5, rtol=1e-5)


def test_missing_labels_have_no_weight(pack):
    batches = CropBatches(pack, np.arange(4), 4, 0, UNCHANGED)
    assert batches[0].weight[:, :5].sum() == 0
    assert batches[0].weight[:, 5:].min() == 1
    assert batches[0].noise.tolist() == pytest.approx([0.06] * 4)


@pytest.mark.parametrize(("source", "weight"), [("clips", 0.5), ("coco_subset", 1.0)])
def test_inferred_labels_of_clips_weigh_less_annotated_hidden_ones_do_not(source, weight):
    pack = people(1, source, ["a"])
    pack.keypoints[0, 9, 2], pack.keypoints[0, 10, 2] = 1, 0
    found = CropBatches(pack, np.arange(1), 1, 0, UNCHANGED)[0].weight[0]
    assert found[9] == weight
    assert found[10] == 0
    assert np.delete(found.numpy(), [9, 10]).tolist() == [1.0] * 15


def test_occluders_change_some_crops_for_good_and_all_else_stays(pack):
    rows = split(pack)[0]
    without, some, all_ = (
        CropBatches(pack, rows, 4, 0, replace(Augmentation(), occluders=share), mild_from=4)
        for share in (0.0, 0.5, 1.0)
    )
    changed = []
    for step in range(8):  # the later half is mild
        assert torch.equal(without[step].points, some[step].points)
        assert torch.equal(without[step].points, all_[step].points)
        assert torch.equal(without[step].weight, all_[step].weight)
        for before, after, sure in zip(
            without[step].images, some[step].images, all_[step].images, strict=True
        ):
            changed.append(not torch.equal(before, after))
            assert torch.equal(after, before) or torch.equal(after, sure)
    for half in (changed[:16], changed[16:]):
        assert 0 < sum(half) < 16


@pytest.mark.parametrize("pool", [0, 1])
def test_late_in_training_changes_are_mild(pack, pool):
    rows, mild_from = split(pack)[0], 3
    strong, mild, both = (
        CropBatches(pack, rows, 4, 0, how, pool, first)
        for how, first in (
            (Augmentation(), sys.maxsize), (MILD, sys.maxsize), (Augmentation(), mild_from))
    )  # fmt: skip
    for step in range(mild_from):
        assert torch.equal(both[step].images, strong[step].images)
    for step in range(mild_from, 2 * mild_from):
        # the warps of a pool stay as the teacher saw them: only their pixels change less
        assert torch.equal(both[step].points, (strong if pool else mild)[step].points)
        assert not torch.equal(both[step].images, strong[step].images)
        assert pool or torch.equal(both[step].images, mild[step].images)


@pytest.mark.parametrize("pool", [0, 1])
def test_from_the_first_step_on_changes_may_be_mild(pack, pool):
    rows = split(pack)[0]
    mild, from_start = (
        CropBatches(pack, rows, 4, 0, how, pool, first)
        for how, first in ((MILD, sys.maxsize), (Augmentation(), 0))
    )
    for step in range(3):
        assert torch.equal(from_start[step].points, mild[step].points)
        assert torch.equal(from_start[step].images, mild[step].images)


def test_crops_of_a_pool_come_again_with_other_pixels(pack):
    batches = CropBatches(pack, split(pack)[0], 1, 0, Augmentation(), pool=2)
    count = len(batches.round)
    assert batches.pool_size == 2 * count
    rounds = [
        {batches.index(p): batches[p] for p in range(n * count, (n + 1) * count)} for n in range(4)
    ]
    assert sorted(rounds[0]) == sorted(rounds[2]) == list(range(count))
    assert sorted(rounds[1]) == sorted(rounds[3]) == list(range(count, 2 * count))
    assert list(rounds[0]) != list(rounds[2])
    changed = 0
    for index, first in rounds[0].items():
        again, other = rounds[2][index], rounds[1][index + count]
        assert torch.equal(first.points, again.points)
        assert not torch.equal(first.points, other.points)
        assert first.clean is not None
        assert again.clean is None
        changed += not torch.equal(first.images, again.images)
    assert changed > 0.9 * count


def test_without_a_pool_no_crop_comes_again(pack):
    batches = batches_of(pack, how=Augmentation())
    assert batches.pool_size == 0
    assert batches[0].clean is None
    indices = [batches.index(p) for p in range(3 * len(batches.round))]
    assert len(set(indices)) == len(indices)
