"""Jobs: what was launched, newest first, and one job live. All of it is read from the store and the jobs' folders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from app_pages import baseline_view, job_view, state
from app_pages.figures import STATES, Look, ago, badge, plain, roughly
from app_pages.steps import named, predicted, step_name
from backends.engines import ENGINES
from backends.launch import reconcile
from core.job import JobState
from core.store import JobRecord
from shelf.tuned_words import settings_words

MOST_CHAINS = 30
THIS_PLAN, ALL_PLANS = "This plan", "All plans"


def chains(records: Sequence[JobRecord]) -> list[list[JobRecord]]:
    """Jobs of one group together, its steps in order; the chain with the newest job first."""
    found: dict[str, list[JobRecord]] = {}
    for record in records:
        found.setdefault(record.spec.group or record.id, []).insert(0, record)
    return list(found.values())


def chain_name(chain: Sequence[JobRecord]) -> str:
    """The name of the training where there is one, else of the last step."""
    return next((record.name for record in chain if record.kind == "train"), chain[-1].name)


def note_of(now: JobState) -> str:
    """One line behind a state: stage, step, place in the queue or reason."""
    if now.state == "failed":
        return now.reason
    if now.state == "running":
        return job_view.share_of(now, [])[1]
    return now.note[:1].upper() + now.note[1:]


def about(record: JobRecord, chain: Sequence[JobRecord]) -> str:
    """What was launched, in one line, with what its steps were predicted to take together."""
    parts = [record.spec.base_model.rstrip("/").rpartition("/")[2]]
    if record.kind == "train" and record.engine != "openai":  # a host does not say how it tunes
        parts.append(settings_words(record.spec).partition(",")[0])
    if record.engine in ENGINES:
        parts.append(ENGINES[record.engine].label)
    parts.append(f"launched {ago(record.created_at, datetime.now(UTC))}")
    seconds = predicted(chain) if len(chain) > 1 else None
    if seconds is not None:
        parts.append(f"predicted to take {roughly(seconds)} in all")
    return " · ".join(parts)


def card(chain: Sequence[JobRecord], now: dict[str, JobState]) -> None:
    """One chain with a line for each step."""
    with st.container(border=True, key=f"jobs.card.{chain[0].id}"):
        train = next((record for record in chain if record.kind == "train"), chain[-1])
        st.markdown(f"**{plain(chain_name(chain))}**")
        st.caption(plain(about(train, chain)))
        for record in chain:
            found = now.get(record.id)
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                look = STATES[found.state] if found else Look("Unknown", ":material/help:", "gray")
                st.markdown(badge(look), width="content")
                state.link_to("jobs", step_name(record.spec), job=record.id)
                if found is None:
                    st.caption("Its engine cannot be asked.", width="content")
                elif note_of(found):
                    st.caption(plain(named(note_of(found), chain)), width="content")
                elif baseline := baseline_view.finding(record):
                    st.caption(plain(baseline.scores), width="content")
            stop_here(record, chain, now)
            if found and found.state == "running" and found.total_steps:
                st.progress(min(found.step / found.total_steps, 1.0))


def stop_here(record: JobRecord, chain: Sequence[JobRecord], now: dict[str, JobState]) -> None:
    """The question under a baseline that leaves a tune nothing to gain, while there is a training to stop."""
    found, train = baseline_view.finding(record), baseline_view.training_after(chain)
    if found is None or train is None or not found.nothing_to_gain:
        return
    after = now.get(train.id)
    may_stop = after is not None and not after.done
    said = f"{baseline_view.ICON} {baseline_view.sentence(found, may_stop=may_stop)}"
    st.markdown(f":orange[{said}]" if may_stop else f":gray[{said}]")


def listed(records: Sequence[JobRecord]) -> None:
    """The list; it looks again and again only while something runs."""
    shown = chains(records)[:MOST_CHAINS]
    flat = [record for chain in shown for record in chain]
    running = {job_id for job_id, found in state.states(flat).items() if not found.done}

    def live() -> None:
        now = state.states(flat)
        if running and all(found.done for found in now.values()):
            st.rerun()
        for chain in shown:
            card(chain, now)

    st.fragment(live, run_every=job_view.POLL_SECONDS if running else None)()
    if len(chains(records)) > MOST_CHAINS:
        st.caption(f"The newest {MOST_CHAINS} are shown. `tuneworthy jobs` lists all.")


def overview() -> None:
    """All jobs, of this plan or of all plans."""
    st.title("Jobs", anchor=False)
    plan = state.current_plan()
    with st.container(horizontal=True, vertical_alignment="center"):
        scope = ALL_PLANS
        if plan is not None:
            default = THIS_PLAN if plan.jobs else ALL_PLANS
            scope = st.segmented_control(
                "Jobs of", [THIS_PLAN, ALL_PLANS], default=default, required=True, key="jobs.scope",
                label_visibility="collapsed",
            )  # fmt: skip
        archived = st.toggle("Show archived", key="jobs.archived")
    records = state.store().jobs(plan.id if plan and scope == THIS_PLAN else None, archived=archived)
    if records:
        listed(records)
        return
    st.info(
        "Nothing is archived." if archived else "No job yet. The launch panel on the Advise page starts one.",
        icon=":material/inbox:",
    )
    if not archived:
        state.link_to("advise", "Go to the launch panel", ":material/rocket_launch:")


def one(job_id: str) -> None:
    """The page of one job."""
    plan_id = state.address_of().get(state.PLAN)
    st.page_link(
        state.page_file("jobs"),
        label="All jobs",
        icon=":material/arrow_back:",
        query_params={state.PLAN: plan_id} if plan_id else {},
    )
    record = state.store().job(job_id)
    group = record.spec.group
    siblings = state.store().jobs() + state.store().jobs(archived=True) if group else []
    chain = sorted((other for other in siblings if other.spec.group == group), key=lambda other: other.created_at)
    job_view.show(record, chain)


with state.shown_errors():
    state.mark_jobs_read()
    reconcile(state.store())
    wanted = st.query_params.get("job")
    if wanted:
        one(wanted)
    else:
        overview()
