"""From a changed answer to a new ranking and new curves: our own time, without the browser's.

python -m benchmarks.advice_speed
"""

from __future__ import annotations

import statistics
import time
from datetime import date

from advisor.advise import advise
from benchmarks.here import here
from core.answers import Answers
from cost_models.curves import cost

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
    print(f"the first answer, with the facts read and the libraries loaded: {first:.0f} ms")


if __name__ == "__main__":
    main()
