"""How many examples are enough, as a section that any page can show: the verdict, the curve, what it does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from app_pages.cost_figure import BAND
from app_pages.figures import STATES, Look, badge, plain
from backends.learning import LearningJobs, all_learning_jobs
from core.errors import TuneworthyError
from core.store import Store
from evaluation.learned import learned, states
from evaluation.learning_curve import VERDICT_WORDS, LearningCurve, Point

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

LOOKS: dict[str, Look] = {
    "label_more": Look(VERDICT_WORDS["label_more"], ":material/trending_up:", "green"),
    "stop": Look(VERDICT_WORDS["stop"], ":material/trending_flat:", "blue"),
    "not_enough_evidence": Look(VERDICT_WORDS["not_enough_evidence"], ":material/help:", "orange"),
}


def section(store: Store, group: str | None = None) -> None:
    """The learning curves that were launched, one to choose; or that of one `group`, without a choice."""
    found = [jobs for jobs in all_learning_jobs() if group in (None, jobs.group)]
    st.subheader("How many examples are enough", anchor="learning-curve")
    if not found:
        st.caption("No learning curve yet. It trains on 10, 30 and 100 % of the rows, and says what more would buy.")
        st.code("tuneworthy learning-curve SPEC --wait", language=None)
        return
    chosen: LearningJobs | None = found[0]
    if len(found) > 1:
        chosen = st.selectbox(
            "Learning curve", found, format_func=lambda jobs: f"{jobs.name}, {jobs.created_at:%d %b %Y %H:%M}",
            key="learning.group",
        )  # fmt: skip
    if chosen is not None:
        _one(store, chosen)


def _one(store: Store, jobs: LearningJobs) -> None:
    try:
        curve = learned(jobs)
    except TuneworthyError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    if curve is None:
        _under_way(store, jobs)
    else:
        show(curve)


def show(curve: LearningCurve) -> None:
    """The verdict in words, the curve with its band, the same as a table, and the limits."""
    look = LOOKS[curve.verdict]
    tell = {"green": st.success, "blue": st.info, "orange": st.warning}[look.color]
    tell(plain(curve.words), icon=look.icon)
    st.plotly_chart(chart(curve), key="learning.curve", config={"displayModeBar": False}, alt=chart_in_words(curve))
    st.table(table(curve), hide_index=True, border="horizontal", alt="Scores by number of training rows.")
    st.caption(f"{curve.judged_rows:,} judged rows, the same for every size. Intervals are 95 %.")
    with st.expander("What the curve does not know", icon=":material/info:", key="learning.limits"):
        st.markdown("\n".join(f"- {plain(limit)}" for limit in curve.limits))


def chart(curve: LearningCurve) -> Figure:
    """Measured points with their intervals, and the curve with its band to twice the rows, on a log axis."""
    import plotly.graph_objects as go
    import streamlit.elements.plotly_chart  # noqa: F401  registers the template whose colours follow the theme

    rows = [point.rows for point in curve.line]
    figure = go.Figure()
    figure.add_scatter(
        x=[*rows, *reversed(rows)],
        y=[*(point.high for point in curve.line), *(point.low for point in reversed(curve.line))],
        fill="toself",
        fillcolor=BAND,
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        name="95 % band",
    )
    figure.add_scatter(
        x=rows,
        y=[point.score for point in curve.line],
        name="Curve",
        mode="lines",
        line={"width": 2, "dash": "dash"},
        hovertemplate="%{x:,} rows: %{y:.3f}<extra>Curve</extra>",
    )
    figure.add_scatter(
        x=[point.rows for point in curve.points],
        y=[point.score for point in curve.points],
        name="Measured",
        mode="markers",
        marker={"size": 11, "symbol": "diamond"},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [point.high - point.score for point in curve.points],
            "arrayminus": [point.score - point.low for point in curve.points],
        },
        hovertemplate="%{x:,} rows: %{y:.3f}<extra>Measured</extra>",
    )
    marks = [point.rows for point in (*curve.points, *curve.band)]
    figure.update_layout(
        height=320,
        margin={"l": 8, "r": 16, "t": 8, "b": 8},
        legend={"orientation": "h", "y": 1.12, "x": 0},
        xaxis={
            "type": "log",
            "title": "Training rows",
            "tickvals": marks,
            "ticktext": [f"{mark:,}" for mark in marks],
            "fixedrange": True,
        },
        yaxis={"title": curve.metric_words[:1].upper() + curve.metric_words[1:], "fixedrange": True},
    )
    return figure


def chart_in_words(curve: LearningCurve) -> str:
    """The chart for those who cannot see it."""
    measured = "; ".join(f"{_score(point)} at {point.rows:,} rows" for point in curve.points)
    ahead = "; ".join(f"{_score(point)} at {point.rows:,}" for point in curve.band)
    return f"{curve.metric_words} measured: {measured}. By the curve: {ahead}."


def table(curve: LearningCurve) -> list[dict[str, str]]:
    """A row a size, the measured ones first."""
    rows = [{"Training rows": f"{point.rows:,}", "Score": _score(point), "From": "measured"} for point in curve.points]
    return rows + [
        {"Training rows": f"{point.rows:,}", "Score": _score(point), "From": "the curve"} for point in curve.band
    ]


def _under_way(store: Store, jobs: LearningJobs) -> None:
    """Where each size is while the curve is not there yet."""
    found = states(store, jobs)
    lines = []
    for share in jobs.shares:
        steps = [f"{what} {badge(STATES[found[job].state])}" for what, job in (("train", share.train),
                                                                            ("judge", share.judge))]  # fmt: skip
        lines.append(f"- {share.rows:,} rows: {', '.join(steps)}")
    st.markdown("\n".join(lines))
    ended = next((now for now in found.values() if now.state in ("failed", "cancelled")), None)
    if ended is not None:
        st.error(plain(f"The curve stays unfinished. {ended.reason}".strip()), icon=":material/error:")


def _score(point: Point) -> str:
    return f"{point.score:.3f} ({point.low:.3f} to {point.high:.3f})"
