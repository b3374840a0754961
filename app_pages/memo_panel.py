"""The memo of a plan to take away, and what has changed since it was decided."""

from __future__ import annotations

import re
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from advisor.reminders import reminders
from app_pages import state
from app_pages.figures import plain
from core.plan import Plan

if TYPE_CHECKING:
    from advisor.memo import Memo


def show(plan: Plan) -> None:
    """Two buttons, and the reminders if there are any. Nothing is computed before a button is pressed."""
    with st.container(horizontal=True, vertical_alignment="center", key=f"memo.{plan.id}"):
        st.download_button(
            "Memo (PDF)", partial(pdf_of, plan.id), f"{file_name(plan)}.pdf", "application/pdf",
            key=f"memo.pdf.{plan.id}", icon=":material/picture_as_pdf:", on_click="ignore",
            help="Two pages: the question, the recommendation with its reasons, the costs and what would change it.",
        )  # fmt: skip
        st.download_button(
            "Memo (Markdown)", partial(markdown_of, plan.id), f"{file_name(plan)}.md", "text/markdown",
            key=f"memo.markdown.{plan.id}", icon=":material/description:", on_click="ignore",
            help="The same in full, as text.",
        )  # fmt: skip
    found = reminders(plan, today=date.today())
    if found:
        st.warning(
            "\n".join(f"- {plain(reminder.says)}" for reminder in found),
            icon=":material/notifications:",
            title="Changed since it was decided",
        )


def file_name(plan: Plan) -> str:
    """A name for the file from the plan's: letters, digits and dashes, so that every disk takes it."""
    words = re.sub(r"[^a-z0-9]+", "-", plan.name.lower()).strip("-")[:50].strip("-")
    return f"memo-{words or plan.id}"


def pdf_of(plan_id: str) -> bytes:
    """The PDF, made when it is asked for: it takes a second, and matplotlib."""
    from advisor.memo_pdf import memo_pdf

    return memo_pdf(_memo(plan_id))


def markdown_of(plan_id: str) -> str:
    """The Markdown, made when it is asked for."""
    from advisor.memo import markdown

    return markdown(_memo(plan_id))


def _memo(plan_id: str) -> Memo:
    from advisor.memo_write import write_memo
    from evaluation.newest import newest_report

    store = state.store()
    return write_memo(store.plan(plan_id), today=date.today(), evaluation=newest_report(store.jobs(plan_id)))
