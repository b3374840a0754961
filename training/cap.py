"""A cap on what a training may take, in minutes of its devices or in dollars: there it stops and keeps what it has."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from core.jobspec import JobSpec


@dataclass
class Cap:
    """What may be spent, and what was spent before this worker began. Seconds are those of the clock."""

    spec: JobSpec
    seconds_before: float
    """Of earlier workers of the same job, and of this one up to now."""
    _began: float = field(default_factory=time.monotonic)

    def reached(self) -> str:
        """Which cap is reached, in words; empty where none is."""
        seconds = self.seconds_before + time.monotonic() - self._began
        minutes = seconds / 60 * self.spec.n_gpus
        if self.spec.budget_minutes is not None and minutes >= self.spec.budget_minutes:
            return f"`budget_minutes: {self.spec.budget_minutes:g}` is used up"
        usd = spent_usd(self.spec, seconds)
        if self.spec.budget_usd is not None and usd is not None and usd >= self.spec.budget_usd:
            return f"`budget_usd: {self.spec.budget_usd:g}` is used up"
        return ""


def spent_usd(spec: JobSpec, seconds: float) -> float | None:
    """What the devices cost in that time; None where the spec does not say what an hour costs."""
    return None if spec.usd_per_hour is None else seconds / 3600 * spec.usd_per_hour * spec.n_gpus
