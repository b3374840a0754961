"""A kept adapter judged again from the Shelf: on the same held-out rows or on new ones, on the same base or another."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import BinaryIO

import streamlit as st

from app_pages import state
from app_pages.data_picker import SUFFIXES
from app_pages.figures import plain
from backends.again import being_judged, launch_again
from core.base_models import locate
from core.errors import BadInput, NotFound
from core.home import data_dir
from core.paths import typed_path
from evaluation.freshness import judge_again
from shelf.adapters import Adapter

SAME, PATH, UPLOAD = "same", "path", "upload"
ROWS = {SAME: "The same held-out rows", PATH: "A file on this machine", UPLOAD: "Upload a file"}


def button(adapter: Adapter) -> None:
    """For an adapter that was judged before; the first judgement has a page of its own."""
    if (
        adapter.usable
        and adapter.history
        and st.button(
            "Judge again",
            icon=":material/autorenew:",
            key=f"shelf.again.{adapter.job_id}",
            help="Is its verdict still true? On the same rows, on new ones, or on another revision of the base.",
        )
    ):
        ask(adapter)


def at_work(adapter: Adapter) -> None:
    """That it is being judged at this moment, with the way to the job."""
    record = being_judged(state.store(), adapter.job_id)
    if record is not None:
        with st.container(horizontal=True, vertical_alignment="center", key=f"shelf.judging.{adapter.job_id}"):
            st.markdown(":blue-badge[:material/hourglass_top: Being judged]", width="content")
            state.link_to("jobs", "See the job", ":material/rocket_launch:", job=record.id)


@st.dialog("Judge again", icon=":material/autorenew:")
def ask(adapter: Adapter) -> None:
    """On which rows and on which base; the rest is as it was asked for the last time."""
    last = adapter.history[0]
    st.markdown(f"**{plain(adapter.name)}** was judged last on {last.created_at:%d %b %Y}.")
    which = st.radio(
        "Rows to judge on",
        list(ROWS),
        format_func=ROWS.__getitem__,
        captions=[f"{plain(last.rows_name or 'the last file')}, {last.rows:,} rows", "", ""],
        key="shelf.again.rows",
    )
    path, given = "", None
    if which == PATH:
        path = st.text_input("Path of the file", key="shelf.again.path", placeholder="/home/me/december.jsonl")
    elif which == UPLOAD:
        given = st.file_uploader("Held-out rows, in the form of the last ones", type=SUFFIXES, key="shelf.again.upload")
    revision = _revision(adapter, last.base_revision)
    st.caption("Same metric, same axes, same seed. What the base has answered already is taken from the cache.")
    with st.container(horizontal=True):
        sure = st.button("Start", type="primary", icon=":material/play_arrow:", key="shelf.again.start")
        keep = st.button("Not now", key="shelf.again.not_now")
    started = False
    with state.shown_errors("It was not started:"):
        if sure:
            start(adapter, rows_of(which or SAME, path or "", given), revision)
            started = True
    if started or keep:
        st.rerun()


def rows_of(which: str, path: str, given: BinaryIO | None) -> Path | None:
    """The new rows; None for the last ones. An upload is kept by its hash. Raises `BadInput`, `NotFound`."""
    if which == SAME:
        return None
    if which == PATH:
        if not path.strip():
            raise BadInput("no file was named.", "Give the full path of a file on this machine.")
        return typed_path(path.strip())
    if given is None:
        raise BadInput("no file was uploaded.", "Choose a file, or take the same rows.")
    content = given.read()
    folder = data_dir() / f"held-out-{hashlib.sha256(content).hexdigest()[:16]}"
    folder.mkdir(mode=0o700, exist_ok=True)
    kept = folder / (Path(given.name).name or "rows.jsonl")
    kept.write_bytes(content)
    return kept


def start(adapter: Adapter, rows: Path | None, revision: str | None) -> str:
    """Start the judgement and return its id. Raises what stops it; then nothing was started."""
    store = state.store()
    last = store.job(adapter.history[0].job_id)
    spec = judge_again(last.spec, adapter.job_id, rows=rows, base_revision=revision)
    return launch_again(store, spec, plan_id=store.job(adapter.job_id).plan_id)[-1].id


def _revision(adapter: Adapter, last: str | None) -> str | None:
    """Another revision of the base, where it comes from the hub; None to leave it as it was."""
    try:
        is_folder = locate(adapter.base_model).place == "folder"
    except (BadInput, NotFound):
        is_folder = True
    if is_folder:
        st.caption("The base is a folder: it is judged with the files that are in it now.")
        return None
    said = st.text_input(
        "Another revision of the base",
        key="shelf.again.base",
        placeholder=f"As last time: {last or 'the newest that is on this machine'}",
        help="A commit or a tag on the hub. One that is not here yet is fetched first.",
    )
    return said.strip() or None if said else None
