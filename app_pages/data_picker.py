"""Where rows come from: the plan's own, the demo rows, an upload, or a file on this machine. Used by Data and Advise."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import streamlit as st
from dataset.prepare import Mapping, adopt, prepare

from app_pages import state
from core.errors import BadInput, NotFound
from core.home import data_dir, new_id
from core.plan import DataRef, Plan

DEMO = Path(__file__).parents[1] / "examples" / "course_office"
SUFFIXES = ("jsonl", "json", "csv", "tsv")
Source = Literal["plan", "demo", "upload", "path"]


def show(plan: Plan | None, place: str) -> None:
    """A picker; what is picked becomes the plan's data at once. `place` keeps keys of two pages apart."""
    data = plan.data if plan else None
    words: dict[Source, str] = {"upload": "Upload a file", "path": "A file on this machine"}
    if DEMO.is_dir():
        words = {"demo": "The demo rows", **words}
    if data:
        words = {"plan": "This plan's data", **words}
    source = st.segmented_control(
        "Rows to use",
        list(words),
        default="plan" if data else None,
        format_func=words.get,
        wrap=True,
        key=f"{place}.source.{data.sha256[:8] if data else 'none'}",
    )
    if source == "demo":
        st.caption("Messages to a course office and the tickets that they become, written for this project.")
        st.button("Use the demo rows", key=f"{place}.demo", icon=":material/science:", on_click=_take_demo)
    elif source == "upload":
        most = st.get_option("server.maxUploadSize")
        given = st.file_uploader(
            f"Chat, prompt/completion or instruction rows: {', '.join(SUFFIXES)}; at most {most} MB",
            type=SUFFIXES,
            key=f"{place}.upload",
        )
        if given is not None:
            with state.shown_errors():
                take_upload(given.name, given.getvalue(), given.file_id)
    elif source == "path":
        st.text_input(
            "Path of the file",
            key=f"{place}.path",
            placeholder="/home/me/rows.jsonl",
            on_change=_take_path,
            args=(f"{place}.path",),
            help="The file stays as it is; we read it and keep a copy of our own.",
        )


def _take_demo() -> None:
    with state.shown_errors():
        data = adopt(DEMO / "train.jsonl", DEMO / "heldout.jsonl", name="Course office demo")
        state.save(data=data)


def _take_path(key: str) -> None:
    text = str(st.session_state.get(key) or "").strip()
    if text:
        with state.shown_errors():
            path = Path(text).expanduser()
            if not path.is_file():
                raise NotFound(f"there is no file at {text[:200]}.", "Give the full path of a file on this machine.")
            take(path, path.name)


def take_upload(name: str, content: bytes, upload_id: str) -> None:
    """Write uploaded bytes under a name of our own, once, and take them as the plan's data."""
    if st.session_state.get("data.upload_taken") == upload_id:
        return
    suffix = Path(name).suffix.lower()
    if suffix.lstrip(".") not in SUFFIXES:
        raise BadInput(f"`{name[:80]}` is of a kind that we do not read.", f"Give one of: {', '.join(SUFFIXES)}.")
    folder = data_dir() / new_id("upload")
    folder.mkdir(mode=0o700)
    path = folder / f"original{suffix}"
    path.write_bytes(content)
    st.session_state["data.upload_taken"] = upload_id
    take(path, name)


def take(path: Path, name: str, mapping: Mapping | None = None) -> DataRef:
    """Read, check and split a file, and make it the plan's data."""
    data = prepare(path, name=name[:120])
    state.save(data=data)
    return data
