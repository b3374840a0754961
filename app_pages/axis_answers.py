"""The answers of one axis: filtered, side by side, and as a file. Prompts of the safety axes are never shown."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from functools import partial

import streamlit as st

from app_pages.answers_view import A_PAGE, mark
from app_pages.figures import plain
from app_pages.judged_models import in_order, short
from dataset.spreadsheet import safe_cell
from evaluation.report import AxisAnswer, AxisReport

RIVAL = "base"


def chosen(answers: Sequence[AxisAnswer], part: str | None, only_worse: bool) -> list[AxisAnswer]:
    """The answers of a part (None for all), or of those the ones on which the tuned model scores below the base."""
    return [answer for answer in answers if part in (None, answer.part) and (not only_worse or is_worse(answer))]


def is_worse(answer: AxisAnswer) -> bool:
    """True where the tuned model scores below the base; false where either was not asked."""
    tuned, rival = answer.scores.get("tuned"), answer.scores.get(RIVAL)
    return tuned is not None and rival is not None and tuned < rival


def as_csv(answers: Sequence[AxisAnswer], *, secret: bool, with_answers: bool) -> str:
    """Answers as CSV, formulas made harmless. `secret`: no prompt; what was answered only `with_answers`."""
    models = in_order({name for answer in answers for name in (*answer.answers, *answer.scores)})
    heads = ["id", "part"] + ([] if secret else ["asked", "expected"])
    columns = heads + [f"{name} label" for name in models] + [f"{name} score" for name in models]
    judged = any(answer.harmful for answer in answers)
    columns += [f"{name} harmful" for name in models] if judged else []
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns + ([f"{name} answer" for name in models] if with_answers else []))
    for answer in answers:
        cells = [answer.id, answer.part] + ([] if secret else [answer.asked, answer.expected])
        cells += [answer.labels.get(name, "") for name in models]
        scores = [f"{answer.scores[name]:.4f}" if name in answer.scores else "" for name in models]
        scores += [harm_words(answer, name) for name in models] if judged else []
        said = [answer.answers.get(name, "") for name in models] if with_answers else []
        writer.writerow([*map(safe_cell, cells), *scores, *map(safe_cell, said)])
    return out.getvalue()


def show(axis: str, found: AxisReport, *, secret: bool) -> None:
    """Filter, answers and download."""
    if not found.answers:
        st.caption("The answers to single questions were not kept.")
        return
    parts = list(dict.fromkeys(answer.part for answer in found.answers))
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    part = left.selectbox(
        "Part", parts, index=None, placeholder="All parts", format_func=lambda name: name.replace("_", " "),
        key=f"judge.{axis}.part",
    )  # fmt: skip
    only_worse = right.toggle("Only where the tuned model is worse", key=f"judge.{axis}.worse")
    answers = chosen(found.answers, part, only_worse)
    opened = not secret
    if secret:
        opened = st.toggle("Show what was answered", key=f"judge.{axis}.opened")
        if opened:
            st.warning("Answers to unsafe requests may be offensive or harmful. The requests are not shown.",
                       icon=":material/warning:")  # fmt: skip
    if opened:
        _cards(axis, answers, len(found.answers), secret=secret)
    else:
        _labels(axis, answers)
    st.download_button(
        "Download these as CSV",
        partial(as_csv, answers, secret=secret, with_answers=opened),
        file_name=f"{axis}.csv",
        mime="text/csv",
        icon=":material/download:",
        key=f"judge.{axis}.download",
        on_click="ignore",
    )


def labels_table(answers: Sequence[AxisAnswer]) -> list[dict[str, str]]:
    """A row a question: its id and part, and what kind of answer each model gave."""
    models = in_order({name for answer in answers for name in answer.scores})
    return [
        {"Id": answer.id, "Part": answer.part.replace("_", " ")} | {short(name): _kind(answer, name) for name in models}
        for answer in answers
    ]


def harm_words(answer: AxisAnswer, model: str) -> str:
    """yes, no, or empty where nobody judged whether the answer does harm."""
    return ("yes" if answer.harmful[model] else "no") if model in answer.harmful else ""


def _kind(answer: AxisAnswer, model: str) -> str:
    kind = answer.labels.get(model) or _score(answer.scores.get(model))
    return f"{kind}, harmful" if answer.harmful.get(model) else kind


def _labels(axis: str, answers: Sequence[AxisAnswer]) -> None:
    if not answers:
        st.caption("None.")
        return
    st.dataframe(
        labels_table(answers), hide_index=True, key=f"judge.{axis}.labels", height=320,
        alt=f"{len(answers)} questions by id with the kind of answer of each model.",
    )  # fmt: skip
    st.caption(f"{len(answers):,} questions. Only ids and kinds of answers are shown.")


def _cards(axis: str, answers: Sequence[AxisAnswer], of: int, *, secret: bool) -> None:
    pages = max(1, -(-len(answers) // A_PAGE))
    page = 1
    if pages > 1:
        page = int(st.number_input("Page", 1, pages, key=f"judge.{axis}.page.{len(answers)}", width=160))
    st.caption(f"{len(answers):,} of {of:,} questions, page {page} of {pages}.")
    for answer in answers[(page - 1) * A_PAGE : page * A_PAGE]:
        card(axis, answer, secret=secret)


def card(axis: str, answer: AxisAnswer, *, secret: bool) -> None:
    """One question, what was expected, and what each model made of it."""
    models = in_order(answer.answers)
    with st.container(border=True, key=f"judge.{axis}.answer.{answer.id}", gap="small"):
        st.caption(plain(f"{answer.id}, {answer.part.replace('_', ' ')}"))
        if answer.asked and not secret:
            st.text(answer.asked)
        expected = answer.expected if not secret else ""
        columns = st.columns(len(models) + bool(expected), gap="small")
        if expected:
            columns[0].caption(":material/target: Expected")
            columns[0].code(expected, language=None, wrap_lines=True)
        for column, name in zip(columns[bool(expected) :], models, strict=True):
            kind = plain(answer.labels.get(name, "")) or mark(answer.scores.get(name))
            kind += " :red[:material/warning: harmful]" if answer.harmful.get(name) else ""
            column.caption(f"{short(name)} {kind}")
            column.code(answer.answers[name] or "(nothing)", language=None, wrap_lines=True)


def _score(score: float | None) -> str:
    return "" if score is None else f"{score:.2f}"
