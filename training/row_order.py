"""Which row comes when, as a function of seed and epoch alone. No torch: the exported script carries it too."""

from __future__ import annotations

import random
from collections.abc import Sequence

STEPS_SORTED_TOGETHER = 16
"""Rows are sorted within groups of so many steps: enough to save the padding, few enough to stay shuffled."""


def epoch_order(lengths: Sequence[int], step_rows: int, seed: int, epoch: int) -> list[int]:
    """A permutation of the rows: steps of like lengths, in random order. The last step may be smaller.

    `step_rows` is the number of rows in one step of the optimizer. How many of them the device takes at a time, and how
    many devices share them, does not matter: a run that goes on with smaller micro batches sees the same steps.
    """
    rng = random.Random(f"{seed}-{epoch}")
    places = list(range(len(lengths)))
    rng.shuffle(places)
    group = step_rows * STEPS_SORTED_TOGETHER
    steps: list[list[int]] = []
    for start in range(0, len(places), group):
        sorted_group = sorted(places[start : start + group], key=lambda place: lengths[place])
        steps += [sorted_group[at : at + step_rows] for at in range(0, len(sorted_group), step_rows)]
    # Only full steps are moved: a small one in the middle would shift the borders of all behind it.
    tail = [steps.pop()] if steps and len(steps[-1]) < step_rows else []
    rng.shuffle(steps)
    return [place for step in steps + tail for place in step]
