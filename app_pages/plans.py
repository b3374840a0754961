"""All plans: open, rename, archive, delete. A plan is a link."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime

import streamlit as st

from app_pages import compare_plans, memo_panel, spent, state
from app_pages.answer_view import name_of
from app_pages.figures import VERDICTS, ago, plain
from backends.removal import remove, what_goes
from core.errors import NotFound, TuneworthyError
from core.plan import Plan

REFUSED = "plans.refused"  # why a plan was not deleted


def summary(plan: Plan) -> str:
    """A plan in one line."""
    parts = [name_of(plan.recommendation) if plan.recommendation else "No launch yet"]
    if plan.data:
        parts.append(f"{plan.data.rows:,} rows of {plain(plan.data.name)}")
    if plan.jobs:
        parts.append(f"{len(plan.jobs)} job{'s' if len(plan.jobs) != 1 else ''}")
    if plan.verdict:
        parts.append(VERDICTS[plan.verdict].label if plan.verdict in VERDICTS else plan.verdict)
    parts.append(f"changed {ago(plan.updated_at, datetime.now(UTC))}")
    return " · ".join(parts)


def rename(plan_id: str) -> None:
    """The new name, when it says something."""
    name = str(st.session_state.get(f"plans.name.{plan_id}") or "").strip()[:120]
    if name:
        with state.shown_errors():
            state.store().update_plan(plan_id, name=name)


def archive(plan_id: str, archived: bool) -> None:
    """Out of the list, or back into it. Nothing is deleted."""
    with state.shown_errors():
        state.store().update_plan(plan_id, archived=archived)


def delete(plan_id: str) -> None:
    """For good, with everything that was said; a refusal is shown by the page."""
    try:
        remove(state.store(), "plan", plan_id)
        if st.session_state.get(state.PLAN) == plan_id:
            state.close_plan()
    except TuneworthyError as error:
        st.session_state[REFUSED] = error.problems()


@st.dialog("Delete this plan?", icon=":material/delete:")
def confirm_delete(plan_id: str) -> None:
    """What goes with it, said first."""
    parts: list[str] = []
    with state.shown_errors(), suppress(NotFound):  # gone already: the dialog closes below
        parts = what_goes(state.store(), "plan", plan_id)
    st.markdown("This cannot be undone. It deletes:")
    st.markdown("\n".join(f"- {part}" for part in parts))
    with st.container(horizontal=True):
        sure = st.button(
            "Delete for good",
            type="primary",
            icon=":material/delete:",
            key="plans.delete.sure",
            on_click=delete,
            args=(plan_id,),
        )
        keep = st.button("Keep it", key="plans.delete.keep")
    if sure or keep:
        st.rerun()


def card(plan: Plan, current: bool) -> None:
    """One plan with what can be done with it."""
    with st.container(border=True, key=f"plans.card.{plan.id}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{plain(plan.name)}**")
            if current:
                st.badge("Open now", icon=":material/check:", color="primary")
        st.caption(summary(plan))
        with st.container(horizontal=True):
            if st.button("Open", key=f"plans.open.{plan.id}", icon=":material/folder_open:"):
                state.open_plan(plan.id)
                state.go_to("advise")
            with st.popover("Rename", icon=":material/edit:", key=f"plans.rename.{plan.id}"):
                st.text_input(
                    "Name", plan.name, max_chars=120, key=f"plans.name.{plan.id}", on_change=rename, args=(plan.id,)
                )
            with st.popover("Link", icon=":material/link:", key=f"plans.link.{plan.id}"):
                st.caption("Whoever can reach this app opens the plan with it.")
                st.code(f"{address()}?plan={plan.id}", language=None, wrap_lines=True)
            with st.popover("Memo", icon=":material/article:", key=f"plans.memo.{plan.id}"):
                memo_panel.show(plan)
            st.button(
                "Restore" if plan.archived else "Archive",
                key=f"plans.archive.{plan.id}",
                icon=":material/unarchive:" if plan.archived else ":material/archive:",
                on_click=archive,
                args=(plan.id, not plan.archived),
            )
            if st.button("Delete", key=f"plans.delete.{plan.id}", icon=":material/delete:"):
                confirm_delete(plan.id)


def address() -> str:
    """Where this app is, as the browser sees it, without the page."""
    url = st.context.url or "http://localhost:8501/"
    return url.partition("?")[0].removesuffix("/").removesuffix("/plans") + "/"


st.title("Plans")
state.show_problems(st.session_state.pop(REFUSED, []), "It was not deleted.")
with state.shown_errors():
    open_now = state.current_plan()
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("New plan", type="primary", icon=":material/add:", key="plans.new"):
            state.close_plan()
            state.go_to("advise")
        archived = st.toggle("Show archived", key="plans.archived")
    spent.show()
    plans = state.store().plans(archived=archived)
    for plan in plans:
        card(plan, open_now is not None and plan.id == open_now.id)
    compare_plans.show(plans, date.today())
    if not plans:
        st.info(
            "Nothing is archived." if archived else "No plan yet. The first answer on the Advise page starts one.",
            icon=":material/inbox:",
        )
