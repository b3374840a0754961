"""Cumulative cost of every approach over time, with its doubt: `cost(answers, today=...)`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
from numpy.typing import NDArray

from core.answers import APPROACHES, Answers, ApproachId
from core.errors import Problem, ProblemsFound
from cost_models.break_even import break_even, cheapest_share, tornado
from cost_models.draws import draw
from cost_models.facts import cost_facts
from cost_models.inputs import resolve
from cost_models.managed import choose_host, host_events, retirement_month
from cost_models.prices import PriceBook
from cost_models.report import Band, CostReport, Event, PriceUsed
from cost_models.terms import NOT_COUNTED, Setting, Steps, Terms, terms_of

Matrix = NDArray[np.float64]
DRAWS = 1000
MAX_MONTHS = 36
TUNED: tuple[ApproachId, ...] = ("ft_managed", "ft_self", "rag_plus_ft")


def cost(
    answers: Answers,
    *,
    today: date,
    overrides: dict[str, float] | None = None,
    months: int = 24,
    seed: int = 7,
    discount_rate: float = 0.0,
    draws: int = DRAWS,
) -> CostReport:
    """What each approach would cost, month by month.

    `overrides` are prices of this plan's own, {item: amount in the row's unit}; `discount_rate` is per year.
    The same answers, day and seed give the same report. Raises `ProblemsFound` for a bad month count, seed, rate or
    override, all at once.
    """
    _check(months, seed, discount_rate, draws)
    book = PriceBook.load(overrides, today)
    facts = cost_facts()
    assumptions = resolve(answers)
    x = draw(assumptions, draws, seed)
    used: dict[str, None] = {}
    host = choose_host(book, facts.defaults.managed, today)
    setting = Setting(
        x=x,
        usd=_remember(book, used),
        book=book,
        defaults=facts.defaults,
        managed=host,
        own_machines=answers.privacy == "strict",
    )
    terms = terms_of(setting)
    month = np.arange(months + 1, dtype=np.float64)
    steps = _steps(x, retirement_month(book, host, today))
    discount = (1 + discount_rate) ** (-month / 12)
    totals = {name: _cumulative(terms[name], steps.get(name), month, discount, draws) for name in APPROACHES}
    bands = {name: _percentiles(total) for name, total in totals.items()}
    hosting = {name: _monthly(terms[name], ("input", "output", "few_shot_tokens", "retrieved_tokens", "hosting"))
               for name in APPROACHES}  # fmt: skip
    volume = x["volume_per_month"]
    pair, bars = tornado({name: total[:, -1] for name, total in totals.items()}, x)
    return CostReport(
        months=list(range(months + 1)),
        curves={name: Band(p10=low, p50=likely, p90=high) for name, (low, likely, high) in bands.items()},
        break_even=break_even(totals),
        tornado=bars,
        tornado_of=pair,
        prices=[PriceUsed.model_validate(book.row(item).brief()) for item in used],
        events=sorted(
            [*host_events(book, today, months), *_retrain_events(steps, months)], key=lambda event: event.month
        ),
        terms={name: _term_totals(terms[name], steps.get(name), month, discount) for name in APPROACHES},
        assumptions=assumptions,
        upfront_usd={name: _median(_upfront(terms[name])) for name in APPROACHES},
        monthly_usd={name: _median(_monthly(terms[name], tuple(terms[name]))) for name in APPROACHES},
        call_usd={name: _median(hosting[name] / volume, 8) if volume.min() >= 1 else None for name in APPROACHES},
        cheapest=cheapest_share(totals),
        managed_host=host,
        own_machines=setting.own_machines,
        not_counted=NOT_COUNTED,
        today=today,
        seed=seed,
        draws=draws,
        discount_rate=discount_rate,
    )


def _check(months: int, seed: int, discount_rate: float, draws: int) -> None:
    problems = []
    if isinstance(months, bool) or not isinstance(months, int) or not 1 <= months <= MAX_MONTHS:
        problems.append(Problem(what=f"`months` must be 1 to {MAX_MONTHS} (got {months!r:.40}).", where="months"))
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        problems.append(Problem(what=f"`seed` must be a whole number of 0 or more (got {seed!r:.40}).", where="seed"))
    if not isinstance(discount_rate, int | float) or not 0 <= discount_rate <= 1:
        what = f"`discount_rate` must be 0 to 1 a year (got {discount_rate!r:.40})."
        problems.append(Problem(what=what, where="discount_rate"))
    if not 10 <= draws <= 100_000:
        problems.append(Problem(what=f"`draws` must be 10 to 100,000 (got {draws!r:.40}).", where="draws"))
    if problems:
        raise ProblemsFound(problems)


def _remember(book: PriceBook, used: dict[str, None]) -> Callable[[str], float]:
    def usd(item: str) -> float:
        used[item] = None
        return book.usd(item)

    return usd


def _steps(x: dict[str, Matrix], retires_in: float | None) -> dict[ApproachId, Steps]:
    """A managed tune is made again when its base retires; a self-hosted one when it has gone stale."""
    refresh, life = x["refresh_months"], x["lifetime_months"]
    first = life if retires_in is None else np.full_like(life, retires_in)
    own = Steps(first=refresh, period=refresh)
    return {
        "ft_managed": Steps(first=np.minimum(first, refresh), period=np.minimum(life, refresh)),
        "ft_self": own,
        "rag_plus_ft": own,
    }


def _upfront(terms: Terms) -> Matrix:
    return sum((np.asarray(term.upfront) for term in terms.values()), np.zeros(1))


def _monthly(terms: Terms, names: tuple[str, ...]) -> Matrix:
    return sum((np.asarray(terms[name].monthly) for name in names if name in terms), np.zeros(1))


def _cumulative(terms: Terms, steps: Steps | None, month: Matrix, discount: Matrix, draws: int) -> Matrix:
    """USD spent by the end of each month, shape (draws, months + 1); month 0 is what is paid at the start."""
    flow = np.empty((draws, month.size))
    flow[:] = _monthly(terms, tuple(terms))[:, None]
    flow[:, 0] = _upfront(terms)
    if steps is not None:
        each = sum((np.asarray(term.step) for term in terms.values()), np.zeros(1))
        flow[:, 1:] += np.diff(steps.count(month), axis=1) * each[:, None]
    return np.cumsum(flow * discount, axis=1)


def _percentiles(total: Matrix) -> tuple[list[float], list[float], list[float]]:
    low, likely, high = np.percentile(total, [10, 50, 90], axis=0).round(2).tolist()
    return low, likely, high


def _term_totals(terms: Terms, steps: Steps | None, month: Matrix, discount: Matrix) -> dict[str, float]:
    """Median USD of each term over the whole horizon."""
    paid_months = float(discount[1:].sum())
    if steps is None:
        times: Matrix = np.zeros(1)
    else:
        times = (np.diff(steps.count(month), axis=1) * discount[1:]).sum(axis=1)
    totals = {
        name: _median(np.asarray(term.upfront) + np.asarray(term.monthly) * paid_months + np.asarray(term.step) * times)
        for name, term in terms.items()
    }
    return {name: value for name, value in totals.items() if value}


def _median(values: Matrix, digits: int = 2) -> float:
    return round(float(np.median(values)), digits)


def _retrain_events(steps: dict[ApproachId, Steps], months: int) -> list[Event]:
    events = []
    for name, step in steps.items():
        first, period = float(np.median(step.first)), float(np.median(step.period))
        for again in range(int((months - first) // period) + 1 if first <= months else 0):
            at = round(first + again * period, 1)
            events.append(Event(month=at, approach=name, what="The tune is made again (middle of the draws)."))
    return events
