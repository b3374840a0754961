"""Run a spec, and look after jobs: run, jobs, show, cancel, resume, delete."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.printing import (
    NO,
    OK,
    AsJson,
    InputFile,
    command,
    print_json,
    print_table,
    seconds_in_words,
    usd_in_words,
)

if TYPE_CHECKING:
    from core.job import JobState
    from core.store import JobRecord

JobId = Annotated[str, typer.Argument(help="A job id, as `tuneworthy jobs` lists them.", show_default=False)]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until it has ended, with progress.")]

PRINTED_EVERY_SECONDS = 5.0
"""Steps and progress are printed no oftener than this."""


def run(spec: InputFile, wait: Wait = False, as_json: AsJson = False) -> int:
    """Launch the job that a spec file describes."""
    from backends.launch import launch
    from core.jobspec import read_spec
    from core.store import open_store

    record = launch(open_store(), read_spec(spec))
    if wait:
        return follow(record.id, as_json)
    state = _state(record.id)
    if as_json:
        print_json({"job_id": record.id, "state": state.state, "note": state.note})
    else:
        typer.echo(f"{record.id} is {state.state}. Watch it with: {command()} show {record.id}")
    return OK


def jobs(
    archived: Annotated[bool, typer.Option(help="Show the archived ones.")] = False,
    errors: Annotated[bool, typer.Option("--errors", help="Predicted beside measured, and how far off.")] = False,
    as_json: AsJson = False,
) -> int:
    """List jobs, newest first."""
    if errors:
        from commands.probe import print_errors

        return print_errors(as_json)
    from backends.launch import reconcile
    from core.store import open_store

    store = open_store()
    reconcile(store)
    rows = [(record, _state_or_reason(record)) for record in store.jobs(archived=archived)]
    if as_json:
        listed = [
            {"job_id": r.id, "name": r.name, "kind": r.kind, "engine": r.engine}
            | {"state": s.state, "note": s.note, "reason": s.reason}
            for r, s in rows
        ]
        print_json({"jobs": listed})
    elif not rows:
        typer.echo(f"No jobs yet. Start one with: {command()} run SPEC")
    else:
        cells = [
            [r.id, r.kind, s.state, f"{s.step}/{s.total_steps}" if s.total_steps else "", r.name, s.note or s.reason]
            for r, s in rows
        ]
        print_table("Jobs", ["id", "kind", "state", "steps", "name", "note"], cells)
    return OK


def show(job_id: JobId, as_json: AsJson = False) -> int:
    """Show one job: state, losses, predicted beside measured, reason of a failure."""
    shown = described(job_id)
    if as_json:
        print_json(shown)
        return OK
    typer.echo(f"{shown['job_id']}  {shown['kind']}  {shown['name']}")
    steps = f", step {shown['steps']} of {shown['total_steps']}" if shown["total_steps"] else ""
    typer.echo(f"state: {shown['state']}{steps} {shown['note']}".rstrip())
    if shown["reason"]:
        typer.echo(f"reason: {shown['reason']}")
    if shown["loss"]:
        step, value = shown["loss"][-1]
        typer.echo(f"last loss: {value:.4f} at step {step}")
    cells = []
    for field, words in (("memory_gib", _gib), ("seconds", seconds_in_words), ("usd", usd_in_words)):
        predicted, measured = shown["predicted"].get(field), shown["measured"].get(field)
        expected = "unknown" if not predicted else f"{words(predicted['likely'])}"
        if predicted and predicted["low"] is not None:
            expected += f" ({words(predicted['low'])} to {words(predicted['high'])})"
        cells.append([field, expected, words(measured)])
    print_table("Predicted and measured", ["", "predicted", "measured"], cells)
    for note in shown["notes"]:
        typer.echo(f"note: {note}")
    return OK


def cancel(job_id: JobId, as_json: AsJson = False) -> int:
    """Stop a job after its present step; it keeps what it has."""
    from backends.engines import engine
    from core.errors import EngineError
    from core.store import open_store

    record = open_store().job(job_id)
    if record.ref is None:
        raise EngineError(f"job {job_id} was never started.", "There is nothing to cancel.")
    engine(record.engine).cancel(record.ref)
    state = _state(job_id)
    note = state.note if not state.done else ""
    if as_json:
        print_json({"job_id": job_id, "state": state.state, "note": note})
    else:
        typer.echo(f"{job_id} is {state.state}. {note}".strip())
    return OK


def resume(job_id: JobId, wait: Wait = False, as_json: AsJson = False) -> int:
    """Go on with a cancelled, failed or paused job from its last checkpoint."""
    from backends.engines import engine
    from core.errors import ProblemsFound
    from core.store import open_store

    record = open_store().job(job_id)
    if record.ref is None:
        from backends.launch import submit

        submit(open_store(), record)
    else:
        problem = engine(record.engine).resume(record.ref)
        if problem is not None:
            raise ProblemsFound([problem])
    if wait:
        return follow(job_id, as_json)
    state = _state(job_id)
    if as_json:
        print_json({"job_id": job_id, "state": state.state, "note": state.note})
    else:
        typer.echo(f"{job_id} is {state.state}.")
    return OK


def delete(
    job_id: JobId, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False, as_json: AsJson = False
) -> int:
    """Delete a job and what came of it; what goes is said first."""
    from backends.removal import remove, what_goes
    from core.errors import BadInput
    from core.store import open_store

    if as_json and not yes:
        raise BadInput("`--json` does not ask.", "Add --yes, or leave --json out to be asked.")
    store = open_store()
    parts = what_goes(store, "job", job_id)
    if not yes:
        typer.echo("This deletes: " + "; ".join(parts) + ".")
        if not typer.confirm("Delete?"):
            return NO
    remove(store, "job", job_id)
    if as_json:
        print_json({"deleted": parts})
    else:
        typer.echo("Deleted: " + "; ".join(parts) + ".")
    return OK


def follow(job_id: str, as_json: bool, *, quiet: bool = False) -> int:
    """Wait for a job, printing stages and progress for people; exit 1 unless it succeeded.

    `quiet` leaves the last word of a success to the caller.
    """
    from backends.engines import engine
    from core.store import open_store

    record = open_store().job(job_id)
    seen = 0
    last_printed = 0.0
    while True:
        # The state is read before the events, so that a job that ends between the two prints its last ones.
        state = _state(job_id)
        if record.ref is not None and not as_json:
            for event in engine(record.engine).events(record.ref, after=seen):
                seen = event.seq
                if event.kind in ("stage", "warning", "checkpoint", "log") and event.message:
                    typer.echo(f"  {event.message}")
                elif event.kind in ("step", "validation") and time.monotonic() - last_printed > PRINTED_EVERY_SECONDS:
                    last_printed = time.monotonic()
                    values = ", ".join(f"{name} {value:.4g}" for name, value in event.values.items())
                    typer.echo(f"  step {event.step} of {event.total_steps}: {values}")
                elif event.kind == "progress" and time.monotonic() - last_printed > PRINTED_EVERY_SECONDS:
                    last_printed = time.monotonic()
                    typer.echo(f"  {event.message}: {event.values['done'] / max(event.values['total'], 1):.0%}")
        if state.done:
            break
        time.sleep(0.5)
    if quiet and state.state == "succeeded":
        return OK
    if as_json:
        print_json(described(job_id))
    elif state.state == "succeeded":
        typer.echo(f"{job_id} succeeded.")
    else:
        typer.echo(f"{job_id} {state.state}: {state.reason}".rstrip(": "))
    return OK if state.state == "succeeded" else NO


def described(job_id: str) -> dict[str, Any]:
    """A job as the contract's `show` prints it."""
    from backends.engines import engine
    from core.errors import EngineError
    from core.store import open_store

    record = open_store().job(job_id)
    state = _state(job_id)
    host = engine(record.engine)
    events = host.events(record.ref) if record.ref else []
    result = None
    if record.ref and state.state in ("succeeded", "cancelled"):
        with suppress(EngineError):  # stopped before it could leave any
            result = host.result(record.ref)
    predicted = record.predicted.model_dump(mode="json") if record.predicted else {}
    return {
        "job_id": record.id,
        "name": record.name,
        "kind": record.kind,
        "engine": record.engine,
        "state": state.state,
        "note": state.note,
        "reason": state.reason,
        "steps": state.step,
        "total_steps": state.total_steps,
        "loss": [[event.step, event.values["loss"]] for event in events if "loss" in event.values],
        "validation_loss": [
            [event.step, event.values["validation_loss"]] for event in events if "validation_loss" in event.values
        ],
        "predicted": {name: predicted.get(name) for name in ("memory_gib", "seconds", "usd")},
        "measured": result.measured.model_dump() if result else {"memory_gib": None, "seconds": None, "usd": None},
        "adapter": result.adapter if result else None,
        "classifier": result.classifier if result else None,
        "evaluation": result.evaluation if result else None,
        "notes": result.notes if result else [],
        "spec": record.spec.model_dump(mode="json"),
    }


def _state(job_id: str) -> Any:
    from backends.launch import state_of
    from core.store import open_store

    return state_of(open_store().job(job_id))


def _state_or_reason(record: JobRecord) -> JobState:
    """The state; where its engine or its folder cannot tell, why not: one odd job must not hide the others."""
    from backends.launch import state_of
    from core.errors import TuneworthyError
    from core.job import JobState

    try:
        return state_of(record)
    except TuneworthyError as error:
        return JobState(state="failed", reason=str(error))


def _gib(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1f} GiB"
