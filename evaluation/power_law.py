"""Power laws through drawn errors: `floor + b * rows^-c`, with the floor given and two numbers fitted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

DRAWS = 1000
STEEPEST = 3.0
"""Largest exponent of the rows; a curve that falls has one of -1 at the least. Beyond these it is noise."""


def reweighted(errors: Numbers, seed: int) -> Numbers:
    """Mean errors (draws, sizes) under random weights of the rows and of one made-up row for each size."""
    import numpy as np

    sizes = errors.shape[1]
    mean = errors.mean(axis=0)
    made_up = [np.where(np.arange(sizes) == size, value, mean) for size in range(sizes) for value in (0.0, 1.0)]
    # Rows with the same errors at every size share one weight, whose law is the sum of theirs.
    patterns, counts = np.unique(errors, axis=0, return_counts=True)
    patterns = np.vstack([patterns, made_up])
    shapes = np.concatenate([counts, np.full(len(made_up), 0.5)])
    chance = np.random.default_rng(seed)
    block = max(1, 2_000_000 // len(shapes))
    parts = []
    for start in range(0, DRAWS, block):
        weights = chance.gamma(shapes, size=(min(block, DRAWS - start), len(shapes)))
        parts.append(weights @ patterns / weights.sum(axis=1, keepdims=True))
    return np.concatenate(parts)


@dataclass(frozen=True)
class Fits:
    """Curves of one candidate floor, one a draw: `error = floor + b * (rows / largest)^-c`."""

    floor: Numbers
    b: Numbers
    c: Numbers
    largest: float

    def error(self, rows: float) -> Numbers:
        """The error at so many rows, one a draw, between 0 and 1."""
        import numpy as np

        found: Numbers = np.clip(self.floor + self.b * (rows / self.largest) ** -self.c, 0.0, 1.0)
        return found


def fits(sizes: Numbers, errors: Numbers, share: float, like: Numbers) -> Fits:
    """Straight lines through log (error - floor) against log rows; the points weigh as steadily as they are in `like`.

    `errors` and `like` have the shape (draws, sizes).
    """
    import numpy as np

    def above(values: Numbers) -> tuple[Numbers, Numbers]:
        floor = share * values.min(axis=1)
        return floor, np.log(values - floor[:, None])

    floor, height = above(errors)
    weight = 1.0 / np.maximum(above(like)[1].var(axis=0), 1e-9)
    place = np.log(sizes / sizes[-1])
    middle = (weight * place).sum() / weight.sum()
    mean = (height * weight).sum(axis=1) / weight.sum()
    slope = ((height - mean[:, None]) * weight * (place - middle)).sum(axis=1) / (weight * (place - middle) ** 2).sum()
    slope = np.clip(slope, -STEEPEST, 1.0)
    return Fits(floor=floor, b=np.exp(mean - slope * middle), c=-slope, largest=float(sizes[-1]))
