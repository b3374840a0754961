"""Cumulative cost of every approach over time, with its doubt: `cost(answers, today=...)`."""

from __future__ import annotations

from datetime import date

import numpy as np

from core.answers import APPROACHES, Answers, ApproachId
from cost_models.break_even import break_even, cheapest_flip, cheapest_share, crossing_band, tornado
from cost_models.draws import Array
from cost_models.managed import host_events
from cost_models.options import CostOptions
from cost_models.prices import PriceBook
from cost_models.report import Band, CostReport, Event, Payback, PriceUsed
from cost_models.simulate import Simulation, first_month, first_month_usd, simulate, upfront_usd
from cost_models.terms import NOT_COUNTED, USAGE, Steps, Terms
from cost_models.worth import worth_of

MADE_AGAIN: tuple[ApproachId, ...] = ("ft_managed", "ft_self", "rag_plus_ft")
MOVED: tuple[ApproachId, ...] = ("zero_shot", "few_shot", "rag")


def cost(
    answers: Answers,
    *,
    today: date,
    overrides: dict[str, float] | None = None,
    options: CostOptions | None = None,
) -> CostReport:
    """What each approach would cost, month by month.

    `overrides` are prices of this plan's own, {item: amount in the row's unit}. The same answers, day, prices and
    options give the same report. Raises `ProblemsFound` for overrides and choices that are none, all at once.
    """
    options = options or CostOptions()
    book = PriceBook.load(overrides, today)
    run = simulate(answers, today=today, options=options, book=book)
    totals = run.totals
    at_end = {name: total[:, -1] for name, total in totals.items()}
    # Where no data may leave, nobody weighs a managed host: what decides is looked for among the others.
    open_ = {name: total for name, total in at_end.items() if name != "ft_managed" or not run.setting.own_machines}
    pair, bars = tornado(open_, run.x)
    months = options.months
    present = _present(options)
    volume = run.x["volume_per_month"]
    return CostReport(
        months=list(range(months + 1)),
        curves={name: _band(total) for name, total in totals.items()},
        break_even=break_even(totals),
        tornado=bars,
        tornado_of=pair,
        flip=cheapest_flip(open_, run.x),
        prices=[PriceUsed.model_validate(book.row(item).brief()) for item in run.prices_used],
        events=sorted([*host_events(book, today, months), *_again(run, months)], key=lambda event: event.month),
        terms={name: _term_totals(run, name, options) for name in APPROACHES},
        assumptions=run.assumptions,
        upfront_usd={name: _median(upfront_usd(run.terms[name])) for name in APPROACHES},
        monthly_usd={name: _median(first_month_usd(run.terms[name])) for name in APPROACHES},
        call_usd={name: _per_call(run.terms[name], volume) for name in APPROACHES},
        cheapest=cheapest_share(totals),
        present=None if present is None else _line(present),
        payback=[] if present is None else [_payback(name, total, present) for name, total in totals.items()],
        worth=worth_of(run, options),
        managed_host=run.host,
        own_machines=run.setting.own_machines,
        variants={"ft_self": "small_encoder"} if run.encoder else {},
        not_counted=[*NOT_COUNTED, *(["Prices are held as they are today."] if options.hold_prices else [])],
        today=today,
        seed=options.seed,
        draws=options.draws,
        discount_rate=options.discount_rate,
        options=options,
    )


def _band(total: Array) -> Band:
    low, likely, high = np.percentile(np.ascontiguousarray(total.T), [10, 50, 90], axis=1).round(2).tolist()
    return Band(p10=low, p50=likely, p90=high)


def _present(options: CostOptions) -> Array | None:
    """What doing nothing costs by the end of each month, shape (months + 1,)."""
    if options.present_usd_per_month is None:
        return None
    month = np.arange(options.months + 1)
    flow = np.where(month > 0, options.present_usd_per_month, 0.0) * (1 + options.discount_rate) ** (-month / 12)
    return np.cumsum(flow)


def _line(values: Array) -> Band:
    exact = values.round(2).tolist()
    return Band(p10=exact, p50=exact, p90=exact)


def _payback(name: ApproachId, total: Array, present: Array) -> Payback:
    low, likely, high, never = crossing_band(total - present[None, :])
    return Payback(approach=name, month_p10=low, month_p50=likely, month_p90=high, never=never)


def _per_call(terms: Terms, volume: Array) -> float | None:
    return _median(first_month_usd(terms, USAGE) / volume, 8) if volume.min() >= 1 else None


def _term_totals(run: Simulation, name: ApproachId, options: CostOptions) -> dict[str, float]:
    """Median USD of each term over the whole horizon, at today's prices and volume."""
    month = run.setting.months
    discount = (1 + options.discount_rate) ** (-month / 12)
    paid_months = float(discount[1:].sum())
    times = (np.diff(run.steps[name].count(month), axis=1) * discount[1:]).sum(axis=1)
    totals = {
        part: _median(np.asarray(term.upfront) + first_month(term) * paid_months + np.asarray(term.step) * times)
        for part, term in run.terms[name].items()
    }
    return {part: value for part, value in totals.items() if value}


def _median(values: Array, digits: int = 2) -> float:
    return round(float(np.median(values)), digits)


def _again(run: Simulation, months: int) -> list[Event]:
    """When something is done again, in the middle of the draws."""
    events = []
    for name in (*MADE_AGAIN, *(() if run.setting.own_machines else MOVED)):
        what = "The tune is made again" if name in MADE_AGAIN else "The model is retired: the prompt moves to the next"
        for at in _times(run.steps[name], months):
            events.append(Event(month=at, approach=name, what=f"{what} (middle of the draws)."))
    return events


def _times(step: Steps, months: int) -> list[float]:
    first, period = float(np.median(step.first)), float(np.median(step.period))
    if first > months:
        return []
    return [round(first + again * period, 1) for again in range(int((months - first) // period) + 1)]
