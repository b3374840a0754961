"""The launch panel: rows, engine, base, settings, what it will need, how it will be judged, and one button."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal

import streamlit as st
from pydantic import ValidationError

from advisor.advice import Advice
from advisor.launch import Launch, suggest_launch, tune_spec
from app_pages import data_copies, data_picker, prompts_taken, state
from app_pages.answer_view import bullets, in_sentence
from app_pages.figures import duration, gib, usd
from backends.chain import estimate_chain, launch_measure, launch_tune, measure_specs, tune_specs
from backends.engines import ENGINES, engine
from core.answers import Answers
from core.base_models import locate
from core.errors import Problem, TuneworthyError, problems_of
from core.estimate import Estimate
from core.jobspec import DEFAULT_BASE_MODEL, JobSpec, MethodSpec
from core.plan import EvaluationPlan, Plan
from cost_models.report import CostReport
from evaluation.plan import plan_evaluation

Way = Literal["tune", "measure", "keep"]
WAYS: dict[Way, str] = {"tune": "Tune and judge", "measure": "Measure prompts", "keep": "Keep a checklist"}
WAY_OF: dict[str, Way] = {"tune": "tune", "measure": "measure", "checklist": "keep"}
LOOKS = {"quick": "Quick: 100 questions an axis", "full": "Full: all questions"}
BUTTONS: dict[Way, tuple[str, str]] = {
    "tune": ("Tune and judge", ":material/rocket_launch:"),
    "measure": ("Measure it on your rows", ":material/straighten:"),
    "keep": ("Keep this decision", ":material/bookmark_added:"),
}
WHY: dict[Way, str] = {
    "tune": "Trains an adapter on your rows, then judges base, best prompt and tuned model on rows that none has seen.",
    "measure": "Asks the base, plain and with the best prompt from your rows, about the held-out rows. Trains nothing.",
    "keep": "Nothing to train here. The plan keeps the decision; the checklist says what to build.",
}


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
        _button(plan, way, advice, report)
        return
    if best == "ft_managed" and way == "tune":
        st.info("Managed hosts come with a later release. The local engine shows first whether tuning helps.",
                icon=":material/cloud_off:")  # fmt: skip
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Rows, engine, base", anchor=False)
        data_picker.show(plan, "launch")
        plan = state.current_plan()  # an upload may just have made it
        spec, because = draft(plan, suggested, answers, way)
        _choose(spec, because, way, own=plan is not None and plan.spec is not None)
    spec = with_data(spec, plan)
    evaluation_plan: EvaluationPlan | None = None
    problems = _problems(spec, way) if spec.dataset else []
    with right:
        st.subheader("What it will need", anchor=False)
        with state.shown_errors():
            _needs(spec, way)
        st.subheader("How it will be judged", anchor=False)
        with state.shown_errors():
            evaluation_plan = _judged(spec, plan, way)
        if spec.dataset is None:
            st.info("Choose rows first: take the demo rows, upload a file or name one.", icon=":material/arrow_back:")
        state.show_problems(problems, "Before this can start:")
    if suggested.checklist:
        with st.expander("To do beside it", icon=":material/checklist:", key="launch.beside"):
            checklist(suggested, answers)
    blocked = spec.dataset is None or any(problem.severity == "error" for problem in problems)
    _button(plan, way, advice, report, spec=spec, evaluation_plan=evaluation_plan, blocked=blocked)


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


def _choose(spec: JobSpec, because: list[str], way: Way, *, own: bool) -> None:
    usable = [row.name for row in ENGINES.values() if row.make]
    later = [row for row in ENGINES.values() if not row.make]
    values: dict[str, Any] = {"engine": spec.engine, "base_model": spec.base_model, "name": spec.name}
    values |= {field: getattr(spec, field) for field in ("epochs", "learning_rate", "max_tokens", "seed", "device")}
    values |= {field: getattr(spec.method, field) for field in ("rank", "alpha", "dropout")}
    values |= {"early_stopping": spec.early_stopping, "allow_network": spec.allow_network, "look": spec.look}
    st.session_state["launch.draft"] = spec.model_dump()
    for field, value in values.items():
        if st.session_state.get(_key(field), ...) != value:
            st.session_state[_key(field)] = value
    st.radio(
        "Engine",
        usable,
        format_func=lambda name: ENGINES[name].label,
        captions=[ENGINES[name].about for name in usable],
        **_input("engine", help="Where the job runs."),
    )
    st.caption(" ".join(f"Not here yet: {row.label}. {row.about}" for row in later))
    st.selectbox(
        "Base model",
        list(dict.fromkeys([DEFAULT_BASE_MODEL, spec.base_model])),
        accept_new_options=True,
        **_input("base_model"),
    )
    with state.shown_errors():
        place = locate(spec.base_model, spec.base_revision)
        if not place.ready and spec.engine == "local":
            st.caption(f":material/download: Not on this machine yet: fetched first, from {' or '.join(place.hosts)}.")
    with st.expander("Settings", icon=":material/tune:", key="launch.settings"):
        st.text_input("Name", max_chars=120, **_input("name"))
        if way == "tune":
            a, b = st.columns(2)
            a.number_input("Epochs", 0.1, 1000.0, step=1.0, **_input("epochs"))
            b.number_input("Learning rate", 1e-6, 1.0, step=1e-4, format="%.0e", **_input("learning_rate"))
            a.number_input("LoRA rank", 1, 1024, **_input("rank", MethodSpec))
            b.number_input("LoRA alpha", 1, 4096, **_input("alpha", MethodSpec))
            a.number_input("Dropout", 0.0, 0.99, step=0.01, **_input("dropout", MethodSpec))
            b.number_input("Longest row in tokens", 8, 1_000_000, step=64, **_input("max_tokens"))
            a.number_input("Early stopping", 1, 1000, value=None, placeholder="Off", **_input("early_stopping"))
            b.number_input("Seed", 0, 2**31 - 1, **_input("seed"))
            a.selectbox("Look of the judge", list(LOOKS), format_func=LOOKS.__getitem__, **_input("look"))
        st.text_input("Device", **_input("device"))
        st.toggle("May fetch models over the network", **_input("allow_network"))
        if because and way == "tune":
            st.caption(bullets(because))
        if own:
            st.button("Back to what is suggested", key="launch.suggested", icon=":material/undo:", on_click=_forget)


def _key(field: str) -> str:
    return f"launch.{field}"


def _input(field: str, of: type[JobSpec] | type[MethodSpec] = JobSpec, **more: Any) -> dict[str, Any]:
    text = of.model_fields[field].description
    return {"key": _key(field), "help": text, "on_change": _keep, "args": (field,)} | more


def _keep(field: str) -> None:
    """A changed setting goes into the plan's spec at once."""
    value = st.session_state[_key(field)]
    with state.shown_errors():
        spec = JobSpec.model_validate(st.session_state["launch.draft"])
        values = spec.model_dump()
        if field in MethodSpec.model_fields:
            values["method"][field] = value
        else:
            values[field] = value.strip() if isinstance(value, str) else value
        try:
            state.save(spec=JobSpec.model_validate(values))
        except ValidationError as error:
            state.show_problems(problems_of(error))


def _forget() -> None:
    with state.shown_errors():
        state.save(spec=None)


def specs_of(spec: JobSpec, way: Way) -> list[JobSpec]:
    """The jobs that the button would start, without a preparation of the base."""
    return tune_specs(spec) if way == "tune" else measure_specs(spec)


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


def _needs(spec: JobSpec, way: Way) -> None:
    if spec.dataset is None:
        st.caption("Choose rows to see memory, time and dollars.")
        return
    estimate = estimate_chain(specs_of(spec, way))
    memory, time, money = st.columns(3, wrap=False)
    memory.metric("Memory", gib(estimate.memory_gib.likely))
    memory.caption(_range(estimate.memory_gib, gib))
    time.metric("Time", duration(estimate.seconds.likely))
    time.caption(_range(estimate.seconds, duration))
    money.metric("Dollars", usd(estimate.usd.likely))
    money.caption(_range(estimate.usd, usd))
    if way == "tune":
        st.caption("Time and dollars are those of the training and of the judging together.")
    if estimate.fits is not None:
        if estimate.fits:
            st.badge("Fits", icon=":material/check:", color="green")
        else:
            st.badge("Does not fit", icon=":material/close:", color="red")
    if spec.engine == "local" and not locate(spec.base_model, spec.base_revision).ready:
        st.caption("Fetching and converting the base comes before it, and takes as long as the network does.")
    because = [*estimate.memory_gib.because, *estimate.seconds.because, *estimate.usd.because]
    if because:
        with st.expander("What this rests on", type="compact", key="launch.because"):
            st.markdown("\n".join(f"- {text}" for text in dict.fromkeys(because)))


def _range(value: Estimate, words: Callable[[float | None], str]) -> str:
    """`1.1 to 2.4 GiB`; nothing where it is unknown or exact."""
    if value.low is None or value.high is None or value.low == value.high:
        return ""
    return f"{words(value.low)} to {words(value.high)}"


def _judged(spec: JobSpec, plan: Plan | None, way: Way) -> EvaluationPlan | None:
    if plan is None or plan.data is None:
        st.caption("On rows that are set aside before anything is trained.")
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


def _button(
    plan: Plan | None,
    way: Way,
    advice: Advice,
    report: CostReport,
    *,
    spec: JobSpec | None = None,
    evaluation_plan: EvaluationPlan | None = None,
    blocked: bool = False,
) -> None:
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
