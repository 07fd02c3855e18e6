"""Training: the loss falls, a killed training ends the same, the command ships a model."""

import argparse
import csv
import json
import math
import sys
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from gymform.errors import ModelDataError, OptionsError, TrainingError
from gymform.pose.checkpoints import load_pose_model
from gymform.pose.estimator import PoseEstimator
from gymform.pose.vitpose import HEATMAP_SIZE, ViTPoseConfig
from gymform.training.pose import command as cmd
from gymform.training.pose import model_card, train, trainer
from gymform.training.pose.augment import MILD, UNCHANGED, Augmentation
from gymform.training.pose.batches import REPEATS, CropBatches, normalised, stream
from gymform.training.pose.evaluate import evaluate
from gymform.training.pose.initial_weights import fresh_network, with_input_height
from gymform.training.pose.packs import split, write_pack
from gymform.training.pose.teacher_cache import TeacherCache
from gymform.training.pose.trainer import Recipe, Trainer, layer_of, learning_rate
from gymform.weights import embedded_dir, read_manifest
from tests.pose.packs import small_pack
from tests.pose.painted import dot_model

TINY = ViTPoseConfig(
    dim=32, depth=2, heads=2, mlp_ratio=2, patch_padding=0, class_token=True, decoder="simple"
)
RECIPE = Recipe(steps=6, batch=4, freeze=1, thaw=0.4, ema=0.9, drop_path=0.2, learning_rate=2e-3)
ONCE = train.Schedule(save_every=100, evaluate_every=0)


@pytest.fixture(scope="module")
def pack():
    return small_pack()


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def tiny_trainer(recipe=RECIPE, **more):
    return Trainer(fresh_network(TINY, seed=0), recipe, **more)


def batches_of(pack, recipe=RECIPE, how=UNCHANGED):
    return CropBatches(pack, split(pack)[0], recipe.batch, recipe.seed, how)


# ---- batches


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


# ---- steps


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


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_killed_and_resumed_is_as_if_never_killed(pack, tmp_path, optimizer):
    facts, recipe = {"seed": 0}, replace(RECIPE, optimizer=optimizer)
    whole, batches = tiny_trainer(recipe), batches_of(pack, how=Augmentation())
    train.train(whole, batches, tmp_path / "whole", facts, ONCE)

    killed = tiny_trainer(recipe)
    dying = train.Schedule(save_every=3, evaluate_every=4)
    with pytest.raises(KeyboardInterrupt):  # in step 4, after the state of step 3 was saved
        train.train(killed, batches, tmp_path / "cut", facts, dying, _die)
    again = tiny_trainer(recipe)
    train.train(again, batches, tmp_path / "cut", facts, ONCE)

    assert again.step == whole.step == 6
    for one, other in ((whole.network, again.network), (whole.mean, again.mean)):
        for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True):
            assert torch.equal(a, b)
    logs = [(tmp_path / name / train.LOG).read_text() for name in ("whole", "cut")]
    assert logs[0] == logs[1]
    assert len(logs[0].splitlines()) == 7


def _die(step):
    raise KeyboardInterrupt


def test_a_finished_training_is_not_trained_again(pack, tmp_path):
    train.train(tiny_trainer(), batches_of(pack), tmp_path, {}, ONCE)
    state = (tmp_path / train.STATE).read_bytes()
    again = tiny_trainer()
    train.train(again, batches_of(pack), tmp_path, {}, ONCE)
    assert again.step == 6
    assert (tmp_path / train.STATE).read_bytes() == state


def test_a_deadline_stops_after_the_step(pack, tmp_path):
    trainer = tiny_trainer()
    train.train(trainer, batches_of(pack), tmp_path, {}, train.Schedule(100, 0, deadline=0.0))
    assert trainer.step == 1
    assert (tmp_path / train.STATE).is_file()


def test_another_training_in_the_work_folder_is_refused(pack, tmp_path):
    train.train(tiny_trainer(), batches_of(pack), tmp_path, {"batch": 4}, ONCE)
    with pytest.raises(TrainingError, match=r"another batch \(4, now 8\)"):
        train.train(tiny_trainer(), batches_of(pack), tmp_path, {"batch": 8}, ONCE)


def test_a_log_line_cut_off_by_a_kill_is_removed(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("step,loss,rate,norm\n0,1,1,1\n1,1,1,1\n2,0.")
    train.Log(path, first_step=2)
    assert path.read_text().splitlines() == ["step,loss,rate,norm", "0,1,1,1", "1,1,1,1"]


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


# ---- a pool of crops that come again


POOLED = replace(RECIPE, steps=14, pool=1, distill=1.0, hint=1.0)


def pooled(pack, folder, new=True):
    """A trainer with a teacher cache, its batches, and a list that grows with each teacher run."""
    batches = CropBatches(pack, split(pack)[0], POOLED.batch, 0, Augmentation(), POOLED.pool)
    teacher = fresh_network(TINY, 1)
    teacher_runs = []
    teacher.backbone.register_forward_pre_hook(lambda *_: teacher_runs.append(1))
    cache = TeacherCache(folder / train.TEACHER_OUTPUTS, batches.pool_size, TINY, new)
    return tiny_trainer(POOLED, teacher=teacher, cache=cache), batches, teacher_runs


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


def test_a_killed_training_finds_the_teacher_s_outputs_again(pack, tmp_path):
    whole, batches, _ = pooled(pack, tmp_path / "whole")
    train.train(whole, batches, tmp_path / "whole", {}, ONCE)
    killed, batches, _ = pooled(pack, tmp_path / "cut")
    dying = train.Schedule(save_every=10, evaluate_every=11)
    with pytest.raises(KeyboardInterrupt):
        train.train(killed, batches, tmp_path / "cut", {}, dying, _die)
    again, batches, teacher_runs = pooled(pack, tmp_path / "cut", new=False)
    train.train(again, batches, tmp_path / "cut", {}, ONCE)
    assert not teacher_runs  # all were cached before it was killed
    for a, b in zip(
        whole.network.state_dict().values(), again.network.state_dict().values(), strict=True
    ):
        assert torch.equal(a, b)


def test_missing_teacher_outputs_are_an_error(tmp_path):
    with pytest.raises(TrainingError, match=r"answers\.npy.*another --work"):
        TeacherCache(tmp_path / train.TEACHER_OUTPUTS, 4, TINY, new=False)
    TeacherCache(tmp_path / train.TEACHER_OUTPUTS, 4, TINY, new=True).flush()
    with pytest.raises(TrainingError, match="outputs for 5 crops"):
        TeacherCache(tmp_path / train.TEACHER_OUTPUTS, 5, TINY, new=False)


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


# ---- judging


def test_a_network_that_sees_the_dots_is_found_perfect(pack):
    rows = split(pack)[1]["coco_val2017"]
    scores = evaluate(PoseEstimator(dot_model(), batch_size=4), pack, rows)
    assert scores.people == 4
    assert scores.pck > 0.95
    assert scores.oks > 0.7


# ---- the command


@pytest.fixture
def tiny_sizes(monkeypatch):
    monkeypatch.setattr(train, "SIZES", dict.fromkeys(train.SIZES, TINY))


def command(folder, *more):
    parser = argparse.ArgumentParser()
    cmd.add_arguments(parser)
    return parser.parse_args([
        "--data", str(folder / "pack.npz"), "--out", str(folder / "weights"),
        "--work", str(folder / "work"), "--name", "tiny", "--init", "random", "--threads", "1",
        "--steps", "3", "--batch", "4", "--device", "cpu", *more,
    ])  # fmt: skip


def test_the_command_ships_weights_manifest_and_card(pack, tmp_path, monkeypatch, tiny_sizes):
    write_pack(tmp_path / "pack.npz", replace(pack, note="Labels drawn by a program."))
    assert cmd.run(command(tmp_path)) == 0
    (entry,) = read_manifest(tmp_path / "weights").models
    assert read_manifest(tmp_path / "weights").default_pose == ""
    monkeypatch.setenv("GYMFORM_WEIGHTS", str(tmp_path / "weights"))
    model = load_pose_model("tiny")
    assert replace(model.config, score_power=1.0) == TINY
    assert model.config.score_power != 1
    assert f"to the power of {model.config.score_power:g}" in (
        tmp_path / "weights" / "tiny.md"
    ).read_text().replace("\n", " ")
    assert model.sha256 == entry.sha256
    text = (tmp_path / "weights" / "tiny.md").read_text()
    for words in (entry.sha256, "COCO val2017", "| left wrist |", "**lspet**, 8 people",
                  "Labels drawn by a program.",
                  "train-pose --data PACK.npz --out weights --name tiny", "3 steps"):  # fmt: skip
        assert words in text
    assert str(tmp_path) not in text
    rows = list(csv.DictReader((tmp_path / "work" / train.LOG).open()))
    assert [row["step"] for row in rows] == ["0", "1", "2"]

    # from these weights on, with them as a teacher too
    more = ("--work", str(tmp_path / "again"), "--name", "next", "--init", "tiny",
            "--distill", "tiny", "--pool", "1", "--optimizer", "muon", "--padding", "1.1",
            "--hint", "0", "--input-height", "128", "--minutes", "0.0001")  # fmt: skip
    assert cmd.run(command(tmp_path, *more)) == 0
    text = (tmp_path / "weights" / "next.md").read_text()
    assert "Start: `tiny`" in text
    assert "Teacher: `tiny`" in text
    assert "on clean crops" in text
    assert "What `tiny` had learned from is part of it" in text
    assert (tmp_path / "again" / train.TEACHER_OUTPUTS).is_file()
    assert "1 steps of 3 planned" in text
    assert "optimizer muon" in text
    assert "hint 0.0," in text
    assert "--hint 0.0 " in text
    assert load_pose_model("next").config.padding == 1.1
    assert load_pose_model("next").config.input_height == 128
    assert "deviation; box grown to 3:4, times 1.1 |" in text
    assert "17 heatmaps of 32 x 24, target sigma 1, UDP" in text


def test_the_card_judges_what_was_shipped(pack, tmp_path, monkeypatch, tiny_sizes):
    write_pack(tmp_path / "pack.npz", pack)
    judged = []
    scores = train.judge
    monkeypatch.setattr(
        cmd, "judge", lambda network, *people: judged.append(network) or scores(network, *people)
    )
    cmd.run(command(tmp_path))
    monkeypatch.setenv("GYMFORM_WEIGHTS", str(tmp_path / "weights"))
    shipped = load_pose_model("tiny").network.state_dict()
    (network,) = judged
    assert all(torch.equal(value, shipped[name]) for name, value in network.state_dict().items())


def test_shipped_weights_can_be_between_the_initial_and_the_final_ones(
    pack, tmp_path, monkeypatch, tiny_sizes
):
    write_pack(tmp_path / "pack.npz", pack)
    monkeypatch.setenv("GYMFORM_WEIGHTS", str(tmp_path / "weights"))

    def shipped(*more):  # the training is done once; then it is only shipped anew
        cmd.run(command(tmp_path, *more))
        return load_pose_model("tiny").network.state_dict()

    end, half, start = shipped(), shipped("--keep-start", "0.5"), shipped("--keep-start", "1")
    assert "with a share of 1." in (tmp_path / "weights" / "tiny.md").read_text()
    random = train.rounded(fresh_network(TINY, seed=0)).state_dict()
    for name, value in half.items():
        assert torch.equal(start[name], random[name])
        torch.testing.assert_close(value, (start[name] + end[name]) / 2, atol=1e-3, rtol=1e-3)
    assert not torch.equal(start["backbone.last_norm.bias"], end["backbone.last_norm.bias"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--keep-start", "1.5"), "--keep-start: expected 0 to 1"),
        (("--steps", "0"), "--steps: expected 1"),
        (("--hint", "-1"), "--hint: expected 0"),
        (("--padding", "0.5"), "--padding: expected 1 to 2"),
        (("--input-height", "300"), "--input-height: expected a multiple of 64 from 64 to 512"),
        (("--ema", "1.5"), "--ema: expected 0 to 1"),
        (("--lr", "0"), "--lr: expected above 0"),
        (("--init", "dinov2", "--size", "B"), "expected --size S"),
        (("--unlabelled", "clips"), "needs a teacher"),
    ],
)
def test_options_that_do_not_fit(pack, tmp_path, options, message):
    write_pack(tmp_path / "pack.npz", pack)
    with pytest.raises(OptionsError, match=message):
        cmd.run(command(tmp_path, "--size", "Ti", *options))


def test_the_earlier_name_of_an_option_still_works_and_states_keep_theirs(tmp_path):
    old, new = (command(tmp_path, name, "0.5") for name in ("--settle", "--mild-from"))
    assert cmd.recipe_of(old) == cmd.recipe_of(new) == replace(cmd.recipe_of(old), mild_from=0.5)
    facts = cmd.recipe_of(old).as_facts()
    assert facts["settle"] == 0.5
    assert facts.keys() ^ asdict(Recipe()).keys() == {"settle", "mild_from"}


@pytest.mark.parametrize("name", ["vitpose-s", "vitpose-ti"])
def test_shipped_cards_take_newer_metrics(name, pack, tmp_path):
    """Whatever their limits say: cards of earlier versions too."""
    shipped = (embedded_dir() / f"{name}.md").read_text()
    card = tmp_path / f"{name}.md"
    card.write_text(shipped)
    scores = evaluate(PoseEstimator(dot_model()), pack, split(pack)[1]["coco_val2017"])
    model_card.update_results(card, name, {name: {"coco_val2017": replace(scores, pck=0.125)}})
    text = card.read_text()
    assert f"| {name} | 0.125 |" in text
    assert text.partition("## Limits")[2] == shipped.partition("## Limits")[2]
    assert text.partition("## Results")[0] == shipped.partition("## Results")[0]


def test_a_comparison_is_read_back(pack, tmp_path):
    rows = split(pack)[1]["coco_val2017"]
    scores = evaluate(PoseEstimator(dot_model()), pack, rows)
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps({"models": {"dots": {"coco_val2017": asdict(scores)}}}))
    read = model_card.read_comparison(path)
    assert read["dots"]["coco_val2017"] == scores
    assert "dots" in model_card.summary_table(read)
    path.write_text("{}")
    with pytest.raises(ModelDataError, match=r"metrics\.json"):
        model_card.read_comparison(path)


def test_the_metrics_of_a_card_can_be_replaced(pack, tmp_path, monkeypatch, tiny_sizes):
    write_pack(tmp_path / "pack.npz", pack)
    older, newer = tmp_path / "older.json", tmp_path / "newer.json"
    scores = evaluate(PoseEstimator(dot_model()), pack, split(pack)[1]["coco_val2017"])
    for path, pck in ((older, 0.125), (newer, 0.875)):
        sets = {"coco_val2017": asdict(replace(scores, pck=pck))}
        path.write_text(json.dumps({"models": {"dots": sets}}))
    written = tmp_path / "weights" / "tiny.md"
    cmd.run(command(tmp_path, "--compare", str(newer)))
    expected = written.read_text()
    cmd.run(command(tmp_path, "--compare", str(older)))
    assert "| dots | 0.125 |" in written.read_text()

    monkeypatch.setenv("GYMFORM_WEIGHTS", str(tmp_path / "weights"))
    own = train.judge(load_pose_model("tiny").network, pack, split(pack)[1])
    model_card.update_results(written, "tiny", {**model_card.read_comparison(newer), "tiny": own})
    assert written.read_text() == expected

    other = tmp_path / "other.md"
    other.write_text("# Numbers\n")
    with pytest.raises(ModelDataError, match=r"other\.md: expected a model card"):
        model_card.update_results(other, "tiny", {"tiny": own})
    assert other.read_text() == "# Numbers\n"


def test_a_wider_network_is_narrowed_to_start_from(pack, tmp_path, monkeypatch):
    config = replace(TINY, dim=16, heads=1)
    monkeypatch.setitem(train.SIZES, "Ti", config)
    wide = replace(TINY, padding=1.1, input_height=128)
    train.ship(fresh_network(wide, seed=0), "wide", tmp_path)
    shown = []

    def crops(config):
        shown.append(config)
        return train.some_crops(pack, split(pack)[0], 0, config)

    start = train.make_start(str(tmp_path / "wide.safetensors"), "Ti", 0, crops)
    assert start.network.config == replace(config, padding=1.1, input_height=128)
    assert shown == [wide]
    assert "`wide.safetensors`" in start.words
    assert "made narrow" in start.words
    assert torch.isfinite(start.network(torch.zeros(1, 3, 128, 96))).all()
