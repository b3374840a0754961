"""Quarantine on a page: the badge, why, the release with name and reason, and the export that waits for it."""

from __future__ import annotations

import re
from functools import partial

import streamlit as st

from app_pages import state
from app_pages.figures import Look, badge, plain
from core.release import LEAST_REASON_CHARACTERS, MAX_REASON_CHARACTERS, MAX_RELEASER_CHARACTERS
from shelf.adapters import Adapter
from shelf.export import export_bytes
from shelf.quarantine import release

QUARANTINED = Look("Quarantined", ":material/lock:", "orange")
RELEASED = Look("Released", ":material/lock_open:", "blue")


def badge_of(adapter: Adapter) -> str:
    """A badge for what is in quarantine or was released from it; nothing for what was judged fit to ship."""
    if not adapter.quarantined:
        return ""
    return badge(RELEASED if adapter.release else QUARANTINED)


def told(adapter: Adapter) -> str:
    """Why it is in quarantine, and who released it all the same, for a caption."""
    if not adapter.quarantined:
        return ""
    made = adapter.release
    if made is None:
        return f"In quarantine. {plain(adapter.quarantine)}"
    by = f"Released by {plain(made.name)} on {made.created_at:%d %b %Y}"
    return f"{plain(adapter.quarantine)} {by}: {plain(made.reason)}"


def way_out(adapter: Adapter) -> None:
    """The export, or the release that it waits for."""
    if not adapter.usable:
        return
    if adapter.may_leave:
        st.download_button(
            "Export",
            partial(export_bytes, state.store(), adapter.job_id, file_name(adapter)),
            f"{file_name(adapter)}.zip",
            "application/zip",
            icon=":material/download:",
            key=f"shelf.export.{adapter.job_id}",
            on_click="ignore",
            help="Weights, lineage and model card in a zip. No rows.",
        )
    elif st.button(
        "Release",
        icon=":material/lock_open:",
        key=f"shelf.release.{adapter.job_id}",
        help="Out of quarantine, with your name and a reason. Only then can it be exported.",
    ):
        ask_release(adapter)


def file_name(adapter: Adapter) -> str:
    """A name for the file from the adapter's: letters, digits and dashes, so that every disk takes it."""
    words = re.sub(r"[^a-z0-9]+", "-", adapter.name.lower()).strip("-")[:50].strip("-")
    return words or adapter.job_id


@st.dialog("Release from quarantine?", icon=":material/lock_open:")
def ask_release(adapter: Adapter) -> None:
    """Who answers for it and why. What is known of it is said first."""
    st.markdown(f"**{plain(adapter.name)}** is in quarantine. {plain(adapter.quarantine)}")
    reasons = adapter.judgement.reasons[:3] if adapter.judgement else []
    if reasons:
        st.markdown("\n".join(f"- {plain(reason)}" for reason in reasons))
    st.caption(
        "Your name, the reason, the time and this verdict are kept, and stand on the model card of every export. "
        "New weights or another verdict end the release."
    )
    name = st.text_input("Your name", max_chars=MAX_RELEASER_CHARACTERS, key="shelf.release.name")
    reason = st.text_area(
        "Reason",
        max_chars=MAX_REASON_CHARACTERS,
        key="shelf.release.reason",
        help=f"At least {LEAST_REASON_CHARACTERS} characters, for whoever asks next year.",
    )
    with st.container(horizontal=True):
        sure = st.button("Release it", type="primary", icon=":material/lock_open:", key="shelf.release.sure")
        keep = st.button("Keep it in quarantine", key="shelf.release.keep")
    done = False
    with state.shown_errors("It was not released:"):
        if sure:
            release(state.store(), adapter.job_id, name=name or "", reason=reason or "")
            done = True
    if done or keep:
        st.rerun()
