"""The map of the training rows: topics, sparse corners, and rows that stand alone. Drawn when it is asked for."""

from __future__ import annotations

import random
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from app_pages import data_rows, state
from app_pages.data_copies import rows_at
from core.errors import BadInput
from core.plan import DataRef
from dataset.coverage import MOST_POINTS, Coverage, coverage
from dataset.prepare import read_manifest
from dataset.row import Row

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

SYMBOLS = ("circle", "square", "diamond", "cross", "x", "triangle-up", "triangle-down", "star", "hexagon", "pentagon")
FEWEST_MAPPED = 12
SEED = 7
HOVER_CHARACTERS = 160
EXAMPLE_CHARACTERS = 90


def show(data: DataRef) -> None:
    """A button first: with many rows the map takes some seconds. Nothing where there are too few rows to map."""
    if data.train_rows < FEWEST_MAPPED:
        return
    st.subheader("Map", anchor=False)
    drawn = f"data.map.drawn.{Path(data.train).parent.name}"
    if not st.session_state.get(drawn):
        st.caption("Which topics the training rows are about, which of them have few rows, and which rows stand alone.")
        st.button(
            "Draw the map",
            icon=":material/scatter_plot:",
            key="data.map.draw",
            on_click=lambda: st.session_state.update({drawn: True}),
        )
        return
    with state.shown_errors("There is no map:"):
        with st.spinner("Drawing the map"):
            rows = sample(data)
            try:
                found = replace(_coverage(rows), of_rows=data.train_rows)
            except BadInput:
                st.info("Nothing to map: the rows use the same words, or hardly any.", icon=":material/scatter_plot:")
                return
        _drawn(data, found, rows)


def sample(data: DataRef) -> tuple[Row, ...]:
    """The training rows, or as many of them as a map holds, drawn with a fixed seed."""
    if data.train_rows <= MOST_POINTS:
        return data_rows.rows_of(data.train)
    return rows_at(data.train, sorted(random.Random(SEED).sample(range(1, data.train_rows + 1), MOST_POINTS)))


@lru_cache(maxsize=3)
def _coverage(rows: tuple[Row, ...]) -> Coverage:
    return coverage(rows)


def _drawn(data: DataRef, found: Coverage, every: Sequence[Row]) -> None:
    rows = {row.line: row for row in every}
    lines = dict(enumerate(read_manifest(data).lines.get("train", []), 1))
    drawn = f"{len(found.points):,}" + (f" of {found.of_rows:,}" if len(found.points) < found.of_rows else "")
    why = "a sample" if found.of_rows > MOST_POINTS else "the others have no words of a topic"
    sampled = f"{drawn} training rows" + (f" ({why})" if len(found.points) < found.of_rows else "")
    st.caption(
        f"{sampled}; rows that share words lie together. It shows words, not meaning, and where the axes point "
        "says nothing."
    )
    st.plotly_chart(chart(found, rows, lines), key="data.map", config={"displayModeBar": False}, alt=in_words(found))
    st.dataframe(
        [
            {
                "Topic": cluster.name,
                "Rows": cluster.rows,
                "Few": "few rows" if cluster.sparse else "",
                "For example": beginning(rows[cluster.typical].user_text, EXAMPLE_CHARACTERS),
                "Lines": ", ".join(str(lines.get(line, line)) for line in cluster.lines[:5]),
            }
            for cluster in found.clusters
        ],
        key="data.map.topics",
        hide_index=True,
        column_config={
            "Topic": st.column_config.TextColumn(width="medium", help="The words that set these rows apart."),
            "Rows": st.column_config.NumberColumn(width="small", format="localized"),
            "Few": st.column_config.TextColumn(width="small", help="Less than half of an even share."),
            "For example": st.column_config.TextColumn(width="large"),
        },
        alt=in_words(found),
    )
    if found.outliers:
        st.markdown("**Rows that stand alone**")
        st.caption("Little in common with any other: a rare wish that needs company, or a row that is out of place.")
        st.dataframe(
            [
                {"Line": lines.get(line, line), "Asked": rows[line].user_text, "Answer": rows[line].answer}
                for line in found.outliers
            ],
            key="data.map.alone",
            hide_index=True,
            column_config={
                "Line": st.column_config.NumberColumn(width="small", format="%d", help="Of the original."),
                "Asked": st.column_config.TextColumn(width="large"),
                "Answer": st.column_config.TextColumn(width="medium"),
            },
            alt=f"{len(found.outliers)} rows that are far from any other.",
        )


def in_words(found: Coverage) -> str:
    """The map for those who cannot see it."""
    topics = "; ".join(f"{cluster.name} ({cluster.rows})" for cluster in found.clusters)
    return f"Map of {len(found.points)} training rows in {len(found.clusters)} topics: {topics}."


def chart(found: Coverage, rows: dict[int, Row], lines: dict[int, int]) -> Figure:
    """A point a row; each topic has a colour and a sign of its own, rows that stand alone a ring."""
    import plotly.graph_objects as go
    import streamlit.elements.plotly_chart  # noqa: F401  registers the template whose colours follow the theme

    figure = go.Figure()
    size = 9 if len(found.points) < 300 else 6 if len(found.points) < 1500 else 4
    alone = set(found.outliers)
    for number, cluster in enumerate(found.clusters):
        points = [point for point in found.points if point.cluster == number]
        figure.add_scatter(
            x=[point.x for point in points],
            y=[point.y for point in points],
            mode="markers",
            name=escape(beginning(cluster.name, 34), quote=False),
            marker={
                "size": [size + 5 if point.line in alone else size for point in points],
                "symbol": [
                    SYMBOLS[number % len(SYMBOLS)] + ("-open" if point.line in alone else "") for point in points
                ],
                "opacity": 0.75,
                "line": {"width": [2 if point.line in alone else 0 for point in points]},
            },
            text=[hover(rows[point.line], lines.get(point.line, point.line)) for point in points],
            hovertemplate="%{text}<extra></extra>",
        )
    bare = {"showgrid": False, "zeroline": False, "showticklabels": False, "ticks": "", "fixedrange": True}
    figure.update_layout(
        template="streamlit",
        height=520,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        legend={"orientation": "h", "yanchor": "top", "y": -0.02, "x": 0, "itemsizing": "constant"},
        xaxis=bare,
        yaxis=bare,
    )
    return figure


def hover(row: Row, line: int) -> str:
    """A row beside its point: its line and how it begins, broken into short lines."""
    asked = textwrap.wrap(beginning(row.user_text, HOVER_CHARACTERS), 44)
    # Charts read some tags; texts of people are no tags.
    text = "<br>".join(escape(part, quote=False) for part in asked)
    return f"Line {line}<br>{text}<br>→ {escape(beginning(row.answer, 60), quote=False)}"


def beginning(text: str, most: int) -> str:
    """The first words of a text on one line."""
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
