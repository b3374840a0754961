"""A job is a folder, not a thread: whoever wants to know how it goes reads the folder.

runs/<job id>/
    spec.json       what was asked
    lock            held by the worker from its birth to its end (flock: the kernel frees it)
    worker.json     pid and start of the worker
    events.jsonl    steps, losses, stages: one JSON object a line
    log.txt         everything that the worker printed
    room            a little disk kept for the last word, while it runs
    cancel          present once somebody asked to stop
    outcome.json    the last word; lock free and no outcome means that the worker died
    checkpoints/    what a stopped job can go on from
    adapter/        what a finished one leaves; classifier/ where a small classifier was trained
"""

from __future__ import annotations

import os
import secrets
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from pydantic import ValidationError

from core.errors import BadInput, NotFound
from core.event_log import EventKind, EventLog
from core.folder_state import WorkerInfo, alive_state, ended_state, left_state
from core.home import run_dir
from core.job import Event, JobState, Outcome
from core.jobspec import JobSpec
from core.own_files import disk_error, read_json, write_atomically
from core.worker_lock import WorkerLock

__all__ = ["EventKind", "RunFolder", "WorkerInfo", "read_json", "write_atomically"]
ROOM_BYTES = 64 << 10


class RunFolder:
    """One job's folder. Readers need no lock; only the worker appends events and writes the outcome."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._events = EventLog(path / "events.jsonl")
        self._lock = WorkerLock(path / "lock")

    @classmethod
    def of(cls, job_id: str) -> RunFolder:
        """The folder of a job id. Raises `NotFound` where there is none."""
        folder = cls(run_dir(job_id))
        if not folder.path.is_dir():
            raise NotFound(f"no local job `{job_id}` here.", "See `tuneworthy jobs` for the ids.")
        return folder

    @classmethod
    def create(cls, job_id: str, spec: JobSpec) -> RunFolder:
        """Make the folder and write the spec. Safe to repeat; the first spec stays."""
        folder = cls(run_dir(job_id))
        try:
            folder.path.mkdir(mode=0o700, exist_ok=True)
            if not folder.spec_file.exists():
                write_atomically(folder.spec_file, spec.model_dump_json(indent=2))
        except OSError as error:
            raise disk_error(error, folder.path) from error
        return folder

    @property
    def job_id(self) -> str:
        """The id is the folder's name."""
        return self.path.name

    @property
    def spec_file(self) -> Path:
        """What was asked: the JobSpec."""
        return self.path / "spec.json"

    @property
    def lock_file(self) -> Path:
        """Held by the worker as long as it lives."""
        return self._lock.path

    @property
    def log_file(self) -> Path:
        """All that the worker and its libraries print."""
        return self.path / "log.txt"

    @property
    def checkpoints(self) -> Path:
        """Weights and optimizer of the run, to resume from."""
        return self.path / "checkpoints"

    @property
    def adapter(self) -> Path:
        """The finished adapter."""
        return self.path / "adapter"

    @property
    def classifier(self) -> Path:
        """The finished classifier, where that was trained in place of an adapter."""
        return self.path / "classifier"

    @property
    def evaluation_file(self) -> Path:
        """Where an evaluate job leaves its report."""
        return self.path / "evaluation.json"

    def spec(self) -> JobSpec:
        """What was asked. Raises `NotFound` or `BadInput`."""
        try:
            return JobSpec.model_validate_json(self.spec_file.read_bytes())
        except FileNotFoundError as error:
            raise NotFound(f"the job folder {self.job_id} has no spec.json.", "Launch the job again.") from error
        except ValidationError as error:
            raise BadInput("is not a job spec.", "Launch the job again.", file=str(self.spec_file)) from error

    # The lock: one worker per folder.

    def acquire(self, wait_seconds: float = 2.0) -> int:
        """Take the worker's lock and return its file descriptor, to be passed on to the worker.

        Raises `EngineError` when another worker holds it after `wait_seconds`.
        """
        return self._lock.acquire(wait_seconds)

    def locked(self) -> bool:
        """True while a worker lives."""
        return self._lock.held()

    # What the worker writes.

    def announce(self, pid: int) -> None:
        """The worker says who it is."""
        info = WorkerInfo(pid=pid, started_at=datetime.now(UTC))
        write_atomically(self.path / "worker.json", info.model_dump_json())

    def keep_room(self) -> None:
        """Take a little of the disk now, so that the last word can be said when it is full. Raises `StoreError`."""
        # Random, since some file systems keep blanks in no room at all.
        write_atomically(self.path / "room", secrets.token_hex(ROOM_BYTES // 2))

    def free_room(self) -> None:
        """Give it back. Safe twice."""
        (self.path / "room").unlink(missing_ok=True)

    def emit(
        self,
        kind: EventKind,
        message: str = "",
        *,
        step: int = 0,
        total_steps: int = 0,
        values: dict[str, float] | None = None,
    ) -> None:
        """Append an event. One short write, so that readers see whole lines."""
        self._events.append(kind, message, step=step, total_steps=total_steps, values=values or {})

    def finish(self, outcome: Outcome) -> None:
        """The last word. Written whole or not at all."""
        self.free_room()
        write_atomically(self.path / "outcome.json", outcome.model_dump_json(indent=2))

    # What everybody reads.

    def worker(self) -> WorkerInfo | None:
        """Who works or worked on the job."""
        try:
            return WorkerInfo.model_validate_json((self.path / "worker.json").read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    def outcome(self) -> Outcome | None:
        """The last word, if it was said."""
        try:
            return Outcome.model_validate_json((self.path / "outcome.json").read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    def events(self, after: int = 0) -> list[Event]:
        """Events with `seq` above `after`; a line that is still being written is left for the next call."""
        return self._events.read(after)

    def log_tail(self, max_bytes: int = 20_000) -> str:
        """The end of the log as text."""
        try:
            with self.log_file.open("rb") as file:
                file.seek(0, os.SEEK_END)
                file.seek(max(0, file.tell() - max_bytes))
                return file.read().decode("utf-8", "replace")
        except FileNotFoundError:
            return ""

    def ask_to_cancel(self) -> None:
        """Leave a note that the job should stop. Safe twice."""
        (self.path / "cancel").touch()

    @property
    def cancel_asked(self) -> bool:
        """Whether somebody asked for a stop since the job was last opened."""
        return (self.path / "cancel").exists()

    def reopen(self) -> None:
        """Clear the last word so that the job can go on from its last checkpoint."""
        for name in ("outcome.json", "cancel"):
            (self.path / name).unlink(missing_ok=True)

    @property
    def begun(self) -> bool:
        """Whether a worker was ever started on it."""
        return any((self.path / name).exists() for name in ("worker.json", "events.jsonl"))

    def state(self) -> JobState:
        """Where the job is, from the folder alone. Writes nothing."""
        # An ended job costs one look at its last word, however many events it left.
        if (ended := self._ended()) is not None:
            return ended
        events, worker, alive = self.events(), self.worker(), self.locked()
        # Looked for again: a worker writes its last word first and lets go of the lock after.
        if (ended := self._ended()) is not None:
            return ended
        if alive:
            return alive_state(events, worker, cancel_asked=self.cancel_asked)
        return left_state(events, worker, cancel_asked=self.cancel_asked, begun=self.begun)

    def _ended(self) -> JobState | None:
        """The state of a job that said its last word; None before."""
        try:
            found = (self.path / "outcome.json").stat()
        except FileNotFoundError:
            return None
        state = _ended_state(self.path, found.st_mtime_ns, found.st_ino)
        return state.model_copy() if state is not None else None


@lru_cache(maxsize=512)
def _ended_state(path: Path, _changed_ns: int, _file: int) -> JobState | None:
    # A resumed job gets a new outcome, and so another time and another file.
    folder = RunFolder(path)
    outcome = folder.outcome()
    return None if outcome is None else ended_state(outcome, folder.events(), folder.worker())
