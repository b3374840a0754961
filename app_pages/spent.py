"""Spent to date: dollars and machine time of the jobs that ended, over all plans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from app_pages import state
from app_pages.figures import duration, usd
from app_pages.job_view import result_of
from core.store import JobRecord


@dataclass(frozen=True)
class Spent:
    """Of some jobs."""

    usd: float = 0.0
    seconds: float = 0.0
    jobs: int = 0
    unknown: int = 0
    """Jobs that ended and left no dollars: on a machine of one's own, or nobody measured."""


def spent(records: Sequence[JobRecord]) -> Spent:
    """What the ended jobs among them cost, as measured."""
    now = state.states(records)
    dollars = seconds = 0.0
    jobs = unknown = 0
    for record in records:
        found = now.get(record.id)
        if found is None or not found.done:
            continue
        jobs += 1
        result = result_of(record)
        measured = result.measured if result else None
        unknown += measured is None or measured.usd is None
        dollars += (measured.usd or 0.0) if measured else 0.0
        seconds += (measured.seconds or 0.0) if measured else 0.0
    return Spent(usd=dollars, seconds=seconds, jobs=jobs, unknown=unknown)


def show() -> None:
    """One line over all plans; nothing where no job has ended."""
    store = state.store()
    total = spent([*store.jobs(), *store.jobs(archived=True)])
    if not total.jobs:
        return
    with st.container(horizontal=True, gap="medium", key="plans.spent"):
        st.metric("Spent to date", usd(total.usd), width=170, help="Dollars that hosts charged, over all plans.")
        st.metric("Machine time", duration(total.seconds), width=190, help="Of jobs that ended, over all plans.")
        st.metric("Jobs ended", f"{total.jobs:,}", width=130)
    if total.unknown:
        st.caption(
            f"{total.unknown} of them ran where no dollars are charged, such as this machine; their time is counted."
        )
