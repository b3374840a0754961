"""What is known of a plan's rows: how they were understood, who sees which, tokens."""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path

import streamlit as st

from app_pages import data_first_look, data_picker, data_rows, state
from app_pages.figures import plain
from core.plan import DataRef
from dataset.finding import plural
from dataset.prepare import read_manifest
from dataset.read import read
from dataset.render import Renderer

COUNTS_WIDTH_PX = 165
LEFT_OUT_SHOWN = 20


def summary(data: DataRef) -> None:
    """How the file was understood, how many rows there are, and who sees which."""
    st.subheader(plain(data.name), icon=":material/description:", anchor=False)
    manifest = read_manifest(data)
    columns = f", {' + '.join(manifest.inputs)} to {manifest.output}" if manifest.output else ""
    st.caption(
        f"Understood as {manifest.format.replace('_', ' ')}{plain(columns)}, {manifest.encoding}. "
        f"Our own copies; your file is left as it is. sha256 `{data.sha256[:16]}`"
    )
    counts = (
        ("Rows read", data.rows, "Rows that could be read."),
        ("To train on", data.train_rows, "The model learns from these; few-shot examples come from here."),
        ("To steer by", data.validation_rows, "Validation: early stopping and the choice of the best prompt."),
        (
            "Held out",
            data.test_rows,
            "Only the judge reads these. `tuneworthy split --shifted 50` sets aside rows unlike all others as well.",
        ),
    )
    with st.container(horizontal=True):
        for label, count, about in counts:
            st.metric(label, f"{count:,}", help=about, border=True, width=COUNTS_WIDTH_PX)
    for note in manifest.notes:
        st.info(note, icon=":material/call_split:")
    if manifest.dropped:
        left_out = f"Left out: {plural(len(manifest.dropped), 'line')}"
        with st.expander(left_out, icon=":material/filter_alt_off:", key="data.out"):
            st.markdown(
                "\n".join(f"- Line {lost.line}: {plain(lost.reason)}" for lost in manifest.dropped[:LEFT_OUT_SHOWN])
                + ("\n- and more" if len(manifest.dropped) > LEFT_OUT_SHOWN else "")
            )


def read_again(data: DataRef) -> None:
    """Other columns for the same file."""
    originals = sorted(Path(data.train).parent.glob("original.*"))
    manifest = read_manifest(data)
    if not originals or manifest.format in ("openai_chat", "sharegpt"):
        return
    with (
        st.expander("Read other columns", icon=":material/view_column:", key="data.again"),
        state.shown_errors(),
    ):
        columns = _columns(originals[0], originals[0].stat().st_mtime_ns, manifest.records, manifest.name)
        mapping = data_picker.columns_form(
            "data.again",
            list(columns),
            [] if manifest.template else manifest.inputs,
            manifest.output,
            manifest.system_prompt or "",
            manifest.template or "",
        )
        if mapping:
            data_picker.take(originals[0], data.name, **mapping)
            st.rerun()


@lru_cache(maxsize=4)
def _columns(original: Path, _changed_ns: int, records: str | None, name: str) -> tuple[str, ...]:
    """The columns to choose from; of a large table or JSON Lines its first lines tell them."""
    head = data_first_look.head_of(original, name) if records is None else None
    if head is None:
        return read(original, records=records, name=name).columns
    with tempfile.NamedTemporaryFile(suffix=Path(head.name).suffix) as file:
        file.write(head.content)
        file.flush()
        return read(Path(file.name), name=head.name).columns


def tokens(data: DataRef, renderer: Renderer | None) -> None:
    """How long the rows are, and by which count: by the plan's base model as soon as that is here."""
    counts = data_rows.token_counts_of(data, renderer)
    if not counts:
        return
    st.subheader("Tokens", anchor=False)
    labels = (("total", "In all"), ("p50", "Middle row"), ("p95", "95 of 100 below"), ("max", "Longest"))
    with st.container(horizontal=True):
        for key, label in labels:
            value = counts.get(key)
            shown = f"{value:,.0f}" if isinstance(value, int | float) else "unknown"
            st.metric(label, shown, border=True, width=COUNTS_WIDTH_PX)
    st.caption(f"Counted by: {counts.get('tokenizer', 'unknown')}.")
