"""Steps of a training: the loss falls, blocks thaw, a teacher teaches, rates differ by layer."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from gymform.errors import TrainingError
from gymform.training.pose import trainer
from gymform.training.pose.augment import UNCHANGED, Augmentation
from gymform.training.pose.batches import CropBatches, normalised
from gymform.training.pose.initial_weights import fresh_network, with_input_height
from gymform.training.pose.packs import split
from gymform.training.pose.trainer import Recipe, layer_of, learning_rate
from tests.training.pose.makers import (
    POOLED,
    RECIPE,
    TINY,
    batches_of,
    pooled,
    tiny_trainer,
)


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_the_loss_falls(pack, optimizer):
    recipe = replace(RECIPE, steps=40, batch=8, freeze=0, optimizer=optimizer)
    trainer, batches = tiny_trainer(recipe), batches_of(pack, recipe)
    losses = [trainer.train_on(batches[step]).loss for step in range(recipe.steps)]
    assert losses[0] == pytest.approx(1, abs=0.1)  # the last layer starts at next to nothing
    assert np.mean(losses[-5:]) < 0.7


def test_half_precision_trains_full_weights_to_nearly_the_same(pack):
    losses = []
    for precision in ("fp32", "bf16"):
        trainer = tiny_trainer(replace(RECIPE, precision=precision))
        batches = batches_of(pack)
        losses.append([trainer.train_on(batches[step]).loss for step in range(3)])
        assert {p.dtype for p in trainer.network.parameters()} == {torch.float32}
    assert losses[0] != losses[1]
    assert losses[0] == pytest.approx(losses[1], rel=0.02)


def test_frozen_blocks_stay_and_then_thaw(pack):
    trainer, batches = tiny_trainer(), batches_of(pack)
    low = trainer.network.backbone.blocks[0].mlp.fc1.weight
    high = trainer.network.backbone.blocks[1].mlp.fc1.weight
    before, top = low.detach().clone(), high.detach().clone()
    for step in range(3):  # 0.4 of 6 steps: thawed in step 3
        trainer.train_on(batches[step])
        assert torch.equal(low, before)
    assert not torch.equal(high, top)
    trainer.train_on(batches[3])
    assert not torch.equal(low, before)


def test_a_loss_that_is_not_finite_stops_with_advice(pack):
    trainer = tiny_trainer()
    trainer.network.keypoint_head.final_layer.bias.data.fill_(math.nan)
    with pytest.raises(TrainingError, match="lower --lr"):
        trainer.train_on(batches_of(pack)[0])


def test_a_teacher_teaches_what_is_not_labelled(pack):
    batch = CropBatches(pack, np.arange(4), 4, 0, UNCHANGED)[0]  # without faces
    for teacher, taught in ((None, False), (fresh_network(TINY, 1), True)):
        trainer = tiny_trainer(teacher=teacher)
        trainer.train_on(batch)
        gradient = trainer.network.keypoint_head.final_layer.bias.grad
        assert ((gradient[:5] != 0) == taught).all()
        assert (gradient[5:] != 0).all()


def test_a_teacher_sees_crops_of_its_own_size(pack):
    """... and its outputs are resized to those of the network."""
    batch = batches_of(pack)[0]
    teacher = fresh_network(TINY, 1)
    trainer = tiny_trainer(teacher=with_input_height(teacher, 128))
    features, heatmaps = trainer._teacher_outputs(trainer.teacher, batch, normalised(batch.images))
    assert features.shape == (4, TINY.dim, 16, 12)
    assert heatmaps.shape == (4, 17, 64, 48)
    # the corner pixels stay corners
    small = F.interpolate(normalised(batch.images), (128, 96), mode="bilinear", align_corners=True)
    with torch.no_grad():
        expected = trainer.teacher(small)
    torch.testing.assert_close(heatmaps[..., 0, 0], expected[..., 0, 0])
    torch.testing.assert_close(heatmaps[..., -1, -1], expected[..., -1, -1])
    assert math.isfinite(trainer.train_on(batch).loss)


def test_a_teacher_runs_once_for_each_crop_of_a_pool(pack, tmp_path):
    trainer, batches, teacher_runs = pooled(pack, tmp_path)
    for step in range(POOLED.steps):
        trainer.train_on(batches[step])
    first_round = math.ceil(batches.pool_size / POOLED.batch)
    assert first_round < POOLED.steps
    assert len(teacher_runs) == first_round
    # in later rounds the targets are the teacher's outputs for the clean crop
    again = batches[POOLED.steps - 1]
    rows = again.indices.tolist()
    one = CropBatches(pack, split(pack)[0], 1, 0, Augmentation(), 1)
    clean = {one.index(p): one[p].clean for p in range(one.pool_size)}
    images = normalised(torch.cat([clean[row] for row in rows]))
    features, heatmaps = trainer.cache.read(again.indices)
    meant = trainer.teacher.backbone(images).detach()
    torch.testing.assert_close(features, meant, atol=1e-2, rtol=1e-2)
    torch.testing.assert_close(
        heatmaps, trainer.teacher.decode(meant).detach(), atol=1e-2, rtol=1e-2
    )


def test_a_teacher_sees_what_is_hidden_from_the_network(pack):
    batch = CropBatches(pack, split(pack)[0], 4, 0, replace(UNCHANGED, occluders=1.0), clean=True)[
        0
    ]
    assert not torch.equal(batch.clean, batch.images)
    trainer = tiny_trainer(teacher=fresh_network(TINY, 1))
    _, wanted = trainer._teacher_outputs(trainer.teacher, batch, normalised(batch.images))
    with torch.no_grad():
        expected = trainer.teacher(normalised(batch.clean))
    torch.testing.assert_close(wanted, expected)


@pytest.mark.parametrize("dropped", [0.0, 0.5, 1.0])
def test_in_some_steps_the_network_looks_at_patches_near_the_body_only(pack, dropped):
    """... while its teacher looks at all."""
    recipe = replace(RECIPE, steps=12, dropped=dropped)
    trainer = tiny_trainer(recipe, teacher=_confident_teacher())
    looked = {"network": [], "teacher": []}
    for name, network in (("network", trainer.network), ("teacher", trainer.teacher)):
        network.backbone.blocks[0].register_forward_pre_hook(
            lambda _, inputs, seen=looked[name]: seen.append(inputs[0].shape[1])
        )
    fewer = []
    for step in range(recipe.steps):
        looked["network"].clear()
        assert math.isfinite(trainer.train_on(batches_of(pack, recipe)[step]).loss)
        fewer.append(min(looked["network"]) < 1 + TINY.tokens)
    assert set(looked["teacher"]) == {1 + TINY.tokens}
    assert {0.0: not any(fewer), 0.5: 0 < sum(fewer) < 12, 1.0: all(fewer)}[dropped]


def _confident_teacher():
    """A network that is sure to see a small skeleton in the middle of every crop."""
    teacher = fresh_network(TINY, 1)
    x, y = torch.meshgrid(torch.arange(48), torch.arange(64), indexing="xy")
    spot = torch.exp(-((x - 24) ** 2 + (y - 32) ** 2) / 8.0)
    teacher.decode = lambda features: spot.expand(len(features), 17, 64, 48)
    return teacher


def test_crops_in_parts_give_the_heatmaps_of_each_in_its_place(pack):
    trainer, images = tiny_trainer(), normalised(batches_of(pack)[0].images)
    patches = np.tile(np.arange(TINY.tokens), (2, 1))
    parts = [(np.array([3, 1]), None), (np.array([0, 2]), patches)]
    trainer.network.eval()
    torch.testing.assert_close(
        trainer._forward_in_parts(images, parts), trainer.network(images), atol=1e-5, rtol=1e-5
    )


def test_rates_rise_and_fall_and_are_lower_below():
    recipe = Recipe(steps=100, warm_up=0.1)
    rates = [learning_rate(step, recipe) for step in range(100)]
    assert rates.index(max(rates)) in (9, 10)
    assert rates[9] == pytest.approx(recipe.learning_rate)
    assert rates[-1] < 0.02 * recipe.learning_rate
    network = fresh_network(TINY, 0)
    groups = trainer.parameter_groups(network, recipe)
    assert sum(len(g["params"]) for g in groups) == len(list(network.parameters()))
    assert sorted({round(g["scale"], 6) for g in groups}) == [0.512, 0.64, 0.8, 1.0]
    assert layer_of("backbone.pos_embed", 2) == 0
    assert layer_of("backbone.blocks.1.mlp.fc1.bias", 2) == 2
    assert layer_of("keypoint_head.final_layer.bias", 2) == 3


def test_kernels_outside_the_blocks_have_a_rate_of_their_own():
    network = fresh_network(TINY, 0)
    names = {parameter: name for name, parameter in network.named_parameters()}

    def rates(kernel_rate):
        groups = trainer.parameter_groups(network, Recipe(kernel_rate=kernel_rate))
        return {names[p]: group["scale"] for group in groups for p in group["params"]}

    usual, slow = rates(1.0), rates(0.1)
    slower = {name for name in usual if slow[name] != usual[name]}
    assert slower == {"backbone.patch_embed.proj.weight", "keypoint_head.final_layer.weight"}
    assert all(slow[name] == pytest.approx(0.1 * usual[name]) for name in slower)


def test_muon_changes_the_matrices_of_the_blocks_and_adamw_the_rest():
    network = fresh_network(TINY, 0)
    names = {parameter: name for name, parameter in network.named_parameters()}
    muon, adamw = (
        {names[p] for group in optimizer.param_groups for p in group["params"]}
        for optimizer in trainer.make_optimizers(network, Recipe(optimizer="muon"))
    )
    assert muon == {
        f"backbone.blocks.{block}.{layer}.weight"
        for block in range(2)
        for layer in ("attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2")
    }
    assert adamw == set(names.values()) - muon


def test_stochastic_depth_leaves_the_mean_as_it_is():
    network = fresh_network(replace(TINY, depth=2), 0).train()
    drop = trainer.StochasticDepth(network, 0.5, seed=0)
    drop.begin(0)
    branch, x = network.backbone.blocks[1].mlp, torch.randn(400, 3, 32)
    dropped = branch(x)
    zero = (dropped == 0).all((1, 2))
    assert 0.4 < zero.float().mean() < 0.6
    torch.testing.assert_close(dropped[~zero], 2 * branch.eval()(x)[~zero])
