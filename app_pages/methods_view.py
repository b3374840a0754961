"""Which method pays, as a section that any page can show: scores as dots, one table, and what it does not know."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from app_pages.figures import STATES, badge, plain
from backends.comparison import ComparisonJobs, all_comparisons
from core.errors import TuneworthyError
from core.store import Store
from evaluation.compared import Comparison, compared
from evaluation.compared_table import as_csv, head, markdown, reasons, table

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

ROW_PIXELS = 44
GREY = "rgba(128, 134, 139, 0.9)"
"""Seen on a light page and on a dark one."""


def section(store: Store, group: str | None = None) -> None:
    """The comparisons that were launched, one to choose; or that of one `group`, without a choice."""
    found = [jobs for jobs in all_comparisons() if group in (None, jobs.group)]
    st.subheader("Which method pays", anchor="methods")
    if not found:
        st.caption(
            "No comparison yet. It trains every method on the same rows, and shows what each takes and is worth."
        )
        st.code("tuneworthy compare-methods DATA --wait", language=None)
        return
    chosen: ComparisonJobs | None = found[0]
    if len(found) > 1:
        chosen = st.selectbox(
            "Comparison", found, format_func=lambda jobs: f"{jobs.name}, {jobs.created_at:%d %b %Y %H:%M}",
            key="methods.group",
        )  # fmt: skip
    if chosen is None:
        return
    try:
        comparison = compared(store, chosen)
    except TuneworthyError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    show(comparison)


def show(comparison: Comparison) -> None:
    """What can be told, the scores with their intervals, the table with a file of it, and the limits."""
    if comparison.done:
        st.info(plain(comparison.words), icon=":material/balance:")
    else:
        lines = [
            f"- {plain(row.words)} {badge(STATES[row.state])}" for row in comparison.methods if row.state in STATES
        ]
        st.markdown("\n".join(lines))
    if any(row.task for row in comparison.methods):
        st.plotly_chart(
            chart(comparison), key="methods.chart", config={"displayModeBar": False}, alt=chart_in_words(comparison)
        )
    names = [f"{name[:1].upper()}{name[1:]}" for name in head(comparison)]
    rows = [dict(zip(names, cells, strict=True)) for cells in table(comparison)]
    st.table(rows, hide_index=True, border="horizontal", alt="What each method takes and what it is worth.")
    rows_words = ", ".join(f"{count:,} {part}" for part, count in comparison.rows.items())
    st.caption(f"The same rows for every method: {rows_words}. Intervals are 95 %.")
    if why := reasons(comparison):
        st.warning("\n".join(f"- {plain(reason)}" for reason in why), icon=":material/warning:")
    with st.container(horizontal=True, key="methods.files"):
        for label, make, kind in (("Table (CSV)", as_csv, "csv"), ("Table (Markdown)", markdown, "md")):
            st.download_button(
                label, partial(make, comparison), f"methods-{comparison.group}.{kind}", f"text/{_MIME[kind]}",
                key=f"methods.file.{kind}", icon=":material/download:", on_click="ignore",
            )  # fmt: skip
    with st.expander("What the table does not know", icon=":material/info:", key="methods.limits"):
        st.markdown("\n".join(f"- {plain(limit)}" for limit in comparison.limits))


_MIME = {"csv": "csv", "md": "markdown"}


def chart(comparison: Comparison) -> Figure:
    """A dot a method with its interval, the base as a line; further right is better."""
    import plotly.graph_objects as go
    import streamlit.elements.plotly_chart  # noqa: F401  registers the template whose colours follow the theme

    scored = [(row.words, row.task) for row in reversed(comparison.methods) if row.task is not None]
    figure = go.Figure()
    figure.add_scatter(
        x=[task.score for _, task in scored],
        y=[words for words, _ in scored],
        mode="markers",
        marker={"size": 11, "symbol": "diamond"},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [task.high - task.score for _, task in scored],
            "arrayminus": [task.score - task.low for _, task in scored],
        },
        hovertemplate="%{y}: %{x:.3f}<extra></extra>",
        showlegend=False,
    )
    if comparison.base is not None:
        figure.add_vline(
            x=comparison.base.score, line={"dash": "dash", "width": 2, "color": GREY}, annotation_text="base"
        )
    score = comparison.metric_words
    figure.update_layout(
        height=110 + ROW_PIXELS * len(scored),
        margin={"l": 8, "r": 16, "t": 24, "b": 8},
        xaxis={"title": score[:1].upper() + score[1:], "fixedrange": True},
        yaxis={"fixedrange": True, "automargin": True},
    )
    return figure


def chart_in_words(comparison: Comparison) -> str:
    """The chart for those who cannot see it."""
    each = "; ".join(
        f"{row.words} {row.task.score:.3f} ({row.task.low:.3f} to {row.task.high:.3f})"
        for row in comparison.methods
        if row.task is not None
    )
    base = f" The base scores {comparison.base.score:.3f}." if comparison.base else ""
    return f"{comparison.metric_words} by method: {each}.{base}"
