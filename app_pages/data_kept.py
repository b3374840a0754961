"""The data that was taken in, whoever uses it: take it again, rename, put away, delete."""

from __future__ import annotations

from datetime import date

import streamlit as st

from app_pages import data_rows, state
from app_pages.figures import plain, size
from backends.kept_data import KeptData, archive, kept_data, remove, rename, what_goes
from core.plan import Plan
from dataset.kept import MAX_NAME_CHARACTERS, data_ref

NAMES_SHOWN = 3


def show(plan: Plan | None) -> None:
    """A folded list below the rows of the plan. Nothing where nothing was ever taken in."""
    every = kept_data(state.store())
    if not every:
        return
    with (
        st.expander(f"Kept data ({len(every)})", icon=":material/inventory_2:", key="data.kept"),
        state.shown_errors(),
    ):
        st.caption(
            "Our own copies of what was taken in, for any plan. The files that they came from are left as they are."
        )
        archived = any(kept.archived for kept in every) and st.toggle("Show archived", key="data.kept.archived")
        shown = [kept for kept in every if kept.archived == archived]
        for kept in shown:
            card(kept, plan)
        if not shown:
            st.caption("Nothing is archived." if archived else "All of it is archived.")


def card(kept: KeptData, plan: Plan | None) -> None:
    """One set with what can be done with it."""
    here = plan is not None and any(user.id == plan.id for user in kept.plans)
    with st.container(border=True, key=f"data.kept.{kept.id}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{plain(kept.name)}**", width="content")
            if here:
                st.badge("In this plan", icon=":material/check:", color="primary")
        st.caption(" · ".join((counts(kept), size(kept.size_bytes), f"taken in {kept.adopted_at:%d %b %Y, %H:%M} UTC")))
        st.caption(users(kept))
        with st.container(horizontal=True, vertical_alignment="center"):
            if not here and kept.whole:
                st.button(
                    "Use in this plan" if plan else "Use in a new plan",
                    icon=":material/input:",
                    key=f"data.kept.use.{kept.id}",
                    on_click=use,
                    args=(kept,),
                )
            with st.popover("Rename", icon=":material/edit:", key=f"data.kept.rename.{kept.id}"):
                st.text_input(
                    "Name",
                    kept.name,
                    max_chars=MAX_NAME_CHARACTERS,
                    key=f"data.kept.name.{kept.id}",
                    on_change=give_name,
                    args=(kept.id,),
                )
            st.button(
                "Restore" if kept.archived else "Archive",
                icon=":material/unarchive:" if kept.archived else ":material/archive:",
                key=f"data.kept.archive.{kept.id}",
                help="Archived data is kept, out of the list. Plans and jobs that use it go on.",
                on_click=put_away,
                args=(kept.id, not kept.archived),
            )
            if st.button("Delete", icon=":material/delete:", key=f"data.kept.delete.{kept.id}"):
                confirm_delete(kept)


def counts(kept: KeptData) -> str:
    """How many rows each part has."""
    if kept.rows is None or not kept.whole:
        return ":material/warning: Not whole: it can only be deleted"
    train, validation, test = (kept.rows[part] for part in ("train", "validation", "test"))
    return f"{train + validation + test:,} rows: {train:,} to train on, {validation:,} to steer by, {test:,} held out"


def users(kept: KeptData) -> str:
    """Which plans and jobs use it, by name."""
    plans, jobs = ([plain(user.name) for user in users] for users in (kept.plans, kept.jobs))
    parts = [
        f"{word}{'s' if len(names) != 1 else ''} {_named(names)}"
        for word, names in (("plan", plans), ("job", jobs))
        if names
    ]
    return f"Used by the {' and the '.join(parts)}." if parts else "Used by no plan and no job."


def _named(names: list[str]) -> str:
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(f"**{name}**" for name in names[:NAMES_SHOWN]) + more


def use(kept: KeptData) -> None:
    """Make it the plan's data; a plan is made where there is none yet."""
    with state.shown_errors():
        own = next((plan.data for plan in kept.plans if plan.data), None)
        plan = state.current_plan()
        renderer = data_rows.renderer_of(plan.spec.base_model if plan and plan.spec else None)
        state.save(data=own or data_ref(kept.folder, renderer=renderer, today=date.today()))


def give_name(set_id: str) -> None:
    """From the popover."""
    with state.shown_errors():
        rename(state.store(), set_id, str(st.session_state.get(f"data.kept.name.{set_id}") or ""))


def put_away(set_id: str, archived: bool) -> None:
    """From the button."""
    with state.shown_errors():
        archive(state.store(), set_id, archived)


@st.dialog("Delete this data?", icon=":material/delete:")
def confirm_delete(kept: KeptData) -> None:
    """What goes with it, said first."""
    st.markdown("This cannot be undone. Your own file stays where it is. It deletes:")
    st.markdown("\n".join(f"- {plain(part)}" for part in what_goes(kept)))
    with st.container(horizontal=True):
        sure = st.button("Delete for good", type="primary", icon=":material/delete:", key="data.kept.delete.sure")
        keep = st.button("Keep it", key="data.kept.delete.keep")
    with state.shown_errors("It was not deleted:"):
        if sure:
            remove(state.store(), kept.id)
        if sure or keep:
            st.rerun()
