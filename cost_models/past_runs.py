"""Earlier jobs of this machine, what was predicted of each beside what it took, and how far off that was."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median

from core.estimate import Estimate, RunEstimate
from core.job import Measured
from core.jobspec import JobSpec

FIGURES = ("memory_gib", "seconds", "tokens_per_second")


@dataclass(frozen=True)
class PastRun:
    """One job that succeeded here."""

    job_id: str
    name: str
    at: datetime
    spec: JobSpec
    predicted: RunEstimate
    measured: Measured
    metrics: dict[str, float] = field(default_factory=dict)

    @property
    def device(self) -> str:
        """What it ran on, as its plan says: `processor, 2 cores`, or the name of a card; empty where it does not."""
        return str(self.predicted.plan.get("device", ""))

    @property
    def precision(self) -> str:
        """Number format of its plan."""
        return str(self.predicted.plan.get("precision", ""))

    def predicted_of(self, figure: str) -> Estimate:
        """What was shown before the launch, any correction in it."""
        found: Estimate = getattr(self.predicted, figure)
        return found

    def measured_of(self, figure: str) -> float | None:
        """What it took; None where that was not measured."""
        found: float | None = getattr(self.measured, figure)
        return found

    def ratio(self, figure: str) -> float | None:
        """Measured over predicted; None where either is unknown."""
        likely, measured = self.predicted_of(figure).likely, self.measured_of(figure)
        return measured / likely if likely and measured else None

    @property
    def plain_memory_ratio(self) -> float | None:
        """Measured over what our model of memory says by itself, without the correction of that day."""
        found = self.ratio("memory_gib")
        return None if found is None else found * self.predicted.memory_factor

    @property
    def plain_speed_ratio(self) -> float | None:
        """The same of tokens a second."""
        found = self.ratio("tokens_per_second")
        return None if found is None else found * self.predicted.speed_factor


@dataclass(frozen=True)
class FigureError:
    """How far off the predictions of one figure were."""

    figure: str
    runs: int
    median_off: float
    """Median of |measured / predicted - 1|."""
    inside_share: float
    """Share of runs whose measurement lies between low and high."""


def errors(runs: Sequence[PastRun]) -> list[FigureError]:
    """For each figure that any run has both predicted and measured."""
    found = []
    for figure in FIGURES:
        known = [(run, ratio) for run in runs if (ratio := run.ratio(figure)) is not None]
        if known:
            off = median(abs(ratio - 1) for _, ratio in known)
            inside = sum(_inside(run.predicted_of(figure), run.measured_of(figure)) for run, _ in known)
            found.append(FigureError(figure, len(known), off, inside / len(known)))
    return found


def _inside(predicted: Estimate, measured: float | None) -> bool:
    low = -math.inf if predicted.low is None else predicted.low
    high = math.inf if predicted.high is None else predicted.high
    return measured is not None and low <= measured <= high
