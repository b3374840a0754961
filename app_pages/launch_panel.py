"""The launch panel: rows, engine, base, settings, what it will need, how it will be judged, and one button."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from advisor.advice import Advice
from advisor.launch import Launch, suggest_launch, tune_spec
from app_pages import (
    classifier_choice,
    data_copies,
    data_picker,
    launch_button,
    launch_needs,
    launch_probe,
    launch_settings,
    prompts_taken,
    state,
)
from app_pages.answer_view import in_sentence
from app_pages.launch_ways import WAY_OF, WAYS, WHY, Way, specs_of
from backends.engines import engine
from core.answers import Answers
from core.errors import Problem, TuneworthyError
from core.jobspec import JobSpec
from core.plan import EvaluationPlan, Plan
from cost_models.report import CostReport
from evaluation.plan import plan_evaluation


def show(plan: Plan | None, answers: Answers, advice: Advice, report: CostReport) -> None:
    """The whole panel."""
    best = advice.recommendation
    suggested = suggest_launch(answers, advice, plan.data if plan else None)
    chosen = st.segmented_control(
        "What to do", list(WAYS), default=WAY_OF[suggested.kind], required=True, format_func=WAYS.__getitem__,
        wrap=True, key=f"launch.way.{best}",
        help=f"Chosen by the recommendation, {in_sentence(best)}; the choice is yours.",
    )  # fmt: skip
    way: Way = chosen or "tune"
    st.caption(WHY[way])
    prompts_taken.show(plan)
    if way == "keep":
        checklist(suggested, answers)
        launch_button.show(plan, way, advice, report)
        return
    if best == "ft_managed" and way == "tune":
        st.info("Choose the engine **Managed host** for it. A run on this machine shows first, for nothing, whether "
                "tuning helps.", icon=":material/cloud_upload:")  # fmt: skip
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Rows, engine, base", anchor=False)
        data_picker.show(plan, "launch")
        plan = state.current_plan()  # an upload may just have made it
        spec, because = draft(plan, suggested, answers, way)
        if way == "tune":
            classifier_choice.show(spec, advice, answers, plan)
        launch_settings.choose(spec, because, way, own=plan is not None and plan.spec is not None)
    spec = with_data(spec, plan)
    evaluation_plan: EvaluationPlan | None = None
    problems = [*_leaving(spec, answers), *_problems(spec, way)] if spec.dataset else []
    with right:
        st.subheader("What it will need", anchor=False)
        with state.shown_errors():
            launch_needs.show(spec, way)
        st.subheader("How it will be judged", anchor=False)
        with state.shown_errors():
            evaluation_plan = _judged(spec, plan, way)
        if spec.dataset is None:
            st.info("Choose rows first: take the demo rows, upload a file or name one.", icon=":material/arrow_back:")
        errors = [problem for problem in problems if problem.severity == "error"]
        state.show_problems(errors, "Before this can start:")
        state.show_problems([problem for problem in problems if problem not in errors], "To know beforehand:")
    if suggested.checklist:
        with st.expander("To do beside it", icon=":material/checklist:", key="launch.beside"):
            checklist(suggested, answers)
    blocked = spec.dataset is None or any(problem.severity == "error" for problem in problems)
    launch_probe.show(plan, spec, way, blocked=blocked)
    launch_button.show(plan, way, advice, report, spec=spec, evaluation_plan=evaluation_plan, blocked=blocked)


def checklist(suggested: Launch, answers: Answers) -> None:
    """What to build where there is nothing to train, and the same as a file."""
    steps = suggested.checklist
    if not steps:
        st.markdown("There is nothing to build: the plan keeps the decision, its reasons and its costs.")
        return
    st.markdown("\n".join(f"{number}. {step}" for number, step in enumerate(steps, start=1)))
    st.download_button(
        "Checklist as a file",
        lambda: "\n".join(["# Checklist", "", answers.task or "", "", *(f"- [ ] {step}" for step in steps), ""]),
        file_name="checklist.md",
        mime="text/markdown",
        icon=":material/download:",
        key="launch.checklist",
        on_click="ignore",
    )


def draft(plan: Plan | None, suggested: Launch, answers: Answers, way: Way) -> tuple[JobSpec, list[str]]:
    """The plan's own spec, or one filled in from the recommendation, and why it is as it is."""
    if plan is not None and plan.spec is not None:
        return plan.spec, []
    name = plan.name[:80] if plan is not None else ""
    if suggested.spec is not None and (suggested.kind == "tune") == (way == "tune"):
        spec, because = suggested.spec, suggested.because
    else:
        rows = plan.data.train_rows if plan is not None and plan.data is not None else answers.labelled_examples
        spec, because = tune_spec(answers, rows)
    return spec.model_copy(update={"kind": "train", "name": name, "models": None}), because


def with_data(spec: JobSpec, plan: Plan | None) -> JobSpec:
    """The spec with the plan's rows; without any where the plan has none, or has lost them since."""
    if plan is None or plan.data is None:
        return spec.model_copy(update={"dataset": None, "validation": None, "test": None})
    data = plan.data
    return spec.model_copy(update={"dataset": data.train, "validation": data.validation, "test": data.test})


def _leaving(spec: JobSpec, answers: Answers) -> list[Problem]:
    """A host gets the rows, whatever the team answered about its data."""
    if spec.engine != "openai" or answers.privacy != "strict":
        return []
    what = "your answers say that the data stays with you, and this host would get the rows."
    return [Problem(what=what, where="engine", hint="Choose `This machine`, or change the answer about privacy.")]


def _problems(spec: JobSpec, way: Way) -> list[Problem]:
    """Everything that would stop it, all at once; nothing is started."""
    found: dict[str, Problem] = {}
    for each in specs_of(spec, way):
        try:
            problems = engine(each.engine).check(each)
        except TuneworthyError as error:
            problems = error.problems()
        found |= {str(problem): problem for problem in problems}
    return list(found.values())


def _judged(spec: JobSpec, plan: Plan | None, way: Way) -> EvaluationPlan | None:
    if plan is None or plan.data is None:
        st.caption("On rows that are set aside before anything is trained.")
        return None
    if spec.engine == "openai" and way == "tune":
        st.caption("A managed host only trains. The result says how the tuned model is asked; a tournament on this "
                   "machine's engine takes that address as its base model.")  # fmt: skip
        return None
    written = plan_evaluation(
        data_copies.answers(plan.data.train),
        data_copies.answers(plan.data.test),
        spec,
        now=datetime.now(UTC),
        tuned=way == "tune",
    )
    st.markdown(
        f"On **{written.rows} held-out rows** by **{written.metric.replace('_', ' ')}**: "
        f"{', '.join(model.replace('_', ' ') for model in written.models)}."
    )
    st.markdown(f"**Success:** {written.success}" if way == "tune" else written.success)
    st.caption("Written into the plan before the first job starts.")
    return written
