"""The shape of a cost report, as `tuneworthy cost --json` prints it."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict

from core.answers import ApproachId
from cost_models.facts import Assumption
from cost_models.options import CostOptions


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


class CheapestFlip(BaseModel):
    """The one input whose value changes which approach is cheapest by the horizon."""

    input: str
    value: float
    """In the unit of the assumption."""
    middle: float
    """The input's middle in the draws."""
    above: bool
    """True: the other approach wins above `value`; False: below it."""
    now: ApproachId
    """Cheapest in the middle."""
    then: ApproachId


class Payback(BaseModel):
    """From which month on an approach has cost less than doing nothing. None: not within the horizon."""

    approach: ApproachId
    month_p10: float | None
    month_p50: float | None
    month_p90: float | None
    never: float


class Worth(BaseModel):
    """What an approach's answers cost and bring, where its share of right answers was measured. Middle of the draws."""

    approach: ApproachId
    right_share: float
    usd_per_answer: float | None
    """All that was paid by the horizon, over all answers until then; None without calls."""
    usd_per_right_answer: float | None
    against: ApproachId | None = None
    """The measured approach that it is held against: the one that costs least."""
    extra_right_share: float | None = None
    usd_per_extra_right_answer: float | None = None
    """What one more right answer costs; None where there are none more."""
    month_p10: float | None = None
    """From which month on the gain has paid for the difference in cost, where a right answer was given a value."""
    month_p50: float | None = None
    month_p90: float | None = None
    never: float | None = None


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
    flip: CheapestFlip | None
    """None where no input changes which approach is cheapest."""
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
    present: Band | None
    """Cumulative cost of doing nothing, where it was named; exact."""
    payback: list[Payback]
    """Against doing nothing."""
    worth: list[Worth]
    managed_host: str
    """Price items that managed tuning is counted with."""
    own_machines: bool
    """True when prompting and RAG are counted on one's own card, as no data may leave."""
    variants: dict[ApproachId, str] = {}
    """Approaches that are counted in another form than their usual one: `small_encoder` for `ft_self`."""
    not_counted: list[str]
    today: date
    seed: int
    draws: int
    discount_rate: float
    options: CostOptions
    """All settings of the curves."""

    def cheapest_approach(self) -> ApproachId:
        """The approach with the lowest middle cost at the end of the horizon."""
        return min(self.curves, key=lambda name: self.curves[name].p50[-1])
