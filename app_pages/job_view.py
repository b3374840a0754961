"""One job: where it is, its losses and log while it runs, and what came of it beside what was predicted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import streamlit as st
import yaml

from app_pages import baseline_view, job_actions, state
from app_pages.figures import STATES, ago, badge, compared, duration, gib, plain, roughly, speed, usd
from app_pages.job_charts import loss_chart, loss_in_words
from app_pages.steps import named, step_name, way_through
from backends.chain import is_baseline
from backends.engines import ENGINES, engine
from backends.launch import state_of
from core.errors import NotFound, TuneworthyError
from core.estimate import Estimate
from core.job import Event, JobState, Result
from core.run_folder import RunFolder
from core.store import JobRecord

POLL_SECONDS = 1.5


def show(record: JobRecord, chain: Sequence[JobRecord]) -> None:
    """The whole page of one job. Only while the job is not done do parts of it look again and again."""
    now = state_of(record)
    every = None if now.done else POLL_SECONDS
    st.title(record.name, anchor=False)
    way_through(chain, record.id)

    def live_head() -> None:
        found = state_of(record)
        if found.done != now.done:
            st.rerun()  # the buttons and the result are outside of this fragment
        head(record, found, chain)

    def live_body() -> None:
        body(record, state_of(record))

    st.fragment(live_head, run_every=every)()
    job_actions.show(record, now)
    baseline_view.section(record, chain)
    if now.state == "succeeded":
        where_next(record, chain, result_of(record))
    st.fragment(live_body, run_every=every)()
    came_of(record, now)
    asked(record)


def head(record: JobRecord, now: JobState, chain: Sequence[JobRecord]) -> None:
    """State, reason and progress at this moment."""
    st.set_page_config(page_title=f"{tab_title(now)} · {record.name} · Tuneworthy")
    started = now.started_at or record.created_at
    facts = [step_name(record.spec), ENGINES[record.engine].label if record.engine in ENGINES else ""]
    if now.started_at and now.ended_at and now.ended_at > now.started_at:
        facts.append(f"took {duration((now.ended_at - now.started_at).total_seconds())}")
    facts.append(f"started {ago(started, datetime.now(UTC))}" if now.state != "queued" else "")
    st.markdown(f"{badge(STATES[now.state])} {' · '.join(fact for fact in facts if fact)}")
    if now.state == "failed":
        reason = named(now.reason, chain) or "It failed and left no reason. Read the end of its log."
        st.error(reason, icon=":material/error:")
    elif now.state == "cancelled":
        st.warning(now.reason or "It was cancelled.", icon=":material/cancel:")
    if not now.done:
        share, text = share_of(now, events_of(record))
        st.progress(share, text=named(text, chain))


def body(record: JobRecord, now: JobState) -> None:
    """Warnings, losses and log at this moment."""
    events = events_of(record)
    for warning in dict.fromkeys(event.message for event in events if event.kind == "warning"):
        st.warning(warning, icon=":material/warning:")
    losses(record, now, events)
    log(record, now)


def tab_title(now: JobState) -> str:
    """The state for the browser's tab, with per cent while it runs."""
    if now.state == "running" and now.total_steps:
        return f"{now.step / now.total_steps:.0%}"
    return STATES[now.state].label


def share_of(now: JobState, events: Sequence[Event]) -> tuple[float, str]:
    """How far the job is (0 to 1) and the same in words: step, stage, time left, or place in the queue."""
    note = now.note[:1].upper() + now.note[1:]
    if now.state == "queued":
        return 0.0, f"{note or 'Waiting'}."
    if now.total_steps:
        share = min(now.step / now.total_steps, 1.0)
        left = f", {roughly(now.eta_seconds)} left" if now.eta_seconds is not None else ""
        return share, f"{note or 'Running'}: step {now.step:,} of {now.total_steps:,}{left}"
    last = next((event for event in reversed(events) if event.kind in ("progress", "stage")), None)
    if last is None or last.kind == "stage" or not last.values.get("total"):
        return 0.0, note or "Running"
    share = min(last.values["done"] / last.values["total"], 1.0)
    return share, f"{last.message or note}: {share:.0%}"


def losses(record: JobRecord, now: JobState, events: Sequence[Event]) -> None:
    """Key figures and the loss chart."""
    if record.kind != "train":
        return
    chart = loss_chart(events)
    if chart is None:
        if not now.done:
            st.caption("The loss chart starts with the first training step.")
        return
    with st.container(horizontal=True, gap="medium", key="jobs.figures"):
        for label, value, form in (
            ("Loss", "loss", "{:.3f}"),
            ("Validation loss", "validation_loss", "{:.3f}"),
            ("Reward margin", "validation_reward_margin", "{:.3f}"),
            ("Pair accuracy", "validation_pair_accuracy", "{:.0%}"),
            ("Tokens/s", "tokens_per_second", "{:,.0f}"),
        ):
            last = next((event.values[value] for event in reversed(events) if value in event.values), None)
            if last is not None:
                st.metric(label, form.format(last), width=110)
    st.plotly_chart(chart, key="jobs.loss", config={"displayModeBar": False}, alt=loss_in_words(events))


def log(record: JobRecord, now: JobState) -> None:
    """The end of the log: of the folder for a local job, of the events for another host's."""
    text = log_text(record)
    failed = now.state == "failed"
    with st.expander("Log", icon=":material/terminal:", expanded=failed, key=f"jobs.log.{record.id}"):
        if not text:
            st.caption("Nothing was logged yet.")
            return
        with st.container(height=300, border=False, autoscroll=True, key="jobs.log.tail"):
            st.code(text, language=None, wrap_lines=True)


def log_text(record: JobRecord) -> str:
    """The end of what a job printed or reported."""
    if record.engine == "local":
        try:
            return RunFolder.of(record.id).log_tail()
        except NotFound:
            return ""
    lines = [f"{event.at:%H:%M:%S} {event.message}" for event in events_of(record) if event.message]
    return "\n".join(lines[-200:])


def events_of(record: JobRecord) -> list[Event]:
    """All that a job reported; nothing where its engine cannot be asked."""
    if record.ref is None:
        return []
    try:
        return engine(record.engine).events(record.ref)
    except TuneworthyError:
        return []


def result_of(record: JobRecord) -> Result | None:
    """What came of an ended job; None where it left nothing."""
    if record.ref is None:
        return None
    try:
        return engine(record.engine).result(record.ref)
    except TuneworthyError:
        return None


def came_of(record: JobRecord, now: JobState) -> None:
    """Predicted beside measured, and notes."""
    result = result_of(record) if now.done else None
    rows = predicted_and_measured(record, now, result)
    if rows:
        st.subheader("Predicted and measured", anchor=False)
        st.table(rows, hide_index=True, border="horizontal", alt="Predicted and measured memory, time and dollars.")
    if result is not None and result.notes:
        st.subheader("Notes", anchor=False)
        st.markdown("\n".join(f"- {plain(note)}" for note in result.notes))


def where_next(record: JobRecord, chain: Sequence[JobRecord], result: Result | None) -> None:
    """Links to what an ended job has left."""
    judge = next((other for other in chain if other.kind == "evaluate" and other.spec.job == record.id), None)
    with st.container(horizontal=True, key="jobs.next"):
        if record.kind == "evaluate":
            what = "See the scores" if is_baseline(record.spec) else "See the verdict"
            state.link_to("judge", what, ":material/balance:", job=record.id)
        elif record.kind == "tournament":
            state.link_to("judge", "See which prompt is best", ":material/balance:", job=record.id)
        elif result is not None and (result.adapter or result.classifier) and record.engine != "openai":
            what, how = ("classifier", "Try it") if result.classifier else ("adapter", "Chat with it")
            state.link_to("shelf", f"See the {what}", ":material/inventory_2:", adapter=record.id)
            state.link_to("chat", how, ":material/forum:", adapter=record.id)
            query = {"job": judge.id} if judge else {"train": record.id}
            state.link_to("judge", "See the verdict" if judge else "Judge it", ":material/balance:", **query)


def predicted_and_measured(record: JobRecord, now: JobState, result: Result | None) -> list[dict[str, str]]:
    """A row each for memory, time and dollars, with what the difference says."""
    measured = result.measured if result else None
    if record.predicted is None and measured is None:
        return []
    missing = "not measured" if now.done else "when it has ended"
    rows = []
    figures = [("Memory", "memory_gib", gib), ("Time", "seconds", duration), ("Dollars", "usd", usd)]
    if measured is not None and measured.tokens_per_second is not None:
        figures.insert(1, ("Speed", "tokens_per_second", speed))
    for label, field, words in figures:
        expected: Estimate | None = getattr(record.predicted, field) if record.predicted else None
        got: float | None = getattr(measured, field) if measured else None
        rows.append(
            {
                "": label,
                "Predicted": in_words(expected, words),
                "Measured": missing if got is None else words(got) + compared(expected, got),
            }
        )
    return rows


def in_words(estimate: Estimate | None, words: Any) -> str:
    """`4 min (3 min to 7 min)`; `unknown` where nothing was predicted."""
    if estimate is None or estimate.likely is None:
        return "unknown"
    likely = str(words(estimate.likely))
    if estimate.low is None or estimate.high is None or estimate.low == estimate.high:
        return likely
    return f"{likely} ({words(estimate.low)} to {words(estimate.high)})"


def asked(record: JobRecord) -> None:
    """What was asked, frozen: enough to run it again next year."""
    with st.expander("Spec", icon=":material/description:", key=f"jobs.spec.{record.id}"):
        text = yaml.safe_dump(record.spec.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
        st.caption(f"Frozen at the launch. Run it again with `tuneworthy run spec.yaml`. Job id: `{record.id}`.")
        st.code(text, language="yaml", height=320)
        st.download_button(
            "Download the spec",
            text,
            file_name=f"{record.id}.yaml",
            mime="application/yaml",
            icon=":material/download:",
            key="jobs.spec.download",
            on_click="ignore",
        )
