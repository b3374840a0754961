"""Shelf: the adapters that we have, where each comes from, what it is worth, and whether it may leave."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app_pages import judge_again, judged_models, past_verdicts, quarantine_view, rescue_view, state
from app_pages.figures import VERDICTS, badge, plain, size
from backends.removal import remove, what_goes
from shelf.adapters import MAX_NAME_CHARACTERS, Adapter, adapters, archive, rename
from shelf.classifier_words import FORM_WORDS
from shelf.lineage import Lineage
from shelf.tuned_words import opened_with

OPENED = "Path, to be opened with `serving.classifier.load_classifier`"


def lineage(adapter: Adapter) -> list[dict[str, str]]:
    """Where the adapter comes from, as rows of a table: what its training wrote down, else what it was asked for."""
    told = adapter.lineage or Lineage()
    more = told.model_extra or {}
    commit = adapter.base_commit or adapter.base_revision
    facts = {
        "Base": f"`{adapter.base_model}`" + (f" at `{commit}`" if commit else ""),
        "Licence of the base": plain(adapter.licence or "not known: look it up before you pass the adapter on"),
        "Weights of the base": hashes(more.get("base_sha256")),
        "Method": adapter.method,
        "Training rows": hashed(adapter.dataset_sha256, more.get("dataset_rows")) or "hash not kept",
        "Validation rows": hashed(told.validation_sha256, more.get("validation_rows")),
        "Libraries": plain(", ".join(f"{name} {version}" for name, version in told.versions.items())),
        "Made": f"{adapter.created_at:%d %b %Y, %H:%M} UTC by `{adapter.job_id}`",
    }
    if not adapter.base_model:  # a classifier of the classic form starts from nothing
        facts |= {"Base": "", "Licence of the base": ""}
    return [{"": name, "Lineage": value} for name, value in facts.items() if value]


def hashed(sha256: str | None, rows: object) -> str:
    """`sha256 1f2e..., 300 rows`."""
    if not sha256:
        return ""
    return f"sha256 `{sha256[:16]}`" + (f", {rows:,} rows" if isinstance(rows, int) and rows else "")


def hashes(files: object) -> str:
    """{file: sha256} in a line."""
    pairs = files.items() if isinstance(files, dict) else ()
    return ", ".join(f"`{name}` sha256 `{str(sha256)[:16]}`" for name, sha256 in pairs)


def scores(adapter: Adapter) -> str:
    """Scores of all judged models with their intervals, in one line."""
    order = sorted(adapter.scores, key=lambda name: (*judged_models.SHORT, name).index(name))
    parts = [
        f"{judged_models.SHORT.get(name, name)} {score.score:.2f} ({score.low:.2f} to {score.high:.2f})"
        for name, score in ((name, adapter.scores[name]) for name in order)
    ]
    return f"{', '.join(parts)}: {adapter.metric_words} on {adapter.rows} rows" if parts else ""


def card(adapter: Adapter, *, open_now: bool) -> None:
    """One adapter with what can be done with it."""
    job_id = adapter.job_id
    with st.container(border=True, key=f"shelf.card.{job_id}"):
        looks = f"{badge(VERDICTS.get(adapter.verdict, VERDICTS[None]))} {quarantine_view.badge_of(adapter)}"
        st.markdown(f"**{plain(adapter.name)}** {looks}".strip())
        kind = [] if adapter.form == "adapter" else [FORM_WORDS[adapter.form]]
        base = [adapter.base_model.rpartition("/")[2]] if adapter.base_model else []
        facts = " · ".join([*kind, *base, size(adapter.size_bytes)])
        lines = [plain(facts), plain(scores(adapter)), quarantine_view.told(adapter)]
        st.caption("  \n".join(line for line in lines if line))
        # Whole paths would fill a phone; the folder stands below with the lineage.
        state.show_problems(
            [problem.model_copy(update={"where": Path(problem.where).name}) for problem in adapter.problems]
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            if adapter.usable:
                how = "Chat" if adapter.form == "adapter" else "Try it"
                state.link_to("chat", how, ":material/forum:", adapter=job_id)
            if adapter.judged_by:
                state.link_to("judge", "Verdict", ":material/balance:", job=adapter.judged_by)
            elif adapter.usable:
                state.link_to("judge", "Judge it", ":material/balance:", train=job_id)
            judge_again.button(adapter)
            state.link_to("jobs", "Training", ":material/rocket_launch:", job=job_id)
            quarantine_view.way_out(adapter)
            with st.popover("Rename", icon=":material/edit:", key=f"shelf.rename.{job_id}"):
                st.text_input(
                    "Name",
                    adapter.name,
                    max_chars=MAX_NAME_CHARACTERS,
                    key=f"shelf.name.{job_id}",
                    on_change=give_name,
                    args=(job_id,),
                )
            st.button(
                "Restore" if adapter.archived else "Archive",
                icon=":material/unarchive:" if adapter.archived else ":material/archive:",
                key=f"shelf.archive.{job_id}",
                on_click=put_away,
                args=(job_id, not adapter.archived),
            )
            if st.button("Delete", icon=":material/delete:", key=f"shelf.delete.{job_id}"):
                confirm_delete(adapter)
        judge_again.at_work(adapter)
        past_verdicts.section(adapter)
        with st.expander(
            "Lineage and path", icon=":material/account_tree:", expanded=open_now, key=f"shelf.more.{job_id}"
        ):
            st.table(lineage(adapter), hide_index=True, hide_header=True, border="horizontal", alt="Lineage.")
            server = "given to a server" if adapter.may_leave else "given to a server once it is out of quarantine"
            opened = f"Path, to be loaded with {opened_with(adapter.spec)} or {server}"
            st.caption(opened if adapter.form == "adapter" else OPENED)
            st.code(str(adapter.path), language=None, wrap_lines=True)


def give_name(job_id: str) -> None:
    """From the popover."""
    with state.shown_errors():
        rename(state.store(), job_id, str(st.session_state.get(f"shelf.name.{job_id}") or ""))


def put_away(job_id: str, archived: bool) -> None:
    """From the button."""
    with state.shown_errors():
        archive(state.store(), job_id, archived)


@st.dialog("Delete this adapter?", icon=":material/delete:")
def confirm_delete(adapter: Adapter) -> None:
    """What goes with it, said first: an adapter lives in the folder of its training."""
    with state.shown_errors():
        st.markdown("This cannot be undone. It goes together with the job that made it:")
        st.markdown("\n".join(f"- {plain(part)}" for part in what_goes(state.store(), "job", adapter.job_id)))
        with st.container(horizontal=True):
            sure = st.button("Delete for good", type="primary", icon=":material/delete:", key="shelf.delete.sure")
            keep = st.button("Keep it", key="shelf.delete.keep")
        if keep:
            st.rerun()
        if sure:
            remove(state.store(), "job", adapter.job_id)
            st.rerun()


st.title("Shelf", anchor=False)
with state.shown_errors():
    archived = st.toggle("Show archived", key="shelf.archived")
    kept = adapters(state.store(), archived=archived)
    for adapter in kept:
        card(adapter, open_now=adapter.job_id == st.query_params.get("adapter"))
    if not kept:
        st.info(
            "Nothing is archived." if archived else "No adapter yet. A training that ends well puts one here.",
            icon=":material/inbox:",
        )
        if not archived:
            state.link_to("advise", "Go to the launch panel", ":material/rocket_launch:")
rescue_view.section()
