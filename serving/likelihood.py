"""How likely a model finds given texts: the choices of a question side by side, after one reading of the question.

A row holds the question and all of its choices. Every choice sees the question and itself and not its neighbours, and
stands at the place right after the question: the same numbers as one forward pass for each choice, in a third of the
tokens.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from core.errors import BadInput, EngineError
from serving.prefix import SharedPrefix

MAX_SCORED_TOKENS = 1024
"""Places of one batch at which the whole vocabulary is weighed: 200 MB at 50,000 tokens and 32 bits."""
MAX_ROW_TOKENS = {"cpu": 4096, "cuda": 65536}
"""Tokens of one batch, padding included."""


@dataclass(frozen=True)
class Packed:
    """One question and its choices as one row."""

    index: int
    context: list[int]
    choices: list[list[int]]

    @property
    def tail(self) -> int:
        """Tokens of all choices."""
        return sum(map(len, self.choices))


def packed(index: int, context: list[int], choices: list[list[int]], most_tokens: int) -> Packed:
    """One question for a model that takes `most_tokens`: what does not fit loses the beginning of its own context.

    Raises `BadInput` for a choice that leaves no place for anything before it.
    """
    longest = max(map(len, choices))
    if longest >= most_tokens:
        raise BadInput(
            f"a choice of question {index + 1} is {longest} tokens long; the model takes {most_tokens} in all.",
            "Leave the question out, or take a base with a longer context.",
        )
    return Packed(index, context[-(most_tokens - longest) :], choices)


def batches(rows: list[Packed], device: str) -> Iterator[list[Packed]]:
    """Rows of like length together, the longest first, within the memory set aside."""
    most = MAX_ROW_TOKENS[device.partition(":")[0]]
    batch: list[Packed] = []
    for row in sorted(rows, key=lambda row: (-row.tail, -len(row.context))):
        width = max([len(row.context) for row in batch] + [len(row.context)])
        tail = batch[0].tail if batch else row.tail
        size = len(batch) + 1
        if batch and (size * (tail + 1) > MAX_SCORED_TOKENS or size * (width + tail) > most):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


@torch.inference_mode()  # type: ignore[untyped-decorator]
def score(model: Any, batch: list[Packed], device: str, before: SharedPrefix | None = None) -> list[list[float]]:
    """Sum of the log-probabilities of each choice's tokens, in nats: one list a row, one number a choice.

    Contexts end in the same column, so that only the columns from there on are weighed against the vocabulary.
    `before` are learned places that every row sees.
    Raises `EngineError` when the model's output is not a number.
    """
    width = max(len(row.context) for row in batch)
    tail = max(row.tail for row in batch)
    ids = torch.zeros((len(batch), width + tail), dtype=torch.long)
    places = torch.zeros_like(ids)
    # Padding sees itself: a row that sees nothing at all is not a number.
    sees = torch.eye(width + tail, dtype=torch.bool).repeat(len(batch), 1, 1)
    for at, row in enumerate(batch):
        start = width - len(row.context)
        ids[at, start:width] = torch.tensor(row.context)
        places[at, start:width] = torch.arange(len(row.context))
        sees[at, start:width, start:width] = torch.ones(len(row.context), len(row.context)).tril().bool()
        column = width
        for choice in row.choices:
            end = column + len(choice)
            ids[at, column:end] = torch.tensor(choice)
            places[at, column:end] = torch.arange(len(row.context), len(row.context) + len(choice))
            sees[at, column:end, start:width] = True
            sees[at, column:end, column:end] = torch.ones(len(choice), len(choice)).tril().bool()
            column = end
    mask = torch.zeros(sees.shape, dtype=model.dtype).masked_fill(~sees, torch.finfo(model.dtype).min)
    extra: dict[str, Any] = {"shared_prefix": before} if before else {}
    output = model(
        ids.to(device),
        attention_mask=mask[:, None].to(device),
        position_ids=(places + (before.tokens if before else 0)).to(device),
        use_cache=False,
        logits_to_keep=tail + 1,
        **extra,
    )
    return [_of_row(output.logits[at], row) for at, row in enumerate(batch)]


def _of_row(logits: torch.Tensor, row: Packed) -> list[float]:
    """`logits` are those of the context's last token and of all choice tokens, `(tail + 1, vocabulary)`."""
    # The first token of a choice is foretold by the end of the context, each further one by the token before it.
    foretold_by: list[int] = []
    column = 1
    for choice in row.choices:
        if choice:
            foretold_by += [0, *range(column, column + len(choice) - 1)]
        column += len(choice)
    wanted = torch.tensor([token for choice in row.choices for token in choice], device=logits.device)
    chosen = logits[torch.tensor(foretold_by, device=logits.device)].float()
    found = chosen.gather(1, wanted[:, None])[:, 0] - chosen.logsumexp(-1)
    if not bool(torch.isfinite(found).all()):
        raise EngineError(
            "the model's output is not a number (NaN or infinite).", "Train again with a lower learning rate."
        )
    return [float(part.sum()) for part in found.split([len(choice) for choice in row.choices])]
