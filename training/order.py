"""In which order rows are learned: shuffled by the seed, rows of like length side by side.

Batches of like lengths need less padding. The library's own sampler draws from the global random state, so that a
resumed run would see some rows of its epoch twice and others not at all; this one depends on seed and epoch alone.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from torch.utils.data import Sampler

BATCHES_SORTED_TOGETHER = 16
"""Rows are sorted within groups of so many batches: enough to save the padding, few enough to stay shuffled."""


def epoch_order(lengths: Sequence[int], batch_rows: int, seed: int, epoch: int) -> list[int]:
    """A permutation of the rows: batches of like lengths, in random order. The last batch may be smaller.

    `batch_rows` is the number of rows in a micro batch.
    """
    rng = random.Random(f"{seed}-{epoch}")
    places = list(range(len(lengths)))
    rng.shuffle(places)
    group = batch_rows * BATCHES_SORTED_TOGETHER
    batches: list[list[int]] = []
    for start in range(0, len(places), group):
        sorted_group = sorted(places[start : start + group], key=lambda place: lengths[place])
        batches += [sorted_group[at : at + batch_rows] for at in range(0, len(sorted_group), batch_rows)]
    # Only full batches are moved: a small one in the middle would shift the borders of all behind it.
    tail = [batches.pop()] if batches and len(batches[-1]) < batch_rows else []
    rng.shuffle(batches)
    return [place for batch in batches + tail for place in batch]


class LengthGrouped(Sampler[int]):  # type: ignore[misc]
    """`epoch_order` as the trainer wants it. `set_epoch` is called by accelerate before each epoch."""

    def __init__(self, lengths: Sequence[int], batch_rows: int, seed: int) -> None:
        self._lengths = lengths
        self._batch_rows = batch_rows
        self._seed = seed
        self._epoch = 0

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        return iter(epoch_order(self._lengths, self._batch_rows, self._seed, self._epoch))

    def set_epoch(self, epoch: int) -> None:
        """The epoch that comes next, from 0."""
        self._epoch = epoch
