"""Rows on which the tune made things worse, with the training rows that are most like them."""

from __future__ import annotations

import streamlit as st

from app_pages.answers_view import card
from app_pages.figures import plain
from app_pages.state import error_text
from core.errors import TuneworthyError
from core.jobspec import JobSpec
from evaluation.nearest import MOST_ROWS, Nearest, nearest_of_job
from evaluation.report import EvaluationReport, WorseRow

WORSE_FIRST = 5
SHOWN_CHARACTERS = 300


def section(report: EvaluationReport, spec: JobSpec) -> None:
    """To be read before anything is shipped."""
    if "tuned" not in report.models:
        return
    st.subheader(f"Rows that got worse ({len(report.worse_rows)})", anchor=False)
    if not report.worse_rows:
        st.caption("None of the judged rows got worse.")
        return
    shown = report.worse_rows[:MOST_ROWS]
    with st.container(horizontal=True, key="judge.worse.choices"):
        every = len(shown) <= WORSE_FIRST or st.toggle(f"Show all {len(shown)}", key="judge.worse.all")
        with_nearest = st.toggle(
            "Show the nearest training rows", key="judge.worse.nearest",
            help="A wrong answer is often learned from a row that looks alike. Alike is the cosine of TF-IDF, 0 to 1.",
        )  # fmt: skip
    if len(report.worse_rows) > MOST_ROWS:
        st.caption(f"The {MOST_ROWS} worst of {len(report.worse_rows)}; all stand below, under 'Tuned worse'.")
    nearest = _nearest(spec, shown) if with_nearest else {}
    for row in shown if every else shown[:WORSE_FIRST]:
        worse_card(row, nearest.get(row.input) if nearest else None)


def _nearest(spec: JobSpec, rows: list[WorseRow]) -> dict[str, list[Nearest]]:
    try:
        with st.spinner("Looking for the nearest training rows"):
            return nearest_of_job(spec, [row.input for row in rows])
    except TuneworthyError as error:
        st.info(plain(error_text(error)), icon=":material/search_off:")
        return {}


def worse_card(row: WorseRow, nearest: list[Nearest] | None) -> None:
    """One row that got worse; `nearest` None where the training rows were not looked through."""
    texts = {"tuned": row.tuned, "best_prompt": row.best_prompt, "base": row.base}
    said = {name: text for name, text in texts.items() if text is not None}
    box = card(f"judge.worse.{row.line}", row.line, (row.input, row.expected), said, scores={})
    if nearest:
        box.table(
            nearest_table(nearest), hide_index=True, border="horizontal",
            alt=f"Training rows nearest to line {row.line}, with how alike they are.",
        )  # fmt: skip
    elif nearest is not None:
        box.caption("No training row is like it.")


def nearest_table(nearest: list[Nearest]) -> list[dict[str, str]]:
    """A row a training row, the most alike first."""
    return [
        {
            "Training row": f"Line {each.line}, {each.alike:.2f} alike",
            "Asked": plain(_cut(each.input)),
            "Taught answer": plain(_cut(each.answer)),
        }
        for each in nearest
    ]


def _cut(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= SHOWN_CHARACTERS else f"{words[: SHOWN_CHARACTERS - 3]}..."
