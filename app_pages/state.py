"""What all pages share: the current plan (a link), the store, errors in words, and news of jobs.

A plan is a link: `?plan=` in the address wins over what this browser tab remembers, so that two tabs with two plans
do not disturb each other. A plan is made at the first answer or upload, not by looking at an empty page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

import streamlit as st

from backends.launch import state_of
from core.errors import BadInput, NotFound, Problem, TuneworthyError
from core.job import JobState
from core.plan import Plan
from core.run_folder import RunFolder
from core.store import JobRecord, Store, open_store

PLAN = "plan"
NEWS_FOR = timedelta(minutes=10)
"""A job that ended at most so long before this tab was opened is still news."""
WATCHED_JOBS = 50
POLL_SECONDS = 2.0


def store() -> Store:
    """The store of this home."""
    return open_store()


def current_plan() -> Plan | None:
    """The plan that the address names, else the one that this tab last had; None before the first answer."""
    in_address = st.query_params.get(PLAN)
    plan_id = in_address or st.session_state.get(PLAN)
    if not plan_id:
        return None
    try:
        plan = store().plan(plan_id)
    except NotFound:
        close_plan()
        if in_address:
            st.session_state["plan_not_found"] = in_address[:60]
        return None
    open_plan(plan.id)
    return plan


def require_plan() -> Plan:
    """The current plan; a new one if there is none yet. Call it when there is something to keep."""
    plan = current_plan()
    if plan is None:
        plan = store().new_plan()
        open_plan(plan.id)
    return plan


def open_plan(plan_id: str) -> None:
    """Make a plan the current one of this tab and put it in the address."""
    st.session_state[PLAN] = plan_id
    if st.query_params.get(PLAN) != plan_id:
        st.query_params[PLAN] = plan_id


def close_plan() -> None:
    """Forget the current plan in this tab: the next answer starts a new one."""
    st.session_state.pop(PLAN, None)
    if PLAN in st.query_params:
        del st.query_params[PLAN]


def save(**fields: Any) -> Plan:
    """Set some fields of the current plan (made if there is none yet); the other fields stay as they are."""
    return store().update_plan(require_plan().id, **fields)


def go_to(page: str, **query: str) -> NoReturn:
    """Open another page, such as `jobs`, with the plan still in the address."""
    st.switch_page(page_file(page), query_params=address_of(**query))


def link_to(page: str, label: str, icon: str | None = None, **query: str) -> None:
    """A link to another page, such as `jobs`, that keeps the plan."""
    st.page_link(page_file(page), label=label, icon=icon, query_params=address_of(**query))


def address_of(**query: str) -> dict[str, str]:
    """The part of an address behind the question mark: the plan and what is given."""
    plan_id = st.session_state.get(PLAN)
    return ({PLAN: str(plan_id)} if plan_id else {}) | query


def keep_address() -> None:
    """Write the address anew where it has changed: a link from a page to itself leaves the browser's bar as it was."""
    now = st.query_params.to_dict()
    if st.session_state.get("address") != now:
        st.session_state["address"] = now
        st.query_params.from_dict(now)


def page_file(page: str) -> str:
    """Where a page's script is, seen from the app."""
    return f"app_pages/{page}.py"


@contextmanager
def shown_errors(where: str = "") -> Iterator[None]:
    """Show an error of ours as a message with its remedy, and go on behind the block."""
    try:
        yield
    except TuneworthyError as error:
        show_problems(error.problems(), where)


def show_problems(problems: Sequence[Problem], where: str = "") -> None:
    """Problems in words, errors before warnings, all at once."""
    for severity, show, icon in (
        ("error", st.error, ":material/error:"),
        ("warning", st.warning, ":material/warning:"),
    ):
        texts = [sentence(problem) for problem in problems if (problem.severity == "error") == (severity == "error")]
        if len(texts) == 1:
            show(f"{where} {texts[0]}".strip(), icon=icon)
        elif texts:
            show("\n".join(([where, ""] if where else []) + [f"- {text}" for text in texts]), icon=icon)


def sentence(problem: Problem) -> str:
    """A problem as a sentence: where, what, remedy."""
    where = f"**{problem.where}**: " if problem.where else ""
    what = problem.what if where else problem.what[:1].upper() + problem.what[1:]
    return f"{where}{what} {problem.hint}".strip()


def error_text(error: TuneworthyError) -> str:
    """An error of ours as one line."""
    where = f"{error.where}: " if isinstance(error, BadInput) and error.where else ""
    return f"{where}{error.message} {error.hint}".strip()


# News of jobs


def states(records: Sequence[JobRecord]) -> dict[str, JobState]:
    """{job id: state}, as the engines say now; a job whose engine cannot be asked is left out."""
    found = {}
    for record in records:
        try:
            found[record.id] = state_of(record)
        except TuneworthyError:
            continue
    return found


def running_jobs() -> frozenset[str]:
    """Ids of the jobs that are queued or running."""
    now = states(store().jobs()[:WATCHED_JOBS])
    return frozenset(job_id for job_id, found in now.items() if not found.done)


def announce_jobs() -> frozenset[str]:
    """Say once per tab which jobs have ended since. Returns those that are still queued or running."""
    records = store().jobs()[:WATCHED_JOBS]
    now = states(records)
    announced: set[str] = st.session_state.setdefault("announced_jobs", set())
    first_look = not st.session_state.get("jobs_were_looked_at")
    st.session_state["jobs_were_looked_at"] = True
    news: list[tuple[JobRecord, JobState]] = []
    for record in records:
        state = now.get(record.id)
        if state is None:
            continue
        if not state.done:
            announced.discard(record.id)  # resumed: its end is news again
        elif record.id not in announced:
            announced.add(record.id)
            if not first_look or _is_news(state):
                news.append((record, state))
            if record.kind == "evaluate" and state.state == "succeeded" and record.engine == "local":
                _keep_verdict(record)
    _toast(news)
    return frozenset(job_id for job_id, state in now.items() if not state.done)


def _keep_verdict(record: JobRecord) -> None:
    """The plan and the shelf show a verdict as soon as it is there, whoever looks at what page."""
    from evaluation.keep import keep_verdict
    from evaluation.report import read_report

    with suppress(TuneworthyError):  # unreadable or deleted meanwhile: the Judge page says so
        keep_verdict(store(), record, read_report(RunFolder.of(record.id).evaluation_file))


def _is_news(state: JobState) -> bool:
    ended_at = state.ended_at
    if ended_at is None:
        return False
    ended_at = ended_at if ended_at.tzinfo else ended_at.replace(tzinfo=UTC)
    return datetime.now(UTC) - ended_at < NEWS_FOR


def _toast(news: Sequence[tuple[JobRecord, JobState]]) -> None:
    """One job by its name; several together, so that they do not cover the page."""
    unread: set[str] = st.session_state.setdefault("unread_jobs", set())
    unread.update(record.id for record, _ in news)
    failed = sum(state.state == "failed" for _, state in news)
    if len(news) > 1:
        badly = f", {failed} of them failed" if failed else ""
        st.toast(
            f"**{len(news)} jobs** have ended{badly}.",
            icon=":material/error:" if failed else ":material/check_circle:",
            duration="long",
        )
        return
    for record, state in news:
        _toast_one(record, state)


def _toast_one(record: JobRecord, state: JobState) -> None:
    words, icon = {
        "succeeded": ("has finished", ":material/check_circle:"),
        "failed": ("has failed", ":material/error:"),
    }.get(state.state, ("was cancelled", ":material/cancel:"))
    reason = f" {state.reason}" if state.state == "failed" and state.reason else ""
    st.toast(f"**{record.name}** {words}.{reason}", icon=icon, duration="long")


def unread_jobs() -> int:
    """Ended jobs that were announced in this tab and not looked at on the Jobs page yet."""
    return len(st.session_state.get("unread_jobs", ()))


def mark_jobs_read() -> None:
    """Called by the Jobs page: what it shows is no news any more."""
    st.session_state["unread_jobs"] = set()
