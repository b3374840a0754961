"""Power laws with several floors, weighed by how well they hit the points: the curve, and the band around it.

Three sizes cannot tell three numbers apart, so the floor is not fitted: ten candidates, as shares of the smallest
error, are each fitted with two numbers (a straight line in log error above the floor against log rows). Where no
candidate hits the points within the noise of the judged rows, the noise is widened until one does (Birge 1932, Phys.
Rev. 40).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from evaluation.power_law import Fits, fits
from evaluation.stats import CONFIDENCE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

FLOORS = (0.0, 0.2, 0.4, 0.6, 0.75, 0.85, 0.9, 0.93, 0.96, 0.98)
"""Candidates for the error that no number of rows removes, as shares of the smallest error seen."""
PLAUSIBLE = 0.1465
"""A candidate this much less likely than the best is left out of the band: 3.84 in chi square, as for 95 %."""


@dataclass(frozen=True)
class WeighedLaws:
    """All candidates together: their own curves, their curves of every draw, and how much each counts."""

    own: list[Fits]
    drawn: list[Fits]
    weights: Numbers
    widened: float
    """Factor by which the noise had to be widened for a curve to hit the points; 1 is none."""

    def score(self, rows: float) -> tuple[float, float, float]:
        """(score at so many rows, low, high)."""
        return self._middle_and_band([1 - fit.error(rows) for fit in (*self.own, *self.drawn)])

    def gain(self, rows: float, over: float) -> tuple[float, float, float]:
        """(what `rows` score more than `over` rows, low, high)."""
        return self._middle_and_band([fit.error(over) - fit.error(rows) for fit in (*self.own, *self.drawn)])

    def _middle_and_band(self, values: list[Numbers]) -> tuple[float, float, float]:
        import numpy as np

        own, drawn = values[: len(self.own)], values[len(self.own) :]
        middle = float(sum(weight * value[0] for weight, value in zip(self.weights, own, strict=True)))
        kept = [
            value for value, weight in zip(drawn, self.weights, strict=True) if weight >= PLAUSIBLE * self.weights.max()
        ]
        low, high = np.quantile(kept, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=1)
        return middle, min(float(low.min()), middle), max(float(high.max()), middle)


def weighed_laws(sizes: Numbers, errors: Numbers, judged: int) -> WeighedLaws:
    """Fit all candidates to drawn errors of the shape (draws, sizes), each a mean over `judged` rows."""
    import numpy as np

    smallest = 0.5 / (judged + 1)
    errors = np.clip(errors, smallest, 1.0)
    centre = errors.mean(axis=0, keepdims=True)
    spread = np.maximum(errors.std(axis=0), smallest / 2)
    own = [fits(sizes, centre, share, errors) for share in FLOORS]
    misses = np.array(
        [(((np.array([fit.error(size)[0] for size in sizes]) - centre[0]) / spread) ** 2).sum() for fit in own]
    )
    # Two numbers are fitted to each candidate: that many points are hit by any line.
    widened = max(1.0, float(np.sqrt(misses.min() / (len(sizes) - 2))))
    weights = np.exp((misses.min() - misses) / (2 * widened**2))
    weights /= weights.sum()
    errors = np.clip(centre + (errors - centre) * widened, smallest, 1.0)
    drawn = [fits(sizes, errors, share, errors) for share in FLOORS]
    return WeighedLaws(own, drawn, weights, widened)
