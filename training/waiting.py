"""Before the work: wait for the jobs that must come first, then for our turn on the device."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from core.errors import EngineError, NotFound, TuneworthyError
from core.jobspec import JobSpec
from core.machine import resolve_device
from core.run_folder import RunFolder
from core.tickets import WITHOUT_DEVICE, Ticket
from training.report import Report
from training.stop import Stop, Stopped

POLL_SECONDS = 0.25
NEVER_STARTED_SECONDS = 120.0


def wait_for_turn(folder: RunFolder, spec: JobSpec, stop: Stop, report: Report, ticket: Ticket | None) -> Ticket | None:
    """Return once the job may run, with its ticket.

    Raises `Stopped`, or `EngineError` when a job that must come first failed, was cancelled, or is not there.
    """
    try:
        _wait_for_jobs(spec.after, stop, report)
        if ticket is None and spec.kind not in WITHOUT_DEVICE:
            ticket = Ticket.take(resolve_device(spec.device), folder.job_id)
        if ticket is not None:
            _wait_for_place(ticket, stop, report)
    except (Stopped, TuneworthyError):
        if ticket is not None:
            ticket.release()
        raise
    return ticket


@contextmanager
def further_cards(folder: RunFolder, spec: JobSpec, stop: Stop, report: Report) -> Iterator[None]:
    """Inside, the job has the cards behind its first one too, each in its own queue. On a processor there are none.

    All jobs take them in rising order, so no two wait for each other. Raises `Stopped`.
    """
    kind, _, first = resolve_device(spec.device).partition(":")
    places = range(int(first) + 1, int(first) + spec.n_gpus) if kind == "cuda" else range(0)
    tickets = []
    try:
        for place in places:
            tickets.append(Ticket.take(f"cuda:{place}", folder.job_id))
            _wait_for_place(tickets[-1], stop, report)
        yield
    finally:
        for ticket in tickets:
            ticket.release()


def _wait_for_jobs(job_ids: list[str], stop: Stop, report: Report) -> None:
    for job_id in job_ids:
        said = False
        started = time.monotonic()
        while True:
            try:
                state = RunFolder.of(job_id).state()
            except NotFound as error:
                raise EngineError(
                    f"{job_id}, which must come first, is not here.", "Was it deleted? Launch both again."
                ) from error
            if state.state == "succeeded":
                break
            if state.done:
                raise EngineError(
                    f"{job_id}, which must come first, {'was cancelled' if state.state == 'cancelled' else 'failed'}"
                    f"{': ' + state.reason if state.reason else '.'}",
                    "Resume that job, then resume this one.",
                )
            if state.note == "not started" and time.monotonic() - started > NEVER_STARTED_SECONDS:
                raise EngineError(f"{job_id}, which must come first, was never started.", "Start it, then resume this.")
            if not said:
                report.log(f"Waiting for {job_id}")
                said = True
            _pause(stop)


def _wait_for_place(ticket: Ticket, stop: Stop, report: Report) -> None:
    _poll_place(ticket.place, stop, report)


def _poll_place(place: Callable[[], int], stop: Stop, report: Report) -> None:
    last = 0
    while (ahead := place()) > 0:
        if ahead != last:
            report.log(f"{ahead} job{'s' if ahead != 1 else ''} ahead in the queue")
            last = ahead
        _pause(stop)


def _pause(stop: Stop) -> None:
    if stop():
        raise Stopped
    time.sleep(POLL_SECONDS)
