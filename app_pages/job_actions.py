"""What can be done with a job: cancel, resume, rename, archive, delete."""

from __future__ import annotations

import streamlit as st

from app_pages import state
from app_pages.figures import plain
from backends.engines import engine
from backends.launch import submit
from backends.removal import remove, what_goes
from core.errors import ProblemsFound
from core.job import JobState
from core.store import JobRecord


def show(record: JobRecord, now: JobState) -> None:
    """The buttons that make sense in the present state."""
    with st.container(horizontal=True, key="jobs.actions"):
        if not now.done and st.button("Cancel", icon=":material/stop_circle:", key="jobs.cancel"):
            confirm_cancel(record)
        if now.state in ("failed", "cancelled") and st.button(
            "Resume", type="primary", icon=":material/resume:", key="jobs.resume"
        ):
            with state.shown_errors("It was not resumed."):
                resume(record)
                st.rerun()
        with st.popover("Rename", icon=":material/edit:", key="jobs.rename"):
            st.text_input(
                "Name", record.name, max_chars=120, key=f"jobs.name.{record.id}", on_change=rename, args=(record.id,)
            )
        if now.done:
            st.button(
                "Restore" if record.archived else "Archive",
                key="jobs.archive",
                icon=":material/unarchive:" if record.archived else ":material/archive:",
                help="Archived jobs are kept, out of the list.",
                on_click=archive,
                args=(record.id, not record.archived),
            )
            if st.button("Delete", icon=":material/delete:", key="jobs.delete"):
                confirm_delete(record)


def resume(record: JobRecord) -> None:
    """Go on with a job. Raises what stops it; a job that its engine never saw is handed over now."""
    if record.ref is None:
        submit(state.store(), record)
        return
    problem = engine(record.engine).resume(record.ref)
    if problem is not None:
        raise ProblemsFound([problem])


def rename(job_id: str) -> None:
    """The new name, when it says something."""
    name = str(st.session_state.get(f"jobs.name.{job_id}") or "").strip()[:120]
    if name:
        with state.shown_errors():
            state.store().update_job(job_id, name=name)


def archive(job_id: str, archived: bool) -> None:
    """Out of the list, or back into it. Nothing is deleted."""
    with state.shown_errors():
        state.store().update_job(job_id, archived=archived)


@st.dialog("Cancel this job?", icon=":material/stop_circle:")
def confirm_cancel(record: JobRecord) -> None:
    """What is kept, said first."""
    kept = "It keeps its last checkpoint." if record.kind == "train" else "What is half done is dropped."
    again = f"stops after its present step. {kept} You can resume it. Steps that wait for it will not run."
    if record.engine == "openai":
        again = "is stopped at its host, which charges for what was done until then. It does not go on later."
    st.markdown(f"**{plain(record.name)}** {again}")
    with st.container(horizontal=True):
        sure = st.button("Cancel the job", type="primary", icon=":material/stop_circle:", key="jobs.cancel.sure")
        if st.button("Let it run", key="jobs.cancel.keep"):
            st.rerun()
    if sure:
        with state.shown_errors("It was not cancelled."):
            if record.ref is not None:
                engine(record.engine).cancel(record.ref)
            st.rerun()


@st.dialog("Delete this job?", icon=":material/delete:")
def confirm_delete(record: JobRecord) -> None:
    """What goes with it, said first."""
    with state.shown_errors():
        st.markdown("This cannot be undone. It deletes:")
        st.markdown("\n".join(f"- {part}" for part in what_goes(state.store(), "job", record.id)))
        with st.container(horizontal=True):
            sure = st.button("Delete for good", type="primary", icon=":material/delete:", key="jobs.delete.sure")
            keep = st.button("Keep it", key="jobs.delete.keep")
        if keep:
            st.rerun()
        if sure:
            remove(state.store(), "job", record.id)
            st.query_params.pop("job", None)
            st.rerun()
