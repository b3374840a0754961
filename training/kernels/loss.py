"""Cross-entropy of the learned tokens alone, without all logits at once.

The output matrix is frozen, so the gradient of the hidden states is known as soon as the logits are: it is made in the
forward, in slices of tokens, and only scaled in the backward. Logits of a slice are all that is ever held.
"""

from __future__ import annotations

from typing import Any

import torch

from training.kernels import rows

Tensor = Any
IGNORED = -100
"""The label of a token that is not learned."""
SLICE_BYTES = 2**29
"""Of logits at a time: half a GiB is 2,048 tokens of 128k words in 16 bits."""


def answer_loss(
    hidden: Tensor, head: Tensor, labels: Tensor, count: float, *, slice_bytes: int = SLICE_BYTES
) -> Tensor:
    """The sum of the cross-entropies over `count`, in float32.

    `hidden (tokens, width)` predicts `labels (tokens,)`, where `IGNORED` is not learned; `head (words,
    width)` is frozen.
    """
    learned = (labels != IGNORED).nonzero().squeeze(-1)
    whole = learned.numel() == labels.numel()
    out: Tensor = _AnswerLoss.apply(
        hidden if whole else hidden[learned], head, labels if whole else labels[learned], float(count), slice_bytes
    )
    return out


class _AnswerLoss(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(ctx: Any, hidden: Tensor, head: Tensor, labels: Tensor, count: float, slice_bytes: int) -> Tensor:
        with torch.autocast(hidden.device.type, enabled=False):
            tokens = max(1, slice_bytes // (head.shape[0] * head.element_size()))
            total = hidden.new_zeros((), dtype=torch.float32)
            gradient = torch.empty_like(hidden)
            for first in range(0, hidden.shape[0], tokens):
                here = slice(first, first + tokens)
                logits = hidden[here].to(head.dtype) @ head.t()
                total += rows.softmax_gradient_(logits, labels[here], 1.0 / count).sum()
                torch.mm(logits, head, out=gradient[here]) if gradient.dtype == head.dtype else gradient[here].copy_(
                    logits @ head
                )
            ctx.save_for_backward(gradient)
        return total / count

    @staticmethod
    def backward(ctx: Any, outer: Tensor) -> tuple[Tensor, None, None, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient * outer.to(gradient.dtype), None, None, None, None
