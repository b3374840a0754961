"""Nested random shares of the training rows: each holds the smaller ones, copies stay together, labels are spread."""

from __future__ import annotations

import random
from collections.abc import Sequence

from core.errors import BadInput
from dataset.row import Row
from dataset.split import by_label, clusters_of


def nested(rows: Sequence[Row], shares: Sequence[float], *, seed: int) -> list[list[Row]]:
    """For each share (rising, above 0, up to 1) its rows in the order of the original; a share of 1 gives all.

    Sizes are as near the shares as whole clusters of near copies allow. Raises `BadInput` for other shares, and where
    two shares would come to the same rows.
    """
    if not shares or list(shares) != sorted(set(shares)) or shares[0] <= 0 or shares[-1] > 1:
        raise BadInput("shares must rise, from above 0 to at most 1.", "Give shares such as 0.1, 0.3 and 1.")
    clusters = clusters_of(rows)
    chooser = random.Random(seed)
    order: list[tuple[float, int]] = []
    for _, held in sorted(by_label(rows, clusters).items()):
        chooser.shuffle(held)
        size, before = sum(len(clusters[at]) for at in held), 0
        for at in held:
            # Its place in the queue of its label, as a share: the queues are then joined, and every label moves on
            # at the same pace. A place at random within its own stretch lets small labels in early as often as late.
            order.append(((before + chooser.random() * len(clusters[at])) / size, at))
            before += len(clusters[at])
    order.sort()
    found = [[row for place, row in enumerate(rows) if place in taken] for taken in _prefixes(order, clusters, shares)]
    sizes = [len(part) for part in found]
    if sizes != sorted(set(sizes)) or sizes[:1] == [0]:
        raise BadInput(
            f"{len(rows)} rows, near copies kept together, come to shares of {', '.join(map(str, sizes))} rows.",
            "Add rows, or give shares that lie further apart.",
        )
    return found


def _prefixes(
    order: Sequence[tuple[float, int]], clusters: Sequence[Sequence[int]], shares: Sequence[float]
) -> list[set[int]]:
    """Places of the rows of each share: clusters from the front, as long as each brings the size nearer to its goal."""
    total = sum(map(len, clusters))
    found: list[set[int]] = []
    for share in shares:
        goal, taken = share * total, set[int]()
        for _, at in order:
            if len(taken) + len(clusters[at]) / 2 > goal:
                break
            taken.update(clusters[at])
        found.append(taken)
    return found
