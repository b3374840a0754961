"""One-click fixes: choose, see what would change, take the cleaned rows into the plan."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from app_pages import data_cleaned, data_report, data_rows, state
from app_pages.figures import plain
from core.plan import DataRef
from dataset.clean import FIXES, Change, Step, in_order, offered
from dataset.finding import Finding, plural
from dataset.masking import veiled
from dataset.row import Message

PREVIEWED = 5
TEXT_CHARACTERS = 160
ICONS = {"error": ":material/error:", "warning": ":material/warning:", "note": ":material/info:"}


def show(data: DataRef) -> None:
    """What can be mended by a click, and the report. Below the findings."""
    findings = [Finding.model_validate(found) for found in data.findings]
    fixes = [fix for fix in offered(findings) if fix.check != "bad_line"]
    bad = sum(found.count for found in findings if found.check == "bad_line")
    if bad:
        verb = "is" if bad == 1 else "are"
        st.caption(f"{plural(bad, 'line')} that could not be read {verb} left out already: there is nothing to drop.")
    if fixes:
        st.subheader("Fixes", anchor=False)
        severity = {found.check: found.severity for found in reversed(findings)}
        chosen = st.pills(
            "What to mend; nothing changes before you have seen what would",
            [fix.id for fix in fixes],
            selection_mode="multi",
            format_func=lambda fix_id: f"{ICONS[severity.get(FIXES[fix_id].check, 'note')]} {FIXES[fix_id].title}",
            key=f"data.fixes.{Path(data.train).parent.name}",
            help="Your file stays as it is, and so do the rows as they are now, under Kept data.",
            wrap=True,
        )
        if chosen:
            with state.shown_errors():
                preview(data, tuple(fix.id for fix in in_order(chosen)))
    data_report.downloads(data)


def history(data: DataRef) -> None:
    """Where a cleaned set comes from; nothing for one that was not cleaned. Below the summary."""
    manifest = data_cleaned.history_of(data)
    if manifest is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        done = ", ".join(dict.fromkeys(FIXES[one.fix].title.lower() for one in manifest.fixes if one.fix in FIXES))
        st.markdown(
            f":material/mop: Cleaned copy of **{plain(manifest.name)}**: {manifest.in_words} ({done}). "
            "The rows from before are under Kept data.",
            width="stretch",
        )
        st.download_button(
            "What was dropped",
            manifest.model_dump_json(indent=1),
            file_name="cleaned.manifest.json",
            mime="application/json",
            icon=":material/download:",
            key="data.cleaned.manifest",
            on_click="ignore",
        )


def preview(data: DataRef, fixes: tuple[str, ...]) -> None:
    """What each chosen fix would do, the first rows of it, and the button that does it."""
    with st.spinner("Looking at what would change", show_time=True):
        cleaned, held_out = data_cleaned.cleaned_of(data, fixes)
    for step in cleaned.steps:
        effect(step, "")
    for part, of_part in held_out.items():
        for step in of_part.steps:
            if step.changes or step.fix.held_out:
                effect(step, part)
    if not any(step.changes for one in (cleaned, *held_out.values()) for step in one.steps):
        return
    left = f"**{plural(len(cleaned.rows), 'row')}** of {len(cleaned.rows) + cleaned.dropped:,} would be left"
    for part, of_part in held_out.items():
        left += f", {len(of_part.rows):,} of {len(of_part.rows) + of_part.dropped:,} in the {part} file"
    st.markdown(f"{left}. They are checked and split anew.")
    folder = Path(data.train).parent
    with st.container(horizontal=True):
        sure = st.button(
            "Use the cleaned rows in this plan",
            type="primary",
            icon=":material/mop:",
            key="data.fixes.apply",
            disabled=not cleaned.rows,
        )
        name = Path(data_cleaned.cleaned_name(data.name)).stem
        st.download_button(
            "Cleaned file",
            partial(data_cleaned.text_of, data, fixes),
            file_name=f"{name}.jsonl",
            mime="application/jsonl",
            icon=":material/download:",
            key=f"data.fixes.file.{folder.name}",
            on_click="ignore",
        )
        st.download_button(
            "Its manifest",
            partial(manifest_text, data, fixes),
            file_name=f"{name}.jsonl.manifest.json",
            mime="application/json",
            icon=":material/download:",
            key=f"data.fixes.manifest.{folder.name}",
            on_click="ignore",
        )
    if sure:
        with st.spinner("Cleaning, checking and splitting", show_time=True):
            done = apply(data, fixes)
        if done:
            st.rerun()


def effect(step: Step, part: str) -> None:
    """One fix: what it would do, and its first rows before and after."""
    where = f" in the {part} file" if part else ""
    told = [f"{plural(step.dropped, 'row')} go" + ("es" if step.dropped == 1 else "")] if step.dropped else []
    told += [f"{plural(step.changed, 'row')} change" + ("s" if step.changed == 1 else "")] if step.changed else []
    st.markdown(f"**{step.fix.title}**: {' and '.join(told) or 'nothing to do here'}{where if told else ''}.")
    st.caption(step.fix.does)
    others = sum(change.reason.endswith("another answer") for change in step.changes)
    if step.fix.id == "exact_duplicate" and others:
        st.warning(
            f"{plural(others, 'of these rows carries', 'of these rows carry')} another answer than the row that stays. "
            "Where several good answers are meant, keep them; else decide the conflicts first.",
            icon=":material/call_split:",
        )
    if step.changes:
        shown = step.changes[:PREVIEWED]
        st.table(
            [cells(change, step) for change in shown],
            hide_index=True,
            border="horizontal",
            alt=f"The first {len(shown)} rows before and after.",
        )
        if len(step.changes) > len(shown):
            st.caption(f"The first {len(shown)} of {len(step.changes):,}; the manifest names them all.")


def cells(change: Change, step: Step) -> dict[str, Any]:
    """A changed row in one line: of one that stays only the turns that change. What is masked is not shown in clear."""
    was, now = change.before.messages, change.after.messages if change.after else ()
    if change.after and len(was) == len(now):
        pairs = [(one, other) for one, other in zip(was, now, strict=True) if one != other]
        was, now = tuple(one for one, _ in pairs), tuple(other for _, other in pairs)
    elif not change.after:
        was = tuple(message for message in was if message.role != "system") or was
    private = step.fix.id in ("pii", "secret")
    found: dict[str, Any] = {"Line": change.before.line, "Before": plain(in_one_line(was, veil=private))}
    if step.changed:
        found["After"] = plain(in_one_line(now, veil=private)) if change.after else "dropped"
    return found | {"Why": plain(change.reason)}


def in_one_line(turns: Sequence[Message], *, veil: bool = False) -> str:
    """Turns with their roles. With `veil`, of personal data and secrets only the first two characters."""
    said = ((turn.role, veiled(turn.content) if veil else turn.content) for turn in turns)
    text = " | ".join(f"{role}: {' '.join(content.split())}" for role, content in said)
    return text if len(text) <= TEXT_CHARACTERS else f"{text[: TEXT_CHARACTERS - 3]}..."


def manifest_text(data: DataRef, fixes: tuple[str, ...]) -> str:
    """For the download."""
    return data_cleaned.manifest_for(data, fixes).model_dump_json(indent=1)


def apply(data: DataRef, fixes: tuple[str, ...]) -> bool:
    """From the button: a cleaned set of our own, checked and split anew, becomes the plan's data."""
    with state.shown_errors("The rows were not cleaned:"):
        plan = state.current_plan()
        renderer = data_rows.renderer_of(plan.spec.base_model if plan and plan.spec else None)
        found = data_cleaned.adopt_cleaned(data, fixes, renderer)
        state.save(data=found)
        st.toast(f"{plural(found.rows, 'cleaned row')} are now the plan's data.", icon=":material/mop:")
        return True
    return False
