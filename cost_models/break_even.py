"""When the dearer start pays back, which approach is cheapest, and which input decides: all from the same draws."""

from __future__ import annotations

from itertools import permutations

import numpy as np

from core.answers import ApproachId
from cost_models.draws import Array
from cost_models.report import Bar, BreakEven, CheapestFlip, TornadoOf

PROMPTED: tuple[ApproachId, ...] = ("zero_shot", "few_shot", "rag")
TUNED: tuple[ApproachId, ...] = ("ft_managed", "ft_self", "rag_plus_ft")
FIFTH = 5
BARS = 12
SLICES = 10
Totals = dict[ApproachId, Array]
"""Cumulative USD by approach, shape (draws, months + 1)."""


def break_even(totals: Totals) -> list[BreakEven]:
    """For each pair in which one starts dearer in the middle: from which month on it has cost less, for good.

    The crossing is where the straight line between two month ends meets zero.
    """
    starts = {name: float(np.median(total[:, 0])) for name, total in totals.items()}
    pairs = [(a, b) for a, b in permutations(totals, 2) if starts[a] > starts[b]]
    return [_pair(a, b, totals[a] - totals[b]) for a, b in pairs]


def crossing_month(difference: Array) -> Array:
    """First month from which `difference` (draws, months + 1) stays at or below zero; inf where it does not."""
    above = difference > 0
    months = difference.shape[1]
    last_above = np.where(above.any(axis=1), months - 1 - np.argmax(above[:, ::-1], axis=1), -1)
    never = last_above == months - 1
    before = np.clip(last_above, 0, months - 2)
    rows = np.arange(difference.shape[0])
    high, low = difference[rows, before], difference[rows, before + 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(high > low, high / (high - low), 0.0)
    month = np.where(last_above < 0, 0.0, before + np.clip(part, 0.0, 1.0))
    return np.where(never, np.inf, month)


def crossing_band(difference: Array) -> tuple[float | None, float | None, float | None, float]:
    """P10, P50 and P90 of the month from which `difference` (draws, months + 1) stays at or below zero, and the share
    of draws in which it never does."""
    month = crossing_month(difference)
    low, likely, high = np.quantile(month, [0.1, 0.5, 0.9], method="inverted_cdf")
    return _finite(low), _finite(likely), _finite(high), round(float(np.isinf(month).mean()), 3)


def _pair(cheaper: ApproachId, than: ApproachId, difference: Array) -> BreakEven:
    low, likely, high, never = crossing_band(difference)
    return BreakEven(cheaper=cheaper, than=than, month_p10=low, month_p50=likely, month_p90=high, never=never)


def _finite(value: float) -> float | None:
    return round(float(value), 1) if np.isfinite(value) else None


def cheapest_share(totals: Totals) -> dict[ApproachId, list[float]]:
    """Share of the draws in which each approach has cost least, by month. Equal costs count for the simpler one."""
    winner = np.argmin(np.stack(list(totals.values())), axis=0)
    return {name: (winner == place).mean(axis=0).round(3).tolist() for place, name in enumerate(totals)}


def tornado(at_end: dict[ApproachId, Array], x: dict[str, Array]) -> tuple[TornadoOf, list[Bar]]:
    """What moves the difference between the cheapest tune and the cheapest prompting most.

    Approaches that are not in `at_end` are not weighed. For each input: the mean difference in the fifth of the draws
    where it is lowest, and where it is highest.
    """

    def cheapest(names: tuple[ApproachId, ...]) -> ApproachId:
        return min((name for name in names if name in at_end), key=lambda name: float(np.median(at_end[name])))

    tuned, prompted = cheapest(TUNED), cheapest(PROMPTED)
    difference = at_end[tuned] - at_end[prompted]
    fifth = max(1, difference.size // FIFTH)
    bars = []
    for name, values in x.items():
        if values.min() == values.max():
            continue
        order = np.argsort(values)
        low, high = difference[order[:fifth]].mean(), difference[order[-fifth:]].mean()
        bars.append(Bar(input=name, low_usd=round(float(low), 2), high_usd=round(float(high), 2)))
    bars.sort(key=lambda bar: -abs(bar.high_usd - bar.low_usd))
    middle = round(float(np.median(difference)), 2)
    return TornadoOf(tuned=tuned, prompted=prompted, usd_p50=middle), bars[:BARS]


def cheapest_flip(at_end: dict[ApproachId, Array], x: dict[str, Array]) -> CheapestFlip | None:
    """The one input that decides which approach is cheapest, and the value at which another one takes over.

    The draws are sorted by the input and cut into ten slices; in each the approach with the lowest mean cost is looked
    for. The input whose change of winner lies nearest to its middle is named; None where no input changes the winner.
    """
    names = list(at_end)
    ends = np.stack([at_end[name] for name in names])
    width = ends.shape[1] // SLICES
    if not width:
        return None
    now = names[int(np.argmin(np.median(ends, axis=1)))]
    nearest: tuple[float, CheapestFlip] | None = None
    for name, values in x.items():
        if values.min() == values.max():
            continue
        order = np.argsort(values)[: width * SLICES]
        means = ends[:, order].reshape(len(names), SLICES, width).mean(axis=2)
        winners = np.argmin(means, axis=0)
        middle = (SLICES - 1) / 2
        for place in np.flatnonzero(winners != names.index(now)):
            distance = abs(place - middle)
            # The edge of the slice that lies nearer to the middle is where the winner changes.
            edge = order[place * width] if place > middle else order[(place + 1) * width - 1]
            found = CheapestFlip(
                input=name,
                value=float(values[edge]),
                middle=float(np.median(values)),
                above=bool(place > middle),
                now=now,
                then=names[int(winners[place])],
            )
            if nearest is None or distance < nearest[0]:
                nearest = distance, found
    return nearest[1] if nearest else None
