"""Are the answers as long as they should be? Words said against words expected, row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from evaluation.metrics import words_of
from evaluation.stats import DRAWS, Interval, wilson

LONGER = 1.5
"""An answer with more than this many times the expected words counts as too long."""


class AnswerLength(BaseModel):
    """How long one model's answers are beside the expected ones."""

    # A later release adds fields; an older one must still read its files.
    model_config = ConfigDict(extra="ignore")
    n: int
    """Rows whose expected answer has words."""
    median_ratio: float
    """Words said for one word expected, in the middle row."""
    low: float
    """95 % interval of the median, rows drawn with replacement."""
    high: float
    longer: Interval
    """Share of answers with more than 1.5 times the expected words."""
    sentence: str


def answer_lengths(expected: Sequence[str], said: Mapping[str, Sequence[str]], seed: int) -> dict[str, AnswerLength]:
    """{model: length of its answers} on the same rows; empty where no expected answer has words."""
    wanted = [len(words_of(text)) for text in expected]
    found = {}
    for name, answers in said.items():
        pairs = [(words, answer) for words, answer in zip(wanted, answers, strict=True) if words]
        if pairs:
            found[name] = _length([len(words_of(answer)) / words for words, answer in pairs], seed)
    return found


def _length(ratios: Sequence[float], seed: int) -> AnswerLength:
    import numpy as np

    values = np.asarray(ratios)
    median = float(np.median(values))
    # 200 numbers at a time: thousands of rows by thousands of draws would fill the memory.
    chance = np.random.default_rng(seed)
    medians = [
        float(value)
        for _ in range(DRAWS // 200)
        for value in np.median(values[chance.integers(0, len(values), (200, len(values)))], axis=1)
    ]
    low, high = (float(value) for value in np.quantile(medians, (0.025, 0.975)))
    longer = wilson(float((values > LONGER).sum()), len(values))
    return AnswerLength(
        n=len(values),
        median_ratio=median,
        low=min(low, median),
        high=max(high, median),
        longer=longer,
        sentence=f"{median:.1f} words for each expected one; {longer.score:.0%} of the answers are more than "
        f"{LONGER} times as long as expected",
    )
