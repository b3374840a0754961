"""Judge: was it worth it? The verdict of an evaluation, and what it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from app_pages import (
    answers_view,
    axis_view,
    compare_blind,
    confusion_view,
    data_rows,
    history_view,
    job_view,
    judge_view,
    label_view,
    learning_view,
    llm_judge_view,
    methods_view,
    money_view,
    noise_view,
    scorecard,
    state,
    sweep_view,
    task_details_view,
    tournament_view,
    worse_rows,
)
from app_pages.figures import STATES, VERDICTS, badge, plain
from app_pages.judged_reports import report_of
from backends.chain import launch_evaluation
from backends.launch import state_of
from core.errors import NotFound
from core.plan import EvaluationPlan
from core.store import JobRecord
from evaluation.keep import keep_verdict
from evaluation.plan import plan_evaluation
from evaluation.report import EvaluationReport
from evaluation.verdict import DEFAULT_MARGIN
from shelf.adapters import adapters


def evaluations() -> tuple[list[JobRecord], list[JobRecord]]:
    """Judgements, tournaments and trainings of the plan, newest first; of all plans where it lacks what was asked."""
    plan = state.current_plan()
    records = state.store().jobs(plan.id) if plan else []
    asked = st.query_params.get("job") or st.query_params.get("train")
    if not records or (asked and asked not in {job.id for job in records}):
        records = state.store().jobs()
    judged = [job for job in records if job.kind in ("evaluate", "tournament")]
    return judged, [job for job in records if job.kind == "train"]


def unjudged(trained: Sequence[JobRecord], judged: Sequence[JobRecord]) -> list[JobRecord]:
    """Trainings that left an adapter which nobody has judged, or not since it was trained on, and nobody is judging."""
    at_work = {job.spec.job for job in judged if not state_of(job).done}
    waiting = {each.job_id for each in adapters(state.store()) if each.usable and not each.judged}
    return [job for job in trained if job.id in waiting - at_work]


def wanted(judged: Sequence[JobRecord]) -> JobRecord | None:
    """The judgement that the address names by its own or its training's id, else the newest."""
    job_id, train_id = st.query_params.get("job"), st.query_params.get("train")
    if job_id:
        return state.store().job(job_id)
    if train_id:
        return next((job for job in judged if job.spec.job == train_id), None)
    return judged[0] if judged else None


def choose(judged: Sequence[JobRecord], now: JobRecord | None) -> None:
    """Another evaluation of this plan."""
    ids = [job.id for job in judged]
    if len(ids) < 2 or now is None or now.id not in ids:
        return
    by_id = {job.id: job for job in judged}
    picked = st.selectbox(
        "Evaluation",
        ids,
        index=ids.index(now.id),
        format_func=lambda job_id: f"{by_id[job_id].name}, {by_id[job_id].created_at:%d %b %H:%M}",
        key=f"judge.choice.{now.id}",
    )
    if picked != now.id:
        st.query_params["job"] = picked
        st.rerun()


def plan_before(record: JobRecord) -> EvaluationPlan | None:
    """The evaluation plan that was written down before this job was launched."""
    if record.plan_id is None:
        return None
    try:
        written = state.store().plan(record.plan_id).evaluation_plans.get(record.id)
    except NotFound:
        return None
    return written if written is not None and written.written_at <= record.created_at else None


def write_plan(train: JobRecord) -> EvaluationPlan | None:
    """What will be measured of a training, and what would count as success; None for one without a plan."""
    spec = train.spec
    held_out = spec.test or spec.validation
    if train.plan_id is None or spec.dataset is None or held_out is None:
        return None  # there is no plan to keep it in, or the launch says what is missing
    learned, judged = ([row.answer for row in data_rows.rows_of(path)] for path in (spec.dataset, held_out))
    return plan_evaluation(learned, judged, spec, now=datetime.now(UTC))


def waiting(record: JobRecord) -> None:
    """An evaluation that has not ended; looked at again and again until it has."""

    def live() -> None:
        now = state_of(record)
        if now.done:
            st.rerun()
        st.markdown(f"{badge(STATES[now.state])} {plain(record.name)}")
        share, text = job_view.share_of(now, job_view.events_of(record))
        st.progress(share, text=text)

    st.fragment(live, run_every=job_view.POLL_SECONDS)()
    state.link_to("jobs", "See the job", ":material/rocket_launch:", job=record.id)


def show(record: JobRecord) -> None:
    """One judgement in whatever state it is."""
    now = state_of(record)
    if not now.done:
        waiting(record)
        return
    if now.state != "succeeded":
        st.error(f"{STATES[now.state].label}: {now.reason or 'no reason was left.'}", icon=STATES[now.state].icon)
        state.link_to("jobs", "See the job", ":material/rocket_launch:", job=record.id)
        return
    if record.engine != "local":
        st.info("This host gives no report: nothing was judged.", icon=":material/science:")
        return
    if record.kind == "tournament":
        tournament_view.show(record)
        return
    report = report_of(record)
    keep_verdict(state.store(), record, report)
    judge_view.headline(report)
    judge_view.leak(report)
    scorecard.show(report, record.spec.margins.get("task", DEFAULT_MARGIN))
    judge_view.remedies(report)
    judge_view.limits(report)
    onwards(record, report)
    axis_view.section(report, record.id)
    judge_view.scores(report)
    judge_view.comparisons(report)
    noise_view.section(report)
    judge_view.planned(report, plan_before(record))
    task_details_view.section(report)
    judge_view.fields(report)
    judge_view.prompt(report)
    money_view.section(state.store(), record, report)
    history_view.section(state.store(), report)
    confusion_view.section(report)
    worse_rows.section(report, record.spec)
    llm_judge_view.section(record, report)
    label_view.section(record, report)
    compare_blind.section(record, report)
    answers_view.all_answers(report.answers)


def onwards(record: JobRecord, report: EvaluationReport) -> None:
    """Where to go from a verdict."""
    train_id = record.spec.job or report.train_job
    with st.container(horizontal=True, key="judge.next"):
        if train_id:
            state.link_to("chat", "Chat with it", ":material/forum:", adapter=train_id)
            state.link_to("shelf", "See the adapter", ":material/inventory_2:", adapter=train_id)
        state.link_to("jobs", "See the job", ":material/rocket_launch:", job=record.id)


def offer(trained: Sequence[JobRecord]) -> None:
    """A button for each training that was not judged."""
    if not trained:
        return
    st.subheader("Not judged yet", icon=VERDICTS[None].icon, anchor=False)
    for record in trained:
        with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"judge.offer.{record.id}"):
            st.markdown(f"**{plain(record.name)}**", width="content")
            pressed = st.button("Judge it", icon=":material/balance:", key=f"judge.launch.{record.id}")
        if pressed:
            with state.shown_errors("It was not started."):
                started = launch_evaluation(state.store(), record, write_plan(record))
                st.query_params["job"] = started.id
                st.rerun()


st.title("Judge", anchor=False)
with state.shown_errors():
    judged, trained = evaluations()
    now = wanted(judged)
    choose(judged, now)
    rest = unjudged(trained, judged)
    if now is None and not rest:
        st.info(
            "Nothing was judged yet. A tune from the launch panel is judged at its end, on rows that it has not seen.",
            icon=":material/balance:",
        )
        state.link_to("advise", "Go to the launch panel", ":material/rocket_launch:")
    if now is not None:
        with state.shown_errors():
            show(now)
    offer(rest)
    methods_view.section(state.store())
    sweep_view.section(state.store())
    learning_view.section(state.store())
