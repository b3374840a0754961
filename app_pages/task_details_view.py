"""What is measured of the task beside its one score: other metrics, voice, length, and how long one answer takes."""

from __future__ import annotations

import streamlit as st

from app_pages.figures import plain
from app_pages.judged_models import in_order, in_words, short
from evaluation.report import EvaluationReport


def section(report: EvaluationReport) -> None:
    """Folded away; nothing where nothing else applies to these answers."""
    others, said = table(report), sentences(report)
    if not others and not said:
        return
    with st.expander("Beside the score", icon=":material/straighten:", key="judge.details"):
        if others:
            st.table(others, hide_index=True, border="horizontal", alt="Other measures of the task by model.")
        if said:
            st.markdown("\n".join(f"- {words}" for words in said))


def table(report: EvaluationReport) -> list[dict[str, str]]:
    """A row a measure, a column a model."""
    beside = report.details.beside
    models = in_order({name for scores in beside.values() for name in scores})
    return [
        {"Measure": plain(_upper(what))}
        | {short(name): in_words(scores[name]) if name in scores else "" for name in models}
        for what, scores in beside.items()
    ]


def sentences(report: EvaluationReport) -> list[str]:
    """Voice, consistency, length and waiting time of each model, then what there is to know of the measures."""
    found = []
    for what, by_model in (
        ("Voice", report.details.style),
        ("Consistency", report.details.consistency),
        ("Length", report.details.length),
        ("Waiting time", report.latency),
    ):
        for name in in_order(by_model):
            words = by_model[name].sentence.rstrip(".")
            if words:
                found.append(f"**{what}, {short(name).lower()}**: {plain(words)}.")
    return found + [plain(note) for note in report.details.notes]


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
