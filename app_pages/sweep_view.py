"""Which rank and rate, as a section for any page: the settings by validation loss, and the best one judged."""

from __future__ import annotations

from functools import partial

import streamlit as st

from app_pages import state
from app_pages.figures import plain
from backends.sweep import SweepJobs, all_sweeps
from core.errors import TuneworthyError
from core.store import Store
from evaluation.swept import swept
from evaluation.swept_table import HEAD, as_csv, table


def section(store: Store, group: str | None = None) -> None:
    """The sweeps that were launched, one to choose; or that of one `group`. Nothing where there is none."""
    found = [jobs for jobs in all_sweeps() if group in (None, jobs.group)]
    if not found:
        return
    st.subheader("Which settings pay", anchor="sweep")
    chosen: SweepJobs | None = found[0]
    if len(found) > 1:
        chosen = st.selectbox(
            "Sweep", found, format_func=lambda jobs: f"{jobs.name}, {jobs.created_at:%d %b %Y %H:%M}", key="sweep.group"
        )
    if chosen is not None:
        try:
            show(store, chosen)
        except TuneworthyError as error:
            st.error(plain(str(error)), icon=":material/error:")


def show(store: Store, jobs: SweepJobs) -> None:
    """What was chosen and how sure that is, the table with a file of it, and the judgement of the best."""
    found = swept(store, jobs)
    (st.info if found.judged else st.markdown)(plain(found.words))
    names = [f"{name[:1].upper()}{name[1:]}" for name in HEAD]
    rows = [dict(zip(names, map(plain, cells), strict=True)) for cells in table(found)]
    st.table(rows, hide_index=True, border="horizontal", alt="Validation loss, time and memory of each setting.")
    if found.seed_words:
        st.markdown(plain(found.seed_words))
    if not found.judged:
        st.caption("The best setting is judged by:" if jobs.judge is None else "The judgement has not ended.")
        st.code(f"tuneworthy sweep {jobs.group} --wait", language=None)
    with st.container(horizontal=True, key="sweep.next"):
        st.download_button(
            "Table (CSV)", partial(as_csv, found), f"sweep-{found.group}.csv", "text/csv",
            key="sweep.file", icon=":material/download:", on_click="ignore",
        )  # fmt: skip
        if found.judged and jobs.judge is not None:
            state.link_to("judge", "See the verdict", ":material/balance:", job=jobs.judge)
