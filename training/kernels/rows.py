"""The row operations: Triton's on a card, plain PyTorch elsewhere. One signature for both.

`fp8` asks for the result's rows in e4m3 and their scales as well, which a frozen fp8 weight multiplies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from training.kernels import reference

Tensor = Any


@dataclass(frozen=True)
class Rows:
    """Numbers `(tokens, width)`, and the same in e4m3 with a scale a row where they were asked for."""

    values: Tensor
    small: Tensor = None
    scales: Tensor = None
    wide: Tensor = None
    """The numbers with room behind them, `(tokens, width + room)`; `values` is a view of it then."""


def _rows(values: Tensor, fp8: bool, room: int = 0) -> Rows:
    if room:
        wide = values.new_empty(values.shape[0], values.shape[1] + room)
        wide[:, : values.shape[1]] = values
        return Rows(wide[:, : values.shape[1]], wide=wide)
    return Rows(values, *reference.quantised(values)) if fp8 else Rows(values)


def norm(x: Tensor, weight: Tensor, epsilon: float, *, fp8: bool = False, room: int = 0) -> Rows:
    """RMS norm of each row; with `room`, in a matrix that has that many columns more."""
    if x.is_cuda:
        from training.kernels import row_kernels

        return Rows(*row_kernels.norm(x, weight, epsilon, fp8, room))
    return _rows(reference.norm(x, weight, epsilon), fp8, room)


def add_norm(
    x: Tensor, y: Tensor, weight: Tensor, epsilon: float, *, fp8: bool = False, room: int = 0
) -> tuple[Tensor, Rows]:
    """`(x + y, its norm)`."""
    if x.is_cuda:
        from training.kernels import row_kernels

        total, *normed = row_kernels.add_norm(x, y, weight, epsilon, fp8, room)
        return total, Rows(*normed)
    total, out = reference.add_norm(x, y, weight, epsilon)
    return total, _rows(out, fp8, room)


def norm_backward(
    gradient: Tensor, x: Tensor, weight: Tensor, epsilon: float, residual: Tensor, *, fp8: bool = False
) -> tuple[Rows, Tensor]:
    """`(gradient of x plus residual, norm of x)`."""
    if x.is_cuda:
        from training.kernels import row_kernels

        dx, out, small, scales = row_kernels.norm_backward(gradient, x, weight, epsilon, residual, fp8)
        return Rows(dx, small, scales), out
    dx, out = reference.norm_backward(gradient, x, weight, epsilon, residual)
    return _rows(dx, fp8), out


def rotate_(rows: Tensor, cos: Tensor, sin: Tensor, heads: int, *, back: bool = False) -> None:
    """Rotary positions, in place."""
    if rows.is_cuda:
        from training.kernels import row_kernels

        row_kernels.rotate_(rows, cos, sin, heads, back=back)
    else:
        reference.rotate_(rows, cos, sin, heads, back=back)


def swiglu(both: Tensor, *, fp8: bool = False) -> Rows:
    """`silu(gate) * up`."""
    if both.is_cuda:
        from training.kernels import row_kernels

        return Rows(*row_kernels.swiglu(both, fp8))
    return _rows(reference.swiglu(both), fp8)


def swiglu_backward_(both: Tensor, gradient: Tensor, *, fp8: bool = False) -> Rows:
    """In place: `both` becomes its gradient, which is given back, and `gradient` the product."""
    if both.is_cuda:
        from training.kernels import row_kernels

        return Rows(both, *row_kernels.swiglu_backward_(both, gradient, fp8))
    reference.swiglu_backward_(both, gradient)
    return _rows(both, fp8)


def with_small(x: Tensor, *, fp8: bool) -> Rows:
    """The rows, quantised if asked."""
    if fp8 and x.is_cuda:
        from training.kernels import row_kernels

        return Rows(x, *row_kernels.quantised(x))
    return _rows(x, fp8)


def softmax_gradient_(logits: Tensor, labels: Tensor, share: float) -> Tensor:
    """Cross-entropy of each row; in place the logits become their gradient."""
    if logits.is_cuda:
        from training.kernels import row_kernels

        return row_kernels.softmax_gradient_(logits, labels, share)
    return reference.softmax_gradient_(logits, labels, share)
