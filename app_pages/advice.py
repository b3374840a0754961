"""Advice and costs for a plan, computed once for the same answers, prices, settings and day."""

from __future__ import annotations

import json
from datetime import date
from functools import lru_cache

from advisor.advice import Advice
from advisor.advise import advise
from core.answers import Answers
from core.errors import ProblemsFound
from core.plan import Plan
from cost_models.curves import cost
from cost_models.options import CostOptions, read_options
from cost_models.report import CostReport

Key = tuple[str, tuple[tuple[str, float], ...], str, date]


def options_of(plan: Plan | None) -> CostOptions:
    """The plan's settings of the curves; ours where it has none, or has some that no longer hold."""
    try:
        return read_options(plan.cost_options if plan else {})
    except ProblemsFound:
        return CostOptions()


def costs(plan: Plan | None, today: date) -> CostReport:
    """The cost report. Raises `ProblemsFound` for a price of one's own that is none."""
    return _costs(_key(plan, today))


def decide(plan: Plan | None, today: date) -> Advice:
    """The advice, with the costs beside it."""
    return _decide(_key(plan, today))


def _key(plan: Plan | None, today: date) -> Key:
    answers = plan.answers if plan else Answers()
    overrides = plan.price_overrides if plan else {}
    return answers.model_dump_json(), tuple(sorted(overrides.items())), options_of(plan).model_dump_json(), today


@lru_cache(maxsize=64)
def _costs(key: Key) -> CostReport:
    answers, overrides, options, today = key
    return cost(
        Answers.model_validate_json(answers),
        today=today,
        overrides=dict(overrides),
        options=read_options(json.loads(options)),
    )


@lru_cache(maxsize=64)
def _decide(key: Key) -> Advice:
    answers, overrides, _, today = key
    return advise(Answers.model_validate_json(answers), today=today, cost=_costs(key), overrides=dict(overrides))
