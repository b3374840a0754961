"""Where rows come from: the plan's own, the demo rows, an upload, or a file on this machine. On Data and Advise."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, BinaryIO

import streamlit as st

from app_pages import data_first_look, data_rows, state
from app_pages.figures import plain
from core.errors import BadInput, NotFound
from core.home import data_dir
from core.paths import is_file, typed_path
from core.plan import Plan
from dataset.prepare import adopt
from dataset.read import Dataset, read
from dataset.render import Renderer

DEMO = Path(__file__).parents[1] / "examples" / "course_office"
SUFFIXES = ("jsonl", "json", "csv", "tsv", "txt", "parquet", "xlsx", "gz", "zip")
UNKNOWN = "data.columns_of"
"""A file that could not be read without knowing its columns: {name, columns, path or None for an upload}."""


def show(plan: Plan | None, place: str) -> None:
    """A picker; what is picked becomes the plan's data at once. `place` keeps the keys of two pages apart."""
    data = plan.data if plan else None
    words = {"upload": "Upload a file", "path": "A file on this machine"}
    if DEMO.is_dir():
        words = {"demo": "The demo rows", **words}
    if data:
        words = {"plan": "This plan's data", **words}
    source: str | None = st.segmented_control(
        "Rows to use",
        list(words),
        default="plan" if data else None,
        format_func=words.__getitem__,
        wrap=True,
        key=f"{place}.source.{Path(data.train).parent.name if data else 'none'}",
    )
    if source == "plan" and data and place != "data":
        counts = f"{data.train_rows:,} to train on, {data.validation_rows:,} to steer by, {data.test_rows:,} held out"
        st.caption(f"**{plain(data.name)}**: {counts}.")
        state.link_to("data", "See the rows and their findings", ":material/dataset:")
    elif source == "demo":
        st.caption("Messages to a course office and the tickets that they become, written for this project.")
        st.button("Use the demo rows", key=f"{place}.demo", icon=":material/science:", on_click=_take_demo)
    elif source == "upload":
        _upload(place)
    elif source == "path":
        _path(place)


def _upload(place: str) -> None:
    given = st.file_uploader(
        f"Examples, one a row or line: {', '.join(SUFFIXES)}. At most {st.get_option('server.maxUploadSize'):,} MB.",
        type=SUFFIXES,
        key=f"{place}.upload",
        help="Chats in OpenAI's form, prompt and completion, instruction and output, or a table.",
    )
    if given is None:
        return
    if st.session_state.get("data.upload_seen") != given.file_id:
        st.session_state["data.upload_seen"] = given.file_id
        _try(given, given.name)
    _choose_columns(place, given, given.name)


def _path(place: str) -> None:
    text = st.text_input(
        "Path of the file",
        key=f"{place}.path",
        placeholder="/home/me/rows.jsonl",
        help="The file stays as it is; we read it and keep a copy of our own.",
    )
    if not text or not text.strip():
        return
    with state.shown_errors():
        path = typed_path(text.strip())
        if st.session_state.get("data.path_seen") != text:
            st.session_state["data.path_seen"] = text
            if not is_file(path):
                raise NotFound(f"there is no file at {text[:200]}.", "Give the full path of a file on this machine.")
            _try(path, path.name)
        _choose_columns(place, path, path.name)


def _try(source: Path | BinaryIO, name: str) -> None:
    """Take the file in; where only its columns are unknown, remember them to be chosen."""
    st.session_state.pop(UNKNOWN, None)
    meanwhile = st.empty()
    with state.shown_errors():
        try:
            with st.spinner("Reading and checking", show_time=True):
                first = data_first_look.first_look(source, name)
                if first is not None and first.data.rows:
                    with meanwhile.container():
                        data_first_look.show(first)
                take(source, name)
        except BadInput:
            found = look(source, name)
            if found.rows or not found.columns:
                raise
            st.session_state[UNKNOWN] = {"name": name, "columns": list(found.columns)}
            return
        finally:
            meanwhile.empty()
        st.rerun()


def look(source: Path | BinaryIO, name: str) -> Dataset:
    """What is understood of a file, without keeping it."""
    if isinstance(source, Path):
        return read(source, name=name)
    source.seek(0)
    with tempfile.NamedTemporaryFile(dir=data_dir(), suffix=Path(name).suffix) as copy:
        copy.write(source.read())
        copy.flush()
        return read(Path(copy.name), name=name)


def _choose_columns(place: str, source: Path | BinaryIO, name: str) -> None:
    unknown: dict[str, Any] | None = st.session_state.get(UNKNOWN)
    if unknown is None or unknown["name"] != name:
        return
    st.info("Its columns are of no known form. Say which are the input and which one is the answer.",
            icon=":material/view_column:")  # fmt: skip
    with state.shown_errors():
        mapping = columns_form(place, unknown["columns"])
        if mapping:
            take(source, name, **mapping)
            st.session_state.pop(UNKNOWN, None)
            st.rerun()


def columns_form(
    place: str,
    columns: list[str],
    inputs: list[str] | None = None,
    output: str | None = None,
    prompt: str = "",
    template: str = "",
) -> dict[str, Any] | None:
    """A select box for each role. Returns the roles when they were sent. Raises `BadInput` where one is empty.

    A prompt template stands in for the input columns.
    """
    with st.form(f"{place}.mapping", border=False):
        known = [name for name in inputs or [] if name in columns]
        chosen = st.multiselect("Input", columns, known, key=f"{place}.inputs")
        written = st.text_area(
            "Prompt with columns in braces, in place of the input (optional)",
            template,
            key=f"{place}.template",
            height=80,
            placeholder=f"Sort this message: {{{columns[0]}}}" if columns else None,
            help="Each name in braces is filled in from its column. `{{` and `}}` are plain braces.",
        )
        first = columns.index(output) if output in columns else None
        answer = st.selectbox("Answer", columns, index=first, key=f"{place}.output", placeholder="One column")
        instruction = st.text_area("Instruction before each row (optional)", prompt, key=f"{place}.prompt", height=80)
        if not st.form_submit_button("Read it so", icon=":material/check:", key=f"{place}.mapped"):
            return None
    if not (chosen or written.strip()) or not answer:
        raise BadInput("an input and an answer are needed.", "The model reads the input and learns the answer.")
    return {
        "inputs": None if written.strip() else chosen,
        "output": answer,
        "system_prompt": instruction.strip() or None,
        "template": written.strip() or None,
    }


def _take_demo() -> None:
    with state.shown_errors():
        held_out = (DEMO / "heldout.jsonl", "heldout.jsonl")
        data = adopt(DEMO / "train.jsonl", "Course office demo", test=held_out, renderer=_renderer())
        state.save(data=data)


def take(source: Path | BinaryIO, name: str, **mapping: Any) -> None:
    """Copy, read, check and split a file, and make it the plan's data. The file itself is never altered."""
    if not isinstance(source, Path):
        source.seek(0)
    state.save(data=adopt(source, name, renderer=_renderer(), **mapping))


def _renderer() -> Renderer | None:
    plan = state.current_plan()
    return data_rows.renderer_of(plan.spec.base_model if plan and plan.spec else None)
