"""The cumulative cost curves: a chart, the break-even points in words, and the same as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection
from functools import partial
from typing import Any

import streamlit as st

from app_pages.answer_view import in_sentence, name_of
from app_pages.cost_figure import SHOWN, alt_text, crossings, dated, figure
from core.answers import APPROACHES
from cost_models.encoder import ENCODER_COUNTED
from cost_models.report import BreakEven, CostReport

VIEWS = ("Cumulative", "Per month")
PICTURE = {
    "displayModeBar": True,
    "displaylogo": False,
    "modeBarButtons": [["toImage"]],
    "toImageButtonOptions": {"format": "png", "filename": "tuneworthy-cost", "scale": 2},
}
"""One button: the chart as a picture."""


def show(report: CostReport, recommended: str, ruled_out: Collection[str] = ()) -> None:
    """The chart with its controls, and what it says in words. What is `ruled_out` breaks even with nothing."""
    a, b, c = st.columns([2, 2, 3], vertical_alignment="bottom")
    view = a.segmented_control("View", list(VIEWS), default=VIEWS[0], required=True, key="advise.view")
    scale = b.segmented_control(
        "Scale", ["Linear", "Log"], default="Linear", required=True, key="advise.scale",
        help="Log shows approaches that are ten times apart side by side.",
    )  # fmt: skip
    names = list(SHOWN)
    first = names.index(recommended) if recommended in names else 0
    band_of = c.selectbox(
        "Doubt shown for", names, index=first, format_func=name_of, key=f"advise.band.{recommended}",
        help="The grey band: eight of ten draws of prices, volume and effort lie inside.",
        disabled=view != VIEWS[0],
    )  # fmt: skip
    chart = figure(
        report, band_of or "zero_shot", recommended, ruled_out=ruled_out, log=scale == "Log", monthly=view != VIEWS[0]
    )
    st.plotly_chart(chart, key="advise.curves", config=PICTURE, alt=alt_text(report, recommended))
    st.markdown(words(report, recommended, ruled_out))


def words(report: CostReport, recommended: str, ruled_out: Collection[str] = ()) -> str:
    """Break-even points, dates and what is off the chart, as a list."""
    lines = []
    found = crossings(report, ruled_out)
    involved = [point for point in found if recommended in (point.cheaper, point.than)]
    for point in (involved or found)[:4]:
        lines.append(f"**Break-even:** {_break_even(point, report.months[-1])}")
    if not found:
        open_ = [name for name in report.curves if name not in ruled_out]
        cheapest = name_of(min(open_, key=lambda name: report.curves[name].p50[-1]))
        lines.append(f"**Break-even:** none in {report.months[-1]} months. {cheapest} costs least from start to end.")
    else:
        lines.append(f"**Least cost:** {_least(report, ruled_out)}")
    if report.payback:
        lines.append(f"**Against today's cost:** {_payback(report, recommended)}")
    for number, (_, text) in enumerate(dated(report), start=1):
        lines.append(f"**Line {number}**, {text}")
    if "small_encoder" in report.variants.values():
        lines.append(f"**Counted:** {ENCODER_COUNTED[0].lower()}{ENCODER_COUNTED[1:]}.")
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
    never = f"; in {point.never * 100:.0f} % not within {months} months" if point.never >= 0.01 else ""
    return (
        f"{name_of(point.cheaper)} has cost less than {in_sentence(point.than)} from month {month:.1f} on "
        f"(in eight of ten draws: {low} to {high}{never})."
    )


def _least(report: CostReport, ruled_out: Collection[str]) -> str:
    """Which approach probably costs least at the horizon."""
    shares = sorted(((share[-1], name) for name, share in report.cheapest.items() if share[-1] >= 0.05), reverse=True)
    said = ", ".join(
        f"{in_sentence(name)}{' (ruled out)' if name in ruled_out else ''} in {share * 100:.0f} %"
        for share, name in shares
    )
    return f"after {report.months[-1]} months, {said} of the draws."


def _payback(report: CostReport, recommended: str) -> str:
    row = next(row for row in report.payback if row.approach == recommended)
    if row.month_p50 is None:
        return f"{in_sentence(recommended)} has not paid back within {report.months[-1]} months."
    never = f"; {row.never * 100:.0f} % of the draws not within {report.months[-1]} months" if row.never >= 0.01 else ""
    return f"{in_sentence(recommended)} has paid back from month {row.month_p50:.1f} on{never}."


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
    # Built when it is asked for: a file made anew at each answer is gone before the browser has looked at it.
    st.download_button(
        "Curves as CSV", partial(as_csv, report), file_name="tuneworthy-cost.csv", mime="text/csv",
        icon=":material/download:", key="advise.csv", on_click="ignore",
    )  # fmt: skip
    st.caption(
        f"Dollars, cumulative, middle of {report.draws:,} draws; P10 and P90 at month {report.months[-1]}. "
        + " ".join(report.not_counted)
    )


def as_csv(report: CostReport) -> str:
    """Cumulative dollars by month and approach: P10, P50 and P90."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    bands = report.curves | ({"present": report.present} if report.present else {})
    writer.writerow(["month", *(f"{name}_{part}_usd" for name in bands for part in ("p10", "p50", "p90"))])
    for month in report.months:
        cells = [value for band in bands.values() for value in (band.p10[month], band.p50[month], band.p90[month])]
        writer.writerow([month, *cells])
    return out.getvalue()
