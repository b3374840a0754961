"""How the models of a task did over time: judgements of the same held-out rows and the same base."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from app_pages import judge_view
from app_pages.figures import Look
from app_pages.judged_axes import ALWAYS_SHOWN, STATES, TASK, axis_name, counts_harm_only, state_of_axis
from app_pages.judged_models import in_percent
from app_pages.judged_reports import Judged, same_rows
from core.store import Store
from evaluation.report import EvaluationReport

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MARKS = {
    "Worth it": "diamond",
    "Not worth it": "square-open",
    "Do not ship it": "x",
    "Not enough evidence": "circle-open",
}
"""By the words of the verdict."""


def section(store: Store, report: EvaluationReport) -> None:
    """A chart by date and a table of all axes; a line of text while there is one judgement only."""
    if "task" not in report.models.get("tuned", {}):
        return
    st.subheader("This task over time", anchor="history")
    found = same_rows(store.jobs(), report)
    if len(found) < 2:
        st.caption("The first judgement on these held-out rows with this base. Judge again, and drift shows here.")
        return
    st.caption("Tuned models on the same held-out rows and the same base, the newest last. Intervals are 95 %.")
    st.plotly_chart(chart(found), key="judge.history", config={"displayModeBar": False}, alt=in_sentences(found))
    st.dataframe(
        table(found, now=report), hide_index=True, key="judge.history.table",
        alt="Judgements by date: verdict, score on the task, and what became of each axis.",
    )  # fmt: skip


def chart(found: Sequence[Judged]) -> Figure:
    """Score on the task by date with its interval. The shape of a dot is the verdict."""
    import plotly.graph_objects as go
    import streamlit.elements.plotly_chart  # noqa: F401  registers the template whose colours follow the theme

    figure = go.Figure()
    for label in dict.fromkeys(judge_view.look_of(each.report).label for each in found):
        those = [each for each in found if judge_view.look_of(each.report).label == label]
        scores = [each.report.models["tuned"]["task"] for each in those]
        figure.add_scatter(
            x=[each.report.created_at for each in those],
            y=[100 * score.score for score in scores],
            name=label,
            mode="markers",
            cliponaxis=False,
            marker={"size": 11, "symbol": MARKS.get(label, "circle")},
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [100 * (score.high - score.score) for score in scores],
                "arrayminus": [100 * (score.score - score.low) for score in scores],
            },
            text=[
                f"{escape(each.record.name, quote=False)}: {in_percent(score)}"
                for each, score in zip(those, scores, strict=True)
            ],
            hovertemplate="%{text}<br>%{x|%d %b %Y}<extra></extra>",
        )
    figure.update_layout(
        height=280,
        margin={"l": 8, "r": 16, "t": 8, "b": 8},
        showlegend=True,
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1, "yanchor": "bottom"},
        xaxis={"fixedrange": True, "tickformat": "%d %b %y", "nticks": 5},
        yaxis={
            "range": [-4, 104],
            "tickvals": [0, 50, 100],
            "ticktext": ["0 %", "50 %", "100 %"],
            "fixedrange": True,
            "zeroline": False,
        },
    )
    return figure


def in_sentences(found: Sequence[Judged]) -> str:
    """The chart for those who cannot see it."""
    said = [
        f"{each.report.created_at:%d %b %Y} {in_percent(each.report.models['tuned']['task'])}, "
        f"{judge_view.look_of(each.report).label.lower()}"
        for each in found
    ]
    return f"Score of the tuned model on the task by date: {'; '.join(said)}."


def table(found: Sequence[Judged], *, now: EvaluationReport) -> list[dict[str, str]]:
    """A row a judgement, the newest last; the one that is looked at says so."""
    more = dict.fromkeys(axis for each in found for axis in each.report.axes if axis not in ALWAYS_SHOWN)
    axes = [*(axis for axis in ALWAYS_SHOWN if axis != TASK), *more]
    return [
        {
            "Date": f"{each.report.created_at:%d %b %Y}",
            "Judgement": f"{each.record.name}{' (this one)' if each.report.created_at == now.created_at else ''}",
            "Verdict": judge_view.look_of(each.report).label,
            axis_name(TASK): in_percent(each.report.models["tuned"]["task"]),
        }
        | {axis_name(axis): _cell(each.report, axis) for axis in axes}
        for each in found
    ]


def _cell(report: EvaluationReport, axis: str) -> str:
    look: Look = STATES[state_of_axis(report, axis)]
    score = report.models["tuned"].get(axis)
    if score is None or counts_harm_only(report, axis):
        return look.label
    return f"{look.label}, {score.score * 100:.0f} %"
