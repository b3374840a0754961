"""The dry run beside the launch: a button that measures before anything is decided, and what it found."""

from __future__ import annotations

import streamlit as st

from app_pages import state
from app_pages.figures import STATES, badge, compared, duration, gib, plain, speed
from app_pages.launch_ways import Way
from backends.launch import launch, state_of
from core.job import JobState
from core.jobspec import JobSpec
from core.plan import Plan
from core.run_folder import RunFolder
from core.store import JobRecord
from cost_models.correction import SHAPE
from training.probe_specs import check_probe_spec

POLL_SECONDS = 2.0
HELP = "Under two minutes: some steps of the longest rows, then save, load and answer once. What it measures corrects \
the estimate above."


def show(plan: Plan | None, spec: JobSpec, way: Way, *, blocked: bool) -> None:
    """Button and result, for a training on this machine; nothing otherwise."""
    if plan is None or way != "tune" or spec.engine != "local" or spec.dataset is None or spec.learner != "llm":
        return
    last = last_probe(plan, spec)
    now = state_of(last) if last is not None else None
    running = now is not None and not now.done
    why = "First do what is said above." if blocked else HELP
    stopped = blocked or running or bool(check_probe_spec(as_probe(spec)))
    if st.button("Dry run first", icon=":material/speed:", key="launch.probe", disabled=stopped, help=why):
        with state.shown_errors("It was not started."):
            launch(state.store(), as_probe(spec), plan_id=plan.id)
            st.rerun()
    if last is None:
        return

    def live() -> None:
        found = state_of(last)
        if found.done == running:
            st.rerun()  # the button and the estimate above are outside of this fragment
        _result(last, found)

    st.fragment(live, run_every=POLL_SECONDS if running else None)()


def as_probe(spec: JobSpec) -> JobSpec:
    """The dry run of a training: the same in all but its kind and name."""
    name = f"{spec.name[:90]}: dry run" if spec.name else "Dry run"
    return spec.model_copy(update={"kind": "probe", "name": name, "after": [], "group": None})


def last_probe(plan: Plan, spec: JobSpec) -> JobRecord | None:
    """The newest dry run of this plan that has the shape and the rows of `spec`."""
    fields = (*SHAPE, "dataset", "max_tokens", "micro_batch", "grad_accumulation", "grad_checkpointing", "precision")
    wanted = [getattr(spec, name) for name in fields]
    jobs = state.store().jobs(plan.id)
    return next((job for job in jobs if job.kind == "probe" and [getattr(job.spec, f) for f in fields] == wanted), None)


def _result(record: JobRecord, now: JobState) -> None:
    """Where it is; once it is in, predicted beside measured, and what came of saving and loading."""
    st.markdown(f"{badge(STATES[now.state])} Dry run {plain(now.reason if now.state == 'failed' else now.note)}")
    if not now.done:
        return
    outcome = RunFolder.of(record.id).outcome()
    if now.state == "succeeded" and outcome is not None:
        st.table(rows_of(record), hide_index=True, border="horizontal", alt="Dry run: predicted beside measured.")
        st.caption(" ".join(plain(note) for note in outcome.result.notes))
    state.link_to("jobs", "See the dry run", ":material/arrow_forward:", job=record.id)


def rows_of(record: JobRecord) -> list[dict[str, str]]:
    """Memory, tokens a second and time of the dry run itself, predicted beside measured."""
    outcome = RunFolder.of(record.id).outcome()
    if record.predicted is None or outcome is None:
        return []
    found = []
    for label, figure, words in (
        ("Memory", "memory_gib", gib),
        ("Speed", "tokens_per_second", speed),
        ("Time of the dry run", "seconds", duration),
    ):
        expected, got = getattr(record.predicted, figure), getattr(outcome.result.measured, figure)
        measured = "not measured" if got is None else words(got) + compared(expected, got)
        found.append({"": label, "Predicted": words(expected.likely), "Measured": measured})
    return found
