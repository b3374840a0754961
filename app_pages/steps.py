"""The steps of a chain of jobs: what each is called, and the way through them as links."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app_pages import state
from app_pages.figures import KINDS, STATES, duration
from backends.chain import is_baseline
from core.jobspec import JobSpec
from core.store import JobRecord

ARROW = ":material/arrow_forward:"
BASELINE = "Baseline"


def step_name(spec: JobSpec) -> str:
    """What a job does in its chain: `Baseline`, `Train`, `Judge`."""
    return BASELINE if is_baseline(spec) else KINDS.get(spec.kind, spec.kind)


def way_through(chain: Sequence[JobRecord], here: str) -> None:
    """The chain that a job belongs to, in order, each a link."""
    if len(chain) < 2:
        return
    now = state.states(chain)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="jobs.steps"):
        for place, record in enumerate(chain):
            if place:
                st.caption(ARROW, width="content")
            found = now.get(record.id)
            icon = STATES[found.state].icon if found else ":material/help:"
            label = step_name(record.spec)
            if record.id == here:
                st.markdown(f"{icon} **{label}**", width="content")
            else:
                state.link_to("jobs", label, icon, job=record.id)


def named(text: str, chain: Sequence[JobRecord]) -> str:
    """A note with the jobs of the chain by what they do, not by their ids: `Waits for the step Train`."""
    for other in chain:
        text = text.replace(other.id, f"the step {step_name(other.spec)}")
    return text[:1].upper() + text[1:]


def in_turn(specs: Sequence[JobSpec], seconds: Sequence[float | None]) -> str:
    """The steps with what each takes: `Baseline 2 min > Train 5 min > Judge 1 min`, with arrows."""
    pairs = zip(specs, seconds, strict=True)
    return f" {ARROW} ".join(f"{step_name(spec)} {duration(each)}" for spec, each in pairs)


def predicted(chain: Sequence[JobRecord]) -> float | None:
    """Seconds that all of its steps were predicted to take; None where that of any is unknown."""
    total = 0.0
    for record in chain:
        if record.predicted is None or record.predicted.seconds.likely is None:
            return None
        total += record.predicted.seconds.likely
    return total
