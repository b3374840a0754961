"""Advice and costs for answers, computed once for the same answers, prices and day."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from advisor.advice import Advice
from advisor.advise import advise
from core.answers import Answers
from cost_models.curves import cost
from cost_models.report import CostReport


def costs(answers: Answers, overrides: dict[str, float], today: date) -> CostReport:
    """The cost report. Raises `ProblemsFound` for a price of one's own that is none."""
    return _costs(answers.model_dump_json(), tuple(sorted(overrides.items())), today)


def decide(answers: Answers, overrides: dict[str, float], today: date) -> Advice:
    """The advice, with the costs beside it."""
    return _decide(answers.model_dump_json(), tuple(sorted(overrides.items())), today)


@lru_cache(maxsize=64)
def _costs(answers: str, overrides: tuple[tuple[str, float], ...], today: date) -> CostReport:
    return cost(Answers.model_validate_json(answers), today=today, overrides=dict(overrides))


@lru_cache(maxsize=64)
def _decide(answers: str, overrides: tuple[tuple[str, float], ...], today: date) -> Advice:
    return advise(Answers.model_validate_json(answers), today=today, cost=_costs(answers, overrides, today))
