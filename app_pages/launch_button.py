"""The button that decides, and starts what was decided: the recommendation and its cost travel with the jobs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import streamlit as st

from advisor.advice import Advice
from app_pages import state
from app_pages.launch_ways import BUTTONS, Way
from backends.chain import launch_measure, launch_tune
from core.jobspec import JobSpec
from core.plan import EvaluationPlan, Plan
from cost_models.report import CostReport


def show(
    plan: Plan | None,
    way: Way,
    advice: Advice,
    report: CostReport,
    *,
    spec: JobSpec | None = None,
    evaluation_plan: EvaluationPlan | None = None,
    blocked: bool = False,
) -> None:
    """Who decides, the button, and what came of it. `blocked` says that something above has to be done first."""
    st.space("small")
    who, press = st.columns([1, 1], gap="large", vertical_alignment="bottom")
    decided_by = who.text_input(
        "Decided by", plan.decided_by if plan else "", max_chars=120, key="launch.decided_by",
        placeholder="Your name, kept with the plan",
    )  # fmt: skip
    label, icon = BUTTONS[way]
    pressed = press.button(
        label, type="primary", icon=icon, key="launch.go", disabled=blocked, width="stretch",
        help="First do what is said above." if blocked else None,
    )  # fmt: skip
    if pressed:
        with state.shown_errors("It was not started."):
            decided = _decide(decided_by or "", advice, report, spec)
            if way != "keep" and spec is not None:
                launch = launch_tune if way == "tune" else launch_measure
                started = launch(state.store(), decided, spec, evaluation_plan)
                st.session_state["launch.said"] = f"{len(started)} job{'s' if len(started) != 1 else ''} started."
            else:
                st.session_state["launch.said"] = "Kept with the plan."
            st.rerun()
    said = st.session_state.pop("launch.said", None)
    if said:
        st.success(said, icon=":material/check_circle:")
    if plan is not None and plan.jobs:
        state.link_to("jobs", f"See the {len(plan.jobs)} jobs of this plan", ":material/arrow_forward:")


def _decide(decided_by: str, advice: Advice, report: CostReport, spec: JobSpec | None) -> Plan:
    """The recommendation and its cost travel with the run."""
    fields: dict[str, Any] = {"spec": spec} if spec is not None else {}
    return state.save(
        recommendation=advice.recommendation,
        ranking=[row.model_dump(mode="json") for row in advice.ranking],
        prices_used=[price.model_dump(mode="json") for price in report.prices],
        cost_summary={
            "months": report.months[-1],
            "usd_p50": {name: band.p50[-1] for name, band in report.curves.items()},
            "upfront_usd": dict(report.upfront_usd),
            "today": report.today.isoformat(),
        },
        decided_by=decided_by.strip(),
        decided_at=datetime.now(UTC),
        **fields,
    )
