"""The row operations in plain PyTorch: what the kernels must equal, and what runs where there is no card.

Rows are tokens: `x` is `(tokens, hidden)`. Sums and products of a row are made in float32, as transformers makes them.
"""

from __future__ import annotations

from typing import Any

import torch

Tensor = Any
FP8 = torch.float8_e4m3fn
FP8_MAX = 448.0
"""Largest number of e4m3 (OCP 8-bit floating point, 2023)."""
SMALLEST_SCALE = 1e-12


def norm(x: Tensor, weight: Tensor, epsilon: float) -> Tensor:
    """RMS norm of each row (Zhang and Sennrich 2019), times `weight (hidden,)`; in the type of `x`."""
    wide = x.float()
    return weight * (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + epsilon)).to(x.dtype)


def add_norm(x: Tensor, y: Tensor, weight: Tensor, epsilon: float) -> tuple[Tensor, Tensor]:
    """`(x + y, its norm)`: the residual and what the next layer reads."""
    total = x + y
    return total, norm(total, weight, epsilon)


def norm_backward(
    gradient: Tensor, x: Tensor, weight: Tensor, epsilon: float, residual: Tensor
) -> tuple[Tensor, Tensor]:
    """`(gradient of x plus residual, norm of x)`; the weight is frozen.

    With s = rsqrt(mean(x^2) + e) and g = gradient x weight: dx = s g - x s^3 mean(g x).
    """
    wide, g = x.float(), gradient.float() * weight.float()
    scale = torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + epsilon)
    shrunk = wide * scale
    dx = scale * (g - shrunk * (g * shrunk).mean(-1, keepdim=True))
    return (dx + residual.float()).to(x.dtype), weight * shrunk.to(x.dtype)


def rotate_(rows: Tensor, cos: Tensor, sin: Tensor, heads: int, *, back: bool = False) -> None:
    """Rotary positions (Su et al. 2021), in place, on the first `heads` heads of `rows (tokens, width)`.

    `cos` and `sin` are `(positions, head_dim)`; row t has position t modulo positions. `back` turns the other way,
    which is the gradient.
    """
    tokens, dim = rows.shape[0], cos.shape[1]
    turned = rows[:, : heads * dim].view(tokens, heads, dim)
    at = torch.arange(tokens, device=rows.device) % cos.shape[0]
    c, s = cos[at, None, : dim // 2].float(), sin[at, None, : dim // 2].float()
    s = -s if back else s
    first, second = turned[..., : dim // 2].float(), turned[..., dim // 2 :].float()
    turned.copy_(torch.cat((first * c - second * s, second * c + first * s), -1))


def swiglu(both: Tensor) -> Tensor:
    """`silu(gate) * up` of `both (tokens, 2 ffn)`, gates first (Shazeer 2020)."""
    gate, up = both.float().chunk(2, -1)
    return (torch.nn.functional.silu(gate) * up).to(both.dtype)


def swiglu_backward_(both: Tensor, gradient: Tensor) -> None:
    """In place: `both` becomes its gradient, `gradient (tokens, ffn)` becomes the product itself."""
    gate, up = both.float().chunk(2, -1)
    sigmoid, g = torch.sigmoid(gate), gradient.float()
    product = gate * sigmoid * up
    slope = g * up * sigmoid * (1 + gate * (1 - sigmoid))
    both.copy_(torch.cat((slope, g * gate * sigmoid), -1))
    gradient.copy_(product)


def quantised(x: Tensor) -> tuple[Tensor, Tensor]:
    """`(rows in e4m3, scales (rows, 1) in float32)`: each row is divided by its largest number over 448."""
    scale = x.abs().amax(-1, keepdim=True).float().clamp(min=SMALLEST_SCALE) / FP8_MAX
    return (x.float() / scale).to(FP8), scale


def turned_quantised(weight: Tensor) -> tuple[Tensor, Tensor]:
    """The transpose of `weight (out, in)` in e4m3, `(in, out)`, and one scale for all, as `(in, 1)`."""
    scale = weight.abs().amax().float().clamp(min=SMALLEST_SCALE) / FP8_MAX
    return (weight.float() / scale).to(FP8).t().contiguous(), scale.expand(weight.shape[1], 1).contiguous()


def softmax_gradient_(logits: Tensor, labels: Tensor, share: float) -> Tensor:
    """Cross-entropy of each row, `(rows,)` in float32; in place `logits` becomes `share x (softmax - one hot)`."""
    wide = logits.float()
    sums = wide.logsumexp(-1)
    losses = sums - wide.gather(-1, labels[:, None]).squeeze(-1)
    gradient = torch.exp(wide - sums[:, None])
    gradient.scatter_add_(-1, labels[:, None], torch.full_like(gradient[:, :1], -1.0))
    logits.copy_(gradient * share)
    return losses
