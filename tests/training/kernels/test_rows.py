"""The row operations: their gradients are autograd's, and a card's kernels equal them."""

from __future__ import annotations

from typing import Any

import pytest


def random(*shape: int, seed: int = 0) -> Any:
    import torch

    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).float()


def near(found: Any, wanted: Any, tolerance: float = 1e-5) -> bool:
    return bool((found - wanted).norm() <= tolerance * wanted.norm())


def test_the_gradient_of_a_norm_is_autograds() -> None:
    from training.kernels import reference

    x, weight, gradient, residual = (
        random(5, 24).requires_grad_(),
        random(24, seed=1),
        random(5, 24, seed=2),
        random(5, 24),
    )
    normed = reference.norm(x, weight, 1e-5)
    normed.backward(gradient)
    dx, again = reference.norm_backward(gradient, x.detach(), weight, 1e-5, residual)
    assert near(dx - residual, x.grad) and near(again, normed.detach())


def test_the_gradient_of_the_gated_product_is_autograds() -> None:
    from training.kernels import reference

    both, gradient = random(5, 24).requires_grad_(), random(5, 12, seed=1)
    product = reference.swiglu(both)
    product.backward(gradient)
    written, became = both.detach().clone(), gradient.clone()
    reference.swiglu_backward_(written, became)
    assert near(written, both.grad) and near(became, product.detach())


def test_turning_there_and_back_changes_nothing_and_keeps_lengths() -> None:
    import torch

    from training.kernels import reference

    angles = random(6, 4)
    cos, sin = (torch.cat([part, part], 1) for part in (angles.cos(), angles.sin()))
    rows = random(12, 5 * 8, seed=1)
    turned = rows.clone()
    reference.rotate_(turned, cos, sin, 3)
    assert torch.equal(turned[:, 24:], rows[:, 24:]) and not near(turned[:, :24], rows[:, :24], 1e-2)
    assert near(turned.norm(dim=1), rows.norm(dim=1))
    reference.rotate_(turned, cos, sin, 3, back=True)
    assert near(turned, rows)


def test_the_loss_is_the_cross_entropy_of_the_learned_tokens() -> None:
    import torch

    from training.kernels.loss import answer_loss

    hidden, head = random(9, 16).requires_grad_(), random(31, 16, seed=1)
    labels = torch.tensor([3, -100, 30, 0, -100, 7, 7, -100, 12])
    for slice_bytes in (1, 31 * 4 * 4, 2**20):
        hidden.grad = None
        mine = answer_loss(hidden, head, labels, 6.0, slice_bytes=slice_bytes)
        (2 * mine).backward()
        found, hidden.grad = hidden.grad, None
        wanted = torch.nn.functional.cross_entropy(hidden @ head.t(), labels, ignore_index=-100)
        (2 * wanted).backward()
        assert mine.item() == pytest.approx(wanted.item(), rel=1e-5) and near(found, hidden.grad)


def test_rows_in_e4m3_are_within_its_rounding() -> None:
    from training.kernels import reference

    x = random(7, 64)
    small, scales = reference.quantised(x)
    assert scales.shape == (7, 1)
    assert (
        float(((small.float() * scales - x).abs() / x.abs().amax(1, keepdim=True)).max()) <= 1 / 28
    )  # half of 32 in 448
    turned, scale = reference.turned_quantised(x)
    assert turned.shape == (64, 7) and near(turned.float().t() * scale[0], x, 0.04)
    assert reference.quantised(x * 0)[0].float().abs().max() == 0


def test_the_cards_kernels_equal_the_plain_ones() -> None:
    import torch

    if not torch.cuda.is_available():
        pytest.skip("needs a card")
    from training.kernels import reference, row_kernels

    x, y, weight, g = (random(65, 256, seed=seed).cuda().bfloat16() for seed in range(4))
    weight = weight[0].contiguous()
    assert near(row_kernels.norm(x, weight, 1e-5)[0].float(), reference.norm(x, weight, 1e-5).float(), 1e-3)
    found = row_kernels.norm_backward(g, x, weight, 1e-5, y)
    assert all(
        near(mine.float(), theirs.float(), 1e-3)
        for mine, theirs in zip(found[:2], reference.norm_backward(g, x, weight, 1e-5, y), strict=True)
    )
    for fp8 in (False, True):
        a, b, c, d = x.clone(), x.clone(), y[:, :128].contiguous(), y[:, :128].contiguous()
        row_kernels.swiglu_backward_(a, c, fp8)
        reference.swiglu_backward_(b, d)
        assert near(a.float(), b.float(), 1e-3) and near(c.float(), d.float(), 1e-3)
    logits, labels = x.clone(), torch.arange(65, device="cuda")
    again = logits.clone()
    assert near(row_kernels.softmax_gradient_(logits, labels, 0.5), reference.softmax_gradient_(again, labels, 0.5))
    assert near(logits.float(), again.float(), 1e-3)
