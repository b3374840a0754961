"""Intervals and paired tests, and what they mean in plain words. SciPy and NumPy load inside the functions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CONFIDENCE = 0.95
SIGNIFICANT = 0.05
DRAWS = 4000
Z_TWO_SIDED = 1.959963984540054
"""Standard normal quantile of 0.975."""
Z_POWER = 0.8416212335729143
"""Standard normal quantile of 0.80: the chance to see an effect that is there."""


class Interval(BaseModel):
    """A score between 0 and 1 with its 95 % interval over `n` rows."""

    model_config = ConfigDict(extra="forbid")
    score: float
    low: float
    high: float
    n: int


class Paired(BaseModel):
    """Two models on the same rows: how often one is better, and whether luck could do this."""

    model_config = ConfigDict(extra="forbid")
    first: str
    """The model that is asked about."""
    second: str
    """The one that it is compared with."""
    n: int
    better: int
    """Rows on which `first` scores higher."""
    worse: int
    difference: float
    """Mean score of `first` less that of `second`."""
    low: float
    high: float
    p_value: float
    """Two-sided: exact McNemar for right or wrong, paired bootstrap for scores in between."""
    test: str
    sentence: str

    @property
    def beats(self) -> bool:
        """True when `first` is better beyond noise."""
        return self.difference > 0 and self.p_value < SIGNIFICANT

    @property
    def loses(self) -> bool:
        """True when `first` is worse beyond noise."""
        return self.difference < 0 and self.p_value < SIGNIFICANT


def wilson(successes: float, n: int) -> Interval:
    """Wilson's 95 % interval of a share (Wilson 1927, J. Am. Stat. Assoc. 22). `n` 0 gives the whole range."""
    if n == 0:
        return Interval(score=0.0, low=0.0, high=1.0, n=0)
    share = successes / n
    z2 = Z_TWO_SIDED**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_TWO_SIDED / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    # At 0 and n the bound is exact; rounding must not put the score outside its own interval.
    return Interval(score=share, low=min(share, max(0.0, centre - half)), high=max(share, min(1.0, centre + half)), n=n)


def interval(scores: Sequence[float], seed: int = 0) -> Interval:
    """The interval of a mean: Wilson where every score is 0 or 1, else percentile bootstrap."""
    if all(score in (0.0, 1.0) for score in scores):
        return wilson(sum(scores), len(scores))
    return bootstrap_mean(scores, seed)


def bootstrap_mean(scores: Sequence[float], seed: int = 0, draws: int = DRAWS) -> Interval:
    """Percentile bootstrap interval of a mean of scores in [0, 1] (Efron 1979).

    Rows that all score the same have no spread to resample: there the interval is Wilson's, never a single point.
    """
    n = len(scores)
    if n == 0 or max(scores) == min(scores):
        return wilson(sum(scores), n)
    means = _resampled_means(scores, seed, draws)
    low, high = (float(value) for value in _quantiles(means))
    mean = sum(scores) / n
    return Interval(score=mean, low=min(low, mean), high=max(high, mean), n=n)


def mcnemar_exact(better: int, worse: int) -> float:
    """Two-sided exact McNemar test: could a fair coin give this many of the rows that differ? (McNemar 1947)"""
    if better + worse == 0:
        return 1.0
    from scipy.stats import binomtest

    return float(binomtest(min(better, worse), better + worse, 0.5).pvalue)


def exact_difference(better: int, worse: int, n: int) -> tuple[float, float]:
    """95 % interval of the difference of two shares on the same `n` rows, given how many rows differ.

    Of the rows that differ, the share won has Clopper and Pearson's exact interval (1934, Biometrika 26); an interval
    from `l` to `h` of that share is one from `(2 l - 1) d` to `(2 h - 1) d` of the difference, where `d` is the share
    of rows that differ. It leaves out zero exactly when `mcnemar_exact` is below 0.05.
    """
    differ = better + worse
    if differ == 0:
        return 0.0, 0.0
    from scipy.stats import binomtest

    won = binomtest(better, differ, 0.5).proportion_ci(CONFIDENCE, method="exact")
    return (2 * float(won.low) - 1) * differ / n, (2 * float(won.high) - 1) * differ / n


def compare(
    first: str, first_scores: Sequence[float], second: str, second_scores: Sequence[float], seed: int
) -> Paired:
    """`first` against `second` on the same rows. Raises `ValueError` when the rows are not the same in number."""
    pairs = list(zip(first_scores, second_scores, strict=True))
    differences = [one - other for one, other in pairs]
    n = len(pairs)
    better = sum(value > 0 for value in differences)
    worse = sum(value < 0 for value in differences)
    binary = all(value in (0.0, 1.0) for pair in pairs for value in pair)
    mean, low, high, p_value = paired_bootstrap(differences, seed)
    if binary:
        # The wider of both: the bootstrap is too sure where few rows differ, the exact one where none could.
        exact_low, exact_high = exact_difference(better, worse, n)
        low, high, p_value = min(low, exact_low), max(high, exact_high), mcnemar_exact(better, worse)
    return Paired(
        first=first,
        second=second,
        n=n,
        better=better,
        worse=worse,
        difference=mean,
        low=low,
        high=high,
        p_value=p_value,
        test="exact McNemar" if binary else "paired bootstrap",
        sentence=sentence(better, worse, n, p_value),
    )


def paired_bootstrap(differences: Sequence[float], seed: int, draws: int = DRAWS) -> tuple[float, float, float, float]:
    """Mean difference, its 95 % interval and a two-sided p-value, rows drawn with replacement.

    The p-value is the share of draws on the other side of zero, doubled, with one added above and below so that it
    is never zero (Davison and Hinkley 1997, section 4.2).
    """
    n = len(differences)
    if n == 0:
        return 0.0, -1.0, 1.0, 1.0
    mean = sum(differences) / n
    if max(differences) == min(differences):
        # No spread: what a next row could do is bounded as for a share that was never seen.
        unseen = wilson(0, n).high
        return mean, max(-1.0, mean - unseen), min(1.0, mean + unseen), mcnemar_exact(*_signs(differences))
    means = _resampled_means(differences, seed, draws)
    low, high = (float(value) for value in _quantiles(means))
    beyond = min(int((means <= 0).sum()), int((means >= 0).sum()))
    # No paired test is surer than all signs alike: with 4 rows that differ, 1 time in 8.
    least = 2.0 ** (1 - sum(value != 0 for value in differences))
    return mean, min(low, mean), max(high, mean), min(1.0, max(least, 2 * (beyond + 1) / (draws + 1)))


def sentence(better: int, worse: int, n: int, p_value: float) -> str:
    """`better on 61 of 100 rows, worse on 9; luck would do this 1 time in 5,000`."""
    if better + worse == 0:
        return f"the same on all {n} rows"
    return f"better on {better} of {n} rows, worse on {worse}; {luck(p_value)}"


def luck(p_value: float) -> str:
    """A p-value as a person would say it."""
    if p_value >= 0.5:
        return "luck alone would do this more often than not"
    if p_value >= SIGNIFICANT:
        return f"luck would do this 1 time in {max(2, round(1 / p_value))}: we cannot tell"
    odds = 1 / max(p_value, 1e-300)
    if odds > 1_000_000:
        return "luck would do this less than 1 time in 1,000,000"
    digits = 10 ** max(0, len(str(int(odds))) - 1)
    return f"luck would do this 1 time in {int(odds // digits * digits):,}"


def rows_needed(better: int, worse: int, n: int) -> int | None:
    """Rows at which a difference like the one seen would show, 4 times in 5 (Connor 1987, Biometrics 43).

    None where no difference was seen.
    """
    if n == 0 or better == worse:
        return None
    discordant = (better + worse) / n
    difference = abs(better - worse) / n
    root = Z_TWO_SIDED * math.sqrt(discordant) + Z_POWER * math.sqrt(discordant - difference**2)
    return max(n + 1, math.ceil((root / difference) ** 2))


def _signs(differences: Sequence[float]) -> tuple[int, int]:
    return sum(value > 0 for value in differences), sum(value < 0 for value in differences)


def _resampled_means(values: Sequence[float], seed: int, draws: int) -> NDArray[np.float64]:
    import numpy as np

    given = np.asarray(values, dtype=np.float64)
    chance = np.random.default_rng(seed)
    # A block at a time: 4,000 draws of 100,000 rows would be 3 GB at once.
    block = max(1, 2_000_000 // len(given))
    parts = [
        given[chance.integers(0, len(given), size=(min(block, draws - start), len(given)))].mean(axis=1)
        for start in range(0, draws, block)
    ]
    return np.concatenate(parts)


def _quantiles(means: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    return np.quantile(means, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
