"""What the curves say about each approach, as rules can use it, for the answers as they are and as they might be."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import numpy as np

from core.answers import APPROACHES, Answers, ApproachId
from cost_models.draws import Array
from cost_models.inputs import MOVES_COST
from cost_models.options import CostOptions
from cost_models.prices import PriceBook
from cost_models.simulate import simulate

DRAWS = 400
"""Enough for shares to a few per cent; the trial of every answer repeats them."""
PROMPTED: tuple[ApproachId, ...] = ("zero_shot", "few_shot")
TUNED: tuple[ApproachId, ...] = ("ft_managed", "ft_self", "rag_plus_ft")
"""What may be built to save money. Retrieval brings facts, a model from scratch what no other has: neither saves."""


@dataclass(frozen=True)
class Money:
    """Shares of the draws, over the approaches that are not ruled out."""

    months: int
    cheapest: dict[ApproachId, float]
    """In which the approach has cost least by the horizon."""
    never: dict[ApproachId, float]
    """In which a tune has not become cheaper by the horizon than what it is held against."""
    against: dict[ApproachId, ApproachId]
    """Tuning with retrieval is held against retrieval alone, the others against the prompting that costs least."""


def money_of(at_end: dict[ApproachId, Array], ruled_out: Collection[ApproachId], months: int) -> Money:
    """Shares from the cost by the horizon, USD, shape (draws,) each."""
    open_ = [name for name in at_end if name not in ruled_out] or list(at_end)
    winners = np.argmin(np.stack([at_end[name] for name in open_]), axis=0)
    shares = np.bincount(winners, minlength=len(open_)) / winners.size
    prompted = [name for name in PROMPTED if name in open_] or list(PROMPTED)
    least = min(prompted, key=lambda name: float(np.median(at_end[name])))
    against: dict[ApproachId, ApproachId] = dict.fromkeys(TUNED, least) | {"rag_plus_ft": "rag"}
    return Money(
        months=months,
        cheapest=dict.fromkeys(APPROACHES, 0.0) | dict(zip(open_, shares.tolist(), strict=True)),
        never={name: float((at_end[name] >= at_end[other]).mean()) for name, other in against.items()},
        against=against,
    )


class Pricer:
    """The cost by the horizon for one team, and for the same team with one answer changed; each is worked out once."""

    def __init__(self, answers: Answers, today: date, overrides: dict[str, float] | None, options: CostOptions) -> None:
        self._answers = answers
        self._today = today
        self._book = PriceBook.load(overrides, today)
        self._options = options.model_copy(update={"draws": DRAWS})
        self._known: dict[tuple[str, object], dict[ApproachId, Array]] = {}

    def money(self, ruled_out: Collection[ApproachId], field: str = "", value: object = None) -> Money:
        """Shares for the answers, with `field` set to `value` where one is given."""
        key = (field, value) if field in MOVES_COST else ("", None)
        if key not in self._known:
            answers = self._answers.model_copy(update={field: value} if key[0] else {})
            run = simulate(answers, today=self._today, options=self._options, book=self._book)
            self._known[key] = run.at_end()
        return money_of(self._known[key], ruled_out, self._options.months)
