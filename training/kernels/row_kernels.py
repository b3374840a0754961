"""The row operations on a card, by Triton: names as in `reference`, with rows in e4m3 where `fp8` asks for them.

Every row is at most 64k numbers wide; the vocabulary is gone through in blocks.
"""

from __future__ import annotations

from typing import Any

import torch
import triton

from training.kernels import triton_kernels as kernels
from training.kernels.reference import FP8, FP8_MAX, SMALLEST_SCALE

Tensor = Any
VOCABULARY_BLOCK = 8192


def _launch(columns: int) -> dict[str, int]:
    block = triton.next_power_of_2(columns)
    return {"BLOCK": block, "num_warps": 4 if block <= 2048 else 8 if block <= 8192 else 16 if block <= 16384 else 32}


def _room(x: Tensor, columns: int, fp8: bool) -> tuple[Tensor, Tensor]:
    """Where the quantised rows and their scales go; `x` itself, not written to, where none are wanted."""
    if not fp8:
        return x, x
    return x.new_empty(x.shape[0], columns, dtype=FP8), x.new_empty(x.shape[0], 1, dtype=torch.float32)


def norm(
    x: Tensor, weight: Tensor, epsilon: float, fp8: bool = False, room: int = 0
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """`(norm, its e4m3 rows, scales, the norm with room behind it)`; rows and scales only with `fp8`."""
    return _normed(x, x, x, weight, epsilon, fp8, room, add=False)


def add_norm(
    x: Tensor, y: Tensor, weight: Tensor, epsilon: float, fp8: bool = False, room: int = 0
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """`(x + y, its norm, e4m3 rows of the norm, scales, the norm with room behind it)`."""
    total = torch.empty_like(x)
    return total, *_normed(x, y, total, weight, epsilon, fp8, room, add=True)


def _normed(
    x: Tensor, y: Tensor, total: Tensor, weight: Tensor, epsilon: float, fp8: bool, room: int, *, add: bool
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    rows, columns = x.shape
    wide, (small, scales) = x.new_empty(rows, columns + room), _room(x, columns, fp8)
    kernels.norm[(rows,)](
        x, y, weight, total, wide, columns + room, small, scales, columns, epsilon, ADD=add, FP8=fp8, **_launch(columns)
    )
    return wide[:, :columns], small, scales, wide


def norm_backward(
    gradient: Tensor, x: Tensor, weight: Tensor, epsilon: float, residual: Tensor, fp8: bool = False
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """`(gradient of x plus residual, norm of x, e4m3 rows of the gradient, scales)`."""
    dx, out, (small, scales) = torch.empty_like(x), torch.empty_like(x), _room(x, x.shape[1], fp8)
    kernels.norm_backward[(x.shape[0],)](
        gradient,
        gradient.stride(0),
        x,
        weight,
        residual,
        dx,
        out,
        small,
        scales,
        x.shape[1],
        epsilon,
        FP8=fp8,
        **_launch(x.shape[1]),
    )
    return dx, out, small, scales


def rotate_(rows: Tensor, cos: Tensor, sin: Tensor, heads: int, *, back: bool = False) -> None:
    """In place, on the first `heads` heads of each row."""
    pairs = heads * cos.shape[1] // 2
    kernels.rotate[(rows.shape[0],)](
        rows, rows.stride(0), cos, sin, cos.shape[0], pairs, HALF=cos.shape[1] // 2, BACK=back, **_launch(pairs)
    )


def swiglu(both: Tensor, fp8: bool = False) -> tuple[Tensor, Tensor, Tensor]:
    """`(product, its e4m3 rows, scales)`."""
    columns = both.shape[1] // 2
    out, (small, scales) = both.new_empty(both.shape[0], columns), _room(both, columns, fp8)
    kernels.swiglu[(both.shape[0],)](both, out, small, scales, columns, FP8=fp8, **_launch(columns))
    return out, small, scales


def swiglu_backward_(both: Tensor, gradient: Tensor, fp8: bool = False) -> tuple[Tensor, Tensor]:
    """In place; gives the e4m3 rows of the gradient and their scales."""
    columns = gradient.shape[1]
    small, scales = _room(both, 2 * columns, fp8)
    kernels.swiglu_backward[(both.shape[0],)](
        both, gradient, gradient.stride(0), small, scales, columns, FP8=fp8, **_launch(columns)
    )
    return small, scales


def quantised(x: Tensor) -> tuple[Tensor, Tensor]:
    """`(rows in e4m3, scales)`."""
    small, scales = _room(x, x.shape[1], True)
    kernels.quantise[(x.shape[0],)](x, small, scales, x.shape[1], **_launch(x.shape[1]))
    return small, scales


def turned_quantised(weight: Tensor) -> tuple[Tensor, Tensor]:
    """The transpose in e4m3 and one scale for all, as `(in, 1)`."""
    rows, columns = weight.shape
    low, high = torch.aminmax(weight)  # `abs` would copy the matrix
    scale = torch.maximum(-low, high).float().clamp(min=SMALLEST_SCALE) / FP8_MAX
    turned = weight.new_empty(columns, rows, dtype=FP8)
    kernels.turn[(triton.cdiv(rows, 64), triton.cdiv(columns, 64))](weight, scale, turned, rows, columns, BLOCK=64)
    return turned, scale.expand(columns, 1).contiguous()


def softmax_gradient_(logits: Tensor, labels: Tensor, share: float) -> Tensor:
    """Cross-entropy of each row; in place the logits become their gradient."""
    losses = logits.new_empty(logits.shape[0], dtype=torch.float32)
    kernels.softmax_gradient[(logits.shape[0],)](
        logits, labels, losses, share, columns=logits.shape[1], BLOCK=VOCABULARY_BLOCK, num_warps=16
    )
    return losses
