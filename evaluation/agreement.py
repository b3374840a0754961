"""How often a judge says what a person says, and how much of that is more than chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.stats import Interval, wilson


@dataclass(frozen=True)
class Agreement:
    """Two judges on the same answers."""

    same: Interval
    """Share of equal labels, with its 95 % Wilson interval."""
    kappa: float | None
    """Cohen's kappa; None where both gave one and the same label throughout, so that chance explains everything."""
    n: int


def agreement(ours: Sequence[str], theirs: Sequence[str]) -> Agreement:
    """Labels of two judges, answer by answer. Needs at least one answer; lengths must be equal."""
    same = sum(one == other for one, other in zip(ours, theirs, strict=True))
    return Agreement(wilson(same, len(ours)), cohens_kappa(ours, theirs), len(ours))


def cohens_kappa(ours: Sequence[str], theirs: Sequence[str]) -> float | None:
    """`(observed - expected) / (1 - expected)`, expected from each judge's own shares of labels (Cohen 1960)."""
    n = len(ours)
    observed = sum(one == other for one, other in zip(ours, theirs, strict=True)) / n
    mine, other_counts = Counter(ours), Counter(theirs)
    expected = sum(mine[label] * other_counts[label] for label in mine) / n**2
    return None if expected == 1 else (observed - expected) / (1 - expected)
