"""From a changed answer to a new ranking and new curves: our own time, without the browser's; and the curves alone.

python -m benchmarks.advice_speed
"""

from __future__ import annotations

import statistics
import time
import tracemalloc
from datetime import date

from advisor.advise import advise
from benchmarks.here import here
from core.answers import Answers
from cost_models.curves import cost
from cost_models.options import CostOptions

ROUNDS = 40


def main() -> None:
    """Print the median and the slowest of 40 changed answers, and the first one, which also loads the facts."""
    today = date.today()
    took = []
    for turn in range(ROUNDS + 1):
        answers = Answers(
            task_kind="extract", volume_per_month=10_000 + 997 * turn, labelled_examples=300, format_strictness="high"
        )
        start = time.perf_counter()
        advise(answers, today=today, cost=cost(answers, today=today))
        took.append((time.perf_counter() - start) * 1000)
    first, later = took[0], sorted(took[1:])
    print(here("numpy", "pydantic"))
    print(f"answer to ranking and curves: {statistics.median(later):.0f} ms (slowest of {ROUNDS}: {later[-1]:.0f} ms)")
    curves()
    print(f"the first answer, with the facts read and the libraries loaded: {first:.0f} ms")


def curves() -> None:
    """36 months, 7 approaches: milliseconds and peak memory by draws."""
    today = date.today()
    for draws in (1_000, 2_000, 4_000):
        options = CostOptions(months=36, draws=draws)
        took = []
        for turn in range(ROUNDS // 2):
            start = time.perf_counter()
            cost(Answers(volume_per_month=50_000 + turn), today=today, options=options)
            took.append((time.perf_counter() - start) * 1000)
        tracemalloc.start()
        cost(Answers(volume_per_month=77_000), today=today, options=options)
        peak = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
        print(f"curves alone, 36 months, {draws:,} draws: {statistics.median(took):.0f} ms, {peak:.0f} MiB at the peak")


if __name__ == "__main__":
    main()
