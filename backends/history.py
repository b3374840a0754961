"""What this machine's own jobs took beside what was predicted, and the correction that is learned from them."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from core.errors import BadInput, NotFound, TuneworthyError
from core.home import home, runs_dir
from core.jobspec import JobSpec
from core.machine import machine, resolve_device
from core.own_files import write_atomically
from core.records import JobRecord
from core.run_folder import RunFolder
from core.store import Store, open_store
from cost_models import plan_words
from cost_models.correction import Calibration, calibration
from cost_models.facts import device_name
from cost_models.fit_plan import card_here, precision_of
from cost_models.past_runs import PastRun

MOST_RUNS = 100
"""That are looked at, the newest first."""
SINCE = "correction_since"
"""In the home, once the correction was reset: runs before this moment are not learned from."""


def past_runs(store: Store) -> list[PastRun]:
    """Local jobs that succeeded, with prediction and measurement, the newest first."""
    records = sorted([*store.jobs(), *store.jobs(archived=True)], key=lambda record: record.created_at, reverse=True)
    found: list[PastRun] = []
    for record in records:
        if len(found) == MOST_RUNS:
            break
        if record.engine == "local" and (run := _run_of(record)) is not None:
            found.append(run)
    return found


def correction_for(spec: JobSpec) -> Calibration | None:
    """What this machine's runs say about a training of `spec` here; None where they say nothing.

    A card that is not here is not corrected. Where the store cannot be read there is no correction.
    """
    if spec.gpu or not any(runs_dir().iterdir()):  # nothing ran yet: no store is made for an estimate
        return None
    with suppress(TuneworthyError):
        since, runs = reset_at(), past_runs(open_store())
        on = resolve_device(spec.device)
        kind, card = on.partition(":")[0], card_here(machine(), on)
        return calibration(
            [run for run in runs if since is None or run.at > since],
            spec,
            device=plan_words.device(kind, machine(), _card_name(on)),
            precision=precision_of(spec, kind, machine(), card),
        )
    return None


def reset_correction() -> None:
    """Learn anew from here on. The history of errors stays."""
    write_atomically(home() / SINCE, datetime.now(UTC).isoformat())


def reset_at() -> datetime | None:
    """When the correction was last reset; None where it never was."""
    try:
        return datetime.fromisoformat(Path(home() / SINCE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _card_name(on: str) -> str:
    """The card `cuda:N` as a plan names it; empty for a processor."""
    kind, _, index = on.partition(":")
    if kind != "cuda":
        return ""
    name = machine().gpus[int(index)]
    try:
        return device_name(name)
    except NotFound:
        return name


def _run_of(record: JobRecord) -> PastRun | None:
    if record.predicted is None:
        return None
    try:
        outcome = RunFolder.of(record.id).outcome()
    except (NotFound, BadInput):
        return None
    if outcome is None or outcome.state != "succeeded" or outcome.result.measured.seconds is None:
        return None
    result = outcome.result
    return PastRun(
        job_id=record.id,
        name=record.name,
        at=record.created_at,
        spec=record.spec,
        predicted=record.predicted,
        measured=result.measured,
        metrics=result.metrics,
    )
