"""Muon: updates of one size along all directions."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from gymform.training.pose.muon import STEP, Muon, orthogonal

SIDES = st.integers(2, 24)


def matrix(rows, columns, seed):
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))


def taken(gradients, rows, columns, **options):
    """How far a weight of zeros or ``start`` goes by some gradients."""
    weight = nn.Parameter(options.pop("start", torch.zeros(rows, columns)).clone())
    optimizer = Muon([{"params": [weight]}], **options)
    for gradient in gradients:
        weight.grad = gradient
        optimizer.step()
    return weight.detach()


@given(SIDES, SIDES, st.integers(0, 2**31))
def test_singular_values_become_one_and_vectors_stay(rows, columns, seed):
    # of known singular values, from 1 down to 0.2: random squares may have some next to zero
    left, _, right = torch.linalg.svd(matrix(rows, columns, seed), full_matrices=False)
    values = torch.linspace(1, 0.2, len(left.T))
    found = orthogonal((left * values) @ right)
    inside = left.T @ found @ right.T
    assert ((inside.diagonal() > 0.6) & (inside.diagonal() < 1.3)).all()
    torch.testing.assert_close(inside, inside.diagonal().diag(), atol=2e-3, rtol=0)


@given(SIDES, SIDES, st.floats(1e-6, 1e6))
def test_the_gradient_s_unit_does_not_matter(rows, columns, unit):
    gradient = matrix(rows, columns, 0)
    torch.testing.assert_close(
        orthogonal(unit * gradient), orthogonal(gradient), atol=1e-3, rtol=1e-3
    )


def test_no_gradient_at_all_is_no_step():
    assert torch.equal(orthogonal(torch.zeros(3, 5)), torch.zeros(3, 5))


@pytest.mark.parametrize(("rows", "columns"), [(64, 16), (16, 64), (32, 32)])
def test_an_update_has_the_promised_size(rows, columns):
    moved = taken([matrix(rows, columns, 1)], rows, columns, lr=0.1)
    assert float(moved.square().mean().sqrt()) == pytest.approx(0.1 * STEP, rel=0.25)


def test_queries_keys_and_values_are_three_matrices():
    gradient = torch.cat([size * matrix(16, 16, n) for n, size in enumerate((1, 1e-3, 1e3))])
    together = taken([gradient], 48, 16, lr=0.1)
    apart = [taken([part], 16, 16, lr=0.1) for part in gradient.chunk(3)]
    torch.testing.assert_close(together, torch.cat(apart))


def test_each_of_many_matrices_goes_its_own_way():
    shapes = [(16, 4), (4, 16), (12, 4), (4, 4), (16, 4)]
    gradients = [matrix(*shape, n) for n, shape in enumerate(shapes)]
    weights = [nn.Parameter(torch.zeros(shape)) for shape in shapes]
    for weight, gradient in zip(weights, gradients, strict=True):
        weight.grad = gradient
    Muon([{"params": weights}], lr=0.1).step()
    for weight, gradient in zip(weights, gradients, strict=True):
        alone = taken([gradient], *gradient.shape, lr=0.1)
        torch.testing.assert_close(weight.detach(), alone)


def test_momentum_carries_on_and_weights_decay():
    first, second = matrix(8, 8, 0), matrix(8, 8, 1)
    with_momentum = taken([first, second], 8, 8, lr=0.1)
    without = taken([first, second], 8, 8, lr=0.1, momentum=0.0)
    torch.testing.assert_close(without, taken([first], 8, 8, lr=0.1, momentum=0.0)
                               + taken([second], 8, 8, lr=0.1, momentum=0.0))  # fmt: skip
    assert not torch.allclose(with_momentum, without, atol=1e-3)
    start = matrix(8, 8, 2)
    decayed = taken([torch.zeros(8, 8)], 8, 8, start=start, lr=0.1, weight_decay=0.5)
    torch.testing.assert_close(decayed, start * 0.95)


def test_bfloat16_goes_nearly_the_same_way():
    # a rate so small that weights in bfloat16 would not move at all
    gradients, start = [matrix(32, 16, n) for n in range(3)], torch.ones(32, 16)
    exact, rough = (
        taken(gradients, 32, 16, start=start, lr=1e-4, precision=precision) - start
        for precision in (torch.float32, torch.bfloat16)
    )
    assert exact.any()
    assert torch.nn.functional.cosine_similarity(exact.flatten(), rough.flatten(), dim=0) > 0.99
    torch.testing.assert_close(rough.norm(), exact.norm(), rtol=0.03, atol=0)
