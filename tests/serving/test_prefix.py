"""Attention over a shared beginning, against the plain formula; and who shares with whom."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

prefix_module = pytest.importorskip("serving.prefix")


def plain(query: Any, key: Any, value: Any, mask: Any, scale: float) -> Any:
    """softmax(q k / sqrt(d) + mask) v, each key head repeated for its query heads."""
    import torch

    repeats = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(repeats, 1), value.repeat_interleave(repeats, 1)
    scores = query @ key.transpose(-1, -2) * scale + mask
    return (torch.softmax(scores, -1) @ value).transpose(1, 2)


# 256 tokens and more are read by another way than fewer; 1 is a step of writing.
@pytest.mark.parametrize("tokens", [1, 5, 255, 256, 300])
@pytest.mark.parametrize("heads", [4, 2])
def test_a_shared_beginning_changes_nothing_but_the_time(tokens: int, heads: int) -> None:
    import torch

    torch.manual_seed(tokens)
    batch, kv_heads, dim, shared = 6, 2, 8, 40
    query = torch.randn(batch, heads, tokens, dim)
    key, value = torch.randn(2, batch, kv_heads, tokens, dim).unbind()
    common_key, common_value = torch.randn(2, 1, kv_heads, shared, dim).unbind()
    # Rows of unequal length, padded on the left; the first row is whole.
    causal = torch.full((tokens, tokens), -1e9).triu(1).expand(batch, 1, tokens, tokens).clone()
    for row in range(1, batch):
        causal[row, :, :, : min(row, tokens - 1)] = -1e9
    found, _ = prefix_module.attend(
        SimpleNamespace(layer_idx=0),
        query,
        key,
        value,
        causal,
        scaling=0.25,
        shared_prefix=prefix_module.SharedPrefix(list(range(shared)), [(common_key, common_value)]),
    )
    whole_key = torch.cat([common_key.expand(batch, -1, -1, -1), key], 2)
    whole_value = torch.cat([common_value.expand(batch, -1, -1, -1), value], 2)
    mask = torch.nn.functional.pad(causal, (shared, 0))
    torch.testing.assert_close(found, plain(query, whole_key, whole_value, mask, 0.25), atol=2e-6, rtol=1e-5)


def test_a_beginning_leaves_every_row_a_token_of_its_own() -> None:
    assert prefix_module.common_prefix([[1, 2, 3], [1, 2, 3], [1, 2, 4]]) == [1, 2]
    assert prefix_module.common_prefix([[1, 2, 3], [1, 2, 3]]) == [1, 2]
    assert prefix_module.common_prefix([[1], [1, 2]]) == []
    assert prefix_module.common_prefix([]) == []


def test_rows_with_long_beginnings_of_their_own_are_answered_apart() -> None:
    told = list(range(20))
    examples = [[group] * 200 for group in (101, 102)]
    prompts = [told + examples[at % 2] + [at] for at in range(32)]
    groups = prefix_module.prefix_groups(prompts)
    assert sorted(map(len, groups)) == [16, 16]
    assert all(len({prompts[at][50] for at in group}) == 1 for group in groups)
    # Too few rows to fill a batch each: together.
    assert prefix_module.prefix_groups(prompts[:10]) == [list(range(10))]


@given(st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=300), min_size=1, max_size=40))
@settings(max_examples=40, deadline=None)
def test_every_row_is_in_exactly_one_group(prompts: list[list[int]]) -> None:
    groups = prefix_module.prefix_groups(prompts)
    assert sorted(at for group in groups for at in group) == list(range(len(prompts)))
    shared = prefix_module.common_prefix(prompts)
    assert all(prompt[: len(shared)] == shared and len(prompt) > len(shared) for prompt in prompts)
