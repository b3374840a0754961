"""How long one person waits for one answer: single requests, one after the other, on this machine.

The time of a batch shared out among its answers is what an answer costs, not how long anyone waits for it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

from pydantic import BaseModel, ConfigDict

from evaluation.judged_model import Model
from evaluation.stats import Interval, wilson

REQUESTS = 20
"""Of p95 more would be better; this many take a CPU seconds to a minute."""
MAX_SECONDS = 60.0
"""No new request is made after this long."""


class Latency(BaseModel):
    """Seconds an answer took, asked alone."""

    # A later release adds fields; an older one must still read its files.
    model_config = ConfigDict(extra="ignore")
    n: int
    """Requests that were measured; one more came before them to warm up."""
    p50_seconds: float
    """Half of the answers were ready by then."""
    p95_seconds: float
    """19 of 20 were. By nearest rank, so it is one of the measured times."""
    longest_seconds: float
    mean_prompt_tokens: float
    mean_answer_tokens: float
    device: str
    limit_ms: int | None = None
    """Longest acceptable wait, from the team's answers."""
    within: Interval | None = None
    """Share of answers within the limit."""
    sentence: str = ""


def latency(
    model: Model,
    prompts: Sequence[Sequence[int]],
    *,
    adapter: str | None = None,
    max_new_tokens: int,
    device: str,
    limit_ms: int | None = None,
    n: int = REQUESTS,
    stop: Callable[[], bool] | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Latency | None:
    """Ask at most `n` of the prompts one by one, from the shortest to the longest of them evenly.

    None where there are no prompts, or somebody asked to stop before the first was measured.
    """
    chosen = spread([list(prompt) for prompt in prompts], n)
    if not chosen:
        return None
    # The first answer pays for what the libraries load late.
    _ask(model, chosen[len(chosen) // 2], adapter, max_new_tokens, stop)
    started = clock()
    seconds: list[float] = []
    asked: list[int] = []
    answered: list[int] = []
    for prompt in chosen:
        if (stop is not None and stop()) or (seconds and clock() - started > MAX_SECONDS):
            break
        before = clock()
        tokens = _ask(model, prompt, adapter, max_new_tokens, stop)
        if tokens is None:
            break  # stopped on the way: a cut answer is no measurement
        seconds.append(clock() - before)
        asked.append(len(prompt))
        answered.append(tokens)
    if not seconds:
        return None
    return summarise(
        seconds,
        mean_prompt_tokens=sum(asked) / len(asked),
        mean_answer_tokens=sum(answered) / len(answered),
        device=device,
        limit_ms=limit_ms,
    )


def summarise(
    seconds: Sequence[float],
    *,
    mean_prompt_tokens: float,
    mean_answer_tokens: float,
    device: str,
    limit_ms: int | None = None,
) -> Latency:
    """Percentiles of measured times, held against the limit. `seconds` is not empty."""
    ordered = sorted(seconds)
    within = wilson(sum(value * 1000 <= limit_ms for value in ordered), len(ordered)) if limit_ms else None
    return Latency(
        n=len(ordered),
        p50_seconds=percentile(ordered, 0.50),
        p95_seconds=percentile(ordered, 0.95),
        longest_seconds=ordered[-1],
        mean_prompt_tokens=mean_prompt_tokens,
        mean_answer_tokens=mean_answer_tokens,
        device=device,
        limit_ms=limit_ms,
        within=within,
        sentence=_sentence(ordered, device, limit_ms),
    )


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest measured value that at least `share` of the values do not exceed (nearest rank)."""
    return ordered[max(0, math.ceil(share * len(ordered) - 1e-9) - 1)]


def spread(prompts: list[list[int]], n: int) -> list[list[int]]:
    """At most `n` prompts, evenly from the shortest to the longest."""
    ordered = sorted(prompts, key=len)
    if len(ordered) <= n:
        return ordered
    if n < 2:
        return [ordered[len(ordered) // 2]][:n]
    return [ordered[round(at * (len(ordered) - 1) / (n - 1))] for at in range(n)]


def _ask(
    model: Model, prompt: list[int], adapter: str | None, max_new_tokens: int, stop: Callable[[], bool] | None
) -> int | None:
    """Tokens of the answer, or None where none came."""
    tokens = None
    for _, answer in model.completions([prompt], adapter=adapter, max_new_tokens=max_new_tokens, stop=stop):
        tokens = answer.tokens
    return tokens


def _sentence(ordered: Sequence[float], device: str, limit_ms: int | None) -> str:
    n = len(ordered)
    times = f"p50 {_words(percentile(ordered, 0.50))}, p95 {_words(percentile(ordered, 0.95))}"
    measured = f"{times} on {n} single {'request' if n == 1 else 'requests'} ({device}, this machine)"
    if not limit_ms:
        return f"{measured}."
    within = sum(value * 1000 <= limit_ms for value in ordered)
    return f"{within} of {n} answers came within {limit_ms:,} ms: {measured}."


def _words(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms" if seconds < 1 else f"{seconds:,.1f} s"
