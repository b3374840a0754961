"""The local engine: a detached worker process per job, a folder per job, a queue per device.

Close the browser or kill the page's server: the worker goes on, and whoever comes back reads its folder.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from backends.estimates import TRAININGS, estimate_local
from backends.history import correction_for
from backends.room import room_problems
from core.adapter_files import files_of
from core.base_models import locate
from core.endpoint_address import EndpointAddress, is_endpoint, key_variables
from core.errors import BadInput, EngineError, NotFound, Problem, StoreError, TuneworthyError
from core.estimate import RunEstimate
from core.home import cache_dir, home, runs_dir
from core.job import EngineRef, Event, JobState, Result
from core.jobspec import JobSpec, check_evaluate_spec
from core.machine import resolve_device
from core.paths import is_file, typed_path
from core.run_folder import RunFolder, write_atomically
from core.tickets import WITHOUT_DEVICE, Ticket, queue
from training.calibration_file import CALIBRATION
from training.merge_specs import check_merge_spec
from training.probe_specs import check_probe_spec
from training.specs import check_train_spec

PROJECT_ROOT = Path(__file__).resolve().parent.parent
MIN_FREE_GIB = 1.0
LAST_WORKER_SECONDS = 10.0
"""A worker has said its last word a moment before it lets go of its folder."""
_SECRET_WORDS = ("KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL", "DATABASE_URL", "TUNEWORTHY_DB")
_PREPARED_FIRST = ("train", "probe", "evaluate", "tournament")
_JOB_FIELDS = {"train": ("resume_of", "job"), "probe": ("job",), "evaluate": ("job",), "export": ("job",)}
"""Fields that name another local job."""


class LocalEngine:
    """Runs jobs on this machine."""

    name = "local"

    def check(self, spec: JobSpec) -> list[Problem]:
        """Everything that would stop the job here: device, model, files, settings, disk."""
        own_checks = {
            "prepare": lambda _: [],
            "train": check_train_spec,
            "probe": check_probe_spec,
            "evaluate": check_evaluate_spec,
            "tournament": check_evaluate_spec,
            "export": check_merge_spec,
        }
        if spec.kind in own_checks:
            problems = own_checks[spec.kind](spec)
        else:
            problems = [Problem(what=f"`{spec.kind}` jobs are not in this release.", where="kind")]
        looks: list[tuple[str, Callable[[], object]]] = [
            ("device", lambda: resolve_device(spec.device)),
            ("base_model", lambda: _base(spec)),
        ]
        if spec.kind == "train" and spec.learner != "llm":  # the base is only whom its judge holds it against
            looks = [looks[0], *([("encoder", lambda: _encoder(spec))] if spec.encoder else [])]
        if spec.kind == "tournament" and is_endpoint(spec.base_model):
            looks = [("base_model", partial(_require_endpoint, spec))]
        needed = {"dataset": spec.dataset} if spec.kind in _PREPARED_FIRST else {}
        for field, path in (needed | {"validation": spec.validation, "test": spec.test}).items():
            if path is None and field == "dataset" and spec.kind in TRAININGS:
                problems.append(Problem(what="no training rows are given.", where=field, hint="Set `dataset`."))
            elif path is not None:
                looks.append((field, partial(_require_file, Path(path))))
        named = [("after", job_id) for job_id in spec.after]
        named += [(field, job_id) for field in _JOB_FIELDS.get(spec.kind, ()) if (job_id := getattr(spec, field))]
        looks += [(field, partial(RunFolder.of, job_id)) for field, job_id in named]
        if spec.kind in ("evaluate", *TRAININGS) and spec.adapter:
            looks.append(("adapter", partial(_require_adapter, spec.adapter)))
        for where, look in looks:
            try:
                look()
            except TuneworthyError as error:
                problems += [problem.model_copy(update={"where": where}) for problem in error.problems()]
        if spec.kind in ("evaluate", "tournament") and not (spec.test or spec.validation):
            problems.append(Problem(what="no rows to judge on.", where="test", hint="Set `test` or `validation`."))
        problems += room_problems(spec) if not problems else []
        free_gib = shutil.disk_usage(runs_dir()).free / 2**30
        if free_gib < MIN_FREE_GIB:
            problems.append(
                Problem(what=f"only {free_gib:.1f} GiB of disk are free.", where="disk", hint="Free at least 1 GiB.")
            )
        return problems

    def estimate(self, spec: JobSpec) -> RunEstimate:
        """Memory, time and dollars on this machine."""
        return estimate_local(spec)

    def submit(self, spec: JobSpec, job_id: str) -> EngineRef:
        """Start a detached worker. Safe to repeat: a job that has a worker or an outcome is left alone."""
        folder = RunFolder.create(job_id, spec)
        ref = EngineRef(engine=self.name, ref=job_id)
        if folder.locked() or folder.outcome() is not None:
            return ref
        if (found := correction_for(spec)) is not None and spec.kind in TRAININGS:
            # The worker cuts the run by the same figures that were shown.
            write_atomically(folder.path / CALIBRATION, found.model_dump_json(indent=2))
        self._start(folder, folder.spec())
        return ref

    def poll(self, ref: EngineRef) -> JobState:
        """The state as the folder tells it, with the place in the device's queue."""
        folder = RunFolder.of(ref.ref)
        state = folder.state()
        if state.state == "queued" and state.note == "waiting":
            state.note = self._waits_for(folder)
        return state

    def events(self, ref: EngineRef, after: int = 0) -> list[Event]:
        """Events of the job's folder."""
        return RunFolder.of(ref.ref).events(after)

    def find(self, job_id: str) -> EngineRef | None:
        """Was it ever started here? The folder says."""
        try:
            folder = RunFolder.of(job_id)
        except (NotFound, BadInput):
            return None
        started = folder.locked() or folder.worker() is not None or folder.outcome() is not None
        return EngineRef(engine=self.name, ref=job_id) if started else None

    def pause(self, ref: EngineRef) -> Problem | None:
        """A local job is not paused: cancel keeps its checkpoint, resume goes on from it."""
        return Problem(
            what="a local job cannot be paused.", where=ref.ref, hint="Cancel it, and resume it later from there."
        )

    def resume(self, ref: EngineRef) -> Problem | None:
        """Start a worker again on the same folder; it goes on from the last checkpoint."""
        folder = RunFolder.of(ref.ref)
        state = folder.state()
        if state.state == "succeeded":
            return Problem(what="the job has succeeded; there is nothing to go on with.", where=ref.ref)
        if not state.done and state.note != "not started":
            return Problem(what="the job is still at work.", where=ref.ref, hint="Wait for it, or cancel it first.")
        try:
            self._start(folder, folder.spec(), again=True)
        except EngineError as error:
            return error.problems()[0]
        return None

    def cancel(self, ref: EngineRef) -> None:
        """Ask the worker to stop after this step, keeping what it has. Safe twice."""
        folder = RunFolder.of(ref.ref)
        died = folder.begun and not folder.locked()
        if folder.outcome() is not None or died:
            return
        folder.ask_to_cancel()
        worker = folder.worker()
        # The pid is only used while the lock is held: then it cannot have been given to another process.
        if worker is not None and folder.locked():
            try:
                os.kill(worker.pid, signal.SIGTERM)
            except ProcessLookupError:
                return

    def result(self, ref: EngineRef) -> Result:
        """What came of it. Raises `EngineError` while it still runs or when it died."""
        outcome = RunFolder.of(ref.ref).outcome()
        if outcome is None:
            state = self.poll(ref)
            raise EngineError(f"job {ref.ref} has no result: it is {state.state}.", state.reason or "Wait for it.")
        return outcome.result

    def _start(self, folder: RunFolder, spec: JobSpec, *, again: bool = False) -> None:
        lock = folder.acquire(wait_seconds=LAST_WORKER_SECONDS if again else 2.0)
        if again:  # only now: the last worker would miss its own last word
            folder.reopen()
        descriptors = [lock]
        command = [sys.executable, "-m", "training.worker", str(folder.path), "--lock-fd", str(lock)]
        ticket = None
        try:
            if not spec.after and spec.kind not in WITHOUT_DEVICE:
                # Taken here, so that jobs run in the order in which they were submitted.
                ticket = Ticket.take(resolve_device(spec.device), folder.job_id)
                descriptors.append(ticket.descriptor)
                command += ["--ticket", str(ticket.path), "--ticket-fd", str(ticket.descriptor)]
            with folder.log_file.open("ab") as log:
                worker = subprocess.Popen(
                    command,
                    cwd=PROJECT_ROOT,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=scrubbed_environment(key_variables(spec.base_model, spec.judge, spec.harm_judge)),
                    start_new_session=True,
                    pass_fds=descriptors,
                )
            with suppress(StoreError):
                # Said for it, so that one that dies before its own first word is known to have been there.
                folder.announce(worker.pid)
            # Whoever started it takes its exit code, or it stays in the table of processes as a zombie.
            threading.Thread(target=worker.wait, daemon=True).start()
        except OSError as error:
            raise EngineError(
                f"the worker could not be started ({error.strerror}).", "Check disk space and memory."
            ) from error
        finally:
            # The worker holds its own copies: the locks stay until it ends.
            for descriptor in descriptors:
                os.close(descriptor)

    def _waits_for(self, folder: RunFolder) -> str:
        spec = folder.spec()
        for job_id in spec.after:
            try:
                if not RunFolder.of(job_id).state().done:
                    return f"waits for {job_id}"
            except (NotFound, BadInput):
                return f"waits for {job_id[:60]}, which is not here"
        jobs = queue(resolve_device(spec.device))
        ahead = jobs.index(folder.job_id) if folder.job_id in jobs else 0
        return f"{ahead} job{'s' if ahead != 1 else ''} ahead in the queue" if ahead else "starting"


def scrubbed_environment(keys: tuple[str, ...] = ()) -> dict[str, str]:
    """The environment for workers: ours without keys but those named, and with the project on the path."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in keys or not any(word in name.upper() for word in _SECRET_WORDS)
    }
    # As this process sees them: the worker has another working directory.
    kept["TUNEWORTHY_HOME"], kept["TUNEWORTHY_CACHE"] = str(home()), str(cache_dir())
    kept["PYTHONUNBUFFERED"] = "1"
    kept["TOKENIZERS_PARALLELISM"] = "false"
    return kept


def _base(spec: JobSpec) -> object:
    place = locate(spec.base_model, spec.base_revision)
    if not place.ready and not spec.allow_network:
        raise EngineError(f"{spec.base_model} is not on this machine.", "Allow the network, or give a local folder.")
    return place


def _encoder(spec: JobSpec) -> object:
    return _base(spec.model_copy(update={"base_model": spec.encoder or "", "base_revision": None}))


def _require_endpoint(spec: JobSpec) -> None:
    address = EndpointAddress.parse(spec.base_model)
    if not (spec.allow_network or address.own_machine):
        raise EngineError("the job may not use the network.", "Allow it, or use a model of this machine.")
    if address.key_variable and not os.environ.get(address.key_variable):
        raise EngineError(f"the variable {address.key_variable} holds no key.", "Set it where tuneworthy is started.")


def _require_file(path: Path) -> None:
    if not is_file(path):
        raise NotFound(f"no file at {path}.", "Check the path.")


def _require_adapter(adapter: str) -> None:
    if not is_file(files_of(typed_path(adapter))[0]):
        raise NotFound(f"no adapter at {adapter}.", "Give the folder that its training left.")
