"""The row operations in Triton, as `row_kernels` starts them. One program works on one token, and keeps its row.

Each reads a row once and writes it once. Pointers are to the first row; a stride is the numbers from row to row.
`FP8` writes the result a second time in e4m3, divided by its row's largest number over 448.
"""

import triton
import triton.language as tl


@triton.jit
def norm(
    x,
    y,
    weight,
    total,
    out,
    out_stride,
    quantised,
    scales,
    columns,
    epsilon,
    ADD: tl.constexpr,
    FP8: tl.constexpr,
    BLOCK: tl.constexpr,
):
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
def norm_backward(
    gradient,
    gradient_stride,
    x,
    weight,
    residual,
    dx,
    out,
    quantised,
    scales,
    columns,
    epsilon,
    FP8: tl.constexpr,
    BLOCK: tl.constexpr,
):
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
def rotate(rows, stride, cos, sin, positions, pairs, HALF: tl.constexpr, BACK: tl.constexpr, BLOCK: tl.constexpr):
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
def swiglu(both, out, quantised, scales, columns, FP8: tl.constexpr, BLOCK: tl.constexpr):
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
def swiglu_backward(
    both, gradient, gradient_stride, quantised, scales, columns, FP8: tl.constexpr, BLOCK: tl.constexpr
):
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
def quantise(x, quantised, scales, columns, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    at = tl.arange(0, BLOCK)
    inside = at < columns
    wide = tl.load(x + row * columns + at, mask=inside, other=0.0).to(tl.float32)
    largest = tl.maximum(tl.max(tl.abs(wide), 0), 1e-12) / 448.0
    tl.store(scales + row, largest)
    tl.store(quantised + row * columns + at, (wide / largest).to(tl.float8e4nv), mask=inside)


@triton.jit
def turn(weight, scale, turned, rows, columns, BLOCK: tl.constexpr):
    down = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    along = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    here = (down[:, None] < rows) & (along[None, :] < columns)
    tile = tl.load(weight + down[:, None].to(tl.int64) * columns + along[None, :], mask=here, other=0.0).to(tl.float32)
    small = (tile / tl.load(scale)).to(tl.float8e4nv)
    there = (along[:, None] < columns) & (down[None, :] < rows)
    tl.store(turned + along[:, None].to(tl.int64) * rows + down[None, :], tl.trans(small), mask=there)


@triton.jit
def softmax_gradient(logits, labels, losses, share, columns: tl.constexpr, BLOCK: tl.constexpr):
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
