"""The part of the memo that speaks of money: figures, curves, break-even, what moves them, and prices."""

from __future__ import annotations

from advisor.memo import Chart, Figure, Line, Mark, Moves, Price
from advisor.memo_words import day, in_sentence, name_of, number, price, usd
from core.answers import APPROACHES, ApproachId
from cost_models.encoder import ENCODER_COUNTED
from cost_models.facts import Assumption
from cost_models.prices import OVERRIDE_SOURCE
from cost_models.report import BreakEven, CostReport, Payback

OFF_THE_CHART = "from_scratch"
"""A hundred times dearer than the others: with it on the chart they would be one line."""
FAR_ABOVE = 4.0
"""Times the second highest line from which the highest is left off the chart."""
MOST_MARKS = 3
SIGNS = "ABC"
SURELY = 0.995


def figures(report: CostReport, best: ApproachId) -> list[Figure]:
    """What it takes to start, to go on, and how sure the total is."""
    band, months = report.curves[best], report.months[-1]
    call = report.call_usd.get(best)
    shares = report.cheapest.get(best, [0.0])
    return [
        Figure(label="To start", value=usd(report.upfront_usd[best]), note="one-off, middle of the draws"),
        Figure(
            label="Every month",
            value=usd(report.monthly_usd[best]),
            note="below one call a month" if call is None else f"{usd(call)} a call",
        ),
        Figure(
            label=f"Over {months} months",
            value=usd(band.p50[-1]),
            note=f"8 in 10: {usd(band.p10[-1])} to {usd(band.p90[-1])}",
        ),
        Figure(label="Chance to cost least", value=_percent(shares[-1]), note=f"of all approaches, month {months}"),
    ]


def chart(report: CostReport, best: ApproachId) -> Chart:
    """The curves of all approaches that fit on one chart."""
    names = drawn(report, best)
    points = crossings(report, names, best)
    lines = [Line(name=name_of(name), usd=report.curves[name].p50, recommended=name == best) for name in names]
    nothing = [Line(name="Doing nothing", usd=report.present.p50)] if report.present else []
    return Chart(
        months=report.months,
        lines=[*lines, *nothing],
        low=report.curves[best].p10,
        high=report.curves[best].p90,
        break_even=[
            Mark(
                month=point.month_p50 or 0,
                usd=_at(report.curves[point.cheaper].p50, point.month_p50 or 0),
                sign=sign,
                says=_break_even(point, report.months[-1]),
            )
            for sign, point in zip(SIGNS, points, strict=False)
        ],
        dates=_dates(report),
    )


def drawn(report: CostReport, best: ApproachId) -> list[ApproachId]:
    """The approaches on the chart: without from scratch, and without one that would press all others to the floor."""
    names = [name for name in APPROACHES if name in report.curves and (name != OFF_THE_CHART or name == best)]
    ends = sorted(report.curves[name].p50[-1] for name in names)
    low = ends[-1] if ends[-1] <= FAR_ABOVE * ends[-2] else ends[-2]
    return [name for name in names if name == best or report.curves[name].p50[-1] <= low]


def crossings(report: CostReport, names: list[ApproachId], best: ApproachId) -> list[BreakEven]:
    """Break-even points of the recommended approach inside the horizon, the earliest first."""
    found = [
        point
        for point in report.break_even
        if point.month_p50 and best in (point.cheaper, point.than) and {point.cheaper, point.than} <= set(names)
    ]
    return sorted(found, key=lambda point: point.month_p50 or 0)[:MOST_MARKS]


def cost_words(report: CostReport, best: ApproachId) -> list[str]:
    """What the chart does not say: where nothing crosses, what is off it, and whose machines are counted."""
    names = drawn(report, best)
    months = report.months[-1]
    said = []
    if not crossings(report, names, best):
        said.append(
            f"Break-even: the line of {in_sentence(best)} meets that of no other approach within {months} months."
        )
    for payback in report.payback:
        if payback.approach == best:
            said.append(_payback(payback, months))
    absent = [f"{in_sentence(name)} ({usd(band.p50[-1])})" for name, band in report.curves.items() if name not in names]
    if absent:
        said.append(f"Not drawn, far above the others: {' and '.join(absent)}.")
    if report.own_machines:
        said.append("As no data may leave, prompting and RAG are counted on a card of your own.")
    if "small_encoder" in report.variants.values():
        said.append(f"{ENCODER_COUNTED}.")
    return said


def cost_flips(report: CostReport) -> list[str]:
    """The one input whose value changes which approach costs least."""
    flip = report.flip
    if flip is None:
        return []
    entry = next((entry for entry in report.assumptions if entry.id == flip.input), None)
    says, unit = (entry.says, entry.unit) if entry else (flip.input.replace("_", " "), "")
    side = "above" if flip.above else "below"
    return [
        f"On cost: {says} {side} {number(flip.value)} {unit} (counted with {number(flip.middle)}), then "
        f"{in_sentence(flip.then)} costs least instead of {in_sentence(flip.now)}."
    ]


def tornado_about(report: CostReport) -> str:
    """Which difference the tornado is about."""
    pair = report.tornado_of
    return (
        f"{name_of(pair.tuned)} less {in_sentence(pair.prompted)}, the cheapest tune less the cheapest prompting, is "
        f"{usd(pair.usd_p50)} after {report.months[-1]} months in the middle of {report.draws:,} draws. The same where "
        "one input lies in the lowest, and in the highest fifth of what it may be:"
    )


def tornado(report: CostReport) -> list[Moves]:
    """The inputs that move that difference, the strongest first."""
    known = {entry.id: entry for entry in report.assumptions}
    return [
        Moves(
            says=known[bar.input].says if bar.input in known else bar.input.replace("_", " "),
            between=_between(known.get(bar.input)),
            lowest=usd(bar.low_usd),
            highest=usd(bar.high_usd),
        )
        for bar in report.tornado
    ]


def prices(rows: list[dict[str, object]]) -> list[Price]:
    """Rows of the price book as a plan or a report holds them."""
    return [
        Price(
            label=str(row.get("label") or row.get("item")),
            amount=price(float(str(row["amount"])), str(row.get("unit", ""))),
            since=day(row.get("valid_from", "")),
            checked=day(row.get("checked", "")),
            source="Own figure" if row.get("source") == OVERRIDE_SOURCE else str(row.get("source", "")),
        )
        for row in rows
        if row.get("amount") is not None
    ]


def _percent(share: float) -> str:
    """A share in words that claim no more than the draws can show."""
    return "under 1 %" if share < 1 - SURELY else "over 99 %" if share > SURELY else f"{share * 100:.0f} %"


def _between(entry: Assumption | None) -> str:
    if entry is None:
        return ""
    low, likely, high = number(entry.low), number(entry.likely), number(entry.high)
    likely = f"{likely} {entry.unit}" if entry.unit != f"{low} to {high}" else likely
    return f"{likely} ({low} to {high})" if low != high else likely


def _at(curve: list[float], month: float) -> float:
    before = min(int(month), len(curve) - 1)
    after = min(before + 1, len(curve) - 1)
    return curve[before] + (curve[after] - curve[before]) * (month - before)


def _break_even(point: BreakEven, months: int) -> str:
    return f"{name_of(point.cheaper)} has cost less than {in_sentence(point.than)} {_from(point, months)}."


def _payback(point: Payback, months: int) -> str:
    name = name_of(point.approach)
    if point.month_p50 is None:
        never = _percent(point.never)
        return f"{name} does not pay back against doing nothing within {months} months, in {never} of the draws."
    return f"{name} has cost less than doing nothing {_from(point, months)}."


def _from(point: BreakEven | Payback, months: int) -> str:
    """`from month 7 on (8 in 10: month 4 to later than month 24; 12 % of the draws not within 24 months)`."""
    low, high = _month(point.month_p10, months), _month(point.month_p90, months)
    never = f"; {_percent(point.never)} of the draws not within {months} months" if point.never else ""
    return f"from {_month(point.month_p50, months)} on (8 in 10: {low} to {high}{never})"


def _month(month: float | None, months: int) -> str:
    if month is None:
        return f"later than month {months}"
    return "the start" if month < 0.05 else f"month {month:.1f}" if month < 6 else f"month {month:.0f}"


def _dates(report: CostReport) -> list[Mark]:
    """Closings and retirements, numbered; those of one day stand together."""
    by_day: dict[str, tuple[float, list[str]]] = {}
    for event in report.events:
        if event.date:
            by_day.setdefault(event.date, (event.month, []))[1].append(event.what)
    return [
        Mark(month=month, sign=str(number), says=f"{day(when)}: {' '.join(texts)}")
        for number, (when, (month, texts)) in enumerate(sorted(by_day.items()), start=1)
    ]
