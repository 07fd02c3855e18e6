"""One step of training, and the state from which a training resumes after ``kill -9``.

AdamW, or Muon and AdamW, with lower learning rates for lower layers, warm-up and cosine schedule,
clipped gradients, lower blocks frozen at first, stochastic depth, and a running mean of the weights
(EMA), which is judged and shipped. Step s depends only on the weights, the optimizers' moments, the
seed and s.
"""

from __future__ import annotations

import copy
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gymform.errors import TrainingError
from gymform.pose.checkpoints import read_tensors
from gymform.pose.vitpose import ViTPose
from gymform.storage import atomic_path
from gymform.training.averaging import move_towards
from gymform.training.pose.batches import Batch, normalised
from gymform.training.pose.losses import (
    drop_suspect_labels,
    gaussian_heatmaps,
    joint_losses,
    masked_mean,
    residual_variance,
)
from gymform.training.pose.muon import Muon
from gymform.training.pose.teacher_cache import TeacherCache
from gymform.training.pose.token_dropping import Parts, drop_patches
from gymform.weights import write_tensors


@dataclass(frozen=True)
class Recipe:
    """How a network is trained. Shares are of all steps."""

    steps: int = 2000
    batch: int = 16
    optimizer: str = "adamw"  # or "muon": Muon for the blocks' matrices, AdamW for the rest
    learning_rate: float = 5e-4
    weight_decay: float = 0.05
    layer_decay: float = 0.8  # learning rate of a layer over that of the layer above
    kernel_rate: float = 1.0  # rate of the patches' and decoder's kernels over their layer's
    warm_up: float = 0.05
    final_rate: float = 0.01  # over the highest rate
    freeze: int = 6  # number of lower blocks that are frozen at first
    thaw: float = 0.2  # ... for this share of the steps
    drop_path: float = 0.0  # of the last block; high values ruin DINOv2's weights
    clip: float = 100.0  # largest norm of the gradient; 30 to 150 are usual for this loss
    ema: float = 0.999
    trust_from: float = 0.5  # from here on labels that are probably wrong are dropped
    mild_from: float = 1.0  # from here on the augmentation is mild
    occluders: float = 0.0  # share of the crops in which joints are hidden on purpose
    dropped: float = 0.0  # share of the steps in which patches far from the body are dropped
    distill: float = 0.5  # share of the teacher in the loss, with a teacher
    hint: float = 1.0  # weight of the loss on the teacher's features
    pool: int = 0  # rounds whose warped crops are repeated; 0: always new ones
    precision: str = "fp32"  # or "bf16": matrix products in bfloat16, weights in fp32
    seed: int = 0

    @property
    def half(self) -> torch.dtype | None:
        """The half precision of matrix products; None for float32."""
        return torch.bfloat16 if self.precision == "bf16" else None

    def as_facts(self) -> dict[str, Any]:
        """The recipe as saved states hold it; there ``mild_from`` is called ``settle``.

        States from before there were occluders and dropped patches lack them, so none are left
        out.
        """
        facts = asdict(self)
        facts["settle"] = facts.pop("mild_from")
        for name in ("occluders", "dropped"):
            if not facts[name]:
                del facts[name]
        return facts


MOMENTS = ("step", "exp_avg", "exp_avg_sq", "momentum")
"""An optimizer's state for a parameter: the first three of AdamW, the last of Muon."""


@dataclass(frozen=True)
class StepReport:
    """Loss, highest learning rate, and norm of the gradient before clipping, of one step."""

    step: int
    loss: float
    rate: float
    norm: float


class Trainer:
    """A network in training: :meth:`train_on` takes one step, :meth:`save` saves its state."""

    def __init__(
        self,
        network: ViTPose,
        recipe: Recipe,
        device: torch.device | None = None,
        teacher: ViTPose | None = None,
        cache: TeacherCache | None = None,
    ) -> None:
        """``cache`` holds the teacher's outputs for a pool; None: it runs in every step."""
        self.device = device or torch.device("cpu")
        self.recipe = recipe
        self.network = network.to(self.device).train()
        self.mean = copy.deepcopy(self.network).eval().requires_grad_(False)
        self.teacher = teacher.to(self.device).eval() if teacher else None
        self.cache = cache
        self.step = 0
        self._optimizers = make_optimizers(self.network, recipe)
        self._drop = StochasticDepth(self.network, recipe.drop_path, recipe.seed)

    def train_on(self, batch: Batch) -> StepReport:
        """Take one step. Raises TrainingError when the loss is not finite."""
        rate = self._prepare()
        batch = batch.to(self.device)
        loss = self._loss(batch)
        self.network.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip)
        report = StepReport(self.step, float(loss.detach()), rate, float(norm))
        if not math.isfinite(report.loss) or not math.isfinite(report.norm):
            raise TrainingError(
                f"Expected a finite loss and gradient, got {report.loss} and {report.norm} in step "
                f"{self.step}. Train with a lower --lr."
            )
        for optimizer in self._optimizers:
            optimizer.step()
        self._average()
        self.step += 1
        return report

    def _prepare(self) -> float:
        """Set learning rates, frozen blocks and stochastic depth for this step; return the highest
        rate."""
        recipe = self.recipe
        rate = learning_rate(self.step, recipe)
        for optimizer in self._optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate * group["scale"]
        frozen = recipe.freeze if self.step < recipe.thaw * recipe.steps else 0
        freeze_below(self.network, frozen)
        self._drop.begin(self.step)
        return rate

    def _loss(self, batch: Batch) -> Tensor:
        images = normalised(batch.images)
        targets = gaussian_heatmaps(batch.points, self.network.config.heatmap_size)
        if self.teacher is None:
            _, heatmaps = self._forward(self.network, images)
            return self._label_loss(heatmaps, targets, batch)
        wanted_features, wanted_heatmaps = self._teacher_outputs(self.teacher, batch, images)
        parts = self._dropped_patches(wanted_heatmaps)
        if parts is None:
            features, heatmaps = self._forward(self.network, images)
        else:
            heatmaps = self._forward_in_parts(images, parts)
        loss = self._label_loss(heatmaps, targets, batch)
        distillation = joint_losses(heatmaps, wanted_heatmaps).mean()
        if self.recipe.hint and parts is None:
            residual = residual_variance(features, wanted_features)
            distillation = distillation + self.recipe.hint * residual
        share = self.recipe.distill
        return (1 - share) * loss + share * distillation

    def _label_loss(self, heatmaps: Tensor, targets: Tensor, batch: Batch) -> Tensor:
        losses = joint_losses(heatmaps, targets)
        weight = batch.weight
        if self.step >= self.recipe.trust_from * self.recipe.steps:
            weight = drop_suspect_labels(losses, weight, batch.noise)
        return masked_mean(losses, weight)

    def _dropped_patches(self, wanted: Tensor) -> Parts | None:
        """The remaining patches of each crop in a step in which patches are dropped, else None."""
        rng = np.random.default_rng((self.recipe.seed, 4, self.step))
        if rng.random() >= self.recipe.dropped:
            return None
        return drop_patches(wanted.float().cpu().numpy(), self.network.config, rng)

    def _forward_in_parts(self, images: Tensor, parts: Parts) -> Tensor:
        """Heatmaps (B, K, height, width) of crops that are computed in parts of like counts."""
        maps = []
        for rows, patches in parts:
            kept = None if patches is None else torch.from_numpy(patches).to(images.device)
            maps.append(self._forward(self.network, images[rows], kept)[1])
        order = np.argsort(np.concatenate([rows for rows, _ in parts]))
        return torch.cat(maps)[order]

    @torch.no_grad()
    def _teacher_outputs(
        self, teacher: ViTPose, batch: Batch, images: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The teacher's features and heatmaps: for clean crops where there are any, else for
        ``images``, or cached ones."""
        if self.cache is None:
            seen = images if batch.clean is None else normalised(batch.clean)
            return self._run_teacher(teacher, seen)
        if batch.clean is not None:
            features, heatmaps = self._run_teacher(teacher, normalised(batch.clean))
            self.cache.write(batch.indices, features.half(), heatmaps.half())
        return self.cache.read(batch.indices)

    def _run_teacher(self, teacher: ViTPose, images: Tensor) -> tuple[Tensor, Tensor]:
        """The teacher's features and heatmaps, resized to those of the network."""
        ours = self.network.config
        features, heatmaps = self._forward(teacher, _resized(images, teacher.config.input_size))
        rows, columns = ours.grid
        return _resized(features, (columns, rows)), _resized(heatmaps.float(), ours.heatmap_size)

    def _forward(
        self, network: ViTPose, images: Tensor, kept: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Features (B, C, rows, columns) and heatmaps (B, K, height, width)."""
        # bfloat16 needs no loss scaling, whose state would have to be saved too
        half = self.recipe.half
        with torch.autocast(self.device.type, dtype=half, enabled=half is not None):
            features = network.backbone(images, kept)
            return features, network.decode(features)

    def _average(self) -> None:
        """Update the mean weights, with a smaller decay in the first steps."""
        decay = min(self.recipe.ema, (1 + self.step) / (10 + self.step))
        move_towards(self.mean, self.network, 1 - decay)

    # ---- saved state

    def save(self, path: Path, facts: Mapping[str, Any]) -> None:
        """Write weights, mean weights, moments and step to ``path``, atomically."""
        if self.cache is not None:
            self.cache.flush()
        tensors = {f"network.{k}": v for k, v in self.network.state_dict().items()}
        tensors |= {f"mean.{k}": v for k, v in self.mean.state_dict().items()}
        for name, moments in self._moments():
            tensors |= {f"{key}.{name}": value for key, value in moments.items()}
        kept = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
        metadata = {"state": json.dumps({"step": self.step, "facts": dict(facts)})}
        with atomic_path(path) as temporary:
            write_tensors(temporary, kept, metadata)

    def restore(self, path: Path, facts: Mapping[str, Any]) -> None:
        """Load what :meth:`save` wrote. Raises TrainingError when it is of another training."""
        tensors, metadata = read_tensors(path)
        state = json.loads(metadata["state"])
        check_facts(state["facts"], facts)
        self.network.load_state_dict(_below("network.", tensors))
        self.mean.load_state_dict(_below("mean.", tensors))
        for name, moments in self._moments():
            for key in MOMENTS:
                if (value := tensors.get(f"{key}.{name}")) is not None:
                    moments[key] = value.to("cpu" if key == "step" else self.device)
        self.step = state["step"]

    def _moments(self) -> Iterator[tuple[str, dict[str, Tensor]]]:
        """Each parameter's name with its optimizer's state, which is empty at first."""
        names = {parameter: name for name, parameter in self.network.named_parameters()}
        for optimizer in self._optimizers:
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    yield names[parameter], optimizer.state[parameter]


def _resized(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Maps (B, C, H, W) resized to ``size`` (W, H); as in UDP, the corner pixels stay corners."""
    if maps.shape[:1:-1] == size:
        return maps
    return F.interpolate(maps, size[::-1], mode="bilinear", align_corners=True)


def check_facts(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Raise TrainingError, naming what differs, unless a state belongs to the wanted training."""
    different = sorted(key for key in wanted if found.get(key) != wanted[key])
    if different:
        key = different[0]
        raise TrainingError(
            f"The work folder holds a training with another {key} ({found.get(key)}, now "
            f"{wanted[key]}). Use the same options to resume it, or another --work or --name."
        )


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): t for k, t in tensors.items() if k.startswith(prefix)}


# ---- learning rates ------------------------------------------------------------------------


def learning_rate(step: int, recipe: Recipe) -> float:
    """The learning rate of the top layer: a linear rise, then half a cosine."""
    warm_up = max(1, round(recipe.warm_up * recipe.steps))
    if step < warm_up:
        return recipe.learning_rate * (step + 1) / warm_up
    done = (step - warm_up) / max(1, recipe.steps - warm_up)
    share = 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
    return recipe.learning_rate * (recipe.final_rate + (1 - recipe.final_rate) * share)


def layer_of(name: str, depth: int) -> int:
    """0 for patches and positions, 1 to ``depth`` for the blocks, ``depth + 1`` above them."""
    block = re.match(r"backbone\.blocks\.(\d+)\.", name)
    if block:
        return int(block.group(1)) + 1
    above = name.startswith(("keypoint_head.", "backbone.last_norm."))
    return depth + 1 if above else 0


def make_optimizers(network: ViTPose, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """The optimizers of :attr:`Recipe.optimizer`; each parameter belongs to one of them."""
    groups = parameter_groups(network, recipe)
    if recipe.optimizer == "adamw":
        return [torch.optim.AdamW(groups)]
    matrices = [group for group in groups if group["matrices"]]
    others = [group for group in groups if not group["matrices"]]
    muon = Muon(matrices, precision=recipe.half or torch.float32)
    return [muon, torch.optim.AdamW(others)]


def parameter_groups(network: ViTPose, recipe: Recipe) -> list[dict[str, Any]]:
    """Optimizer groups by layer and by weight decay, which biases, norms and positions do not have.

    ``matrices`` marks the groups with the matrices of a block. Kernels outside the blocks have a
    rate of their own: AdamW moves all weights of a kernel by about the learning rate, and where
    hundreds of inputs are alike (a patch's pixels, features that are never negative) the output
    moves by as many times that (Yang et al., "Tuning Large Neural Networks via Zero-Shot
    Hyperparameter Transfer", NeurIPS 2021, therefore divide the rate by the number of inputs).
    """
    depth = network.config.depth
    groups: dict[tuple[int, bool], dict[str, Any]] = {}
    for name, parameter in network.named_parameters():
        layer = layer_of(name, depth)
        decays = parameter.dim() > 1 and not name.endswith(("pos_embed", "cls_token"))
        in_block = 1 <= layer <= depth
        kernel_rate = recipe.kernel_rate if decays and not in_block else 1.0
        group = groups.setdefault(
            (layer, decays),
            {
                "params": [],
                "scale": recipe.layer_decay ** (depth + 1 - layer) * kernel_rate,
                "weight_decay": recipe.weight_decay if decays else 0.0,
                "matrices": decays and in_block,
            },
        )
        group["params"].append(parameter)
    return list(groups.values())


def freeze_below(network: ViTPose, blocks: int) -> None:
    """Freeze the patches, the positions and the first ``blocks`` blocks; 0: freeze nothing."""
    depth = network.config.depth
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(not blocks or layer_of(name, depth) > min(blocks, depth))


# ---- stochastic depth ----------------------------------------------------------------------


class StochasticDepth:
    """Drops branches of blocks at random for each crop (Huang et al., ECCV 2016).

    The probability rises linearly from 0 in the first block to ``rate`` in the last. In frozen
    blocks nothing is dropped.
    """

    def __init__(self, network: ViTPose, rate: float, seed: int) -> None:
        self.seed = seed
        self._generator = torch.Generator()
        blocks = list(network.backbone.blocks)
        for number, block in enumerate(blocks):
            chance = rate * number / max(1, len(blocks) - 1)
            for branch in _branches(block) if chance else ():
                branch.register_forward_hook(self._hook(chance))

    def begin(self, step: int) -> None:
        """Seed the random generator by the seed and ``step``."""
        self._generator.manual_seed(self.seed * 1_000_003 + step)

    def _hook(self, chance: float) -> Any:
        def drop(branch: nn.Module, inputs: Any, output: Tensor) -> Tensor | None:
            learns = next(branch.parameters()).requires_grad
            if not (branch.training and learns):
                return None
            keep = torch.rand(len(output), 1, 1, generator=self._generator) >= chance
            return output * (keep / (1 - chance)).to(output.device, output.dtype)

        return drop


def _branches(block: Any) -> Iterator[nn.Module]:
    yield from (block.attn, block.mlp)
