"""The one greedy loop: rows in, tokens out step by step. Batches and streams both read from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from core.errors import EngineError
from serving.prefix import SharedPrefix, roomy_cache

Allow = Callable[[list[int], torch.Tensor], torch.Tensor]
"""`(rows, logits of each)` -> the same logits with what may not be written at minus infinity."""
_COMPACT_BELOW = 0.75
"""Finished rows are dropped from the batch once fewer than this share of its rows are still writing."""


def read_prefix(model: Any, ids: list[int], device: str, before: SharedPrefix | None = None) -> SharedPrefix:
    """One forward pass over a common beginning, behind what stands `before` it; keeps keys and values of both."""
    cache = roomy_cache(model.config.get_text_config().num_hidden_layers, room=0)
    extra: dict[str, Any] = {}
    if before is not None:
        positions = torch.arange(before.tokens, before.tokens + len(ids), device=device)
        extra = {"shared_prefix": before, "position_ids": positions[None]}
    model(torch.tensor([ids], device=device), past_key_values=cache, use_cache=True, logits_to_keep=1, **extra)
    layers = [(layer.keys, layer.values) for layer in cache.layers]
    if before is not None:
        layers = [
            (torch.cat([first[0], then[0]], dim=-2), torch.cat([first[1], then[1]], dim=-2))
            for first, then in zip(before.layers, layers, strict=True)
        ]
    return SharedPrefix(ids, layers)


@torch.inference_mode()  # type: ignore[untyped-decorator]
def greedy(
    model: Any,
    prompts: list[list[int]],
    *,
    max_new_tokens: list[int],
    end_ids: frozenset[int],
    device: str,
    prefix: SharedPrefix | None = None,
    allow: Allow | None = None,
) -> Iterator[list[tuple[int, int]]]:
    """Yield, step by step, `(row, token)` for every row that still writes; the end mark is yielded too.

    `prompts` are what follows the shared prefix, padded on the left here. `allow` may forbid tokens at each step.
    Raises `EngineError` when the model's output is not a number.
    """
    width = max(len(prompt) for prompt in prompts)
    padded = [[0] * (width - len(prompt)) + prompt for prompt in prompts]
    mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts], device=device)
    offset = prefix.tokens if prefix else 0
    positions = (mask.cumsum(-1) - 1).clamp(min=0) + offset
    cache = roomy_cache(model.config.get_text_config().num_hidden_layers, room=max(max_new_tokens))
    extra: dict[str, Any] = {"shared_prefix": prefix} if prefix else {}
    tokens = torch.tensor(padded, device=device)
    rows = list(range(len(prompts)))
    live = list(range(len(prompts)))
    step = 0
    while True:
        output = model(
            tokens,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
            **extra,
        )
        last = output.logits[:, -1]
        best, chosen = (last if allow is None else allow(rows, last)).max(-1)
        # NaN counts as the largest value, so it shows here.
        if not bool(torch.isfinite(best).all()):
            raise EngineError(
                "the model's output is not a number (NaN or infinite).", "Train again with a lower learning rate."
            )
        written = chosen.tolist()
        step += 1
        place = {row: at for at, row in enumerate(rows)}
        yield [(row, written[place[row]]) for row in live]
        live = [row for row in live if written[place[row]] not in end_ids and step < max_new_tokens[row]]
        if not live:
            return
        tokens = chosen[:, None]
        positions = positions[:, -1:] + 1
        mask = torch.cat([mask, mask.new_ones((mask.shape[0], 1))], dim=-1)
        if len(live) <= _COMPACT_BELOW * len(rows):
            kept = torch.tensor([place[row] for row in live], device=device)
            cache.batch_select_indices(kept)
            tokens, positions, mask = tokens[kept], positions[kept], mask[kept]
            rows = list(live)
