"""The cumulative cost curves: a chart, the break-even points in words, and the prices behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from app_pages.answer_view import SHORT, in_sentence, name_of
from core.answers import APPROACHES, ApproachId
from cost_models.report import BreakEven, CostReport

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

SHOWN: tuple[ApproachId, ...] = ("zero_shot", "few_shot", "rag", "ft_managed", "ft_self", "rag_plus_ft")
DASHES = ("solid", "dot", "dash", "dashdot", "longdash", "longdashdot")
GREY = "rgba(128, 134, 139, 0.9)"
BAND = "rgba(128, 134, 139, 0.20)"
CROWDED_MONTHS = 1.0
LABEL_GAP = 0.062
"""Least distance of two labels, as a share of the chart's height."""


def figure(report: CostReport, band_of: ApproachId, recommended: str, log: bool) -> Figure:
    """Middle cost of each approach by month, the doubt of one, break-even points, and dates as vertical lines.

    The lines carry no colour of their own: they take the theme's in order, so that light and dark both read well.
    """
    import plotly.graph_objects as go
    import streamlit.elements.plotly_chart  # noqa: F401  registers the template whose colours follow the theme

    floor = 1.0 if log else 0.0
    chart = go.Figure()
    for place, name in enumerate(SHOWN):
        values = [max(value, floor) for value in report.curves[name].p50]
        chart.add_scatter(
            x=report.months,
            y=values,
            name=name_of(name),
            mode="lines",
            line={"dash": DASHES[place], "width": 4 if name == recommended else 2},
            hovertemplate="%{y:$,.0f}<extra>" + SHORT[name] + "</extra>",
        )
    band = report.curves[band_of]
    chart.add_scatter(
        x=[*report.months, *reversed(report.months)],
        y=[max(value, floor) for value in [*band.p90, *reversed(band.p10)]],
        fill="toself",
        fillcolor=BAND,
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        name="band",
    )
    _points(chart, report, floor)
    ends = [report.curves[name].p50[-1] for name in SHOWN]
    top = max(*ends, report.curves[band_of].p90[-1], 1.0)
    _events(chart, report)
    _labels(chart, report, recommended, top, log)
    months = report.months[-1]
    chart.update_layout(
        height=460,
        template="streamlit",
        margin={"l": 10, "r": 126, "t": 28, "b": 10},
        showlegend=False,
        hovermode="x unified",
        xaxis={"title": "Months from today", "range": [0, months], "dtick": 3 if months > 12 else 1},
        yaxis={"tickprefix": "$", "tickformat": "~s", "type": "log" if log else "linear"},
    )
    if not log:
        chart.update_yaxes(range=[0, top * 1.06])
    return chart


def crossings(report: CostReport) -> list[BreakEven]:
    """Break-even points inside the chart, the earliest first; one at the start is none."""
    found = [
        point
        for point in report.break_even
        if point.month_p50 is not None and point.month_p50 > 0 and {point.cheaper, point.than} <= set(SHOWN)
    ]
    return sorted(found, key=lambda point: point.month_p50 or 0)


def _points(chart: Figure, report: CostReport, floor: float) -> None:
    points = crossings(report)
    if not points:
        return
    chart.add_scatter(
        x=[point.month_p50 for point in points],
        y=[max(_at(report, point.cheaper, point.month_p50 or 0), floor) for point in points],
        mode="markers",
        name="Break-even",
        marker={"size": 12, "symbol": "diamond-open", "color": GREY, "line": {"width": 2.5}},
        hovertemplate="Break-even: %{text}<extra></extra>",
        text=[f"{SHORT[point.cheaper]} undercuts {SHORT[point.than]}" for point in points],
    )


def _at(report: CostReport, name: ApproachId, month: float) -> float:
    curve, before = report.curves[name].p50, int(month)
    after = min(before + 1, len(curve) - 1)
    return curve[before] + (curve[after] - curve[before]) * (month - before)


def _events(chart: Figure, report: CostReport) -> None:
    months = [month for month, _ in dated(report)]
    for place, month in enumerate(months):
        crowded_left = place > 0 and month - months[place - 1] < CROWDED_MONTHS
        crowded_right = place + 1 < len(months) and months[place + 1] - month < CROWDED_MONTHS
        side = "left" if crowded_left else "right" if crowded_right else "center"
        chart.add_vline(
            x=month,
            line={"dash": "dot", "width": 1.5, "color": GREY},
            annotation={"text": str(place + 1), "yref": "paper", "y": 1.0, "yanchor": "bottom", "xanchor": side},
        )


def dated(report: CostReport) -> list[tuple[float, str]]:
    """Retirements and closings within the horizon: (month, words). Those of one day stand together."""
    by_day: dict[str, tuple[float, list[str]]] = {}
    for event in report.events:
        if event.date:
            by_day.setdefault(event.date, (event.month, []))[1].append(event.what)
    return [(month, f"{day}: {' '.join(texts)}") for day, (month, texts) in sorted(by_day.items())]


def _labels(chart: Figure, report: CostReport, recommended: str, top: float, log: bool) -> None:
    """Names at the ends of the lines, pushed apart where they would lie on each other."""
    import math

    ends = {name: max(report.curves[name].p50[-1], 1.0) for name in SHOWN}
    if log:
        starts = [max(report.curves[name].p50[0], 1.0) for name in SHOWN]
        low, high = math.log10(min(starts)), math.log10(max(top, min(starts) * 10))
        places = {name: (math.log10(end) - low) / (high - low) for name, end in ends.items()}
    else:
        places = {name: end / (top * 1.06) for name, end in ends.items()}
    for name, place in spread(places).items():
        chart.add_annotation(
            xref="paper", yref="paper", x=1.0, y=place, xanchor="left", yanchor="middle", xshift=6,
            text=f"<b>{SHORT[name]}</b>" if name == recommended else SHORT[name], showarrow=False, font={"size": 13},
        )  # fmt: skip


def spread(places: dict[ApproachId, float], gap: float = LABEL_GAP) -> dict[ApproachId, float]:
    """Places between 0 and 1 moved apart to at least `gap`, in the same order."""
    order = sorted(places, key=lambda name: places[name])
    moved: dict[ApproachId, float] = {}
    for name in order:
        last = moved[order[len(moved) - 1]] if moved else -gap
        moved[name] = max(places[name], last + gap)
    limit = 1.0
    for name in reversed(order):
        moved[name] = min(moved[name], limit)
        limit = moved[name] - gap
    return moved


def alt_text(report: CostReport, recommended: str) -> str:
    """The chart in words."""
    ends = ", ".join(f"{name_of(name)} {report.curves[name].p50[-1]:,.0f} dollars" for name in SHOWN)
    return (
        f"Cumulative cost over {report.months[-1]} months. At the end, in the middle case: {ends}. "
        f"Recommended: {name_of(recommended)}."
    )


def show(report: CostReport, recommended: str) -> None:
    """The chart with its controls, and what it says in words."""
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    scale = left.segmented_control(
        "Scale", ["Linear", "Log"], default="Linear", required=True, key="advise.scale",
        help="Log shows approaches that are ten times apart side by side.",
    )  # fmt: skip
    names = list(SHOWN)
    first = names.index(recommended) if recommended in names else 0
    band_of = right.selectbox(
        "Doubt shown for", names, index=first, format_func=name_of, key=f"advise.band.{recommended}",
        help="The grey band: eight of ten draws of prices, volume and effort lie inside.",
    )  # fmt: skip
    st.plotly_chart(
        figure(report, band_of or "zero_shot", recommended, scale == "Log"),
        key="advise.curves",
        config={"displayModeBar": False},
        alt=alt_text(report, recommended),
    )
    st.markdown(words(report, recommended))


def words(report: CostReport, recommended: str) -> str:
    """Break-even points, dates and what is off the chart, as a list."""
    lines = []
    involved = [point for point in crossings(report) if recommended in (point.cheaper, point.than)]
    for point in (involved or crossings(report))[:4]:
        lines.append(f"**Break-even:** {_break_even(point, report.months[-1])}")
    if not crossings(report):
        cheapest = name_of(report.cheapest_approach())
        lines.append(f"**Break-even:** none in {report.months[-1]} months. {cheapest} costs least at the end.")
    for number, (_, text) in enumerate(dated(report), start=1):
        lines.append(f"**Line {number}**, {text}")
    scratch = report.curves["from_scratch"]
    lines.append(
        f"**Off the chart:** {in_sentence('from_scratch')} starts at about {money(scratch.p50[0])}. "
        "It is for those who build models for everybody."
    )
    return "\n".join(f"- {line}" for line in lines)


def _break_even(point: BreakEven, months: int) -> str:
    month = point.month_p50 or 0
    low = "the start" if not point.month_p10 else f"month {point.month_p10:.0f}"
    high = f"later than month {months}" if point.month_p90 is None else f"month {point.month_p90:.0f}"
    never = f"; in {point.never:.0%} not within {months} months" if point.never >= 0.01 else ""
    return (
        f"{name_of(point.cheaper)} has cost less than {in_sentence(point.than)} from month {month:.1f} on "
        f"(in eight of ten draws: {low} to {high}{never})."
    )


def money(usd: float) -> str:
    """Dollars as people say them, with the sign escaped for Markdown."""
    for size, word in ((1e9, "billion"), (1e6, "million")):
        if abs(usd) >= size:
            return f"\\${usd / size:,.1f} {word}"
    return f"\\${usd:,.0f}" if abs(usd) >= 10 or usd == 0 else f"\\${usd:,.2g}"


def table(report: CostReport) -> None:
    """The same figures as a table."""
    rows: list[dict[str, Any]] = []
    for name in APPROACHES:
        band = report.curves[name]
        row: dict[str, Any] = {"Approach": name_of(name), "At the start": report.upfront_usd[name]}
        row |= {f"Month {month}": band.p50[month] for month in (6, 12, 24) if month <= report.months[-1]}
        rows.append(row | {"Low (P10)": band.p10[-1], "High (P90)": band.p90[-1], "One call": report.call_usd[name]})
    dollars = st.column_config.NumberColumn(format="$%,.0f")
    columns = {key: dollars for key in rows[0] if key not in ("Approach", "One call")}
    columns["One call"] = st.column_config.NumberColumn(format="$%.5f")
    st.dataframe(
        rows, hide_index=True, column_config=columns, key="advise.costs", alt="Cumulative cost by approach in dollars."
    )
    st.caption(
        f"Dollars, cumulative, middle of {report.draws:,} draws; P10 and P90 at month {report.months[-1]}. "
        + " ".join(report.not_counted)
    )
