"""The chat worker as the page sees it: find it, start it, wait for it without blocking, stop it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app_pages import state
from backends.launch import launch
from core.base_models import BaseModelPlace, locate
from core.errors import TuneworthyError
from core.jobspec import JobSpec
from serving import client
from serving.endpoint import Endpoint

POLL_SECONDS = 1.0
IDLE_MINUTES = 10.0


def find(base_path: Path, adapters: dict[str, Path]) -> Endpoint | None:
    """A worker with the base of this folder and at least these adapters as they are now, or the last failure."""
    wanted = {name: client.written(path) for name, path in adapters.items()}
    found = [
        endpoint
        for endpoint in client.endpoints()
        if endpoint.base_path == str(base_path) and all(endpoint.written.get(name) == at for name, at in wanted.items())
    ]
    return min(
        found, key=lambda endpoint: ("ready", "starting", "failed", "stopped").index(endpoint.state), default=None
    )


def ready(base_model: str, revision: str | None, adapters: dict[str, Path], device: str) -> Endpoint | None:
    """The worker when it can be asked; else None, and the page shows what is missing and what to press."""
    place = locate(base_model, revision)
    if not place.ready or place.path is None:
        not_prepared(base_model, revision, place)
        return None
    now = find(place.path, adapters)
    if now is not None and now.state == "ready":
        with st.container(horizontal=True, vertical_alignment="center", key="chat.worker"):
            st.badge("Loaded", icon=":material/check_circle:", color="green")
            st.caption(f"Unloads after {IDLE_MINUTES:.0f} idle minutes.", width="content")
            if st.button("Unload now", icon=":material/eject:", type="tertiary", key="chat.unload"):
                with state.shown_errors():
                    client.stop(now)
                    st.rerun()
        return now
    if now is not None and now.state == "starting":
        st.fragment(wait_for, run_every=POLL_SECONDS)(now.id)
        return None
    if now is not None and now.state == "failed":
        st.error(now.note or "The chat worker could not start.", icon=":material/error:")
    start(base_model, revision, adapters, device, again=now is not None)
    return None


def start(base_model: str, revision: str | None, adapters: dict[str, Path], device: str, *, again: bool) -> None:
    """The button that loads the base and the adapter in a process of its own."""
    with st.container(horizontal=True, vertical_alignment="center", key="chat.start.row"):
        pressed = st.button(
            "Try again" if again else "Load the model", type="primary", icon=":material/play_arrow:", key="chat.start"
        )
        st.caption("Takes some seconds. It runs on this machine, in a process of its own.", width="content")
    if not pressed:
        return
    with state.shown_errors("It was not loaded."):
        former = st.session_state.pop("chat.endpoint", None)
        started = client.start(base_model, adapters, device=device, revision=revision, idle_minutes=IDLE_MINUTES)
        if former and former != started.id:
            # The one that this tab had loaded before: two at once would take memory twice.
            client.stop(former)
        st.session_state["chat.endpoint"] = started.id
        st.rerun()


def wait_for(endpoint_id: str) -> None:
    """What the worker is doing; the page is drawn again as soon as it answers or has failed."""
    try:
        now = client.status(endpoint_id)
    except TuneworthyError:
        st.rerun()
    if now.state != "starting":
        st.rerun()
    note = now.note or "starting"
    st.info(f"{note[:1].upper()}{note[1:]}. The page goes on by itself when it is ready.", icon="spinner")
    if st.button("Cancel", icon=":material/stop_circle:", key="chat.start.cancel"):
        with state.shown_errors():
            client.stop(now)
            st.rerun()


def not_prepared(base_model: str, revision: str | None, place: BaseModelPlace) -> None:
    """The base is not here: say where it would come from, and offer the job that gets it."""
    st.warning(
        f"The base `{base_model}` is not on this machine yet. It would be fetched from {' or '.join(place.hosts)}.",
        icon=":material/download:",
    )
    if st.button("Prepare it", type="primary", icon=":material/download:", key="chat.prepare"):
        with state.shown_errors("It was not started."):
            plan = state.current_plan()
            spec = JobSpec(kind="prepare", name="Prepare the base", base_model=base_model, base_revision=revision)
            record = launch(state.store(), spec, plan_id=plan.id if plan else None)
            state.go_to("jobs", job=record.id)
