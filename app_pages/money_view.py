"""What the measured gain costs and when it has paid for itself, in two sentences, or why that cannot be said."""

from __future__ import annotations

from datetime import UTC, date, datetime

import streamlit as st

from app_pages import classifier_money, state
from app_pages.advice import costs
from app_pages.answer_view import in_sentence
from app_pages.curve_settings import MEASURED
from app_pages.curves_view import money
from core.answers import ApproachId
from core.errors import NotFound, TuneworthyError
from core.plan import Plan
from core.store import JobRecord, Store
from cost_models.encoder import encoder_fits
from cost_models.report import CostReport, Worth
from evaluation.findings import FREE_TEXT
from evaluation.report import EvaluationReport


def section(store: Store, record: JobRecord, report: EvaluationReport) -> None:
    """Two sentences, with the way to the curves that they rest on."""
    if "tuned" not in report.models:
        return
    st.subheader("What the gain costs", anchor="money")
    plan = _plan(store, record)
    if report.classifier:
        with state.shown_errors():
            st.markdown(classifier_money.in_words(report, plan, datetime.now(UTC).date()))
        if plan is None or not encoder_fits(plan.answers):
            return  # the curves would count a language model in its place
    why = why_not(plan, report)
    if why:
        st.caption(why)
        return
    try:
        said = in_two_sentences(plan, report, datetime.now(UTC).date())
    except TuneworthyError as error:  # a price of one's own that is none
        state.show_problems(error.problems(), "The costs cannot be counted.")
        return
    st.markdown(said)
    if plan is not None:
        state.link_to("advise", "See the curves", ":material/show_chart:", plan=plan.id)


def why_not(plan: Plan | None, report: EvaluationReport) -> str:
    """Why the money cannot be said; empty where it can."""
    if plan is None:
        return "This judgement belongs to no plan, so there are no answers from which costs could be counted."
    if not plan.answers.volume_per_month:
        return "The plan does not say how many calls a month there are, so the gain has no price yet."
    if report.metric in FREE_TEXT:
        name = f"{report.metric_words[:1].upper()}{report.metric_words[1:]}"
        return f"{name} counts no right answers, so one more has no price."
    return _why_no_gain(report)


def _why_no_gain(report: EvaluationReport) -> str:
    rival = rival_of(report)
    if rival is None or "task" not in report.models["tuned"]:
        return "Neither the base nor its best prompt was judged, so there is nothing to hold the cost against."
    if report.models["tuned"]["task"].score <= report.models[rival]["task"].score:
        return "The tuned model gives no more right answers, so there is no gain to pay for."
    classic = report.paired.get("tuned_vs_classic")
    if classic is not None and not classic.beats:
        return "A classifier does this as well, as far as these rows can tell, so a tune has no gain to pay for."
    pair = report.paired.get(f"tuned_vs_{rival}")
    if pair is not None and not pair.beats:
        return "Whether there is a gain cannot be told from these rows yet, so neither can its price."
    return ""


def rival_of(report: EvaluationReport) -> str | None:
    """The better way to ask the base: the base itself where a prompt brings nothing."""
    scores = {
        name: report.models[name]["task"].score
        for name in ("base", "best_prompt")
        if "task" in report.models.get(name, {})
    }
    return max(scores, key=lambda name: scores[name]) if scores else None


def in_two_sentences(plan: Plan | None, report: EvaluationReport, today: date) -> str:
    """Cost of one more right answer, and payback. Raises `ProblemsFound` for a price of one's own that is none."""
    rival = rival_of(report)
    if plan is None or rival is None:
        return ""
    tuned, other = MEASURED["tuned"], MEASURED[rival]
    quality = {tuned: report.models["tuned"]["task"].score, other: report.models[rival]["task"].score}
    found = costs(plan.model_copy(update={"cost_options": plan.cost_options | {"quality": quality}}), today)
    rows = {row.approach: row for row in found.worth}
    gain = round(100 * (quality[tuned] - quality[other]))
    more = f"{gain} more right answers in 100"
    if rows[tuned].against is None:
        return f"{_cheaper(found, tuned, other, more)}"
    return f"{_dearer(found, rows[tuned], other, more)} {_payback(rows[tuned], found.months[-1])}"


def _dearer(found: CostReport, row: Worth, other: ApproachId, more: str) -> str:
    each = (
        "cannot be priced"
        if row.usd_per_extra_right_answer is None
        else f"costs about {money(row.usd_per_extra_right_answer)}"
    )
    return f"Against {in_sentence(other)} it brings {more}, and each of them {each} over {found.months[-1]} months."


def _payback(row: Worth, months: int) -> str:
    if row.never is None:
        return (
            "When that has paid for itself depends on what a right answer is worth: name it in the settings of the "
            "curves."
        )
    if row.month_p50 is None:
        return f"At what a right answer is worth to you, that has not paid for itself within {months} months."
    doubt = f" (in {row.never * 100:.0f} % of the draws never)" if row.never >= 0.01 else ""
    return f"At what a right answer is worth to you, that has paid for itself from month {row.month_p50:.1f} on{doubt}."


def _cheaper(found: CostReport, tuned: ApproachId, other: ApproachId, more: str) -> str:
    first = (
        f"Against {in_sentence(other)} it brings {more} and costs less over {found.months[-1]} months: each of them "
        "comes free."
    )
    crossing = next((point for point in found.break_even if (point.cheaper, point.than) == (tuned, other)), None)
    if crossing is None or not crossing.month_p50:
        return f"{first} There is nothing to pay back."
    return f"{first} It has paid back what it takes to tune from month {crossing.month_p50:.1f} on."


def _plan(store: Store, record: JobRecord) -> Plan | None:
    if record.plan_id is None:
        return None
    try:
        return store.plan(record.plan_id)
    except NotFound:
        return None
