"""A tiny network, its recipe, trainer and batches, for the tests of training."""

import argparse
from dataclasses import replace

from gymform.pose.vitpose import ViTPoseConfig
from gymform.training.pose import command as cmd
from gymform.training.pose import train
from gymform.training.pose.augment import UNCHANGED, Augmentation
from gymform.training.pose.batches import CropBatches
from gymform.training.pose.initial_weights import fresh_network
from gymform.training.pose.packs import split
from gymform.training.pose.teacher_cache import TeacherCache
from gymform.training.pose.trainer import Recipe, Trainer

TINY = ViTPoseConfig(
    dim=32, depth=2, heads=2, mlp_ratio=2, patch_padding=0, class_token=True, decoder="simple"
)
RECIPE = Recipe(steps=6, batch=4, freeze=1, thaw=0.4, ema=0.9, drop_path=0.2, learning_rate=2e-3)
POOLED = replace(RECIPE, steps=14, pool=1, distill=1.0, hint=1.0)
ONCE = train.Schedule(save_every=100, evaluate_every=0)


def tiny_trainer(recipe=RECIPE, **more):
    return Trainer(fresh_network(TINY, seed=0), recipe, **more)


def batches_of(pack, recipe=RECIPE, how=UNCHANGED):
    return CropBatches(pack, split(pack)[0], recipe.batch, recipe.seed, how)


def pooled(pack, folder, new=True):
    """A trainer with a teacher cache, its batches, and a list that grows with each teacher run."""
    batches = CropBatches(pack, split(pack)[0], POOLED.batch, 0, Augmentation(), POOLED.pool)
    teacher = fresh_network(TINY, 1)
    teacher_runs = []
    teacher.backbone.register_forward_pre_hook(lambda *_: teacher_runs.append(1))
    cache = TeacherCache(folder / train.TEACHER_OUTPUTS, batches.pool_size, TINY, new)
    return tiny_trainer(POOLED, teacher=teacher, cache=cache), batches, teacher_runs


def command(folder, *more):
    parser = argparse.ArgumentParser()
    cmd.add_arguments(parser)
    return parser.parse_args([
        "--data", str(folder / "pack.npz"), "--out", str(folder / "weights"),
        "--work", str(folder / "work"), "--name", "tiny", "--init", "random", "--threads", "1",
        "--steps", "3", "--batch", "4", "--device", "cpu", *more,
    ])  # fmt: skip
