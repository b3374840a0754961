"""What earlier runs of this machine say about our figures: one factor for memory, one for tokens a second.

A measurement of the same shape (a dry run first) is taken as it is. Else the median ratio of the last runs of the same
stack and device, drawn towards 1 while there are few: median ** (n / (n + 2)). One run counts a third of its distance
(on a scale of ratios), two a half, eight four fifths.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from pydantic import BaseModel, ConfigDict

from core.jobspec import JobSpec
from cost_models.duration import Span
from cost_models.past_runs import PastRun

LAST_RUNS = 12
"""Older ones do not count: drivers, libraries and neighbours change."""
DRAWN = 2
"""As if so many runs had been predicted exactly."""
LEARNED_LIMITS = (0.5, 2.0)
"""A learned factor goes no further."""
MEASURED_LIMITS = (0.2, 5.0)
"""Nor does a measured one: further off, something else was wrong with that run."""
MEMORY_AROUND = Span(low=0.9, likely=1.0, high=1.12)
SPEED_AROUND = Span(low=0.75, likely=1.0, high=1.2)
START_AROUND = Span(low=0.7, likely=1.0, high=1.8)
"""What is left open after a measurement of the same shape: judgement, from repeated runs of ours."""
SHAPE = ("base_model", "base_revision", "method", "stack", "objective", "optimizer", "n_gpus", "shard_base")
"""Fields of a spec that make its shape. Micro batch and row length are not among them: what was measured at one is
scaled to the other by the model of memory and speed."""


class Calibration(BaseModel):
    """What this machine showed in earlier runs; it corrects our prior, or takes its place."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    tokens_per_second: float | None = None
    """Measured, where there is no prior to correct."""
    memory_factor: float = 1.0
    """Measured over predicted memory."""
    speed_factor: float = 1.0
    """Measured over predicted tokens a second."""
    start_seconds: float | None = None
    """Seconds before the first step and after the last one."""
    same_shape: bool = False
    """True for a measurement of the same shape: then ranges are narrower."""
    says: str = "an earlier run on this machine"


def calibration(runs: Sequence[PastRun], spec: JobSpec, *, device: str, precision: str) -> Calibration | None:
    """What `runs` (the newest first) say about a training of `spec` on `device`; None where they say nothing."""
    here = [run for run in runs if run.device == device and _alike(run, spec)]
    same = [run for run in here if run.precision == precision and _shape(run.spec) == _shape(spec)]
    if same:
        return _measured(next((run for run in same if run.spec.kind == "probe"), same[0]))
    memory = [ratio for run in here if (ratio := run.plain_memory_ratio) is not None][:LAST_RUNS]
    speed = [ratio for run in here if (ratio := run.plain_speed_ratio) is not None][:LAST_RUNS]
    if not memory and not speed:
        return None
    count = max(len(memory), len(speed))
    says = f"the last {count} run{'s' if count > 1 else ''} of this machine on the same stack and device"
    return Calibration(memory_factor=learned(memory), speed_factor=learned(speed), says=says)


def learned(ratios: Sequence[float]) -> float:
    """The median ratio, drawn towards 1 while there are few, within limits."""
    if not ratios:
        return 1.0
    return _within(median(ratios) ** (len(ratios) / (len(ratios) + DRAWN)), LEARNED_LIMITS)


def corrected_words(factor: float, by: Calibration | None) -> list[str]:
    """What a correction did, in a sentence; nothing where it did nothing that shows."""
    return [] if by is None or abs(factor - 1) < 0.005 else [f"Our own figure times {factor:.2f}, by {by.says}."]


def narrowed(span: Span, around: Span, *, keep_high: bool = False) -> Span:
    """A range after a measurement: no wider than `around` leaves it. `keep_high` leaves the upper end alone."""
    low, high = max(span.low, span.likely * around.low), min(span.high, span.likely * around.high)
    return Span(low=low, likely=span.likely, high=span.high if keep_high else high)


def _measured(run: PastRun) -> Calibration:
    memory, speed = run.plain_memory_ratio, run.plain_speed_ratio
    what = "a dry run" if run.spec.kind == "probe" else "a training"
    start = run.metrics.get("start_seconds")
    return Calibration(
        tokens_per_second=run.measured.tokens_per_second if speed is None else None,
        memory_factor=1.0 if memory is None else _within(memory, MEASURED_LIMITS),
        speed_factor=1.0 if speed is None else _within(speed, MEASURED_LIMITS),
        start_seconds=None if start is None else start + run.metrics.get("save_seconds", 0.0),
        same_shape=True,
        says=f"{what} of the same shape on this machine ({run.at:%Y-%m-%d})",
    )


def _alike(run: PastRun, spec: JobSpec) -> bool:
    trained = run.spec.kind in ("train", "probe") and run.spec.learner == "llm"
    fields = ("stack", "objective", "n_gpus")
    return trained and all(getattr(run.spec, name) == getattr(spec, name) for name in fields)


def _shape(spec: JobSpec) -> list[object]:
    return [getattr(spec, name) for name in SHAPE]


def _within(value: float, limits: tuple[float, float]) -> float:
    return min(max(value, limits[0]), limits[1])
