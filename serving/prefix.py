"""Many prompts that begin alike: read the common beginning once, and let every row attend to it.

A few-shot prompt is the same 700 tokens before each question. Copying its keys and values into every row of a batch
costs more than the arithmetic (measured: 572 instead of 164 ms a step at batch 32), so they are kept once and the
attention of all rows over them is one matrix product. The idea is Hydragen's (Juravsky et al. 2024,
arXiv:2402.05099); here both parts share one softmax, which keeps it exact and short.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.cache_utils import Cache, DynamicLayer
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import eager_mask

ATTENTION = "tuneworthy_shared_prefix"
MIN_SHARED_TOKENS = 16
"""A shorter common beginning is not worth a forward pass of its own."""
MIN_GROUP_TOKENS = 128
"""Further tokens that rows must share before they are answered apart from the rest."""
MIN_GROUP_ROWS = 8
"""Rows a group on average: smaller batches lose more than the shared tokens win."""
_ROWS_AT_A_TIME = 4
_LONG_TOKENS = 256
"""From this length on, rows are read by fused attention over prefix and row in one: twice as fast at 480 tokens."""


@dataclass
class SharedPrefix:
    """Keys and values of a common beginning, one pair a layer, each `(1, kv_heads, tokens, head_dim)`."""

    ids: list[int]
    """Tokens of the prompts that are read already; learned places, which are no tokens, stand before them."""
    layers: list[tuple[torch.Tensor, torch.Tensor]]

    @property
    def tokens(self) -> int:
        """Length of the common beginning in places, the learned ones included."""
        return int(self.layers[0][0].shape[-2])


class RoomyLayer(DynamicLayer):  # type: ignore[misc]
    """A cache layer that grows in place: joining tensors at every step would copy the whole cache each time."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room
        self.keys: torch.Tensor
        self.values: torch.Tensor
        self.stored: tuple[torch.Tensor, torch.Tensor] | None = None

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append `(batch, kv_heads, tokens, head_dim)` and return all that is there."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        start = self.get_seq_length()
        end = start + key_states.shape[-2]
        if self.stored is None or self.stored[0].shape[-2] < end:
            self.stored = (self._enlarged(self.keys, key_states, end), self._enlarged(self.values, value_states, end))
        self.stored[0][:, :, start:end] = key_states
        self.stored[1][:, :, start:end] = value_states
        self.keys, self.values = self.stored[0][:, :, :end], self.stored[1][:, :, :end]
        return self.keys, self.values

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        """Keep only these rows."""
        if self.stored is not None:
            end = self.get_seq_length()
            self.stored = (self.stored[0][indices], self.stored[1][indices])
            self.keys, self.values = self.stored[0][:, :, :end], self.stored[1][:, :, :end]

    def _enlarged(self, old: torch.Tensor, like: torch.Tensor, end: int) -> torch.Tensor:
        batch, heads, _, dim = like.shape
        new = like.new_zeros((batch, heads, end + self.room, dim))
        if old.numel():
            new[:, :, : old.shape[-2]] = old
        return new


def roomy_cache(layers: int, room: int) -> Cache:
    """A cache that takes `room` more tokens before it has to be copied."""
    return Cache(layers=[RoomyLayer(room) for _ in range(layers)])


def install(model: Any) -> bool:
    """Let the model attend to a shared prefix. False where its attention is of a kind that cannot (sliding windows)."""
    if not can_share(model):
        return False
    AttentionInterface.register(ATTENTION, attend)
    AttentionMaskInterface.register(ATTENTION, eager_mask)
    model.set_attn_implementation(ATTENTION)
    return True


def can_share(model: Any) -> bool:
    """Does every token see all that is before it, by an attention that can be exchanged?"""
    config = model.config.get_text_config()
    kinds = getattr(config, "layer_types", None) or []
    windowed = getattr(config, "sliding_window", None) is not None or any(kind != "full_attention" for kind in kinds)
    return not windowed and bool(getattr(model, "_supports_attention_backend", False))


def attend(  # transformers calls it so
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    shared_prefix: SharedPrefix | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Attention over a row's own keys and, with `shared_prefix`, over those that all rows have in common.

    `query` is `(batch, heads, q_tokens, dim)`, `key` and `value` `(batch, kv_heads, tokens, dim)`, the mask
    additive `(batch, 1, q_tokens, tokens)`. Returns `(batch, q_tokens, heads, dim)`.
    """
    if shared_prefix is None:
        output: tuple[torch.Tensor, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, scaling=scaling, **kwargs
        )
        return output
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    prefix = shared_prefix.layers[module.layer_idx]
    # A few rows at a time while prompts are read: their scores then stay in the processor's cache (twice as fast).
    rows = query.shape[0] if query.shape[2] == 1 else _ROWS_AT_A_TIME
    masks = [None] * len(query.split(rows)) if attention_mask is None else attention_mask.split(rows)
    parts = zip(query.split(rows), key.split(rows), value.split(rows), masks, strict=True)
    return torch.cat([_attend_rows(*part, prefix, scale) for part in parts]), None


def _attend_rows(  # called with a batch, part by part
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    prefix: tuple[torch.Tensor, torch.Tensor],
    scale: float,
) -> torch.Tensor:
    prefix_key, prefix_value = prefix
    batch, heads, q_tokens, dim = query.shape
    kv_heads = key.shape[1]
    if q_tokens >= _LONG_TOKENS:
        return _attend_long_rows(query, key, value, mask, prefix, scale)
    groups = heads // kv_heads
    grouped = query.reshape(batch, kv_heads, groups * q_tokens, dim) * scale
    own = grouped @ key.transpose(-1, -2)
    if mask is not None:
        own = own + mask.repeat(1, 1, groups, 1)
    # All rows' queries side by side against the one copy of the prefix: (kv_heads, batch * groups * q_tokens, dim).
    together = grouped.transpose(0, 1).reshape(kv_heads, -1, dim)
    shared = (together @ prefix_key[0].transpose(-1, -2)).view(kv_heads, batch, groups * q_tokens, -1).transpose(0, 1)
    weights = torch.softmax(torch.cat([shared, own], dim=-1), dim=-1, dtype=torch.float32).to(query.dtype)
    shared_weights, own_weights = weights.split([prefix_key.shape[-2], key.shape[-2]], dim=-1)
    from_shared = shared_weights.transpose(0, 1).reshape(kv_heads, batch * groups * q_tokens, -1) @ prefix_value[0]
    answer = own_weights @ value + from_shared.view(kv_heads, batch, groups * q_tokens, dim).transpose(0, 1)
    return answer.reshape(batch, heads, q_tokens, dim).transpose(1, 2)


def _attend_long_rows(  # as above
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    prefix: tuple[torch.Tensor, torch.Tensor],
    scale: float,
) -> torch.Tensor:
    """The same for long rows: here their own scores are the cost, and a copy of the prefix is cheap."""
    batch, heads, q_tokens, _ = query.shape
    keys, values = (
        torch.cat([common.expand(batch, -1, -1, -1), own], dim=2)
        for common, own in zip(prefix, (key, value), strict=True)
    )
    if mask is None:
        mask = query.new_zeros((batch, 1, q_tokens, key.shape[-2]))
    whole = torch.nn.functional.pad(mask, (prefix[0].shape[-2], 0))
    output = torch.nn.functional.scaled_dot_product_attention(
        query, keys, values, attn_mask=whole, scale=scale, enable_gqa=heads != key.shape[1]
    )
    return output.transpose(1, 2)


def common_prefix(prompts: list[list[int]]) -> list[int]:
    """The longest beginning that all prompts share, leaving each at least one token of its own."""
    if not prompts:
        return []
    first = min(prompts)
    return first[: min(_shared(first, max(prompts)), min(map(len, prompts)) - 1)]


def prefix_groups(prompts: list[list[int]]) -> list[list[int]]:
    """Indices of prompts that are best answered together: those that share a long beginning of their own.

    One group where splitting would not pay: few examples in common, or too few rows to fill a batch.
    """
    whole = list(range(len(prompts)))
    if len(prompts) < 2 * MIN_GROUP_ROWS:
        return [whole]
    ordered = sorted(whole, key=lambda index: prompts[index])
    common = len(common_prefix(prompts))
    groups = [[ordered[0]]]
    for before, index in pairwise(ordered):
        if _shared(prompts[before], prompts[index]) >= common + MIN_GROUP_TOKENS:
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups if len(prompts) >= MIN_GROUP_ROWS * len(groups) else [whole]


def _shared(one: list[int], other: list[int]) -> int:
    length = min(len(one), len(other))
    return next((at for at in range(length) if one[at] != other[at]), length)
