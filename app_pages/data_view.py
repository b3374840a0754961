"""What is known of a plan's rows: counts, findings by line, tokens, and the rows themselves."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import Any

import streamlit as st

from core.plan import DataRef

SEVERITIES = {
    "error": ("Stops a tune", ":material/error:", "red"),
    "warning": ("Worth mending", ":material/warning:", "orange"),
    "note": ("Good to know", ":material/info:", "blue"),
}
FIRST_ROWS = 50
BINS = 24


def summary(data: DataRef) -> None:
    """How many rows there are, and who sees which."""
    st.subheader(data.name, icon=":material/description:", anchor=False)
    columns = st.columns(4)
    for column, (label, count, about) in zip(
        columns,
        (
            ("Rows read", data.rows, "Rows that could be used."),
            ("To train on", data.train_rows, "The model learns from these; few-shot examples come from here."),
            ("To steer by", data.validation_rows, "Validation: early stopping and the choice of the best prompt."),
            ("Held out", data.test_rows, "Only the judge reads these."),
        ),
        strict=True,
    ):
        column.metric(label, f"{count:,}", help=about, border=True)
    st.caption(f"Our own copies; your file is left as it is. sha256 `{data.sha256[:16]}`")


def findings(data: DataRef) -> None:
    """What is wrong with the rows, by line, each with its remedy."""
    st.subheader("Findings", anchor=False)
    if not data.findings:
        st.success("No check found anything to mend.", icon=":material/check_circle:")
    for severity, (words, icon, color) in SEVERITIES.items():
        for finding in (found for found in data.findings if found.get("severity") == severity):
            with st.container(border=True):
                with st.container(horizontal=True, vertical_alignment="center"):
                    st.badge(words, icon=icon, color=color)  # type: ignore[arg-type]
                    st.markdown(
                        f"**{str(finding.get('check')).replace('_', ' ').capitalize()}** ({finding.get('count')})"
                    )
                st.markdown(str(finding.get("message", "")))
                if finding.get("fix"):
                    st.markdown(f":material/build: {finding['fix']}")
                lines = _lines(finding)
                if lines:
                    shown = ", ".join(str(line) for line in lines[:20])
                    st.caption(f"Line{'s' if len(lines) != 1 else ''} {shown}{' ...' if len(lines) > 20 else ''}")


def _lines(finding: dict[str, object]) -> list[int]:
    rows = finding.get("rows")
    return [int(row) for row in rows] if isinstance(rows, list) else []


def tokens(data: DataRef) -> None:
    """How long the rows are, and by which count."""
    counts = data.tokens
    if not counts:
        return
    st.subheader("Tokens", anchor=False)
    for column, (key, label) in zip(
        st.columns(4), (("total", "In all"), ("p50", "Middle row"), ("p95", "95 of 100 below"), ("max", "Longest")),
        strict=True,
    ):  # fmt: skip
        value = counts.get(key)
        column.metric(label, f"{value:,.0f}" if isinstance(value, int | float) else "unknown", border=True)
    lengths = row_lengths(data)
    if lengths:
        chart(lengths)
    st.caption(
        f"Counted by: {counts.get('tokenizer', 'unknown')}. Heights of the chart: characters of the training rows."
    )


def row_lengths(data: DataRef) -> list[int]:
    """Characters of each training row."""
    path = Path(data.train)
    if not path.is_file():
        return []
    with path.open(encoding="utf-8") as lines:
        return [len(text) for text in map(_text, lines) if text]


def _text(line: str) -> str:
    return "".join(message["content"] for message in messages(line))


def chart(lengths: list[int]) -> None:
    """A histogram of row lengths."""
    import plotly.graph_objects as go
    import streamlit.elements.plotly_chart  # noqa: F401  registers the template whose colours follow the theme

    figure = go.Figure(go.Histogram(x=lengths, nbinsx=BINS, hovertemplate="%{x} characters: %{y} rows<extra></extra>"))
    figure.update_layout(
        template="streamlit", height=240, margin={"l": 10, "r": 10, "t": 10, "b": 10}, bargap=0.08,
        xaxis_title="Characters of a row", yaxis_title="Rows",
    )  # fmt: skip
    st.plotly_chart(
        figure, key="data.lengths", config={"displayModeBar": False},
        alt=f"Histogram of row lengths: {len(lengths)} rows, {min(lengths)} to {max(lengths)} characters.",
    )  # fmt: skip


def messages(line: str) -> list[dict[str, str]]:
    """The messages of one row of our own copies; none for a line that is no row."""
    try:
        row = json.loads(line)
    except ValueError:
        return []
    found = row.get("messages", []) if isinstance(row, dict) else []
    return [
        {"role": str(message.get("role", "")), "content": str(message.get("content") or "")}
        for message in found
        if isinstance(message, dict)
    ]


def rows(data: DataRef) -> None:
    """The first rows of a part."""
    st.subheader("Rows", anchor=False)
    parts = {"train": "To train on", "validation": "To steer by", "test": "Held out"}
    part = st.segmented_control(
        "Part", list(parts), default="train", required=True, format_func=parts.get, key="data.part",
        label_visibility="collapsed",
    )  # fmt: skip
    path = Path(str(getattr(data, part or "train")))
    if not path.is_file():
        st.error(f"The copy at {path} is gone. Take the file again.", icon=":material/error:")
        return
    table: list[dict[str, Any]] = []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(islice(lines, FIRST_ROWS), start=1):
            said = messages(line)
            asked = [message["content"] for message in said[:-1] if message["role"] != "system"]
            system = [message["content"] for message in said if message["role"] == "system"]
            table.append(
                {
                    "Row": number,
                    "Asked": "\n".join(asked),
                    "Answer": said[-1]["content"] if said else "",
                    "Instruction": "\n".join(system),
                }
            )
    st.dataframe(
        table,
        key="data.rows",
        hide_index=True,
        column_config={
            "Row": st.column_config.NumberColumn(width="small"),
            "Asked": st.column_config.TextColumn(width="large"),
            "Answer": st.column_config.TextColumn(width="large"),
        },
        alt=f"The first {len(table)} rows of this part.",
    )
