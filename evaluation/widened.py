"""Intervals that know of more than the rows: noise from elsewhere joins them by squares and adds.

`low' = d - sqrt((d - low)^2 + e^2)` and `high' = d + sqrt((high - d)^2 + e^2)`, where `e` is the half-width at 95 % of
the noise that joins: the variances add, and each side keeps its own length (Zou and Donner 2008, Statistics in
Medicine 27, "square and add").
"""

from __future__ import annotations

import math

from evaluation.stats import Z_TWO_SIDED, Interval, Paired, sentence

WITH_NOISE = "noise-widened "
"""Before the name of a test whose p-value was raised."""


def widened_interval(found: Interval, half_width: float) -> Interval:
    """The interval of a score with noise of this half-width beside that of the rows; never outside 0 to 1."""
    if half_width <= 0:
        return found
    low, high = _sides(found.score, found.low, found.high, half_width)
    return found.model_copy(update={"low": max(0.0, low), "high": min(1.0, high)})


def widened_pair(found: Paired, half_width: float) -> Paired:
    """The comparison with noise of this half-width beside that of the rows.

    The p-value is raised to that of a normal with the wider interval, `2 (1 - Phi(1.96 |d| / side))`, where `side`
    reaches from the difference `d` towards zero: it is never below 0.05 while the interval holds zero.
    """
    if half_width <= 0:
        return found
    low, high = _sides(found.difference, found.low, found.high, half_width)
    side = found.difference - low if found.difference > 0 else high - found.difference
    p_value = max(found.p_value, math.erfc(Z_TWO_SIDED * abs(found.difference) / side / math.sqrt(2)))
    return found.model_copy(
        update={
            "low": max(-1.0, low),
            "high": min(1.0, high),
            "p_value": p_value,
            "test": WITH_NOISE + found.test,
            "sentence": sentence(found.better, found.worse, found.n, p_value),
        }
    )


def _sides(middle: float, low: float, high: float, half_width: float) -> tuple[float, float]:
    return middle - math.hypot(middle - low, half_width), middle + math.hypot(high - middle, half_width)
