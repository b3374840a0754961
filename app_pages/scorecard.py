"""The scorecard: every axis of every judged model as dots with whiskers, and under it what became of each axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from app_pages.cost_figure import BAND
from app_pages.figures import Look, badge, plain
from app_pages.judged_axes import STATES, TASK, AxisLine, axis_name, lines, shown_axes
from app_pages.judged_models import SYMBOLS, in_order, in_percent, short, words_of
from evaluation.report import EvaluationReport
from evaluation.verdict import DEFAULT_MARGIN

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

QUICK_LOOK = Look("Quick look: at most 100 questions an axis", ":material/bolt:", "orange")
BARS = {
    "high": "The bar is high: a wrong answer is costly, so every axis must be shown to be kept.",
    "medium": "The bar is medium: safety and general knowledge must be measured, and nothing lost.",
    "low": "The bar is low: what was measured must not be lost, and nothing else is asked for.",
}
SPREAD = 0.62
"""Share of an axis' row over which the models are placed above each other."""
TICKS = (0, 50, 100)
LINE_CHARACTERS = 15
"""Names of axes are broken at about so many characters, so that half a phone is left for the scores."""


def show(report: EvaluationReport, task_margin: float = DEFAULT_MARGIN) -> None:
    """Chart and table of all axes."""
    st.subheader("Scorecard", anchor=False)
    if report.look == "quick":
        st.markdown(badge(QUICK_LOOK))
    metric = f"{report.metric_words[:1].upper()}{report.metric_words[1:]}"
    st.caption(f"Right answers by axis, with 95 % intervals. Further right is better. The task: {plain(metric)}.")
    st.plotly_chart(chart(report), key="judge.scorecard", config={"displayModeBar": False}, alt=in_sentences(report))
    st.table(table(report, task_margin), hide_index=True, border="horizontal", alt="What became of each axis.")
    st.caption(BARS.get(report.stakes, ""))


def asked_axes(report: EvaluationReport) -> list[str]:
    """The axes on which any model has a score."""
    return [axis for axis in shown_axes(report) if any(axis in scores for scores in report.models.values())]


def chart(report: EvaluationReport) -> Figure:
    """A row an axis, in it a dot a model. Shape, place in the row and colour tell the models apart."""
    import plotly.graph_objects as go
    import streamlit.elements.plotly_chart  # noqa: F401  registers the template whose colours follow the theme

    axes, models = asked_axes(report), in_order(report.models)
    figure = go.Figure()
    for place, name in enumerate(models):
        offset = SPREAD * ((place + 0.5) / len(models) - 0.5)
        found = [(at, axis, report.models[name][axis]) for at, axis in enumerate(axes) if axis in report.models[name]]
        figure.add_scatter(
            x=[100 * score.score for _, _, score in found],
            y=[at + offset for at, _, _ in found],
            name=short(name),
            mode="markers",
            cliponaxis=False,
            marker={"size": 11, "symbol": SYMBOLS.get(name, "circle")},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [100 * (score.high - score.score) for _, _, score in found],
                "arrayminus": [100 * (score.score - score.low) for _, _, score in found],
                "thickness": 2,
                "width": 4,
            },
            text=[f"{axis_name(axis)}: {in_percent(score)} of {score.n:,}" for _, axis, score in found],
            hovertemplate=f"%{{text}}<extra>{words_of(name)}</extra>",
        )
    for at in range(1, len(axes), 2):
        figure.add_hrect(y0=at - 0.5, y1=at + 0.5, fillcolor=BAND, opacity=0.4, line_width=0, layer="below")
    figure.update_layout(
        height=(16 * len(models) + 16) * len(axes) + 90,
        margin={"l": 8, "r": 16, "t": 8, "b": 8},
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1, "yanchor": "bottom"},
        xaxis={
            "range": [-2, 104],
            "tickvals": TICKS,
            "ticktext": [f"{tick} %" for tick in TICKS],
            "fixedrange": True,
            "zeroline": False,
        },
        yaxis={
            "range": [len(axes) - 0.5, -0.5],
            "tickvals": list(range(len(axes))),
            "ticktext": [broken(axis_name(axis)) for axis in axes],
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
            "automargin": True,
        },
    )
    return figure


def broken(name: str) -> str:
    """A name on as few short lines as it takes."""
    rows = [""]
    for word in name.split():
        if rows[-1] and len(rows[-1]) + 1 + len(word) > LINE_CHARACTERS:
            rows.append("")
        rows[-1] = f"{rows[-1]} {word}".strip()
    return "<br>".join(rows)


def in_sentences(report: EvaluationReport) -> str:
    """The chart for those who cannot see it."""
    said = []
    for axis in asked_axes(report):
        scores = [
            f"{short(name)} {in_percent(report.models[name][axis])}"
            for name in in_order(report.models)
            if axis in report.models[name]
        ]
        said.append(f"{axis_name(axis)}: {', '.join(scores)}.")
    return f"Scores by axis and model with 95 % intervals. {' '.join(said)}"


def table(report: EvaluationReport, task_margin: float = DEFAULT_MARGIN) -> list[dict[str, str]]:
    """A row an axis: what became of it, what was found, of how many questions, and what is allowed."""
    return [
        {"Axis": axis_name(line.axis), "State": badge(STATES[line.state]), "Found": _found(line)}
        for line in lines(report, task_margin)
    ]


def _found(line: AxisLine) -> str:
    """The sentence, then the number of questions and the margin in grey."""
    count = f"{line.n:,} {'rows' if line.axis == TASK else 'questions'}" if line.n else ""
    facts = ", ".join(part for part in (count, line.margin) if part)
    return " ".join(part for part in (plain(line.sentence), f":gray[{facts}]" if facts else "") if part)
