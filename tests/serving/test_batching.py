"""Prompts side by side: what a hook is told of its batch, and prompts without room."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("torch")

if TYPE_CHECKING:
    import torch

    from serving.decode import Allow


def test_a_hook_is_made_for_each_batch_with_places_and_room_and_rules_what_is_written(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from serving import batching
    from serving.model import ChatModel

    monkeypatch.setitem(batching.MAX_BATCH, "cpu", 2)
    model = ChatModel.load(base)
    prompts = [model.tokenizer.encode("send " * count).ids for count in (1, 3, 0, 2)] + [[5] * 255]
    told: list[tuple[list[int], list[int]]] = []

    def only_seven(places: list[int], room: list[int]) -> Allow:
        told.append((places, room))

        def allow(_rows: list[int], logits: torch.Tensor) -> torch.Tensor:
            kept = logits.new_full(logits.shape, float("-inf"))
            kept[:, 7] = 0.0
            return kept

        return allow

    found = dict(model.completions(prompts, max_new_tokens=4, hook=only_seven))
    assert told == [([4, 1], [1, 4]), ([3, 0], [4, 4])], "the longest first, two side by side"
    seven = model.tokenizer.decode([7])
    assert [found[at].text for at in (0, 1, 3, 4)] == [seven * 4, seven * 4, seven * 4, seven]
    assert (found[2].text, found[2].truncated, found[2].seconds) == ("", True, 0.0)


def test_a_common_beginning_changes_no_answer(base: Path) -> None:
    from serving.model import ChatModel

    model = ChatModel.load(base)
    shared = model.tokenizer.encode("send the parcel " * 8).ids
    prompts = [shared + model.tokenizer.encode(f"to office {number}").ids for number in range(6)]
    once, apart = (dict(model.completions(prompts, max_new_tokens=12, share=share)) for share in (True, False))
    assert [once[at].text for at in range(6)] == [apart[at].text for at in range(6)]


def test_a_batch_takes_half_of_what_is_free_on_a_card_at_most(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from serving.batching import Batching
    from serving.model import load_network

    batching = Batching(load_network(base, torch.float32, "cpu"), frozenset({2}), "cuda:0")
    # 2 layers of 2 heads of 12 numbers, keys and values, 4 bytes each: 384 bytes a token, 38,400 a row of 100.
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (1_000_000, 2_000_000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 300_000)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 200_000)
    sizes = [len(batch) for batch in batching._batches([(at, 60) for at in range(28)], 40)]
    assert sizes == [14, 14], "550,000 bytes"
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (0, 2_000_000))
    assert [len(batch) for batch in batching._batches([(0, 60), (1, 60)], 40)] == [1, 1]
