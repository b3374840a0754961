"""Label tasks: which label is taken for which, as a matrix with its counts, and how each label is found."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from app_pages.figures import plain
from app_pages.judge_view import with_code
from app_pages.judged_models import in_order, in_percent, short
from evaluation.classic import is_label_task
from evaluation.confusion import OTHER, Confusion, confusion
from evaluation.report import EvaluationReport, JudgedAnswer

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST_LABELS = 20
"""The matrix shows so many, the most frequent ones; the table has all."""
NAME_CHARACTERS = 14
SHADES = [[0, "rgba(128, 134, 139, 0.10)"], [1, "rgba(38, 120, 178, 0.60)"]]
LABEL_METRICS = ("exact_match", "normalised_match")


def section(report: EvaluationReport) -> None:
    """The matrix of a chosen model; nothing for a task that is not answered with labels."""
    answers = judged_answers(report)
    if report.metric not in LABEL_METRICS or not is_label_task([answer.expected for answer in answers]):
        return
    st.subheader("Which label is taken for which", anchor="confusion")
    models = in_order({name for answer in answers for name in answer.answers})
    chosen = st.pills(
        "Model", models, default="tuned" if "tuned" in models else models[0], required=True, format_func=short,
        key="judge.confusion.model", label_visibility="collapsed",
    )  # fmt: skip
    found = confusion_of(report, str(chosen))
    st.markdown(with_code(found.sentence) or "Every label is right.")
    dark = st.context.theme.type == "dark"
    st.plotly_chart(
        chart(found, dark=dark), key="judge.confusion", config={"displayModeBar": False}, alt=in_sentences(found)
    )
    if len(found.labels) > MOST_LABELS:
        st.caption(f"The {MOST_LABELS} most frequent of {len(found.labels)} labels.")
    st.table(table(found), hide_index=True, border="horizontal", alt="How often each label is found and right.")
    st.caption(f"On {found.n} rows; those that stand in training are left out. Found: of the rows with this label.")


def confusion_of(report: EvaluationReport, model: str) -> Confusion:
    """As the judge wrote it down; counted now for a report of before it did."""
    if model in report.details.confusion:
        return report.details.confusion[model]
    answers = judged_answers(report)
    return confusion([answer.expected for answer in answers], [answer.answers.get(model, "") for answer in answers])


def judged_answers(report: EvaluationReport) -> list[JudgedAnswer]:
    """The answers that count."""
    return [answer for answer in report.answers if not answer.in_training]


def chart(found: Confusion, *, dark: bool = False) -> Figure:
    """Right labels as rows, what was said as columns, the count in each field."""
    import plotly.graph_objects as go
    import streamlit.elements.plotly_chart  # noqa: F401  registers the template whose colours follow the theme

    kept = found.labels[:MOST_LABELS]
    names = [short_label(score.label, place) for place, score in enumerate(kept)]
    said = [*names, OTHER] if found.others else names
    counts = [
        [*(found.counts.get(right.label, {}).get(other.label, 0) for other in kept)]
        + ([found.others.get(right.label, 0)] if found.others else [])
        for right in kept
    ]
    figure = go.Figure(
        go.Heatmap(
            z=counts, x=said, y=names, showscale=False, xgap=2, ygap=2, colorscale=SHADES,
            hovertemplate="%{y} answered as %{x}: %{z} rows<extra></extra>",
        )
    )  # fmt: skip
    places = [(x, y, count) for y, row in zip(names, counts, strict=True) for x, count in zip(said, row, strict=True)]
    # Texts of their own: those of a heat map take no notice of the page that shines through.
    figure.add_scatter(
        x=[x for x, _, count in places if count],
        y=[y for _, y, count in places if count],
        text=[f"{count:,}" for _, _, count in places if count],
        mode="text",
        textfont={"color": "#fafafa" if dark else "#1c1c1c"},
        hoverinfo="skip",
        showlegend=False,
    )
    figure.update_layout(
        height=34 * len(names) + 130,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        xaxis={"title": "Answered", "type": "category", "fixedrange": True, "showgrid": False, "tickangle": -45},
        yaxis={
            "title": "Right label", "type": "category", "autorange": "reversed", "fixedrange": True, "showgrid": False,
            "automargin": True,
        },
    )  # fmt: skip
    return figure


def short_label(label: str, place: int) -> str:
    """A label beside a row of the matrix; a long one is cut and gets its number, so that no two are one."""
    words = " ".join(label.split())
    cut = words if len(words) <= NAME_CHARACTERS else f"{words[: NAME_CHARACTERS - 4]}... {place + 1}"
    return escape(cut, quote=False)  # in a chart angle brackets would be markup


def in_sentences(found: Confusion) -> str:
    """The matrix for those who cannot see it."""
    wrong = [
        f"{right} answered as {said} on {count}"
        for right, row in found.counts.items()
        for said, count in row.items()
        if said != right and count
    ]
    wrong += [f"{right} answered with no label on {count}" for right, count in found.others.items() if count]
    rest = f" Wrong: {'; '.join(wrong[:10])}." if wrong else " None is wrong."
    return f"Right labels against answers on {found.n} rows: {in_percent(found.accuracy)} are right.{rest}"


def table(found: Confusion) -> list[dict[str, str]]:
    """A row a label, the most frequent first."""
    return [
        {
            "Label": plain(score.label),
            "Rows": f"{score.support:,}",
            "Found": in_percent(score.recall) if score.recall else "",
            "Right when said": "never said" if score.precision is None else f"{score.precision * 100:.0f} %",
            "F1": "" if score.f1 is None else f"{score.f1:.2f}",
        }
        for score in found.labels
    ]
