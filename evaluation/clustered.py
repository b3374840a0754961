"""Intervals and differences where questions come in families: whole families are drawn, never single questions.

Twelve questions from one template are not twelve pieces of evidence (Miller 2024, arXiv:2411.00640: standard errors
up to three times those of independent questions). SciPy and NumPy load inside the functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evaluation.stats import DRAWS, Interval, interval, mcnemar_exact, wilson

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ONE_SIDED = 0.05
"""Chance that a bound is passed: a claim of no loss needs one side only."""


@dataclass(frozen=True)
class Bounds:
    """A mean difference with one-sided 95 % bounds: above `low` and below `high` with 95 % each."""

    mean: float
    low: float
    high: float


def clustered_interval(scores: Sequence[float], clusters: Sequence[str], seed: int = 0) -> Interval:
    """Mean of scores in 0 to 1 with its 95 % interval, clusters drawn whole; never narrower than without clusters.

    Raises `ValueError` when the two are not the same in number.
    """
    plain = interval(scores, seed)
    means = _cluster_means(scores, clusters, seed)
    if means is None:
        return plain
    import numpy as np

    low, high = (float(value) for value in np.quantile(means, [0.025, 0.975]))
    return Interval(score=plain.score, low=min(plain.low, low), high=max(plain.high, high), n=plain.n)


def difference_bounds(
    first: Sequence[float], second: Sequence[float], clusters: Sequence[str], seed: int = 0
) -> Bounds:
    """`first` less `second` on the same questions, with one-sided 95 % bounds.

    The widest of: the bootstrap over clusters, the one over questions, and for right or wrong the score bound of a
    share that was never seen (so that a hundred equal answers do not prove that none ever differs).
    Raises `ValueError` when the three are not the same in number.
    """
    differences = [one - other for one, other in zip(first, second, strict=True)]
    n = len(differences)
    if n == 0:
        return Bounds(0.0, -1.0, 1.0)
    import numpy as np

    mean = sum(differences) / n
    lows, highs = [mean], [mean]
    alone = [str(place) for place in range(n)]
    for names in (clusters, alone):
        means = _cluster_means(differences, names, seed)
        if means is not None:
            low, high = (float(value) for value in np.quantile(means, [ONE_SIDED, 1 - ONE_SIDED]))
            lows.append(low)
            highs.append(high)
    # One side of a two-sided 90 % interval is a one-sided 95 % bound.
    unseen = _unseen(len(set(clusters)))
    worse = sum(value > 0 for value in differences)
    if worse and not any(value < 0 for value in differences):
        # With few losses and no gain the bootstrap is too sure: Clopper and Pearson's one-sided bound of their share.
        from scipy.stats import beta

        highs.append(float(beta.ppf(1 - ONE_SIDED, worse + 1, n - worse)) if worse < n else 1.0)
    if not any(value < 0 for value in differences):
        lows.append(mean - unseen)
    if not any(value > 0 for value in differences):
        highs.append(mean + unseen)
    return Bounds(mean, max(-1.0, min(lows)), min(1.0, max(highs)))


def family_sign(first: Sequence[float], second: Sequence[float], clusters: Sequence[str]) -> float:
    """Two-sided exact McNemar over families: of those that changed, could a coin send this many one way?"""
    net: dict[str, float] = {}
    for one, other, name in zip(first, second, clusters, strict=True):
        net[name] = net.get(name, 0.0) + one - other
    return mcnemar_exact(sum(value > 0 for value in net.values()), sum(value < 0 for value in net.values()))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values in the given order (Holm 1979, Scand. J. Stat. 6): of many parts one is bad by luck."""
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    adjusted = [1.0] * len(p_values)
    worst = 0.0
    for rank, place in enumerate(order):
        worst = max(worst, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = worst
    return adjusted


def questions_for_margin(discordance: float, margin: float) -> int:
    """Questions at which "no loss beyond the margin" is shown 4 times in 5 when there is none.

    6.18 = (1.645 + 0.842)^2: one-sided 5 %, power 80 %; `discordance` is the share of questions on which the two
    differ (Connor 1987, Biometrics 43, with no true difference).
    """
    return max(1, round(6.18 * discordance / margin**2))


def questions_for_width(n: int, width: float, margin: float) -> int:
    """Questions in like families at which "no loss beyond the margin" is shown 4 times in 5 when there is none.

    `width` is how far the one-sided 95 % bound lies from the mean with `n` questions: it shrinks with the root of
    their number, and 2.285 = ((1.645 + 0.842) / 1.645)^2 adds the power. For single questions this is
    `questions_for_margin`.
    """
    return max(1, round(2.285 * n * (width / margin) ** 2))


def _unseen(n: int) -> float:
    """One-sided 95 % upper bound of a share of which nothing was seen in `n`: the rule of three (Hanley 1983)."""
    return float(1 - ONE_SIDED ** (1 / n)) if n else wilson(0, 0).high


def _cluster_means(values: Sequence[float], clusters: Sequence[str], seed: int) -> NDArray[np.float64] | None:
    """Means of `DRAWS` resamples of whole clusters, shape (DRAWS,); None where there is nothing to resample."""
    if len(values) != len(clusters):
        raise ValueError(f"{len(values)} values and {len(clusters)} clusters")
    names = {name: place for place, name in enumerate(dict.fromkeys(clusters))}
    if len(names) < 2:
        return None
    import numpy as np

    places = np.array([names[name] for name in clusters])
    sums = np.bincount(places, weights=np.asarray(values, dtype=np.float64), minlength=len(names))
    sizes = np.bincount(places, minlength=len(names)).astype(np.float64)
    chance = np.random.default_rng(seed)
    found = []
    block = max(1, 2_000_000 // len(names))
    for start in range(0, DRAWS, block):
        drawn = chance.integers(0, len(names), size=(min(block, DRAWS - start), len(names)))
        found.append(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1))
    return np.concatenate(found)
