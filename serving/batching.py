"""Many prompts answered side by side: a common beginning read once, like lengths together, as far as memory goes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch

from serving.adapters import Asked
from serving.decode import Allow, greedy, read_prefix
from serving.prefix import MIN_SHARED_TOKENS, SharedPrefix, can_share, common_prefix, prefix_groups

CACHE_BYTES = {"cpu": 2 << 30, "cuda": 16 << 30}
"""Most memory for the keys and values of one batch; on a card never more than half of what is free there."""
MAX_BATCH = {"cpu": 64, "cuda": 128}
"""Rows side by side. On two cores 1 row makes 13 tokens/s, 16 make 136, 32 make 195, 64 make 230 (float32)."""
Hook = Callable[[list[int], list[int]], Allow]
"""`(places of a batch's prompts, tokens that each may write)` -> what may be written at each step, for this batch."""


class Batching:
    """How prompts go through one network: free, held to a form or drawn by chance, as the hook of a batch says."""

    def __init__(self, network: Any, end_ids: frozenset[int], device: str) -> None:
        self.end_ids = end_ids
        self.device = device
        self._shares = can_share(network)
        config = network.config.get_text_config()
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        self._bytes_per_token = 2 * config.num_hidden_layers * heads * dim * network.dtype.itemsize

    def answers(
        self,
        asked: Asked,
        prompts: Sequence[list[int]],
        room: Sequence[int],
        *,
        hook: Hook | None = None,
        share: bool = True,
        stop: Callable[[], bool] | None = None,
    ) -> Iterator[tuple[int, list[int], float]]:
        """`(place of the prompt, tokens written, seconds)` as batches finish, the longest prompts first.

        `room` is the most tokens that each may write; where there is none, or no prompt, nothing is written. With
        `share` a common beginning is read once. Ends early when `stop` turns true.
        """
        fits = [at for at, ids in enumerate(prompts) if ids and room[at] > 0]
        for at in sorted(set(range(len(prompts))) - set(fits)):
            yield at, [], 0.0
        order = sorted(fits, key=lambda at: -len(prompts[at]))
        if not order:
            return
        share = share and self._shares
        groups = prefix_groups([prompts[at] for at in order]) if share else [list(range(len(order)))]
        for group in groups:
            rows = {order[place]: prompts[order[place]] for place in group}
            yield from self._group(asked, rows, room, hook, share, stop)

    def _group(
        self,
        asked: Asked,
        rows: dict[int, list[int]],
        room: Sequence[int],
        hook: Hook | None,
        share: bool,
        stop: Callable[[], bool] | None,
    ) -> Iterator[tuple[int, list[int], float]]:
        """Rows that may share a beginning."""
        if stop is not None and stop():
            return
        started = time.monotonic()
        shared = common_prefix(list(rows.values())) if share and len(rows) > 1 else []
        prefix = self._read(asked, shared) if len(shared) >= MIN_SHARED_TOKENS else asked.before
        # The one reading of the prefix is everybody's: each answer bears its share.
        common_seconds = (time.monotonic() - started) / max(1, len(rows))
        skip = len(prefix.ids) if prefix else 0
        lengths = sorted(((at, len(ids) - skip) for at, ids in rows.items()), key=lambda item: -item[1])
        for batch in self._batches(lengths, max(room[at] for at in rows)):
            started = time.monotonic()
            written: list[list[int]] = [[] for _ in batch]
            most = [room[at] for at in batch]
            for step in greedy(
                asked.network,
                [rows[at][skip:] for at in batch],
                max_new_tokens=most,
                end_ids=self.end_ids,
                device=self.device,
                prefix=prefix,
                allow=hook(batch, most) if hook is not None else None,
            ):
                for row, token in step:
                    written[row].append(token)
                if stop is not None and stop():
                    return
            seconds = (time.monotonic() - started) / len(batch) + common_seconds
            for at, ids in zip(batch, written, strict=True):
                yield at, ids, seconds

    def _read(self, asked: Asked, ids: list[int]) -> SharedPrefix:
        with torch.inference_mode():
            return read_prefix(asked.network, ids, self.device, asked.before)

    def _batches(self, rows: list[tuple[int, int]], max_new_tokens: int) -> Iterator[list[int]]:
        """Groups of `(place, tokens)` rows, longest first, that fit the memory set aside for keys and values."""
        kind = self.device.partition(":")[0]
        cache_bytes = min(CACHE_BYTES[kind], _half_of_free(self.device) if kind == "cuda" else CACHE_BYTES[kind])
        at = 0
        while at < len(rows):
            row_bytes = (rows[at][1] + max_new_tokens) * self._bytes_per_token
            most = max(1, min(MAX_BATCH[kind], cache_bytes // row_bytes))
            # Batches of like size: 70 rows go as 35 and 35, not as 64 and 6.
            left = len(rows) - at
            size = math.ceil(left / math.ceil(left / most))
            yield [place for place, _ in rows[at : at + size]]
            at += size


def _half_of_free(device: str) -> int:
    """Bytes of a card: the other half is for the copy that a shrinking batch takes, and for what is computed."""
    free, _ = torch.cuda.mem_get_info(device)
    idle = int(torch.cuda.memory_reserved(device)) - int(torch.cuda.memory_allocated(device))
    return (int(free) + idle) // 2
