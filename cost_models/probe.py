"""How a dry run is cut: which rows, how many steps. Trainer and estimate both ask here."""

from __future__ import annotations

import math
from collections.abc import Sequence

from cost_models.duration import Span

TIMED_SECONDS = 10.0
"""Steps are timed for so long: a single short one says little."""
MOST_TIMED_STEPS = 20
AFTER_SECONDS = Span(low=2, likely=8, high=40)
"""Saving, loading base and adapter anew, and one answer."""


def longest_first(token_counts: Sequence[int], rows: int) -> list[int]:
    """Places of the `rows` longest rows, the longest first: what a step of them takes, no other step exceeds."""
    return sorted(range(len(token_counts)), key=lambda place: -token_counts[place])[:rows]


def timed_enough(steps: int, seconds: float) -> bool:
    """Is it time to stop, after so many timed steps that took so many seconds?"""
    return steps >= 1 and (seconds >= TIMED_SECONDS or steps >= MOST_TIMED_STEPS)


def probe_seconds(step_tokens: float, speed: Span, around: Span) -> Span:
    """One step to warm up, the timed ones, and what is around them. `around` is in seconds."""
    each = [step_tokens / speed.high, step_tokens / speed.likely, step_tokens / speed.low]
    low, likely, high = sorted(one * (1 + _timed(one)) for one in each)
    return Span(
        low=around.low + low + AFTER_SECONDS.low,
        likely=around.likely + likely + AFTER_SECONDS.likely,
        high=around.high + high + AFTER_SECONDS.high,
    )


def _timed(step_seconds: float) -> int:
    return max(1, min(MOST_TIMED_STEPS, math.ceil(TIMED_SECONDS / step_seconds)))
