"""Answers to the held-out rows side by side, row by row, with a filter and a download."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app_pages.judged_models import in_order, short
from dataset.spreadsheet import safe_cell
from evaluation.report import JudgedAnswer

A_PAGE = 8
ALL, GAINED, LOST, WRONG, CUT = "All", "Tuned better", "Tuned worse", "Tuned wrong", "Cut off"
RIVALS = ("best_prompt", "base")


def as_csv(answers: Sequence[JudgedAnswer]) -> str:
    """All answers as CSV with a BOM-less UTF-8 text, formulas made harmless."""
    models = list(dict.fromkeys(name for answer in answers for name in in_order(answer.answers)))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    score_columns = [f"{name} score" for name in models]
    writer.writerow(["line", "input", "expected", "in training", *models, *score_columns])
    for answer in answers:
        texts = [answer.answers.get(name, "") for name in models]
        numbers = [f"{answer.scores[name]:.4f}" if name in answer.scores else "" for name in models]
        cells = [safe_cell(text) for text in (answer.input, answer.expected)]
        writer.writerow([answer.line, *cells, "yes" if answer.in_training else "no", *map(safe_cell, texts), *numbers])
    return out.getvalue()


def chosen(answers: Sequence[JudgedAnswer], which: str, words: str) -> list[JudgedAnswer]:
    """The answers that a filter and some words leave."""
    wanted = words.casefold().split()
    return [
        answer
        for answer in answers
        if _passes(answer, which)
        and all(word in f"{answer.input} {answer.expected} {answer.answers}".casefold() for word in wanted)
    ]


def _passes(answer: JudgedAnswer, which: str) -> bool:
    tuned = answer.scores.get("tuned")
    rivals = [answer.scores[name] for name in RIVALS if name in answer.scores]
    if which == CUT:
        return bool(answer.truncated)
    if which == ALL or tuned is None:
        return which == ALL
    if which == GAINED:
        return bool(rivals) and tuned > max(rivals)
    return bool(rivals) and tuned < max(rivals) if which == LOST else tuned < 1


def all_answers(answers: Sequence[JudgedAnswer]) -> None:
    """Every judged row with what each model said."""
    if not answers:
        return
    st.subheader("Answers side by side", anchor=False)
    which = st.pills(
        "Show", [ALL, GAINED, LOST, WRONG, CUT], default=ALL, required=True, key="judge.filter",
        label_visibility="collapsed",
    ) if any("tuned" in answer.answers for answer in answers) else ALL  # fmt: skip
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    words = left.text_input("Search in rows and answers", key="judge.words", icon=":material/search:")
    found = chosen(answers, which or ALL, words or "")
    pages = max(1, -(-len(found) // A_PAGE))
    page = right.number_input("Page", 1, pages, key=f"judge.page.{which}.{words}", help=f"{pages} pages")
    st.caption(f"{len(found)} of {len(answers)} rows, page {page} of {pages}.")
    for answer in found[(page - 1) * A_PAGE : page * A_PAGE]:
        key = f"judge.answer.{answer.line}"
        said = {name: answer.answers[name] for name in in_order(answer.answers)}
        cut = ", ".join(short(name) for name in answer.truncated)
        note = f"Cut at the longest answer: {cut}." if cut else ""
        card(key, answer.line, (answer.input, answer.expected), said, scores=answer.scores, note=note)
    st.download_button(
        "Download all answers as CSV",
        partial(as_csv, answers),
        file_name="answers.csv",
        mime="text/csv",
        icon=":material/download:",
        key="judge.download",
        on_click="ignore",
    )


def card(
    key: str, line: int, row: tuple[str, str], said: dict[str, str], *, scores: dict[str, float], note: str = ""
) -> DeltaGenerator:
    """One row: what came in, what was expected, and what each model said. Returns the box, for what belongs to it."""
    text, expected = row
    box = st.container(border=True, key=key, gap="small")
    with box:
        st.caption(f"Line {line}")
        st.text(text)
        columns = st.columns(1 + len(said), gap="small")
        with columns[0]:
            st.caption(":material/target: Expected")
            st.code(expected, language=None, wrap_lines=True)
        for column, (name, answer) in zip(columns[1:], said.items(), strict=True):
            with column:
                st.caption(f"{short(name)} {mark(scores.get(name))}")
                st.code(answer or "(nothing)", language=None, wrap_lines=True)
        if note:
            st.caption(note)
    return box


def mark(score: float | None) -> str:
    """Right, wrong or in between, as an icon with its word or figure."""
    if score is None:
        return ""
    if score >= 1:
        return ":green[:material/check: right]"
    return ":red[:material/close: wrong]" if score <= 0 else f":orange[:material/percent: {score:.2f}]"
