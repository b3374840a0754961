"""Two plans side by side: what differs in the answers, the advice, the cost and what was found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import streamlit as st

from advisor.advice import Advice
from app_pages import wizard
from app_pages.advice import costs, decide
from app_pages.answer_view import name_of
from app_pages.curves_view import money
from app_pages.figures import VERDICTS, plain
from core.answers import Answers
from core.plan import Plan
from cost_models.report import CostReport

COLUMNS = ("", "One", "Other")
Row = tuple[str, ...]
"""A label and what each plan has."""


def show(plans: Sequence[Plan], today: date) -> None:
    """A choice of two plans and what tells them apart."""
    if len(plans) < 2:
        return
    by_id = {plan.id: plan for plan in plans}
    ids = list(by_id)
    with st.expander("Compare two plans", key="plans.compare", icon=":material/compare_arrows:"):
        a, b = st.columns(2)
        one = a.selectbox(
            "One", ids, index=0, format_func=lambda plan_id: by_id[plan_id].name, key=f"plans.one.{len(ids)}"
        )
        other = b.selectbox(
            "Other", ids, index=1, format_func=lambda plan_id: by_id[plan_id].name, key=f"plans.other.{len(ids)}"
        )
        if one is None or other is None or one == other:
            st.caption("Choose two different plans.")
            return
        pair = (by_id[one], by_id[other])
        st.table(
            [dict(zip(COLUMNS, row, strict=True)) for row in rows(pair, today)],
            hide_index=True, border="horizontal", alt="Two plans side by side.",
        )  # fmt: skip
        same = "The answers are the same." if pair[0].answers == pair[1].answers else ""
        st.caption(
            f"{same} Advice and costs are those of today, with each plan's own answers, prices and settings.".strip()
        )


def rows(pair: tuple[Plan, Plan], today: date) -> list[Row]:
    """Advice, costs, what was found, and the answers that differ."""
    advice = [decide(plan, today) for plan in pair]
    reports = [costs(plan, today) for plan in pair]
    found: list[Row] = [("**Recommended**", *(name_of(each.recommendation) for each in advice))]
    for label, pick in (("At the start", "upfront_usd"), ("First month", "monthly_usd")):
        cells = [
            money(getattr(report, pick)[each.recommendation]) for report, each in zip(reports, advice, strict=True)
        ]
        found.append((label, *cells))
    spans = []
    for report, each in zip(reports, advice, strict=True):
        band = report.curves[each.recommendation]
        spans.append(
            f"{money(band.p50[-1])} ({money(band.p10[-1])} to {money(band.p90[-1])}) in {report.months[-1]} months"
        )
    found.append(("In all", *spans))
    cheapest = [_cheapest(report, each) for report, each in zip(reports, advice, strict=True)]
    found.append(("Least cost", *cheapest))
    found.append(("Verdict", *(VERDICTS[plan.verdict].label if plan.verdict in VERDICTS else "none" for plan in pair)))
    found.append(("Decided by", *(plain(plan.decided_by) or "nobody yet" for plan in pair)))
    return [*found, *_answers(pair)]


def _cheapest(report: CostReport, advice: Advice) -> str:
    """What costs least at the horizon, of all that is not ruled out."""
    open_ = [row.approach for row in advice.ranking if not row.vetoed]
    return name_of(min(open_, key=lambda name: report.curves[name].p50[-1]))


def _answers(pair: tuple[Plan, Plan]) -> list[Row]:
    one, other = (plan.answers for plan in pair)
    return [
        (wizard.label_of(field), *(_said(field, getattr(answers, field)) for answers in (one, other)))
        for field in Answers.model_fields
        if getattr(one, field) != getattr(other, field)
    ]


def _said(field: str, value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else wizard.words_of(field, value)
    return plain(text if len(text) <= 160 else text[:159] + "…")
