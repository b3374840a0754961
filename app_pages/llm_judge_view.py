"""Marks of a hosted model that was asked as a judge: beside the metric, and whether the user agrees with them."""

from __future__ import annotations

from collections import Counter

import streamlit as st

from app_pages import state
from app_pages.figures import plain
from app_pages.judged_models import in_order, in_percent, in_words, words_of
from app_pages.label_view import agreements, judge_name
from core.run_folder import RunFolder
from core.store import JobRecord
from evaluation.blind_labels import draw, read_labels
from evaluation.blind_pairs import PickCount
from evaluation.llm_marks import GOOD_FROM, LlmJudgement, read_marks
from evaluation.report import EvaluationReport


def section(record: JobRecord, report: EvaluationReport) -> None:
    """Marks of each model, and whether to believe them. Nothing where no such judge was asked."""
    with state.shown_errors():
        folder = RunFolder.of(record.id)
        marks = read_marks(folder)
        if marks is None:
            return
        st.subheader("What the LLM judge says", anchor=False)
        st.caption(
            plain(
                f"{marks.judge}, rubric {marks.rubric}: from 1 (wrong) to 5, against the expected answers. "
                f"The metric is {report.metric_words}."
            )
        )
        st.table(table(report, marks), hide_index=True, border="horizontal", alt="The metric beside the judge's marks.")
        st.caption(f"{_trust(report, read_labels(folder), marks)} It decides nothing: the verdict rests on the metric.")
        if found := preferred(marks):
            st.markdown(f"Asked for the better answer of two, in both orders: {preference(found, marks)}")
        if marks.not_greedy:
            st.caption("This host takes no temperature: asked again, the judge may give other marks.")


def preferred(marks: LlmJudgement) -> PickCount | None:
    """What it takes for the better answer; None where it was not asked or never said."""
    picks = Counter(marks.picked(line) for line in marks.choices)
    if not marks.rival or not picks.total() - picks[None]:
        return None
    return PickCount(marks.rival, picks["tuned"], picks[marks.rival], picks["same"], who="It prefers")


def preference(found: PickCount, marks: LlmJudgement) -> str:
    """The count in words, with how often it went by the place of an answer."""
    swayed = sum(choice == "swayed" for choice in marks.choices.values())
    by_place = (
        f" Of {found.same} without a difference {swayed} are pairs on which it went by the place." if swayed else ""
    )
    sentence = found.sentence
    return plain(f"{sentence[0].lower()}{sentence[1:]}{by_place}")


def _trust(report: EvaluationReport, labels: dict[str, str], marks: LlmJudgement) -> str:
    """How far to believe it, once every drawn answer is labelled: who hears it before may be led by it."""
    drawn = draw(report, "task")
    done = sum(answer.key in labels for answer in drawn)
    if done < len(drawn):
        left = f"{done} of {len(drawn)} answers are labelled so far" if done else "label answers below"
        return f":material/help: How far to believe it is not known yet: {left}."
    found = agreements("task", report, drawn, labels, marks).get(judge_name(marks))
    return f"The LLM judge {plain(found.sentence)}." if found else "Every answer was passed over: nobody knows."


def table(report: EvaluationReport, marks: LlmJudgement) -> list[dict[str, str]]:
    """A row a model: the metric's score, the judge's mean mark, and the share that it calls right."""
    unread = any(given.unread for given in marks.models.values())
    rows = []
    for name in in_order(marks.models):
        given, task = marks.models[name], report.models.get(name, {}).get("task")
        row = {
            "Model": words_of(name),
            "The metric": in_words(task) if task else "",
            "Mean mark": f"{given.mean:.1f}" if given.mean is not None else "none",
            f"Mark {GOOD_FROM} or 5": in_percent(given.good) if given.good.n else "none",
        }
        rows.append(row | ({"No mark": f"{given.unread}"} if unread else {}))
    return rows
