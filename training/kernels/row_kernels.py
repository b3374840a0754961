"""The row operations in Triton: each reads a row once and keeps it in registers. Same names and results as `reference`.

One program works on one token. Every row is at most 64k numbers wide; the vocabulary is gone through in blocks.
"""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl

from training.kernels.reference import FP8, FP8_MAX, SMALLEST_SCALE

Tensor = Any
VOCABULARY_BLOCK = 8192


@triton.jit
def _norm(x, y, weight, total, out, out_stride, quantised, scales, columns, epsilon, ADD: tl.constexpr, FP8: tl.constexpr, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    at = tl.arange(0, BLOCK)
    inside = at < columns
    values = tl.load(x + row * columns + at, mask=inside, other=0.0).to(tl.float32)
    if ADD:
        values += tl.load(y + row * columns + at, mask=inside, other=0.0).to(tl.float32)
        rounded = values.to(total.dtype.element_ty)
        tl.store(total + row * columns + at, rounded, mask=inside)
        values = rounded.to(tl.float32)
    scale = 1.0 / tl.sqrt(tl.sum(values * values, 0) / columns + epsilon)
    w = tl.load(weight + at, mask=inside, other=0.0).to(tl.float32)
    normed = ((values * scale).to(out.dtype.element_ty).to(tl.float32) * w).to(out.dtype.element_ty)
    tl.store(out + row * out_stride + at, normed, mask=inside)
    if FP8:
        wide = normed.to(tl.float32)
        largest = tl.maximum(tl.max(tl.abs(wide), 0), 1e-12) / 448.0
        tl.store(scales + row, largest)
        tl.store(quantised + row * columns + at, (wide / largest).to(tl.float8e4nv), mask=inside)


@triton.jit
def _norm_backward(gradient, gradient_stride, x, weight, residual, dx, out, quantised, scales, columns, epsilon, FP8: tl.constexpr, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    at = tl.arange(0, BLOCK)
    inside = at < columns
    values = tl.load(x + row * columns + at, mask=inside, other=0.0).to(tl.float32)
    w = tl.load(weight + at, mask=inside, other=0.0).to(tl.float32)
    g = tl.load(gradient + row * gradient_stride + at, mask=inside, other=0.0).to(tl.float32) * w
    scale = 1.0 / tl.sqrt(tl.sum(values * values, 0) / columns + epsilon)
    shrunk = values * scale
    inner = tl.sum(g * shrunk, 0) / columns
    total = scale * (g - shrunk * inner)
    total += tl.load(residual + row * columns + at, mask=inside, other=0.0).to(tl.float32)
    rounded = total.to(dx.dtype.element_ty)
    tl.store(dx + row * columns + at, rounded, mask=inside)
    normed = shrunk.to(out.dtype.element_ty).to(tl.float32) * w
    tl.store(out + row * columns + at, normed.to(out.dtype.element_ty), mask=inside)
    if FP8:
        wide = rounded.to(tl.float32)
        largest = tl.maximum(tl.max(tl.abs(wide), 0), 1e-12) / 448.0
        tl.store(scales + row, largest)
        tl.store(quantised + row * columns + at, (wide / largest).to(tl.float8e4nv), mask=inside)


@triton.jit
def _rotate(rows, stride, cos, sin, positions, pairs, HALF: tl.constexpr, BACK: tl.constexpr, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    place = row % positions
    at = tl.arange(0, BLOCK)
    inside = at < pairs
    within = at % HALF
    # A thread holds both halves of a pair, so none reads what another has written.
    first_at = rows + row * stride + (at // HALF) * (2 * HALF) + within
    first = tl.load(first_at, mask=inside, other=0.0).to(tl.float32)
    second = tl.load(first_at + HALF, mask=inside, other=0.0).to(tl.float32)
    c = tl.load(cos + place * 2 * HALF + within, mask=inside, other=0.0).to(tl.float32)
    s = tl.load(sin + place * 2 * HALF + within, mask=inside, other=0.0).to(tl.float32)
    if BACK:
        s = -s
    tl.store(first_at, (first * c - second * s).to(rows.dtype.element_ty), mask=inside)
    tl.store(first_at + HALF, (second * c + first * s).to(rows.dtype.element_ty), mask=inside)


@triton.jit
def _swiglu(both, out, quantised, scales, columns, FP8: tl.constexpr, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    at = tl.arange(0, BLOCK)
    inside = at < columns
    gate = tl.load(both + row * 2 * columns + at, mask=inside, other=0.0).to(tl.float32)
    up = tl.load(both + row * 2 * columns + columns + at, mask=inside, other=0.0).to(tl.float32)
    product = (gate / (1.0 + tl.exp(-gate)) * up).to(out.dtype.element_ty)
    tl.store(out + row * columns + at, product, mask=inside)
    if FP8:
        wide = product.to(tl.float32)
        largest = tl.maximum(tl.max(tl.abs(wide), 0), 1e-12) / 448.0
        tl.store(scales + row, largest)
        tl.store(quantised + row * columns + at, (wide / largest).to(tl.float8e4nv), mask=inside)


@triton.jit
def _swiglu_backward(both, gradient, gradient_stride, quantised, scales, columns, FP8: tl.constexpr, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    at = tl.arange(0, BLOCK)
    inside = at < columns
    gate_at = both + row * 2 * columns + at
    gate = tl.load(gate_at, mask=inside, other=0.0).to(tl.float32)
    up = tl.load(gate_at + columns, mask=inside, other=0.0).to(tl.float32)
    g = tl.load(gradient + row * gradient_stride + at, mask=inside, other=0.0).to(tl.float32)
    sigmoid = 1.0 / (1.0 + tl.exp(-gate))
    kind = both.dtype.element_ty
    slope = (g * up * sigmoid * (1.0 + gate * (1.0 - sigmoid))).to(kind)
    rise = (g * gate * sigmoid).to(kind)
    tl.store(gate_at, slope, mask=inside)
    tl.store(gate_at + columns, rise, mask=inside)
    tl.store(gradient + row * gradient_stride + at, (gate * sigmoid * up).to(gradient.dtype.element_ty), mask=inside)
    if FP8:
        largest = tl.max(tl.maximum(tl.abs(slope.to(tl.float32)), tl.abs(rise.to(tl.float32))), 0)
        largest = tl.maximum(largest, 1e-12) / 448.0
        tl.store(scales + row, largest)
        start = quantised + row * 2 * columns + at
        tl.store(start, (slope.to(tl.float32) / largest).to(tl.float8e4nv), mask=inside)
        tl.store(start + columns, (rise.to(tl.float32) / largest).to(tl.float8e4nv), mask=inside)


@triton.jit
def _quantise(x, quantised, scales, columns, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    at = tl.arange(0, BLOCK)
    inside = at < columns
    wide = tl.load(x + row * columns + at, mask=inside, other=0.0).to(tl.float32)
    largest = tl.maximum(tl.max(tl.abs(wide), 0), 1e-12) / 448.0
    tl.store(scales + row, largest)
    tl.store(quantised + row * columns + at, (wide / largest).to(tl.float8e4nv), mask=inside)


@triton.jit
def _turn(weight, scale, turned, rows, columns, BLOCK: tl.constexpr):
    down = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    along = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    here = (down[:, None] < rows) & (along[None, :] < columns)
    tile = tl.load(weight + down[:, None].to(tl.int64) * columns + along[None, :], mask=here, other=0.0).to(tl.float32)
    small = (tile / tl.load(scale)).to(tl.float8e4nv)
    there = (along[:, None] < columns) & (down[None, :] < rows)
    tl.store(turned + along[:, None].to(tl.int64) * rows + down[None, :], tl.trans(small), mask=there)


@triton.jit
def _softmax_gradient(logits, labels, losses, share, columns: tl.constexpr, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    start = logits + row * columns
    label = tl.load(labels + row)
    wanted = tl.load(start + label).to(tl.float32)
    highest = -float("inf")
    total = 0.0
    for first in range(0, columns, BLOCK):
        at = first + tl.arange(0, BLOCK)
        block = tl.load(start + at, mask=at < columns, other=-float("inf")).to(tl.float32)
        higher = tl.maximum(highest, tl.max(block, 0))
        total = total * tl.exp(highest - higher) + tl.sum(tl.exp(block - higher), 0)
        highest = higher
    sums = highest + tl.log(total)
    tl.store(losses + row, sums - wanted)
    for first in range(0, columns, BLOCK):
        at = first + tl.arange(0, BLOCK)
        block = tl.load(start + at, mask=at < columns, other=-float("inf")).to(tl.float32)
        slope = tl.exp(block - sums) - tl.where(at == label, 1.0, 0.0)
        tl.store(start + at, (slope * share).to(logits.dtype.element_ty), mask=at < columns)


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
    _norm[(rows,)](
        x, y, weight, total, wide, columns + room, small, scales, columns, epsilon, ADD=add, FP8=fp8, **_launch(columns)
    )
    return wide[:, :columns], small, scales, wide


def norm_backward(
    gradient: Tensor, x: Tensor, weight: Tensor, epsilon: float, residual: Tensor, fp8: bool = False
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """`(gradient of x plus residual, norm of x, e4m3 rows of the gradient, scales)`."""
    dx, out, (small, scales) = torch.empty_like(x), torch.empty_like(x), _room(x, x.shape[1], fp8)
    _norm_backward[(x.shape[0],)](
        gradient, gradient.stride(0), x, weight, residual, dx, out, small, scales, x.shape[1], epsilon, FP8=fp8, **_launch(x.shape[1])
    )
    return dx, out, small, scales


def rotate_(rows: Tensor, cos: Tensor, sin: Tensor, heads: int, *, back: bool = False) -> None:
    """In place, on the first `heads` heads of each row."""
    pairs = heads * cos.shape[1] // 2
    _rotate[(rows.shape[0],)](
        rows, rows.stride(0), cos, sin, cos.shape[0], pairs, HALF=cos.shape[1] // 2, BACK=back, **_launch(pairs)
    )


def swiglu(both: Tensor, fp8: bool = False) -> tuple[Tensor, Tensor, Tensor]:
    """`(product, its e4m3 rows, scales)`."""
    columns = both.shape[1] // 2
    out, (small, scales) = both.new_empty(both.shape[0], columns), _room(both, columns, fp8)
    _swiglu[(both.shape[0],)](both, out, small, scales, columns, FP8=fp8, **_launch(columns))
    return out, small, scales


def swiglu_backward_(both: Tensor, gradient: Tensor, fp8: bool = False) -> tuple[Tensor, Tensor]:
    """In place; gives the e4m3 rows of the gradient and their scales."""
    columns = gradient.shape[1]
    small, scales = _room(both, 2 * columns, fp8)
    _swiglu_backward[(both.shape[0],)](both, gradient, gradient.stride(0), small, scales, columns, FP8=fp8, **_launch(columns))
    return small, scales


def quantised(x: Tensor) -> tuple[Tensor, Tensor]:
    """`(rows in e4m3, scales)`."""
    small, scales = _room(x, x.shape[1], True)
    _quantise[(x.shape[0],)](x, small, scales, x.shape[1], **_launch(x.shape[1]))
    return small, scales


def turned_quantised(weight: Tensor) -> tuple[Tensor, Tensor]:
    """The transpose in e4m3 and one scale for all, as `(in, 1)`."""
    rows, columns = weight.shape
    low, high = torch.aminmax(weight)  # `abs` would copy the matrix
    scale = torch.maximum(-low, high).float().clamp(min=SMALLEST_SCALE) / FP8_MAX
    turned = weight.new_empty(columns, rows, dtype=FP8)
    _turn[(triton.cdiv(rows, 64), triton.cdiv(columns, 64))](weight, scale, turned, rows, columns, BLOCK=64)
    return turned, scale.expand(columns, 1).contiguous()


def softmax_gradient_(logits: Tensor, labels: Tensor, share: float) -> Tensor:
    """Cross-entropy of each row; in place the logits become their gradient."""
    losses = logits.new_empty(logits.shape[0], dtype=torch.float32)
    _softmax_gradient[(logits.shape[0],)](
        logits, labels, losses, share, columns=logits.shape[1], BLOCK=VOCABULARY_BLOCK, num_warps=16
    )
    return losses
