"""The chart of the cost curves: lines, the doubt of one, break-even points with their band, and dated events."""

from __future__ import annotations

import math
from collections.abc import Collection
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from app_pages.answer_view import SHORT, name_of
from core.answers import ApproachId
from cost_models.managed import DAYS_PER_MONTH
from cost_models.report import BreakEven, CostReport

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

SHOWN: tuple[ApproachId, ...] = ("zero_shot", "few_shot", "rag", "ft_managed", "ft_self", "rag_plus_ft")
DASHES = ("solid", "dot", "dash", "dashdot", "longdash", "longdashdot")
GREY = "rgba(128, 134, 139, 0.9)"
BAND = "rgba(128, 134, 139, 0.20)"
FAINT = 0.35
PRESENT = "present"
CROWDED_MONTHS = 1.0
LABEL_GAP = 0.062
"""Least distance of two labels, as a share of the chart's height."""
Lines = dict[str, list[float]]


def figure(
    report: CostReport,
    band_of: ApproachId,
    recommended: str,
    *,
    ruled_out: Collection[str] = (),
    log: bool = False,
    monthly: bool = False,
) -> Figure:
    """Middle cost of each approach by month, the doubt of one, break-even points with the band of the one that counts
    most, doing nothing where it was named, and dates as vertical lines. `monthly`: what each month adds, lines only.
    What is ruled out is drawn faintly and has no break-even points.

    The lines carry no colour of their own: they take the theme's in order, so that light and dark both read well.
    """
    import plotly.graph_objects as go
    import streamlit.elements.plotly_chart  # noqa: F401  registers the template whose colours follow the theme

    floor = 1.0 if log else 0.0
    lines = lines_of(report, monthly=monthly)
    months = report.months[1:] if monthly else report.months
    chart = go.Figure()
    for place, name in enumerate(SHOWN):
        chart.add_scatter(
            x=months,
            y=[max(value, floor) for value in lines[name]],
            name=name_of(name),
            mode="lines",
            line={"dash": DASHES[place], "width": 4 if name == recommended else 2},
            opacity=FAINT if name in ruled_out else 1.0,
            hovertemplate="%{y:$,.0f}<extra>" + SHORT[name] + "</extra>",
        )
    if PRESENT in lines:
        chart.add_scatter(
            x=months, y=[max(value, floor) for value in lines[PRESENT]], name="As today", mode="lines",
            line={"color": GREY, "width": 2}, hovertemplate="%{y:$,.0f}<extra>As today</extra>",
        )  # fmt: skip
    _dates(chart, report, months, floor)
    top = max(max(line) for line in lines.values())
    if not monthly:
        _band(chart, report, band_of, floor)
        _break_even_band(chart, report, recommended, ruled_out)
        _points(chart, report, floor, ruled_out)
        top = max(top, report.curves[band_of].p90[-1])
    top = max(top, 1.0)
    _events(chart, report)
    _labels(chart, lines, recommended, top, log)
    end = report.months[-1]
    chart.update_layout(
        height=460,
        template="streamlit",
        margin={"l": 10, "r": 126, "t": 28, "b": 10},
        showlegend=False,
        hovermode="x unified",
        xaxis={"title": "Months from today", "range": [0, end], "dtick": 3 if end > 12 else 1},
        yaxis={"tickprefix": "$", "tickformat": "~s", "type": "log" if log else "linear"},
    )
    if not log:
        chart.update_yaxes(range=[0, top * 1.06])
    return chart


def lines_of(report: CostReport, *, monthly: bool = False) -> Lines:
    """The middle curve of each approach that is drawn, and of doing nothing if it was named; or what a month adds."""
    curves: Lines = {name: report.curves[name].p50 for name in SHOWN}
    if report.present is not None:
        curves[PRESENT] = report.present.p50
    if not monthly:
        return curves
    return {name: [after - before for before, after in pairwise(line)] for name, line in curves.items()}


def _dates(chart: Figure, report: CostReport, months: list[int], floor: float) -> None:
    """An unseen line that brings the date into what hovering shows."""
    days = [report.today + timedelta(days=month * DAYS_PER_MONTH) for month in months]
    chart.add_scatter(
        x=months, y=[floor] * len(months), mode="lines", line={"width": 0}, opacity=0, name="date",
        text=[f"{day:%B %Y}" for day in days], hovertemplate="<b>%{text}</b><extra></extra>",
    )  # fmt: skip


def _band(chart: Figure, report: CostReport, band_of: ApproachId, floor: float) -> None:
    """Where eight of ten draws of one approach lie."""
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


def crossings(report: CostReport, ruled_out: Collection[str] = ()) -> list[BreakEven]:
    """Break-even points inside the chart, the earliest first; none at the start, none of what is ruled out."""
    shown = set(SHOWN) - set(ruled_out)
    found = [
        point
        for point in report.break_even
        if point.month_p50 is not None and point.month_p50 > 0 and {point.cheaper, point.than} <= shown
    ]
    return sorted(found, key=lambda point: point.month_p50 or 0)


def decisive(report: CostReport, recommended: str, ruled_out: Collection[str] = ()) -> BreakEven | None:
    """The break-even point that counts most: the first one of the recommended approach, else the first of all."""
    found = crossings(report, ruled_out)
    own = [point for point in found if recommended in (point.cheaper, point.than)]
    return next(iter(own or found), None)


def _break_even_band(chart: Figure, report: CostReport, recommended: str, ruled_out: Collection[str]) -> None:
    """Where eight of ten draws have the break-even point that counts most."""
    point = decisive(report, recommended, ruled_out)
    if point is None:
        return
    end = report.months[-1] if point.month_p90 is None else point.month_p90
    chart.add_vrect(
        x0=point.month_p10 or 0,
        x1=end,
        fillcolor=BAND,
        opacity=0.5,
        line_width=0,
        layer="below",
        annotation={"text": "break-even", "font": {"size": 11, "color": GREY}},
        annotation_position="top right",
    )


def _points(chart: Figure, report: CostReport, floor: float, ruled_out: Collection[str]) -> None:
    points = crossings(report, ruled_out)
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


def _labels(chart: Figure, lines: Lines, recommended: str, top: float, log: bool) -> None:
    """Names at the ends of the lines, pushed apart where they would lie on each other."""
    ends = {name: max(line[-1], 1.0) for name, line in lines.items()}
    if log:
        starts = [max(line[0], 1.0) for line in lines.values()]
        low, high = math.log10(min(starts)), math.log10(max(top, min(starts) * 10))
        places = {name: (math.log10(end) - low) / (high - low) for name, end in ends.items()}
    else:
        places = {name: end / (top * 1.06) for name, end in ends.items()}
    for name, place in spread(places).items():
        label = "As today" if name == PRESENT else SHORT[name]
        chart.add_annotation(
            xref="paper", yref="paper", x=1.0, y=place, xanchor="left", yanchor="middle", xshift=6,
            text=f"<b>{label}</b>" if name == recommended else label, showarrow=False, font={"size": 13},
        )  # fmt: skip


def spread(places: dict[str, float], gap: float = LABEL_GAP) -> dict[str, float]:
    """Places between 0 and 1 moved apart to at least `gap`, in the same order."""
    order = sorted(places, key=lambda name: places[name])
    moved: dict[str, float] = {}
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
