"""Advise, the one page on which a team answers, sees the ranking and the cost curves, and launches."""

from __future__ import annotations

from datetime import date

import streamlit as st

from app_pages import (
    answer_view,
    curve_details,
    curve_settings,
    curves_view,
    explainer_view,
    launch_panel,
    memo_panel,
    price_editor,
    spectrum_view,
    state,
    wizard,
)
from app_pages.advice import costs, decide
from app_pages.example_answers import EXAMPLES, Example
from core.answers import Answers


def start_from(example: Example) -> None:
    """An example fills an empty plan, or a new one where answers would be lost."""
    with state.shown_errors():
        plan = state.current_plan()
        if plan is None or plan.answers != Answers():
            state.open_plan(state.store().new_plan(example.name).id)
        state.save(answers=example.answers, name=example.name)


def examples() -> None:
    """Three to start from."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption("Start from an example:", width="content")
        for place, example in enumerate(EXAMPLES):
            st.button(
                example.name, key=f"advise.example.{place}", icon=example.icon, help=example.about,
                on_click=start_from, args=(example,),
            )  # fmt: skip


st.title("Is it worth tuning?")
st.markdown(
    "Answer what you know, skip what you do not. The ranking, the costs and the launch panel below follow each answer."
)
today = date.today()
with state.shown_errors():
    plan = state.current_plan()
    answers = plan.answers if plan else Answers()
    answered = sum(value is not None for value in answers.model_dump().values())
    examples()
    questions, answer = st.columns([5, 6], gap="large")
    with questions:
        st.subheader("Your task", anchor=False)
        wizard.show(answers)
    report = costs(plan, today)
    advice = decide(plan, today)
    with answer:
        answer_view.headline(advice, answered)
        answer_view.ranking(advice)
    answer_view.warnings(advice)

    best = advice.recommendation
    st.header(f"Cost over {report.months[-1]} months", anchor="cost", divider="gray")
    curves_view.show(report, best, {row.approach for row in advice.ranking if row.vetoed})
    with st.expander("What this rests on", key="advise.rests", icon=":material/foundation:"):
        curve_details.show(report)
    with st.expander("Settings of the curves", key="advise.settings", icon=":material/tune:"):
        curve_settings.show(plan, today)
    with st.expander("The same as a table", key="advise.table", icon=":material/table:"):
        curves_view.table(report)
    with st.expander(f"Prices used ({len(report.prices)}), to be edited", key="advise.used", icon=":material/sell:"):
        price_editor.show(report, plan)
    explainer_view.show()

    st.header("How sure is this?", anchor="doubts", divider="gray")
    answer_view.doubts(advice)
    spectrum_view.show(answers, advice, report)

    st.header("Launch", anchor="launch", divider="gray")
    launch_panel.show(plan, answers, advice, report)

    if plan is not None:
        st.header("Memo", anchor="memo", divider="gray")
        st.caption("For those who were not in the room: the question, the answer, its reasons and what it costs.")
        memo_panel.show(plan)
