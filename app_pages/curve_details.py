"""What the curves rest on: what moves them, the bill by term, the assumptions, and what better answers are worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from app_pages.answer_view import in_sentence, name_of
from app_pages.curves_view import money
from cost_models.facts import Assumption
from cost_models.report import CostReport, Worth

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

BARS_SHOWN = 8
KNOWN = {
    "answered": "your answer", "read": "read", "abstract": "abstract only", "memory": "from memory",
    "measured": "measured", "judgement": "our judgement",
}  # fmt: skip


def show(report: CostReport) -> None:
    """A tab for each."""
    moved, bill, assumed, gain = st.tabs(
        ["What moves it", "The bill by part", "Assumptions", "What better answers are worth"], key="advise.rests.tabs"
    )
    with moved:
        moves(report)
    with bill:
        parts(report)
    with assumed:
        assumptions(report)
    with gain:
        worth(report)


def moves(report: CostReport) -> None:
    """The tornado, and the one input that decides which approach is cheapest."""
    pair = report.tornado_of
    st.caption(
        f"Cost of {in_sentence(pair.tuned)} less that of {in_sentence(pair.prompted)} after "
        f"{report.months[-1]} months, {money(pair.usd_p50)} in the middle. Each bar: the mean where the input is in "
        "its lowest fifth of the draws, and in its highest."
    )
    st.plotly_chart(
        tornado(report), key="advise.tornado", config={"displayModeBar": False},
        alt="Bars of what moves the difference most: "
        + "; ".join(f"{says_of(report, bar.input)} {bar.low_usd:,.0f} to {bar.high_usd:,.0f} dollars"
                    for bar in report.tornado[:3]) + ".",
    )  # fmt: skip
    flip = report.flip
    if flip is None:
        cheapest = name_of(report.cheapest_approach())
        st.markdown(f"**Which is cheapest** depends on no single input: {cheapest} stays so over the range of each.")
        return
    unit = next((entry.unit for entry in report.assumptions if entry.id == flip.input), "")
    st.markdown(
        f"**Which is cheapest** depends most on *{says_of(report, flip.input)}*: {'above' if flip.above else 'below'} "
        f"about {flip.value:,.3g} {unit} (middle: {flip.middle:,.3g}) {in_sentence(flip.then)} costs least, "
        f"not {in_sentence(flip.now)}."
    )


def tornado(report: CostReport) -> Figure:
    """Bars from the low to the high mean, the widest on top."""
    import plotly.graph_objects as go
    import streamlit.elements.plotly_chart  # noqa: F401  registers the template whose colours follow the theme

    bars = list(reversed(report.tornado[:BARS_SHOWN]))
    chart = go.Figure()
    for label, values, pattern in (
        ("Input in its lowest fifth", [bar.low_usd for bar in bars], ""),
        ("Input in its highest fifth", [bar.high_usd for bar in bars], "/"),
    ):
        chart.add_bar(
            y=[short(says_of(report, bar.input)) for bar in bars],
            x=[value - report.tornado_of.usd_p50 for value in values],
            base=report.tornado_of.usd_p50,
            orientation="h",
            name=label,
            marker={"pattern": {"shape": pattern}},
            customdata=values,
            hovertemplate="%{y}: %{customdata:$,.0f}<extra>" + label + "</extra>",
        )
    chart.update_layout(
        template="streamlit", height=80 + 34 * len(bars), barmode="overlay", bargap=0.35,
        margin={"l": 10, "r": 10, "t": 10, "b": 10}, legend={"orientation": "h", "y": 1.12},
        xaxis={"tickprefix": "$", "tickformat": "~s"}, yaxis={"automargin": True},
    )  # fmt: skip
    return chart


def says_of(report: CostReport, name: str) -> str:
    """An input in plain words."""
    return next((entry.says for entry in report.assumptions if entry.id == name), name.replace("_", " "))


def short(text: str, most: int = 38) -> str:
    """The beginning of a text."""
    first = text.partition(",")[0].partition(":")[0].partition(";")[0]
    return first if len(first) <= most else first[: most - 1].rstrip() + "…"


def parts(report: CostReport) -> None:
    """Dollars of each named term over the horizon, by approach."""
    names = sorted({part for terms in report.terms.values() for part in terms})
    shown = [name for name in report.curves if name != "from_scratch"]
    rows = [
        {"Part": part.replace("_", " ").capitalize()}
        | {name_of(name): report.terms[name].get(part) for name in shown}
        for part in names if any(part in report.terms[name] for name in shown)
    ]  # fmt: skip
    dollars = st.column_config.NumberColumn(format="$%,.0f")
    st.dataframe(
        rows, hide_index=True, key="advise.terms", column_config={name_of(name): dollars for name in shown},
        alt="Dollars by part of the bill and approach.",
    )  # fmt: skip
    st.caption(
        f"Middle of the draws over {report.months[-1]} months, at today's prices and calls. An empty cell: no such "
        "part."
    )


def assumptions(report: CostReport) -> None:
    """Every number drawn, with its range and where it comes from."""
    entries = sorted(report.assumptions, key=lambda entry: entry.verified != "answered")
    st.dataframe(
        [
            {
                "What": entry.says,
                "Low": entry.low,
                "Likely": entry.likely,
                "High": entry.high,
                "Unit": entry.unit,
                "From": source_of(entry),
            }
            for entry in entries
        ],
        hide_index=True,
        key="advise.assumptions",
        column_config={
            "What": st.column_config.TextColumn(width="large"),
            **{
                name: st.column_config.NumberColumn(format="%,.4g", width="small") for name in ("Low", "Likely", "High")
            },
        },
        alt="Inputs of the curves with low, likely and high value, unit and source.",
    )


def source_of(entry: Assumption) -> str:
    """Where a number comes from and how well it is known."""
    known = KNOWN.get(entry.verified, entry.verified)
    return entry.source if known.lower() in entry.source.lower() else f"{entry.source} ({known})"


def worth(report: CostReport) -> None:
    """Cost of a right answer, of one more, and payback of the measured gain."""
    if not report.worth:
        st.caption(
            "Once quality was measured, this shows what a right answer costs, what one more costs, and when the gain "
            "has paid for itself. Take the judge's scores in the settings of the curves."
        )
        return
    st.table(
        [
            {
                "Approach": name_of(row.approach),
                "Right answers": f"{row.right_share * 100:.0f} %",
                "An answer": _cents(row.usd_per_answer),
                "A right answer": _cents(row.usd_per_right_answer),
                "One more right answer": _cents(row.usd_per_extra_right_answer) if row.against else "",
                "Paid back": _paid(row, report.months[-1]),
            }
            for row in report.worth
        ],
        border="horizontal",
        hide_index=True,
        alt="Cost of an answer, of a right answer and of one more right answer, by approach.",
    )
    against = next((row.against for row in report.worth if row.against), None)
    compared = f" Held against {in_sentence(against)}." if against else ""
    st.caption(
        f"Dollars, middle of the draws, everything paid in {report.months[-1]} months over all answers.{compared} "
        "Shares are those that were measured; their intervals stand on the Judge page."
    )


def _cents(usd: float | None) -> str:
    return "none" if usd is None else f"\\${usd:,.4f}" if abs(usd) < 1 else f"\\${usd:,.2f}"


def _paid(row: Worth, months: int) -> str:
    if row.against is None:
        return ""
    if row.never is None:
        return "name what a right answer is worth"
    if row.month_p50 is None:
        return f"not within {months} months"
    never = f" ({row.never * 100:.0f} % never)" if row.never >= 0.01 else ""
    return f"month {row.month_p50:.1f}{never}"
