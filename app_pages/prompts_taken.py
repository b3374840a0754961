"""What a measurement of prompts found, and a button that takes it into the plan: facts in place of guesses."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import streamlit as st

from advisor.from_measurement import with_measurement
from advisor.from_tournament import with_tournament
from app_pages import state
from app_pages.advice import options_of
from app_pages.figures import plain
from core.answers import Answers
from core.errors import TuneworthyError
from core.plan import Plan
from core.run_folder import RunFolder
from core.store import JobRecord
from cost_models.options import CostOptions
from evaluation.report import EvaluationReport, read_report
from evaluation.tournament_report import FILE, TournamentReport, read_tournament

Found = TournamentReport | EvaluationReport
WORDS = {
    "prompt_tried": "Prompting tried",
    "prompt_quality": "Good answers with the best prompt",
    "input_tokens": "Tokens of a question",
    "output_tokens": "Tokens of an answer",
}


def show(plan: Plan | None) -> None:
    """The newest measurement of this plan, and what of it would change the answers; nothing where there is none."""
    found = newest(plan) if plan is not None else None
    if plan is None or found is None:
        return
    with st.container(border=True, key="prompts.measured"):
        st.markdown(f"**Measured on your rows.** {plain(sentence(found))}")
        _changes(plan, found)


def offer(plan: Plan | None, found: Found) -> None:
    """What one measurement would change in a plan, beside the measurement itself."""
    if plan is None:
        st.caption("Open a plan to take these figures into it.")
        return
    with st.container(border=True, key="prompts.offer"):
        st.markdown(f"**In the plan {plain(plan.name)}**")
        _changes(plan, found)


def _changes(plan: Plan, found: Found) -> None:
    answers, options = taken(plan, found)
    changes = changed(plan.answers, answers)
    if not changes and options == options_of(plan):
        st.caption(":material/check: These figures stand in the plan.")
        return
    if changes:
        st.markdown("\n".join(f"- {plain(line)}" for line in changes))
    st.button(
        "Take these into the plan",
        icon=":material/input:",
        key="prompts.take",
        on_click=_take,
        args=(plan.id, answers, options),
        help="The advice and the costs are worked out anew.",
    )


def newest(plan: Plan) -> Found | None:
    """The report of the newest tournament or judgement without a tune that has ended."""
    for record in state.store().jobs(plan.id):
        if record.engine != "local" or record.kind not in ("tournament", "evaluate"):
            continue
        try:
            found = found_in(record)
        except (TuneworthyError, OSError):  # at work, failed, or deleted meanwhile
            continue
        if isinstance(found, TournamentReport) or "tuned" not in found.models:
            return found
    return None


def taken(plan: Plan, found: Found) -> tuple[Answers, CostOptions]:
    """Answers and cost settings of the plan with what was measured."""
    options = options_of(plan)
    if isinstance(found, TournamentReport):
        return with_tournament(plan.answers, options, found)
    return with_measurement(plan.answers, options, found)


def sentence(found: Found) -> str:
    """The result in a sentence."""
    return found.sentence if isinstance(found, TournamentReport) else next(iter(found.reasons), "")


def changed(before: Answers, after: Answers) -> list[str]:
    """A line for each answer that would change: `Tokens of a question: 52 (was 900)`."""
    lines = []
    for field, words in WORDS.items():
        old, new = getattr(before, field), getattr(after, field)
        if old != new:
            was = "" if old is None else f" (was {_shown(field, old)})"
            lines.append(f"{words}: {_shown(field, new)}{was}")
    return lines


def _shown(field: str, value: object) -> str:
    if field == "prompt_quality" and isinstance(value, float):
        return f"{value:.0%}"
    return f"{value:,}" if isinstance(value, int) else str(value).replace("_", " ")


def _take(plan_id: str, answers: Answers, options: CostOptions) -> None:
    with state.shown_errors():
        settings = options.model_dump(mode="json", exclude_defaults=True)
        state.store().update_plan(plan_id, answers=answers, cost_options=settings)


def found_in(record: JobRecord) -> Found:
    """The report of an ended tournament or judgement. Raises `NotFound`, `BadInput` or `OSError`."""
    folder = RunFolder.of(record.id)
    path = folder.path / FILE if record.kind == "tournament" else folder.evaluation_file
    return _read(str(path), path.stat().st_mtime_ns, record.kind == "tournament")


@lru_cache(maxsize=4)
def _read(path: str, _changed_ns: int, is_tournament: bool) -> Found:
    return read_tournament(Path(path)) if is_tournament else read_report(Path(path))
