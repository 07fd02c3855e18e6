"""Muon: an optimizer with steps of equal size along all directions of a weight matrix.

The momentum of a matrix's gradient has a few strong directions and many weak ones. Muon (Jordan et
al., "Muon: An optimizer for hidden layers in neural networks", 2024) gives all of them the same
length before it steps. Language models needed about half of the work that AdamW needs (Liu et al.,
"Muon is Scalable for LLM Training", 2025). PyTorch's own Muon always computes in bfloat16, which is
many times slower on most processors; here the precision can be chosen.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

STEP = 0.2
"""Root mean square of an update over the learning rate: about that of AdamW, so that learning rates
and weight decay mean the same (Liu et al.)."""

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
ITERATIONS = 5
"""Newton-Schulz iteration of Jordan et al.: singular values above a 500th of the norm end between
0.7 and 1.2, smaller ones grow about 500-fold."""


class Muon(torch.optim.Optimizer):
    """Muon for weights of two dimensions, in groups as for PyTorch's optimizers.

    ``precision`` is that of the updates' directions; momentum and weights keep their own.
    """

    def __init__(
        self,
        groups: Iterable[dict[str, Any]],
        lr: float = 1e-3,
        weight_decay: float = 0.0,
        momentum: float = 0.95,
        precision: torch.dtype = torch.float32,
    ) -> None:
        super().__init__(groups, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})
        self.precision = precision

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Change each weight that has a gradient."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._change(weight, weight.grad, group)

    def _change(self, weight: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[weight]
        if not state:
            state["momentum"] = torch.zeros_like(weight)
        momentum = state["momentum"].mul_(group["momentum"]).add_(gradient)
        ahead = gradient.add(momentum, alpha=group["momentum"])  # Nesterov's
        weight.mul_(1 - group["lr"] * group["weight_decay"])
        update = torch.cat([_sized(part) for part in _parts(ahead.to(self.precision))])
        weight.add_(update.to(weight.dtype), alpha=-group["lr"])


def _parts(matrix: Tensor) -> tuple[Tensor, ...]:
    """The matrices that are stacked in one weight: three for queries, keys and values.

    Decided by the shape. A hidden layer three times as wide would be split too, which does no harm.
    """
    rows, columns = matrix.shape
    return matrix.chunk(3) if rows == 3 * columns else (matrix,)


def _sized(matrix: Tensor) -> Tensor:
    """The matrix with equal singular values, whose root mean square is :data:`STEP`."""
    scale: float = STEP * max(matrix.shape) ** 0.5
    return orthogonal(matrix) * scale


def orthogonal(matrix: Tensor) -> Tensor:
    """``matrix`` (m, n) with its singular values replaced by values near 1."""
    a, b, c = COEFFICIENTS
    wide = matrix.shape[0] <= matrix.shape[1]
    x = matrix if wide else matrix.T
    x = x / x.norm().clamp(min=1e-12)
    for _ in range(ITERATIONS):
        square = x @ x.T
        x = torch.addmm(x, torch.addmm(square, square, square, beta=b, alpha=c), x, beta=a)
    return x if wide else x.T
