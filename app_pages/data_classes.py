"""Class bars: how many rows each label has, in each part of the split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from app_pages import data_rows
from app_pages.data_copies import answers_of
from app_pages.figures import plain
from core.plan import DataRef
from dataset.checks.labels import labels_of
from dataset.finding import plural
from dataset.row import Message, Row

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

SHOWN = 20
LABEL_CHARACTERS = 28
PATTERNS = {"train": "", "validation": "/", "test": "."}


def show(data: DataRef) -> None:
    """Nothing where the answers are texts rather than labels."""
    counts = counts_of(data)
    if not counts:
        return
    st.subheader("Classes", anchor=False)
    labels = ranked(counts)
    chosen: str | None = "all"
    if len(labels) > SHOWN:
        words = {"small": f"{SHOWN} smallest", "large": f"{SHOWN} largest", "all": f"All {len(labels)}"}
        chosen = st.segmented_control(
            "Which classes",
            list(words),
            default="small",
            required=True,
            format_func=words.__getitem__,
            key="data.classes.which",
            label_visibility="collapsed",
        )
    shown = {"small": labels[-SHOWN:], "large": labels[:SHOWN]}.get(chosen or "all", labels)
    st.caption(plain(in_words(counts)))
    figure = chart(counts, shown)
    st.plotly_chart(figure, key="data.classes", config={"displayModeBar": False}, alt=in_words(counts))
    lacking = [label for label in labels if counts[label]["test"] == 0 and any(one["test"] for one in counts.values())]
    if lacking:
        named = ", ".join(f"**{plain(shortened(label))}**" for label in lacking[:5])
        more = f" and {len(lacking) - 5} more" if len(lacking) > 5 else ""
        st.caption(f":material/visibility_off: Not among the held-out rows, so not judged: {named}{more}.")


def counts_of(data: DataRef) -> dict[str, Counter[str]]:
    """{label: rows in each part}; nothing where the answers are texts. Raises `BadInput` where a copy was altered."""
    paths = [str(getattr(data, part)) for part in data_rows.PARTS]
    return _counts(tuple(paths), tuple(Path(path).stat().st_mtime_ns for path in paths if Path(path).is_file()))


@lru_cache(maxsize=4)
def _counts(paths: tuple[str, ...], _changed: tuple[int, ...]) -> dict[str, Counter[str]]:
    first = data_rows.first_rows(paths[0])
    many = len(first) == data_rows.MEASURED_ROWS
    if many and len({row.answer for row in first}) > 1 and not labels_of(first):
        return {}  # texts: a million of them need not be counted
    found: dict[str, Counter[str]] = {}
    for part, path in zip(data_rows.PARTS, paths, strict=True):
        for answer in answers_of(path):
            if answer.strip():
                found.setdefault(answer, Counter())[part] += 1
    every = [Row((Message("assistant", answer),), 0) for answer in found]
    return found if labels_of([row for row in every for _ in range(found[row.answer].total())]) else {}


def ranked(counts: dict[str, Counter[str]]) -> list[str]:
    """The labels, most rows first."""
    return sorted(counts, key=lambda label: (-counts[label].total(), label))


def in_words(counts: dict[str, Counter[str]]) -> str:
    """`77 classes: from 49 rows (x) to 227 (y).`"""
    labels = ranked(counts)
    most, least = labels[0], labels[-1]
    return (
        f"{len(labels)} classes, from {plural(counts[least].total(), 'row')} ({shortened(least)}) "
        f"to {counts[most].total():,} ({shortened(most)})."
    )


def chart(counts: dict[str, Counter[str]], labels: Sequence[str]) -> Figure:
    """Stacked bars, the largest class on top. Patterns tell the parts apart as well as colours."""
    import plotly.graph_objects as go
    import streamlit.elements.plotly_chart  # noqa: F401  registers the template whose colours follow the theme

    figure = go.Figure()
    names = [escape(shortened(label), quote=False) for label in labels]  # charts read some tags
    places = list(range(len(labels)))
    for part, words in data_rows.PARTS.items():
        figure.add_bar(
            y=places,
            x=[counts[label][part] for label in labels],
            orientation="h",
            name=words,
            marker={"pattern": {"shape": PATTERNS[part], "solidity": 0.25}},
            customdata=names,
            hovertemplate="%{customdata}: %{x:,} rows<extra>" + words + "</extra>",
        )
    figure.update_layout(
        template="streamlit",
        barmode="stack",
        bargap=0.25,
        height=90 + 22 * len(labels),
        margin={"l": 8, "r": 16, "t": 8, "b": 8},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0, "xanchor": "left", "traceorder": "normal"},
        xaxis={"title": "Rows", "fixedrange": True, "rangemode": "tozero", "tickformat": ","},
        yaxis={"autorange": "reversed", "fixedrange": True, "tickvals": places, "ticktext": names, "automargin": True},
    )
    return figure


def shortened(label: str) -> str:
    """The beginning of a label on one line."""
    text = " ".join(label.split())
    return text if len(text) <= LABEL_CHARACTERS else f"{text[: LABEL_CHARACTERS - 1].rstrip()}…"
