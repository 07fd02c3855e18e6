"""The command ``python -m gymform train-pose``: its options, and what it does with them.

All it needs to go on lies in the work folder: given the same options again it continues where it
was, also after ``kill -9``, and ends with the same weights (on a GPU up to the order in which sums
are made there).
"""

from __future__ import annotations

import argparse
import copy
import os
import shlex
import sys
import time
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from gymform.errors import OptionsError
from gymform.pose.checkpoints import (
    LoadedPose,
    load_pose_model,
)
from gymform.pose.vitpose import HEIGHT_STEP, MAX_PADDING, ViTPose
from gymform.storage import data_dir
from gymform.training.pose import model_card
from gymform.training.pose.augment import Augmentation
from gymform.training.pose.batches import CropBatches, count_labels
from gymform.training.pose.initial_weights import with_input_height
from gymform.training.pose.packs import CropPack, join, read_pack, split
from gymform.training.pose.pseudo_labels import pseudo_labels
from gymform.training.pose.teacher_cache import TeacherCache
from gymform.training.pose.train import (
    ANSWERS,
    HEIGHTS,
    RECIPES,
    SIZES,
    STATE,
    Schedule,
    between,
    calibrate,
    describe,
    judge,
    judge_of,
    make_start,
    rounded,
    ship,
    some_crops,
    train,
)
from gymform.training.pose.trainer import Recipe, Trainer
from gymform.weights import check_name


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``train-pose``."""
    where = parser.add_argument_group("what and where")
    where.add_argument("--data", type=Path, required=True, metavar="NPZ", help="pack of crops")
    where.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="where weights, manifest entry and model card go",
    )
    where.add_argument("--name", default="vitpose-s", help="the model's name (vitpose-s)")
    where.add_argument(
        "--work",
        type=Path,
        metavar="DIR",
        help="where the state is kept (gymform's data folder, by name)",
    )
    where.add_argument(
        "--compare",
        type=Path,
        metavar="JSON",
        help="other models' figures for the card (benchmarks/pose_accuracy.json)",
    )
    network = parser.add_argument_group("network")
    network.add_argument("--size", choices=SIZES, default="S")
    network.add_argument(
        "--init",
        default="dinov2",
        metavar="START",
        help="dinov2, random, a model's name or a weights file; "
        "a wider network is made narrow (dinov2)",
    )
    network.add_argument(
        "--keep-start",
        type=float,
        metavar="X",
        help="share of the start's weights in the shipped ones: less gained, less forgotten (0)",
    )
    network.add_argument(
        "--padding",
        type=float,
        metavar="X",
        help="room around a box: it is grown to 3:4, times this (as the start has it)",
    )
    network.add_argument(
        "--input-height",
        type=int,
        metavar="N",
        help=f"of the crops, px, a multiple of {HEIGHT_STEP}; their width is three quarters of it "
        "(as the start has it)",
    )
    network.add_argument("--distill", metavar="NAME", help="teacher: a model's name")
    network.add_argument(
        "--unlabelled",
        type=Path,
        metavar="DIR",
        help="clips with their keypoint files beside them, labelled by the "
        "teacher, or without one by the model at --init",
    )
    _add_recipe(parser.add_argument_group("recipe (defaults: those of S)"))
    running = parser.add_argument_group("running")
    running.add_argument(
        "--minutes", type=float, metavar="M", help="stop in time; the same command goes on later"
    )
    running.add_argument("--save-every", type=int, default=200, metavar="N", help="steps (200)")
    running.add_argument(
        "--evaluate-every", type=int, default=0, metavar="N", help="steps; 0: at the end only (0)"
    )
    running.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="processes that make batches (for a GPU all cores, else 0)",
    )
    running.add_argument("--threads", type=int, default=2, help="of the processor (2)")
    running.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")


_RECIPE_OPTIONS = {
    "steps": ("steps", "steps of training"),
    "batch": ("batch", "crops a step"),
    "lr": ("learning_rate", "highest learning rate, of the top layer"),
    "weight_decay": ("weight_decay", "decay of weights"),
    "layer_decay": ("layer_decay", "rate of a layer over that of the layer above"),
    "kernel_rate": ("kernel_rate", "rate of the patches' and decoder's kernels over their layer's"),
    "warm_up": ("warm_up", "share of the steps in which the rate rises"),
    "freeze": ("freeze", "lower blocks that stay as they are at first"),
    "thaw": ("thaw", "share of the steps after which they learn too"),
    "drop_path": ("drop_path", "stochastic depth of the last block"),
    "ema": ("ema", "decay of the weights' running mean"),
    "trust_from": ("trust_from", "share of the steps after which odd labels are left out"),
    "settle": ("settle", "share of the steps after which augmentation is mild"),
    "hint": ("hint", "weight of the teacher's features beside its heatmaps"),
    "pool": ("pool", "rounds whose views, with the teacher's answers, come again; 0: never"),
    "seed": ("seed", "of everything that is random"),
}
"""Options, the fields of :class:`Recipe` that they set, and what they mean."""


_RANGES = {
    "steps": (1, 10**8),
    "batch": (1, 10**5),
    "freeze": (0, 100),
    "hint": (0, 100),
    "pool": (0, 1000),
    "seed": (0, 2**31),
}


_SHARES = (
    "layer_decay",
    "kernel_rate",
    "warm_up",
    "thaw",
    "drop_path",
    "ema",
    "trust_from",
    "settle",
)


def _add_recipe(group: Any) -> None:
    default = Recipe()
    for option, (field, text) in _RECIPE_OPTIONS.items():
        value = getattr(default, field)
        group.add_argument(
            f"--{option.replace('_', '-')}",
            type=type(value),
            metavar="N" if isinstance(value, int) else "X",
            help=f"{text} ({value})",
        )
    group.add_argument(
        "--optimizer",
        choices=("adamw", "muon"),
        help="muon changes the blocks' matrices alike in all directions; a step takes "
        f"about a tenth longer ({default.optimizer})",
    )
    group.add_argument(
        "--precision",
        choices=("fp32", "bf16"),
        help="bf16 takes half the time on GPUs and on processors with AVX-512 BF16 or AMX, "
        f"and many times as long on others ({default.precision})",
    )


def recipe_of(args: argparse.Namespace) -> Recipe:
    """The size's recipe with what the options change. Raises OptionsError."""
    options = {option: field for option, (field, _) in _RECIPE_OPTIONS.items()}
    options |= {"precision": "precision", "optimizer": "optimizer"}
    changes = {field: getattr(args, option) for option, field in options.items()
               if getattr(args, option) is not None}  # fmt: skip
    recipe = replace(RECIPES[args.size], **changes)
    for name, (least, most) in _RANGES.items():
        _check(name, getattr(recipe, name), least, most)
    for name in _SHARES:
        _check(name, getattr(recipe, name), 0, 1)
    if not 0 < recipe.learning_rate <= 1 or recipe.drop_path == 1:
        raise OptionsError("--lr: expected above 0, at most 1; --drop-path: expected below 1.")
    return recipe


def _check(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise OptionsError(f"--{name.replace('_', '-')}: expected {least} to {most}, got {value}.")


def run(args: argparse.Namespace) -> int:
    """Do what the options say; 0 when weights and card are written."""
    deadline = time.monotonic() + 60 * args.minutes if args.minutes else float("inf")
    recipe = recipe_of(args)
    check_name(args.name)
    _check("threads", args.threads, 1, 1024)
    _check("save_every", args.save_every, 1, 10**8)
    kept = args.keep_start or 0.0
    _check("keep_start", kept, 0, 1)
    if args.padding is not None:
        _check("padding", args.padding, 1, MAX_PADDING)
    if args.input_height is not None and args.input_height not in HEIGHTS:
        raise OptionsError(
            f"--input-height: expected a multiple of {HEIGHT_STEP} from {HEIGHTS[0]} to "
            f"{HEIGHTS[-1]}, got {args.input_height}."
        )
    torch.set_num_threads(args.threads)
    device = _device(args.device)
    work = args.work or data_dir() / "training" / args.name
    others = model_card.read_comparison(args.compare) if args.compare else {}

    teacher = load_pose_model(args.distill, device.type) if args.distill else None
    pack, rows, validation = _people(args, teacher, work, device)
    start = make_start(
        args.init, args.size, recipe.seed, partial(some_crops, pack, rows, recipe.seed)
    )
    network = start.network
    if args.input_height is not None:
        network = with_input_height(network, args.input_height)
    if args.padding is not None:
        network.config = replace(network.config, padding=args.padding)
    batches = CropBatches(
        pack,
        rows,
        recipe.batch,
        recipe.seed,
        Augmentation(),
        recipe.pool,
        settle_from=recipe.settle * recipe.steps,
        config=network.config,
    )
    first = copy.deepcopy(network)
    trainer = _trainer(network, recipe, device, teacher, work, batches)
    facts = {
        **asdict(recipe),
        "pack": pack.digest(),
        "init": start.fingerprint,
        "teacher": teacher.sha256 if teacher else "",
        "network": asdict(network.config),
    }
    workers = _workers(device) if args.workers is None else args.workers
    schedule = Schedule(args.save_every, args.evaluate_every, deadline, workers)
    train(trainer, batches, work, facts, schedule, judge_of(trainer, pack, validation))

    final = rounded(between(trainer.mean, first, kept))
    calibrate(final, pack, validation)
    entry = ship(final, args.name, args.out)
    story = model_card.Story(
        start=start.words,
        teacher=f"`{teacher.name}`, sha256 {teacher.sha256[:12]}" if teacher else "",
        ancestors=sorted({start.model, teacher.name if teacher else ""} - {""}),
        people=count_labels(pack, rows),
        note=pack.note,
        recipe=asdict(recipe),
        kept=kept,
        steps=trainer.step,
        command=command_line(args),
    )
    scores = judge(final, pack, validation)
    model_card.write(args.out / f"{args.name}.md", entry, story, scores, others)
    for line in describe(scores):
        tqdm.write(line, file=sys.stderr)
    return 0


def _trainer(
    network: ViTPose,
    recipe: Recipe,
    device: torch.device,
    teacher: LoadedPose | None,
    work: Path,
    batches: CropBatches,
) -> Trainer:
    """A trainer, with the teacher's answers in the work folder where views come again."""
    if teacher is None:
        return Trainer(network, recipe, device)
    answers = None
    if recipe.pool:
        new = not (work / STATE).is_file()
        size = replace(teacher.config, input_height=network.config.input_height)
        answers = TeacherCache(work / ANSWERS, batches.views, size, new)
    return Trainer(network, recipe, device, teacher.network, answers)


def _device(wanted: str) -> torch.device:
    available = torch.cuda.is_available()
    if wanted == "cuda" and not available:
        raise OptionsError("--device cuda: PyTorch finds no GPU here.")
    if available and wanted != "cpu":
        torch.backends.cuda.matmul.allow_tf32 = True
        return torch.device("cuda")
    return torch.device("cpu")


def _workers(device: torch.device) -> int:
    """Processes that make batches: a GPU waits for nobody, a processor has nothing to spare."""
    return (os.cpu_count() or 1) if device.type == "cuda" else 0


def _people(
    args: argparse.Namespace, teacher: LoadedPose | None, work: Path, device: torch.device
) -> tuple[CropPack, np.ndarray, dict[str, np.ndarray]]:
    """All people, the rows to train on, and those of each validation set."""
    pack = read_pack(args.data)
    rows, validation = split(pack)
    if args.unlabelled:
        if teacher is None and args.init in ("dinov2", "random"):
            raise OptionsError("--unlabelled needs a teacher: --distill NAME.")
        labeller = teacher or load_pose_model(args.init, device.type)
        more = pseudo_labels(args.unlabelled, labeller, work)
        rows = np.concatenate((rows, len(pack) + np.arange(len(more))))
        pack = join(pack, more)
    return pack, rows, validation


_PLACES = {
    "data": "PACK.npz",
    "out": "weights",
    "unlabelled": "CLIPS",
    "compare": "benchmarks/pose_accuracy.json",
}


_NOT_REPEATED = ("work", "minutes", "save_every", "evaluate_every", "workers", "threads", "device")


def command_line(args: argparse.Namespace) -> str:
    """The command that repeats this training, without anybody's folders."""
    words = ["python -m gymform train-pose"]
    for name, value in vars(args).items():
        if value is None or name in _NOT_REPEATED:
            continue
        shown = Path(value).name if name == "init" else _PLACES.get(name, str(value))
        words.append(f"--{name.replace('_', '-')} {shlex.quote(shown)}")
    return " ".join(words)
