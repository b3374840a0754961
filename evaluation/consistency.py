"""Does a model say the same twice? Sampled answers to the same rows, held against each other.

The likeness of two answers is their token F1: it is the same both ways, 1 for the same words and 0 for none in common,
and it holds for a single short answer, where a profile of the voice has nothing to count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from pydantic import BaseModel, ConfigDict

from evaluation.metrics import token_f1
from evaluation.stats import Interval, bootstrap_mean

TEMPERATURE = 0.7
TIMES = 3
"""Answers to each row."""
MOST_ROWS = {"quick": 10, "full": 20}
"""Rows, by look."""
KINDS = ("style", "generate", "chat")
"""Kinds of work in which the same voice is asked for every time."""


class Consistency(BaseModel):
    """How like each other one model's answers to the same row are."""

    # A later release adds fields; an older one must still read its files.
    model_config = ConfigDict(extra="ignore")
    likeness: Interval
    """Mean over rows of the mean token F1 of all pairs of answers, rows drawn with replacement."""
    same: int
    """Rows with the same answer every time."""
    sentence: str


def consistency(said: Mapping[str, Sequence[Sequence[str]]], seed: int) -> dict[str, Consistency]:
    """{model: its consistency} from its answers, `(rows, times)`; models without rows are left out."""
    return {name: _of(rows, seed) for name, rows in said.items() if rows}


def likeness(answers: Sequence[str]) -> float:
    """Mean token F1 of all pairs; two answers that say nothing are alike. Raises `ZeroDivisionError` for one answer."""
    pairs = [1.0 if one.strip() == other.strip() else token_f1(one, other) for one, other in combinations(answers, 2)]
    return sum(pairs) / len(pairs)


def _of(rows: Sequence[Sequence[str]], seed: int) -> Consistency:
    found = bootstrap_mean([likeness(answers) for answers in rows], seed)
    same = sum(len({answer.strip() for answer in answers}) == 1 for answers in rows)
    times = len(rows[0])
    return Consistency(
        likeness=found,
        same=same,
        sentence=f"asked {times} times with chance, its answers share {found.score:.2f} of their words "
        f"({found.low:.2f} to {found.high:.2f}); the same every time on {same} of {len(rows)} rows",
    )
