"""The poller: one quiet process per home that talks to hosts, so that pages and commands read stored state only.

    python -m backends.hosts.poller

Starts with the first job that needs it, ends when no job is left, and may be killed at any moment: all that it knows
stands in the folders of the jobs. A host that is away for hours is asked less and less often, and nothing is lost.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from backends.hosts.client import client_of, explained, may_pass
from backends.hosts.launching import SETTLES_AFTER, Launching
from backends.hosts.ledger import Ledger, live_jobs, on_its_way, read_ledger, write_ledger
from backends.hosts.profile import HostProfile, profile_of, profiles
from backends.hosts.watching import Watching
from backends.local import PROJECT_ROOT, scrubbed_environment
from core.errors import EngineError, NotFound, StoreError, TuneworthyError
from core.home import home
from core.job import Outcome
from core.own_files import write_atomically
from core.run_folder import RunFolder
from core.worker_lock import WorkerLock

if TYPE_CHECKING:
    import openai

QUICK_SECONDS, SLOW_SECONDS, LONGEST_SECONDS = 3.0, 20.0, 600.0
QUICK_FOR = timedelta(minutes=5)
IDLE_SECONDS = 60.0
"""A poller without a job waits so long for another before it ends."""
HANDOVER_SECONDS = 120.0

ClientOf = Callable[[HostProfile], "openai.OpenAI"]


class PollerInfo(BaseModel):
    """Who polls, and of which variables it was given the keys: their names."""

    pid: int
    keys: list[str]


@dataclass
class Poller:
    """Asks the hosts of all live jobs of this home, in turn."""

    client_of: ClientOf = client_of
    quick_seconds: float = QUICK_SECONDS
    settles_after: timedelta = SETTLES_AFTER
    _next: dict[str, float] = field(default_factory=dict)
    _failures: dict[str, int] = field(default_factory=dict)
    _stopped: set[str] = field(default_factory=set)
    _clients: dict[tuple[str, str], openai.OpenAI] = field(default_factory=dict)

    def round(self, now: float | None = None) -> int:
        """One look at every live job whose turn it is. Returns how many jobs are live."""
        moment = time.monotonic() if now is None else now
        folders = live_jobs()
        for folder in folders:
            stopped = folder.cancel_asked and folder.job_id not in self._stopped
            if self._next.get(folder.job_id, 0.0) <= moment or stopped:
                if stopped:  # asked at once, and then no more often than any other
                    self._stopped.add(folder.job_id)
                self._next[folder.job_id] = moment + self.attend(folder)
        return len(folders)

    def attend(self, folder: RunFolder) -> float:
        """The next steps of one job. Returns the seconds until it should be looked at again. Raises nothing."""
        try:
            ledger = read_ledger(folder)
            if ledger is None:
                return SLOW_SECONDS
            wait = self._step(folder, ledger)
        except Exception as error:
            return self._trouble(folder, error)
        self._failures.pop(folder.job_id, None)
        return wait

    def _step(self, folder: RunFolder, ledger: Ledger) -> float:
        spec = folder.spec()
        profile = profile_of(spec)
        if not ledger.job:
            if folder.cancel_asked and ledger.sent_at is None:
                if ledger.uploaded:
                    Launching(folder, spec, profile, self._client(profile)).delete_uploads(ledger)
                self._end(folder, "cancelled", "Stopped before it was sent.", "Nothing was charged.")
                return 0.0
            launching = Launching(folder, spec, profile, self._client(profile), self.settles_after)
            ledger = launching.go_on(ledger)
            if not ledger.job:
                if folder.cancel_asked and _settled(ledger, self.settles_after):
                    launching.delete_uploads(ledger)
                    self._end(folder, "cancelled", "Stopped before the host took it.", "Nothing was charged.")
                return self.quick_seconds
        Watching(folder, spec, profile, self._client(profile)).look(ledger)
        young = datetime.now(UTC) - ledger.asked_at < QUICK_FOR
        return self.quick_seconds if young else SLOW_SECONDS

    def _trouble(self, folder: RunFolder, error: Exception) -> float:
        """Wait and try again where that may help; else the job ends, and what it left at the host is deleted."""
        failures = self._failures[folder.job_id] = self._failures.get(folder.job_id, 0) + 1
        wait = min(self.quick_seconds * 2.0 ** min(failures, 10), LONGEST_SECONDS)
        self._clients.clear()  # so that a key that was mended is read again
        try:
            ledger, spec = read_ledger(folder), folder.spec()
            profile = profile_of(spec)
            told = explained(error, profile)
            if ledger is None:
                return wait
            passing = isinstance(error, StoreError) or (not isinstance(error, TuneworthyError) and may_pass(error))
            if ledger.job and folder.cancel_asked and isinstance(told, NotFound):
                self._end(folder, "cancelled", f"{profile.label} has no such job any more.", "Look there what it cost.")
                return wait
            # `EngineError` is of our own side: a key or a package is missing, which somebody may mend.
            if ledger.job or passing or isinstance(error, EngineError) or on_its_way(ledger):
                # A job that the host has is not given up, whatever the host says of it today.
                if ledger.trouble != str(told):
                    write_ledger(folder, ledger, trouble=str(told))
                return max(wait, _retry_after(error))
            left: list[str] = []
            if ledger.uploaded:  # first: a crash in between sends the rows once more, and leaves none behind
                left = Launching(folder, spec, profile, self._client(profile)).delete_uploads(ledger)
            stays = f" Delete by hand at the host: {', '.join(left)}." if left else ""
            self._end(folder, "failed", told.message, told.hint + stays)
        except Exception:  # a disk that is full, say: the poller lives on, and the job has its turn again
            return wait
        return wait

    def _client(self, profile: HostProfile) -> openai.OpenAI:
        key = (profile.name, profile.base_url)
        if key not in self._clients:
            # Its own tries would hold up every other job: the next round is the next try.
            self._clients[key] = self.client_of(profile).with_options(max_retries=0)
        return self._clients[key]

    def _end(self, folder: RunFolder, state: str, reason: str, hint: str) -> None:
        folder.finish(Outcome.model_validate({"state": state, "reason": reason, "hint": hint, "at": datetime.now(UTC)}))

    def run(self, idle_seconds: float = IDLE_SECONDS) -> None:
        """Rounds until no job is left for a while, or another poller is to take over."""
        idle_since: float | None = None
        while not leave_file().exists():
            live = self.round()
            idle_since = None if live else (idle_since or time.monotonic())
            if idle_since is not None and time.monotonic() - idle_since > idle_seconds:
                return
            time.sleep(min(1.0, self.quick_seconds))


def poller_dir() -> Path:
    """Lock, log and card of the poller of this home."""
    folder = home() / "hosts"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def leave_file() -> Path:
    """Present while a poller with other keys waits to take over."""
    return poller_dir() / "leave"


def wake(profile: HostProfile) -> None:
    """See to it that a poller lives that has the key of this host. Safe to repeat. Raises `EngineError`."""
    try:
        # Taken here and passed on, so that one that is still starting is not started again.
        lock = _lock().acquire(wait_seconds=0.0)
    except EngineError:
        info, variable = _info(), profile.key_variable
        # A key in a file is read by any poller; one in a variable only by a poller that was started with it.
        blind = info is not None and variable not in info.keys and bool(os.environ.get(variable))
        if blind and not leave_file().exists():
            leave_file().touch()
            _start(["--take-over"])
        return
    try:
        _start(["--lock-fd", str(lock)], (lock,))
    finally:
        os.close(lock)


def main(arguments: list[str]) -> int:
    """Poll until there is nothing left to do. A second poller ends at once."""
    if "--lock-fd" in arguments:
        descriptor = int(arguments[arguments.index("--lock-fd") + 1])
    else:
        try:
            descriptor = _lock().acquire(HANDOVER_SECONDS if "--take-over" in arguments else 0.2)
        except EngineError:
            return 0
    try:
        leave_file().unlink(missing_ok=True)
        write_atomically(poller_dir() / "poller.json", PollerInfo(pid=os.getpid(), keys=_keys()).model_dump_json())
        Poller().run()
    finally:
        os.close(descriptor)
    return 0


def _start(arguments: list[str], descriptors: tuple[int, ...] = ()) -> None:
    command = [sys.executable, "-m", "backends.hosts.poller", *arguments]
    try:
        with (poller_dir() / "log.txt").open("ab") as log:
            process = subprocess.Popen(
                command, cwd=PROJECT_ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=scrubbed_environment(tuple(_keys())), start_new_session=True, pass_fds=descriptors,
            )  # fmt: skip
    except OSError as error:
        raise EngineError(f"the poller could not be started ({error.strerror}).", "Check disk and memory.") from error
    # Whoever started it takes its exit code, or it stays in the table of processes.
    threading.Thread(target=process.wait, daemon=True).start()


def _keys() -> list[str]:
    """Variables that hold a key here, of hosts that we know."""
    return [host.key_variable for host in profiles().values() if os.environ.get(host.key_variable)]


def _lock() -> WorkerLock:
    return WorkerLock(poller_dir() / "lock")


def _info() -> PollerInfo | None:
    with suppress(OSError, ValidationError):
        return PollerInfo.model_validate_json((poller_dir() / "poller.json").read_bytes())
    return None


def _settled(ledger: Ledger, settles_after: timedelta) -> bool:
    return not on_its_way(ledger) or datetime.now(UTC) - (ledger.sent_at or ledger.asked_at) >= settles_after


def _retry_after(error: Exception) -> float:
    response = getattr(error, "response", None)
    text = str(response.headers.get("retry-after", "")) if response is not None else ""
    return float(text) if text.replace(".", "", 1).isdigit() else 0.0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
