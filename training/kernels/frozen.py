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

    def forward(self, x: Rows) -> Tensor:
        """`(tokens, in)` to `(tokens, out)`."""

    def backward(self, gradient: Rows) -> Tensor:
        """`(tokens, out)` to `(tokens, in)`."""


class SixteenBits:
    """The weight as it is."""

    fp8 = False

    def __init__(self, weight: Tensor) -> None:
        self.weight = weight

    def forward(self, x: Rows) -> Tensor:
        return x.values @ self.weight.t()

    def backward(self, gradient: Rows) -> Tensor:
        return gradient.values @ self.weight


class EightBits:
    """The weight twice in e4m3, as it is and turned, each row with a scale: two bytes a number, as in 16 bits.

    A product reads both sides along the summed dimension, so forward and backward need one copy each.
    """

    fp8 = True

    def __init__(self, weight: Tensor) -> None:
        self.kind = weight.dtype
        self.rows, self.row_scales = reference.quantised(weight)
        self.turned, self.turned_scales = reference.quantised(weight.t().contiguous())

    def forward(self, x: Rows) -> Tensor:
        return product(x, self.rows, self.row_scales, self.kind)

    def backward(self, gradient: Rows) -> Tensor:
        return product(gradient, self.turned, self.turned_scales, self.kind)


class FourBits:
    """NF4 weights of bitsandbytes, written out into a buffer that all layers of a shape share, before each product.

    With `fp8` the buffer is quantised to e4m3 once more and the product made there: faster, and rounded twice.
    """

    def __init__(self, parts: list[Tensor], buffers: dict[tuple[int, int], Tensor], kind: Any, *, fp8: bool) -> None:
        """`parts` are `Params4bit`, one for each layer that shares the rows."""
        self.parts, self.fp8, self.kind, self.buffers = parts, fp8, kind, buffers
        shapes = [part.quant_state.shape for part in parts]
        self.shape = (sum(shape[0] for shape in shapes), shapes[0][1])
        if self.shape not in buffers:
            buffers[self.shape] = torch.empty(self.shape, dtype=kind, device=parts[0].device)

    def forward(self, x: Rows) -> Tensor:
        weight = self._written_out()
        if not self.fp8:
            return x.values @ weight.t()
        return product(x, *_quantised(weight), self.kind)

    def backward(self, gradient: Rows) -> Tensor:
        weight = self._written_out()
        if not self.fp8:
            return gradient.values @ weight
        return product(gradient, *_turned(weight), self.kind)

    def _written_out(self) -> Tensor:
        from bitsandbytes.functional import dequantize_4bit

        buffer, first = self.buffers[self.shape], 0
        for part in self.parts:
            rows = part.quant_state.shape[0]
            dequantize_4bit(part.data, part.quant_state, out=buffer[first : first + rows])
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
