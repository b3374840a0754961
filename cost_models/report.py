"""The shape of a cost report, as `tuneworthy cost --json` prints it."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict

from core.answers import ApproachId
from cost_models.facts import Assumption


class Band(BaseModel):
    """Cumulative USD at the end of each month: one in ten draws below, the middle, one in ten above."""

    p10: list[float]
    p50: list[float]
    p90: list[float]


class BreakEven(BaseModel):
    """From which month on the approach that starts dearer has cost less. None: not within the horizon."""

    cheaper: ApproachId
    """Starts dearer, ends cheaper."""
    than: ApproachId
    month_p10: float | None
    month_p50: float | None
    month_p90: float | None
    never: float
    """Share of the draws in which that does not happen within the horizon."""


class Bar(BaseModel):
    """How far one input moves the difference between two approaches, in USD at the end of the horizon."""

    input: str
    low_usd: float
    """Mean difference in the fifth of the draws where the input is lowest."""
    high_usd: float
    """Mean difference in the fifth of the draws where it is highest."""


class TornadoOf(BaseModel):
    """The difference that the tornado is about: cost of `tuned` minus cost of `prompted` at the end of the horizon."""

    tuned: ApproachId
    prompted: ApproachId
    usd_p50: float


class PriceUsed(BaseModel):
    """A row of the price book that entered the curves."""

    item: str
    label: str
    amount: float
    unit: str
    valid_from: date
    checked: date
    source: str
    note: str = ""


class Event(BaseModel):
    """Something that happens at a date: a retirement, a tune made again. `month` counts from today."""

    month: float
    approach: ApproachId
    what: str
    date: str = ""
    source: str = ""


class CostReport(BaseModel):
    """Curves, break-even points and all that they rest on."""

    model_config = ConfigDict(extra="forbid")

    months: list[int]
    curves: dict[ApproachId, Band]
    break_even: list[BreakEven]
    tornado: list[Bar]
    tornado_of: TornadoOf
    prices: list[PriceUsed]
    events: list[Event]
    terms: dict[ApproachId, dict[str, float]]
    """Median USD of each named term over the horizon."""
    assumptions: list[Assumption]
    """Every number drawn, with its range; `verified` is `answered` for the team's own."""
    upfront_usd: dict[ApproachId, float]
    monthly_usd: dict[ApproachId, float]
    call_usd: dict[ApproachId, float | None]
    """USD of one call: tokens, or its share of the hosting. None below one call a month."""
    cheapest: dict[ApproachId, list[float]]
    """Share of the draws in which the approach has cost least by each month."""
    managed_host: str
    """Price items that managed tuning is counted with."""
    own_machines: bool
    """True when prompting and RAG are counted on one's own card, as no data may leave."""
    not_counted: list[str]
    today: date
    seed: int
    draws: int
    discount_rate: float

    def cheapest_approach(self) -> ApproachId:
        """The approach with the lowest middle cost at the end of the horizon."""
        return min(self.curves, key=lambda name: self.curves[name].p50[-1])
