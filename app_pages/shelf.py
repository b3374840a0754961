"""Shelf: the adapters that we have, where each comes from, and what is known of its worth."""

from __future__ import annotations

import streamlit as st

from app_pages import adapter_list, judge_view, state
from app_pages.adapter_list import Kept
from app_pages.figures import VERDICTS, badge, plain, size
from backends.removal import remove, what_goes


def lineage(adapter: Kept) -> list[dict[str, str]]:
    """Where the adapter comes from, as rows of a table."""
    spec = adapter.record.spec
    facts = {
        "Base": f"`{spec.base_model}`" + (f" at `{spec.base_revision}`" if spec.base_revision else ""),
        "Method": f"LoRA rank {spec.method.rank}, alpha {spec.method.alpha}, {spec.epochs:g} epochs, seed {spec.seed}",
        "Data": f"sha256 `{spec.dataset_sha256[:16]}`" if spec.dataset_sha256 else "hash not kept",
        "Training": f"`{adapter.id}` on {adapter.record.created_at:%d %b %Y}",
    } | adapter.lineage
    return [{"": name, "Lineage": value} for name, value in facts.items()]


def scores(adapter: Kept) -> str:
    """Scores of all judged models in one line."""
    if adapter.report is None:
        return ""
    parts = [
        f"{judge_view.SHORT.get(name, name)} {adapter.report.models[name]['task'].score:.2f}"
        for name in judge_view.in_order(adapter.report)
        if "task" in adapter.report.models[name]
    ]
    return f"{', '.join(parts)} ({adapter.report.metric_words}, {adapter.report.rows} rows)"


def card(adapter: Kept, *, open_now: bool) -> None:
    """One adapter with what can be done with it."""
    with st.container(border=True, key=f"shelf.card.{adapter.id}"):
        st.markdown(f"**{plain(adapter.name)}** {badge(VERDICTS[adapter.verdict])}")
        facts = [adapter.record.spec.base_model.rpartition("/")[2], size(adapter.bytes_on_disk), scores(adapter)]
        st.caption(plain(" · ".join(fact for fact in facts if fact)))
        with st.container(horizontal=True, vertical_alignment="center"):
            state.link_to("chat", "Chat", ":material/forum:", adapter=adapter.id)
            if adapter.judged_by:
                state.link_to("judge", "Verdict", ":material/balance:", job=adapter.judged_by)
            else:
                state.link_to("judge", "Judge it", ":material/balance:", train=adapter.id)
            state.link_to("jobs", "Training", ":material/rocket_launch:", job=adapter.id)
            with st.popover("Rename", icon=":material/edit:", key=f"shelf.rename.{adapter.id}"):
                st.text_input(
                    "Name",
                    adapter.name,
                    max_chars=120,
                    key=f"shelf.name.{adapter.id}",
                    on_change=rename,
                    args=(adapter.id,),
                )
            st.button(
                "Restore" if adapter.archived else "Archive",
                icon=":material/unarchive:" if adapter.archived else ":material/archive:",
                key=f"shelf.archive.{adapter.id}",
                on_click=archive,
                args=(adapter.id, not adapter.archived),
            )
            if st.button("Delete", icon=":material/delete:", key=f"shelf.delete.{adapter.id}"):
                confirm_delete(adapter)
        with st.expander(
            "Lineage and path", icon=":material/account_tree:", expanded=open_now, key=f"shelf.more.{adapter.id}"
        ):
            st.table(lineage(adapter), hide_index=True, hide_header=True, border="horizontal", alt="Lineage.")
            st.caption("Path, to be loaded with PEFT or given to a server")
            st.code(str(adapter.path), language=None, wrap_lines=True)


def rename(adapter_id: str) -> None:
    """From the popover."""
    with state.shown_errors():
        adapter_list.rename(adapter_id, str(st.session_state.get(f"shelf.name.{adapter_id}") or ""))


def archive(adapter_id: str, archived: bool) -> None:
    """From the button."""
    with state.shown_errors():
        adapter_list.archive(adapter_id, archived)


@st.dialog("Delete this adapter?", icon=":material/delete:")
def confirm_delete(adapter: Kept) -> None:
    """What goes with it, said first: an adapter lives in the folder of its training."""
    with state.shown_errors():
        st.markdown("This cannot be undone. It goes together with the job that made it:")
        st.markdown("\n".join(f"- {plain(part)}" for part in what_goes(state.store(), "job", adapter.id)))
        with st.container(horizontal=True):
            sure = st.button("Delete for good", type="primary", icon=":material/delete:", key="shelf.delete.sure")
            keep = st.button("Keep it", key="shelf.delete.keep")
        if keep:
            st.rerun()
        if sure:
            remove(state.store(), "job", adapter.id)
            st.rerun()


st.title("Shelf", anchor=False)
with state.shown_errors():
    archived = st.toggle("Show archived", key="shelf.archived")
    adapters = adapter_list.kept(archived=archived)
    for adapter in adapters:
        card(adapter, open_now=adapter.id == st.query_params.get("adapter"))
    if not adapters:
        st.info(
            "Nothing is archived." if archived else "No adapter yet. A training that ends well puts one here.",
            icon=":material/inbox:",
        )
        if not archived:
            state.link_to("advise", "Go to the launch panel", ":material/rocket_launch:")
