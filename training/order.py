"""In which order rows are learned: shuffled by the seed, rows of like length side by side.

Batches of like lengths need less padding. The library's own sampler draws from the global random state, so that a
resumed run would see some rows of its epoch twice and others not at all; this one depends on seed and epoch alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch.utils.data import Sampler

from training.row_order import epoch_order


class LengthGrouped(Sampler[int]):  # type: ignore[misc]
    """`epoch_order` as the trainer wants it. `set_epoch` is called by accelerate before each epoch."""

    def __init__(self, lengths: Sequence[int], step_rows: int, seed: int) -> None:
        self._lengths = lengths
        self._step_rows = step_rows
        self._seed = seed
        self._epoch = 0

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        return iter(epoch_order(self._lengths, self._step_rows, self._seed, self._epoch))

    def set_epoch(self, epoch: int) -> None:
        """The epoch that comes next, from 0."""
        self._epoch = epoch
