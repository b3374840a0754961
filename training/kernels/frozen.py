"""Products with a frozen weight, in 16 bits, in e4m3 or from NF4: forward `x W'`, backward `dy W`.

Layers that read the same rows are one weight: queries, keys and values; gate and up. One large product is faster than
several, and its backward sums the layers' gradients inside the product.
"""

from __future__ import annotations

from typing import Any, Protocol

import torch

from training.kernels import reference
from training.kernels.rows import Rows

Tensor = Any


class Frozen(Protocol):
    """A weight `(out, in)` that is not trained."""

    fp8: bool
    """Does it multiply e4m3 rows?"""
    room: int
    """Columns behind the weight's own, where the adapters' Bs may stand: then the product adds them by itself."""
    room_back: int
    """The same in the backward alone, which then gives the gradient of `x A'` behind that of x."""

    def forward(self, x: Rows) -> Tensor:
        """`(tokens, in)` to `(tokens, out)`."""

    def backward(self, gradient: Rows) -> Tensor:
        """`(tokens, out)` to `(tokens, in + room_back)`."""

    def take(self, ups: Tensor) -> None:
        """The adapters' Bs, `(out, ranks)`, for the forward and the backward of one layer."""


class SixteenBits:
    """The weight as it is; with `room`, that many columns more, and with `room_below` rows.

    `[x, x A'] [W, B]'` is `x W' + x A' B'` in one product, which saves reading and writing the whole result once more;
    and `dy [W, B]` is the gradient of x and that of `x A'` at once. `[dy, d(x A')] [W; A]` is the whole gradient of x.
    """

    fp8 = False

    def __init__(self, parts: list[Tensor], room: int = 0, room_below: int = 0) -> None:
        self.room = self.room_back = room
        self.room_below, self.width = room_below, parts[0].shape[1]
        self.height = sum(part.shape[0] for part in parts)
        self.tall = parts[0].new_empty(self.height + room_below, self.width + room)
        self.weight = self.tall[: self.height]
        self.weight[:, : self.width].copy_(torch.cat(parts))

    def take(self, ups: Tensor) -> None:
        """Put the adapters' Bs behind the weight, where there is room."""
        if self.room:
            self.weight[:, self.width :].copy_(ups)

    def take_below(self, downs: Tensor, gradient: Tensor, low_gradient: Tensor) -> Rows:
        """`[dy, d(x A')]`, for the product with `[W; A]`."""
        self.tall[self.height :, : self.width].copy_(downs)
        return Rows(torch.cat((gradient, low_gradient), 1))

    def forward(self, x: Rows) -> Tensor:
        """`x W'`, or with room `[x, x A'] [W, B]'`."""
        return (x.wide if self.room else x.values) @ self.weight.t()

    def backward(self, gradient: Rows) -> Tensor:
        """`dy W`, with the rows below where the gradient is so wide."""
        return gradient.values @ (self.tall if gradient.values.shape[1] > self.height else self.weight)


class EightBits:
    """The weight twice in e4m3, as it is and turned, each row with a scale: two bytes a number, as in 16 bits.

    A product reads both sides along the summed dimension, so forward and backward need one copy each. Behind the
    turned copy stand the adapters' Bs in e4m3, so that the backward gives the gradient of `x A'` as well.
    """

    fp8 = True
    room = 0

    def __init__(self, weight: Tensor, room_back: int = 0) -> None:
        self.kind, self.room_back = weight.dtype, room_back
        self.rows, self.row_scales = reference.quantised(weight)
        turned, scales = reference.quantised(weight.t().contiguous())
        if room_back:
            turned = torch.cat([turned, turned.new_zeros(room_back, turned.shape[1])])
            scales = torch.cat([scales, scales.new_ones(room_back, 1)])
        self.turned, self.turned_scales = turned, scales

    def take(self, ups: Tensor) -> None:
        """Put the Bs in e4m3 behind the turned copy."""
        if self.room_back:
            small, scales = _quantised(ups.t().contiguous())
            self.turned[-self.room_back :].copy_(small)
            self.turned_scales[-self.room_back :].copy_(scales)

    def forward(self, x: Rows) -> Tensor:
        """`x W'`."""
        return product(x, self.rows, self.row_scales, self.kind)

    def backward(self, gradient: Rows) -> Tensor:
        """`dy W`, and `dy B` behind it."""
        return product(gradient, self.turned, self.turned_scales, self.kind)


class Buffer:
    """Room for the largest weight, which all take in turn."""

    def __init__(self) -> None:
        self.flat: Tensor = torch.empty(0)

    def grow(self, numbers: int, kind: Any, device: Any) -> None:
        """Be at least so large."""
        if self.flat.numel() < numbers:
            self.flat = torch.empty(numbers, dtype=kind, device=device)

    def of(self, shape: tuple[int, int]) -> Tensor:
        """The first numbers, as a matrix."""
        return self.flat[: shape[0] * shape[1]].view(shape)


class FourBits:
    """NF4 weights of bitsandbytes, written out into a buffer that all layers share, before each product.

    With `fp8` the buffer is quantised to e4m3 once more and the product made there: faster, and rounded twice.
    """

    room = room_back = 0

    def __init__(self, parts: list[Tensor], buffer: Buffer, kind: Any, *, fp8: bool) -> None:
        """`parts` are `Params4bit`, one for each layer that shares the rows."""
        self.parts, self.fp8, self.kind, self.buffer = parts, fp8, kind, buffer
        shapes = [part.quant_state.shape for part in parts]
        self.shape = (sum(shape[0] for shape in shapes), shapes[0][1])
        buffer.grow(self.shape[0] * self.shape[1], kind, parts[0].device)

    def forward(self, x: Rows) -> Tensor:
        """`x W'`."""
        weight = self._written_out()
        if not self.fp8:
            return x.values @ weight.t()
        return product(x, *_quantised(weight), self.kind)

    def backward(self, gradient: Rows) -> Tensor:
        """`dy W`."""
        weight = self._written_out()
        if not self.fp8:
            return gradient.values @ weight
        return product(gradient, *_turned(weight), self.kind)

    def take(self, ups: Tensor) -> None:
        """The buffer belongs to all layers: Bs cannot stay in it, and are added behind the product."""

    def _written_out(self) -> Tensor:
        from bitsandbytes.functional import dequantize_4bit

        buffer, first = self.buffer.of(self.shape), 0
        for part in self.parts:
            rows = part.quant_state.shape[0]
            here = buffer[first : first + rows]
            if here.is_cuda:
                dequantize_4bit(part.data, part.quant_state, out=here)
            else:  # where bitsandbytes writes into no given place
                here.copy_(dequantize_4bit(part.data, part.quant_state))
            first += rows
        return buffer


def product(x: Rows, weight: Tensor, scales: Tensor, kind: Any) -> Tensor:
    """`x weight'` of e4m3 rows with a scale a row on either side, in `kind`; summed in float32."""
    if x.small.is_cuda:
        return torch._scaled_mm(
            x.small, weight.t(), scale_a=x.scales, scale_b=scales.t(), out_dtype=kind, use_fast_accum=True
        )
    return ((x.small.float() * x.scales) @ (weight.float() * scales).t()).to(kind)


def _quantised(weight: Tensor) -> tuple[Tensor, Tensor]:
    if weight.is_cuda:
        from training.kernels import row_kernels

        return row_kernels.quantised(weight)
    return reference.quantised(weight)


def _turned(weight: Tensor) -> tuple[Tensor, Tensor]:
    if weight.is_cuda:
        from training.kernels import row_kernels

        return row_kernels.turned_quantised(weight)
    return reference.turned_quantised(weight)
