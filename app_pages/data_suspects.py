"""Labels that may be wrong: a search on request, and its suspects as a table to work through."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import streamlit as st

from app_pages import data_classes, data_rows, state
from core.plan import DataRef
from dataset.finding import plural
from dataset.label_errors import FEWEST_ROWS, LabelSearch, search_labels
from dataset.prepare import read_manifest
from dataset.row import Row

PLACES = {"train": "Training", "validation": "Validation", "test": "Held out"}


def show(data: DataRef) -> None:
    """A button first, as the search takes seconds. Nothing where answers are texts, or where there are few rows."""
    if data.rows < FEWEST_ROWS or not data_classes.counts_of(data):
        return
    st.subheader("Doubtful labels", anchor=False)
    asked = f"data.suspects.asked.{Path(data.train).parent.name}"
    if not st.session_state.get(asked):
        st.caption("Rows whose label the other rows speak against. Mistakes among held-out rows spoil the verdict too.")
        st.button(
            "Search for wrong labels",
            icon=":material/label_off:",
            key="data.suspects.search",
            on_click=lambda: st.session_state.update({asked: True}),
        )
        return
    with state.shown_errors("The labels were not searched:"):
        with st.spinner("Searching the labels"):
            found = _searched(*_state_of(data))
        _table(data, found)


def parted(data: DataRef) -> list[tuple[str, Row]]:
    """(part, row) of all rows of a plan."""
    return [(part, row) for part, path in _paths(data) for row in data_rows.rows_of(path)]


def in_words(found: LabelSearch) -> str:
    """What was searched and what came of it."""
    searched = f"{found.searched:,}" + (f" of {found.of_rows:,}" if found.searched < found.of_rows else "")
    return (
        f"{plural(len(found.suspects), 'label is', 'labels are')} doubtful in {searched} rows. A classifier that was "
        f"fitted without the row names {found.agreement:.0%} of the labels as given."
    )


def _table(data: DataRef, found: LabelSearch) -> None:
    if found.why_not:
        st.info(found.why_not, icon=":material/info:")
        return
    st.caption(
        f"{in_words(found)} The likeliest mistakes come first; the last are mostly rare wordings of a right label."
    )
    if not found.suspects:
        return
    rows, lines = parted(data), read_manifest(data).lines
    table = []
    for each in found.suspects:
        part, row = rows[each.place]
        known = lines.get(part, [])
        table.append(
            {
                "Line": known[row.line - 1] if row.line <= len(known) else row.line,
                "Part": PLACES[part],
                "Asked": row.user_text,
                "Label": each.given,
                "Likely label": each.likely,
                "Sure": each.confidence,
            }
        )
    st.dataframe(
        table,
        key="data.suspects",
        hide_index=True,
        column_config={
            "Line": st.column_config.NumberColumn(width="small", format="%d", help="Of the original."),
            "Part": st.column_config.TextColumn(width="small"),
            "Asked": st.column_config.TextColumn(width="large"),
            "Sure": st.column_config.ProgressColumn(
                format="percent", min_value=0, max_value=1, help="What the classifier gives the likely label."
            ),
        },
        alt=in_words(found),
    )
    st.caption("Does a model get better without them? Three trainings tell, with a control:")
    st.code("tuneworthy quality-experiment SPEC --wait", language=None)


def _paths(data: DataRef) -> list[tuple[str, str]]:
    """(part, its file); a file that stands for two parts counts once."""
    parts = {str(path): part for part in reversed(data_rows.PARTS) if (path := getattr(data, part))}
    return [(part, path) for path, part in reversed(parts.items())]


def _state_of(data: DataRef) -> tuple[tuple[str, int], ...]:
    return tuple((path, Path(path).stat().st_mtime_ns) for _, path in _paths(data))


@lru_cache(maxsize=3)
def _searched(*files: tuple[str, int]) -> LabelSearch:
    return search_labels(_rows(files))


def _rows(files: tuple[tuple[str, int], ...]) -> list[Row]:
    return [row for path, _ in files for row in data_rows.rows_of(path)]
