"""The draws of every approach's bill, month by month: curves, break-even points and advice are read off them.

Arrays have shape (draws,) or (draws, months + 1); all money is USD. Month 0 is what is paid at the start, month 1 is
paid at today's prices and volume.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from core.answers import APPROACHES, Answers, ApproachId
from core.errors import NotFound, Problem, ProblemsFound
from cost_models.draws import Array, draw
from cost_models.encoder import encoder_fits, encoder_tuning
from cost_models.facts import Assumption, Defaults, cost_facts
from cost_models.inputs import resolve, with_lengths
from cost_models.managed import choose_host, retirement_month
from cost_models.options import Choice, CostOptions
from cost_models.prices import PriceBook
from cost_models.terms import Setting, Steps, Term, Terms, terms_of

PREFIX_OF = {"serving_gpu": "gpu.", "training_gpu": "gpu.", "embedding": "embedding.", "vector_store": "rag."}
LAST_PART = {"api_model": ".input", "managed": ".training"}
"""Choices that name several rows: the part that must exist behind the name."""


@dataclass(frozen=True)
class Simulation:
    """One run of the draws."""

    x: dict[str, Array]
    """Inputs by id, shape (draws,)."""
    assumptions: list[Assumption]
    setting: Setting
    terms: dict[ApproachId, Terms]
    steps: dict[ApproachId, Steps]
    flows: dict[ApproachId, Array]
    """USD paid in each month, discounted, shape (draws, months + 1)."""
    prices_used: list[str]
    host: str
    encoder: bool
    """True where `ft_self` is a small encoder."""

    @property
    def totals(self) -> dict[ApproachId, Array]:
        """USD spent by the end of each month, shape (draws, months + 1)."""
        return {name: np.cumsum(flow, axis=1) for name, flow in self.flows.items()}

    def at_end(self) -> dict[ApproachId, Array]:
        """USD spent by the horizon, shape (draws,)."""
        return {name: flow.sum(axis=1) for name, flow in self.flows.items()}


def simulate(
    answers: Answers,
    *,
    today: date,
    overrides: dict[str, float] | None = None,
    options: CostOptions | None = None,
    book: PriceBook | None = None,
) -> Simulation:
    """Draw every input and work out every bill.

    Raises `ProblemsFound` for overrides and choices that are none, all at once.
    """
    options = options or CostOptions()
    book = book or PriceBook.load(overrides, today)
    assumptions = with_lengths(resolve(answers), options.lengths)
    x = draw(assumptions, options.draws, options.seed)
    defaults = chosen(cost_facts().defaults, options.choices, book)
    host = options.choices.get("managed") or choose_host(book, defaults.managed, today)
    used: dict[str, None] = {}
    setting = Setting(
        x=x,
        usd=_remember(book, used),
        book=book,
        defaults=defaults,
        managed=host,
        own_machines=answers.privacy == "strict",
        months=np.arange(options.months + 1, dtype=np.float64),
        volume_growth=options.volume_growth,
        batch_share=options.batch_share,
    )
    terms = terms_of(setting)
    encoder = encoder_fits(answers)
    if encoder:
        terms["ft_self"] = encoder_tuning(setting)
    steps = _steps(x, retirement_month(book, host, today))
    drift = {} if options.hold_prices else _drift(setting)
    discount = (1 + options.discount_rate) ** (-setting.months / 12)
    flows = {name: _flow(terms[name], steps[name], setting, drift) * discount for name in APPROACHES}
    return Simulation(
        x=x,
        assumptions=assumptions,
        setting=setting,
        terms=terms,
        steps=steps,
        flows=flows,
        prices_used=list(used),
        host=host,
        encoder=encoder,
    )


def chosen(defaults: Defaults, choices: Mapping[Choice, str], book: PriceBook) -> Defaults:
    """The price rows to take. Raises `ProblemsFound` for rows that the book does not have, all at once."""
    problems = []
    changes: dict[str, object] = {}
    for choice, name in choices.items():
        item = {"api_model": f"api.{name}"}.get(choice, name) + LAST_PART.get(choice, "")
        try:
            book.row(item)
            known = item.startswith(PREFIX_OF.get(choice, ""))
        except NotFound:
            known = False
        if not known:
            what = f"`{choice}` names no price that we have (got {name!r:.60})."
            problems.append(Problem(what=what, where=f"choices.{choice}", hint="`tuneworthy prices` lists the items."))
        changes[choice] = [name] if choice == "managed" else name
        if choice == "serving_gpu":
            changes["encoder_gpu"] = name
    if problems:
        raise ProblemsFound(problems)
    return defaults.model_copy(update=changes)


def _remember(book: PriceBook, used: dict[str, None]) -> Callable[[str], float]:
    def usd(item: str) -> float:
        used[item] = None
        return book.usd(item)

    return usd


def _steps(x: dict[str, Array], retires_in: float | None) -> dict[ApproachId, Steps]:
    """When something is done again: a prompt moves to the next model when its own retires; a managed tune is made anew
    when its base retires or it has gone stale; a self-hosted one when it has gone stale."""
    refresh, life = x["refresh_months"], x["lifetime_months"]
    first = life if retires_in is None else np.full_like(life, retires_in)
    move, own = Steps(first=life, period=life), Steps(first=refresh, period=refresh)
    return {
        "zero_shot": move,
        "few_shot": move,
        "rag": move,
        "ft_managed": Steps(first=np.minimum(first, refresh), period=np.minimum(life, refresh)),
        "ft_self": own,
        "rag_plus_ft": own,
        "from_scratch": own,
    }


def _drift(s: Setting) -> dict[str, Array]:
    """Factor on token prices and on card prices, shape (draws, months + 1), by what a term follows."""
    years = np.maximum(s.months - 1, 0) / 12
    return {
        follows: np.exp(np.log1p(s.x[name])[:, None] * years)
        for follows, name in (("tokens", "api_price_change"), ("cards", "gpu_price_change"))
    }


def _flow(terms: Terms, steps: Steps, s: Setting, drift: dict[str, Array]) -> Array:
    """USD paid in each month, shape (draws, months + 1)."""
    draws = s.x["volume_per_month"].size
    flow = np.zeros((draws, s.months.size))
    for follows in ("", "calls", "tokens", "cards"):
        monthly = total([term.monthly for term in terms.values() if term.follows == follows])
        if monthly is None:
            continue
        part = monthly if monthly.ndim == 2 else monthly[:, None]
        if follows in ("calls", "tokens") and s.volume_growth:
            part = part * s.growth
        flow += part * drift[follows] if follows in drift else part
    upfront = total([term.upfront for term in terms.values()])
    flow[:, 0] = 0.0 if upfront is None else upfront
    again = total([term.step for term in terms.values()])
    if again is not None and again.any():
        flow[:, 1:] += np.diff(steps.count(s.months), axis=1) * again[:, None]
    return flow


def total(parts: list[Array | float]) -> Array | None:
    """The sum of the parts, each (1,), (draws,) or (draws, months + 1); None where there is none."""
    if not parts:
        return None
    found = np.asarray(parts[0], dtype=np.float64)
    for part in parts[1:]:
        other = np.asarray(part, dtype=np.float64)
        if found.ndim != other.ndim and 2 in (found.ndim, other.ndim):
            found = found if found.ndim == 2 else np.atleast_1d(found)[:, None]
            other = other if other.ndim == 2 else np.atleast_1d(other)[:, None]
        found = found + other
    return np.atleast_1d(found)


def upfront_usd(terms: Terms) -> Array:
    """What is paid at the start, shape (draws,) or (1,)."""
    found = total([term.upfront for term in terms.values()])
    return np.zeros(1) if found is None else found


def first_month_usd(terms: Terms, names: tuple[str, ...] | None = None) -> Array:
    """What the first month costs, all terms or those named, shape (draws,) or (1,)."""
    parts = [first_month(term) for name, term in terms.items() if names is None or name in names]
    found = total(list(parts))
    return np.zeros(1) if found is None else found


def first_month(term: Term) -> Array:
    """What a term costs in the first month, shape (draws,) or (1,)."""
    monthly = np.atleast_1d(np.asarray(term.monthly, dtype=np.float64))
    return monthly[:, 1] if monthly.ndim == 2 else monthly
