"""The command ``python -m gymform train-pose``.

With the same options it resumes from its work folder, also after ``kill -9``, and ends with the
same weights (on a GPU up to the order of summation).
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

from gymform.dataset.paths import dataset_dir
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
from gymform.training.pose.corrected_crops import corrected_crops
from gymform.training.pose.initial_weights import with_input_height
from gymform.training.pose.packs import CropPack, join, read_pack, split
from gymform.training.pose.pseudo_labels import pseudo_labels
from gymform.training.pose.teacher_cache import TeacherCache
from gymform.training.pose.train import (
    HEIGHTS,
    RECIPES,
    SIZES,
    STATE,
    TEACHER_OUTPUTS,
    Schedule,
    calibrate,
    describe,
    interpolate_weights,
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
    _add_places(parser.add_argument_group("data and output"))
    _add_network(parser.add_argument_group("network"))
    _add_recipe(parser.add_argument_group("recipe (defaults: those of S)"))
    _add_running(parser.add_argument_group("running"))


def _add_places(where: Any) -> None:
    where.add_argument("--data", type=Path, required=True, metavar="NPZ", help="pack of crops")
    where.add_argument(
        "--corrections",
        metavar="DATASET",
        help="also learn from the frames of this data set in which people corrected keypoints",
    )
    where.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder for weights, manifest entry and model card",
    )
    where.add_argument("--name", default="vitpose-s", help="the model's name (vitpose-s)")
    where.add_argument(
        "--work",
        type=Path,
        metavar="DIR",
        help="folder for the state (a folder of this name in gymform's data folder)",
    )
    where.add_argument(
        "--compare",
        type=Path,
        metavar="JSON",
        help="metrics of other models for the card (benchmarks/pose_accuracy.json)",
    )


def _add_network(network: Any) -> None:
    network.add_argument("--size", choices=SIZES, default="S")
    network.add_argument(
        "--init",
        default="dinov2",
        metavar="START",
        help="dinov2, random, a model's name or a weights file; a wider one is narrowed (dinov2)",
    )
    network.add_argument(
        "--keep-start",
        type=float,
        metavar="X",
        help="share of the initial weights in the shipped ones: less learned and forgotten (0)",
    )
    network.add_argument(
        "--padding",
        type=float,
        metavar="X",
        help="factor by which a box, grown to 3:4, is enlarged (that of --init)",
    )
    network.add_argument(
        "--input-height",
        type=int,
        metavar="N",
        help=f"height of the crops, px, a multiple of {HEIGHT_STEP}; their width is three quarters "
        "of it (that of --init)",
    )
    network.add_argument("--distill", metavar="NAME", help="teacher: a model's name")
    network.add_argument(
        "--unlabelled",
        type=Path,
        metavar="DIR",
        help="clips with keypoint files beside them, labelled by the teacher, else by the model at "
        "--init",
    )


def _add_running(running: Any) -> None:
    running.add_argument(
        "--minutes", type=float, metavar="M", help="stop after M minutes; the same command resumes"
    )
    running.add_argument("--save-every", type=int, default=200, metavar="N", help="steps (200)")
    running.add_argument(
        "--evaluate-every", type=int, default=0, metavar="N", help="steps; 0: at the end only (0)"
    )
    running.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="processes that make batches (with a GPU all cores, else 0)",
    )
    running.add_argument("--threads", type=int, default=2, help="processor threads (2)")
    running.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")


_RECIPE_OPTIONS = {
    "steps": ("steps", "steps of training"),
    "batch": ("batch", "crops a step"),
    "lr": ("learning_rate", "highest learning rate of the top layer"),
    "weight_decay": ("weight_decay", "weight decay"),
    "layer_decay": ("layer_decay", "learning rate of a layer over that of the layer above"),
    "kernel_rate": ("kernel_rate", "rate of the patches' and decoder's kernels over their layer's"),
    "warm_up": ("warm_up", "share of the steps in which the learning rate rises"),
    "freeze": ("freeze", "number of lower blocks that are frozen at first"),
    "thaw": ("thaw", "share of the steps after which they are trained too"),
    "drop_path": ("drop_path", "stochastic depth of the last block"),
    "ema": ("ema", "decay of the weights' running mean"),
    "trust_from": ("trust_from", "share of the steps after which suspect labels are dropped"),
    "mild_from": ("mild_from", "share of the steps after which augmentation is mild"),
    "occluders": (
        "occluders",
        "share of the crops in which plates, racks or limbs are laid over joints",
    ),
    "dropped": (
        "dropped",
        "share of the steps in which patches far from the body are dropped; needs --distill",
    ),
    "hint": ("hint", "weight of the loss on the teacher's features"),
    "pool": ("pool", "rounds whose warped crops are repeated; 0: never"),
    "seed": ("seed", "seed of all randomness"),
}
"""By option: the field of :class:`Recipe` that it sets, and the help text."""

_ALIASES = {"mild_from": ("--settle",)}
"""Earlier names of options."""


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
    "mild_from",
    "occluders",
    "dropped",
)


def _add_recipe(group: Any) -> None:
    default = Recipe()
    for option, (field, text) in _RECIPE_OPTIONS.items():
        value = getattr(default, field)
        group.add_argument(
            f"--{option.replace('_', '-')}",
            *_ALIASES.get(option, ()),
            type=type(value),
            metavar="N" if isinstance(value, int) else "X",
            help=f"{text} ({value})",
        )
    group.add_argument(
        "--optimizer",
        choices=("adamw", "muon"),
        help="muon: updates of equal size in all directions for the blocks' matrices; a step takes "
        f"about a tenth longer ({default.optimizer})",
    )
    group.add_argument(
        "--precision",
        choices=("fp32", "bf16"),
        help="bf16 takes half the time on GPUs and on processors with AVX-512 BF16 or AMX, "
        f"and is many times slower on others ({default.precision})",
    )


def recipe_of(args: argparse.Namespace) -> Recipe:
    """The recipe of the size with the changes that the options make. Raises OptionsError."""
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
        raise OptionsError(
            "--lr: expected above 0 and at most 1; --drop-path: expected below 1; got "
            f"{recipe.learning_rate} and {recipe.drop_path}."
        )
    return recipe


def _check(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise OptionsError(f"--{name.replace('_', '-')}: expected {least} to {most}, got {value}.")


def run(args: argparse.Namespace) -> int:
    """Train and ship as the options say; 0 when weights and card are written."""
    deadline = time.monotonic() + 60 * args.minutes if args.minutes else float("inf")
    recipe = recipe_of(args)
    kept = args.keep_start or 0.0
    _check_options(args, kept)
    torch.set_num_threads(args.threads)
    device = _device(args.device)
    work = args.work or data_dir() / "training" / args.name
    others = model_card.read_comparison(args.compare) if args.compare else {}

    teacher = load_pose_model(args.distill, device.type) if args.distill else None
    pack, rows, validation = _people(args, teacher, work, device)
    start = make_start(
        args.init, args.size, recipe.seed, partial(some_crops, pack, rows, recipe.seed)
    )
    network = _as_asked(start.network, args)
    batches = _batches(pack, rows, recipe, network, taught=teacher is not None)
    initial = copy.deepcopy(network)
    trainer = _trainer(network, recipe, device, teacher, work, batches)
    facts = {
        **recipe.as_facts(),
        "pack": pack.digest(),
        "init": start.fingerprint,
        "teacher": teacher.sha256 if teacher else "",
        "network": asdict(network.config),
    }
    workers = _workers(device) if args.workers is None else args.workers
    schedule = Schedule(args.save_every, args.evaluate_every, deadline, workers)
    train(trainer, batches, work, facts, schedule, judge_of(trainer, pack, validation))

    final = rounded(interpolate_weights(trainer.mean, initial, kept))
    calibrate(final, pack, validation)
    entry = ship(final, args.name, args.out)
    record = model_card.TrainingRecord(
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
    model_card.write(args.out / f"{args.name}.md", entry, record, scores, others)
    for line in describe(scores):
        tqdm.write(line, file=sys.stderr)
    return 0


def _batches(
    pack: CropPack, rows: np.ndarray, recipe: Recipe, network: ViTPose, *, taught: bool
) -> CropBatches:
    """The crops that the recipe asks for; what is hidden in them, a teacher sees."""
    return CropBatches(
        pack,
        rows,
        recipe.batch,
        recipe.seed,
        Augmentation(occluders=recipe.occluders),
        recipe.pool,
        mild_from=recipe.mild_from * recipe.steps,
        config=network.config,
        clean=taught and recipe.occluders > 0 and not recipe.pool,
    )


def _check_options(args: argparse.Namespace, kept: float) -> None:
    """Raise OptionsError for options out of range."""
    check_name(args.name)
    _check("threads", args.threads, 1, 1024)
    _check("save_every", args.save_every, 1, 10**8)
    _check("keep_start", kept, 0, 1)
    if args.padding is not None:
        _check("padding", args.padding, 1, MAX_PADDING)
    if args.dropped and not args.distill:
        raise OptionsError(
            "--dropped needs a teacher that says where the body is: add --distill NAME."
        )
    if args.input_height is not None and args.input_height not in HEIGHTS:
        raise OptionsError(
            f"--input-height: expected a multiple of {HEIGHT_STEP} from {HEIGHTS[0]} to "
            f"{HEIGHTS[-1]}, got {args.input_height}."
        )


def _as_asked(network: ViTPose, args: argparse.Namespace) -> ViTPose:
    """The network with the crop height and the padding that the options ask for."""
    if args.input_height is not None:
        network = with_input_height(network, args.input_height)
    if args.padding is not None:
        network.config = replace(network.config, padding=args.padding)
    return network


def _trainer(
    network: ViTPose,
    recipe: Recipe,
    device: torch.device,
    teacher: LoadedPose | None,
    work: Path,
    batches: CropBatches,
) -> Trainer:
    """A trainer; with a pool, the teacher's outputs are cached in the work folder."""
    if teacher is None:
        return Trainer(network, recipe, device)
    cache = None
    if recipe.pool:
        new = not (work / STATE).is_file()
        size = replace(teacher.config, input_height=network.config.input_height)
        cache = TeacherCache(work / TEACHER_OUTPUTS, batches.pool_size, size, new)
    return Trainer(network, recipe, device, teacher.network, cache)


def _device(wanted: str) -> torch.device:
    available = torch.cuda.is_available()
    if wanted == "cuda" and not available:
        raise OptionsError("--device cuda: expected a GPU, PyTorch finds none. Use --device cpu.")
    if available and wanted != "cpu":
        torch.backends.cuda.matmul.allow_tf32 = True
        return torch.device("cuda")
    return torch.device("cpu")


def _workers(device: torch.device) -> int:
    """Default number of processes that make batches: all cores with a GPU, else none to spare."""
    return (os.cpu_count() or 1) if device.type == "cuda" else 0


def _people(
    args: argparse.Namespace, teacher: LoadedPose | None, work: Path, device: torch.device
) -> tuple[CropPack, np.ndarray, dict[str, np.ndarray]]:
    """(pack of all people, rows to train on, rows of each validation set)."""
    pack = read_pack(args.data)
    rows, validation = split(pack)
    if args.unlabelled:
        if teacher is None and args.init in ("dinov2", "random"):
            raise OptionsError(
                "--unlabelled needs a teacher to label the clips: add --distill NAME."
            )
        labeller = teacher or load_pose_model(args.init, device.type)
        more = pseudo_labels(args.unlabelled, labeller, work)
        rows = np.concatenate((rows, len(pack) + np.arange(len(more))))
        pack = join(pack, more)
    if args.corrections is not None:
        more = corrected_crops(dataset_dir(args.corrections))
        rows = np.concatenate((rows, len(pack) + np.arange(len(more))))
        pack = join(pack, more)
    return pack, rows, validation


_PLACES = {
    "data": "PACK.npz",
    "out": "weights",
    "unlabelled": "CLIPS",
    "corrections": "DATASET",
    "compare": "benchmarks/pose_accuracy.json",
}


_NOT_REPEATED = ("work", "minutes", "save_every", "evaluate_every", "workers", "threads", "device")


def command_line(args: argparse.Namespace) -> str:
    """The command that repeats this training, without paths."""
    words = ["python -m gymform train-pose"]
    for name, value in vars(args).items():
        if value is None or name in _NOT_REPEATED:
            continue
        shown = Path(value).name if name == "init" else _PLACES.get(name, str(value))
        words.append(f"--{name.replace('_', '-')} {shlex.quote(shown)}")
    return " ".join(words)
