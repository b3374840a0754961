"""How steady the scores are beside the luck of the rows: the base asked again, and other seeds of the training."""

from __future__ import annotations

import streamlit as st

from app_pages.figures import plain
from app_pages.judged_models import in_words
from evaluation.report import EvaluationReport


def section(report: EvaluationReport) -> None:
    """What was measured of it, in words; nothing where nothing was. That there is one seed stands among the limits."""
    said = sentences(report)
    if not said:
        return
    st.subheader("How steady it is", anchor=False)
    st.markdown("\n".join(f"- {plain(words)}" for words in said))
    if report.seeds is not None:
        st.table(table(report), hide_index=True, border="horizontal", alt="Score of each seed of the training.")


def sentences(report: EvaluationReport) -> list[str]:
    """Noise of decoding, luck of the seed, and what they do to the intervals above."""
    found = [report.noise.sentence] if report.noise else []
    if report.seeds is not None:
        found.append(report.seeds.sentence)
    if (report.noise and report.noise.sd) or (report.seeds and report.seeds.half_width):
        found.append("The intervals on the same rows are the wider for it, and the verdict rests on those.")
    return found


def table(report: EvaluationReport) -> list[dict[str, str]]:
    """A row a seed, the tune of this judgement first."""
    scores = report.seeds.scores if report.seeds else []
    return [
        {
            "Seed": str(each.seed),
            "Training": plain(each.job) + (" (judged here)" if not place else ""),
            "Score by the rows": in_words(each.score),
        }
        for place, each in enumerate(scores)
    ]
