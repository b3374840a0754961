"""A running chat worker as its folder tells it. No heavy import: pages read this.

serving/<id>/
    spec.json      base model, adapters, device, how long it may stay idle
    lock           held by the worker from its birth to its end (flock)
    users          locked, shared, by every process that uses the worker
    stage          what it is doing until it answers: starting, loading the model
    endpoint.json  host, port, token, pid, models: written when it answers (owner only)
    error.json     why it could not start
    log.txt        what it printed; never a prompt or an answer
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.run_folder import write_atomically

_Model = TypeVar("_Model", bound=BaseModel)
BASE = "base"
"""Name under which the bare base answers; an adapter answers under the name it was given."""


class ServingSpec(BaseModel):
    """What a chat worker loads."""

    model_config = ConfigDict(extra="forbid")
    base_model: str
    base_path: str
    adapters: dict[str, str] = {}
    """Adapter folders by the name they answer to: job ids."""
    written: dict[str, list[int]] = {}
    """When the files of each adapter were last written, in ns: a training that goes on writes over them."""
    device: str = "cpu"
    idle_minutes: float = 10.0
    """Ends when nobody has asked for so long."""
    orphan_seconds: float = 30.0
    """Ends so long after the last process that used it: time enough to start a page's server again."""

    def id(self) -> str:
        """Same base, adapters as they are now, and device: same id, so that a running worker is found again."""
        told = [self.base_path, sorted(self.adapters.items()), sorted(self.written.items()), self.device]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


class Address(BaseModel):
    """Where a worker answers, and the token that it asks for."""

    model_config = ConfigDict(extra="forbid")
    host: str
    port: int
    token: str = Field(repr=False)
    pid: int
    models: list[str]


class Endpoint(BaseModel):
    """A chat worker: who it serves and where it stands."""

    id: str
    folder: Path
    base_model: str
    base_path: str = ""
    adapters: dict[str, str]
    written: dict[str, list[int]] = {}
    state: Literal["starting", "ready", "failed", "stopped"]
    note: str = ""
    """For people: what it is doing, or why it failed and what to do."""
    address: Address | None = None

    @property
    def models(self) -> list[str]:
        """Names to ask for: `base` and those of the adapters."""
        return [BASE, *self.adapters]


class ServingFolder:
    """One worker's folder. Readers need no lock."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def log_file(self) -> Path:
        """What the worker prints."""
        return self.path / "log.txt"

    def spec(self) -> ServingSpec | None:
        """What was asked for; None where the folder was never filled."""
        return _read(self.path / "spec.json", ServingSpec)

    def write_spec(self, spec: ServingSpec) -> None:
        """Called under the lock, before the worker starts; what a former worker left is cleared."""
        for name in ("endpoint.json", "error.json", "stage", "pid"):
            (self.path / name).unlink(missing_ok=True)
        write_atomically(self.path / "spec.json", spec.model_dump_json(indent=2))

    def try_lock(self) -> int | None:
        """The lock's file descriptor, or None while a worker holds it."""
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor

    def lock_when_ended(self, patience_seconds: float) -> int | None:
        """As `try_lock`, but a worker that has said that it is stopping is waited for."""
        deadline = time.monotonic() + patience_seconds
        while True:
            lock = self.try_lock()
            if lock is not None or self._text("stage") != "stopped" or time.monotonic() > deadline:
                return lock
            time.sleep(0.05)

    def alive(self) -> bool:
        """True while a worker lives."""
        try:
            descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def write_pid(self, pid: int) -> None:
        """Who the worker is, known from its birth."""
        write_atomically(self.path / "pid", str(pid))

    def pid(self) -> int | None:
        """Who the worker is; only meant while it is alive."""
        text = self._text("pid")
        return int(text) if text.isdigit() else None

    def say(self, stage: str) -> None:
        """The worker says what it is doing before it can answer."""
        write_atomically(self.path / "stage", stage)

    def publish(self, address: Address) -> None:
        """The worker answers from now on. Readable by the owner only."""
        write_atomically(self.path / "endpoint.json", address.model_dump_json())

    def withdraw(self) -> None:
        """The worker answers no more."""
        (self.path / "endpoint.json").unlink(missing_ok=True)

    def fail(self, reason: str) -> None:
        """Why the worker could not start."""
        write_atomically(self.path / "error.json", json.dumps({"reason": reason}))

    def endpoint(self) -> Endpoint | None:
        """Where the worker stands, from the folder alone."""
        spec = self.spec()
        if spec is None:
            return None
        known = Endpoint(
            id=self.path.name,
            folder=self.path,
            base_model=spec.base_model,
            base_path=spec.base_path,
            adapters=spec.adapters,
            written=spec.written,
            state="stopped",
        )
        if self.alive():
            address = _read(self.path / "endpoint.json", Address)
            if address is not None:
                return known.model_copy(update={"state": "ready", "address": address})
            return known.model_copy(update={"state": "starting", "note": self._text("stage") or "starting"})
        try:
            reason = str(json.loads((self.path / "error.json").read_bytes())["reason"])
        except (OSError, ValueError, KeyError, TypeError):
            reason = ""
        if not reason and (self.path / "endpoint.json").exists():
            reason = "The chat worker died (out of memory, or it was killed). Start it again."
        if not reason and self._text("stage") not in ("", "stopped"):
            reason = "The chat worker died while it was loading. Is there enough memory? See its log."
        return known.model_copy(update={"state": "failed" if reason else "stopped", "note": reason})

    def _text(self, name: str) -> str:
        try:
            return (self.path / name).read_text(encoding="utf-8").strip()
        except OSError:
            return ""


def _read(path: Path, kind: type[_Model]) -> _Model | None:
    try:
        return kind.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
