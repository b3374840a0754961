"""Start chat workers, ask them, stop them. No heavy import: pages and the command line use this.

endpoint = wait(start(base_model, {"job-...": adapter_folder}))
chat(endpoint, "base", [{"role": "user", "content": "Hello"}])
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.adapter_files import files_of
from core.base_models import locate
from core.errors import EngineError, NotFound, Refused
from core.home import serving_dir
from core.machine import resolve_device
from serving import lease
from serving.endpoint import Endpoint, ServingFolder, ServingSpec

PROJECT_ROOT = Path(__file__).resolve().parent.parent
_SECRET_WORDS = ("KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL", "DATABASE_URL", "TUNEWORTHY_DB")
ANSWER_TIMEOUT_SECONDS = 300.0
ENDING_SECONDS = 5.0
"""Longest wait for a worker that is about to end, before a new one takes its place."""


def start(
    base_model: str,
    adapters: dict[str, Path] | None = None,
    *,
    device: str = "auto",
    revision: str | None = None,
    idle_minutes: float = 10.0,
    orphan_seconds: float = 30.0,
) -> Endpoint:
    """Start a worker for this base with these adapters, or find the one that runs. Returns at once.

    It ends after `idle_minutes` without a question, and `orphan_seconds` after the last process that used it.
    Raises `Refused` when the base is not on this machine yet, `NotFound` for an adapter that is not there.
    """
    place = locate(base_model, revision)
    if place.path is None:
        raise Refused(f"{base_model} is not on this machine yet.", "Prepare it first: run a `prepare` job.")
    for name, path in (adapters or {}).items():
        if not files_of(path)[0].is_file():
            raise NotFound(f"no adapter `{name}` at {path}.", "Was its job deleted?")
    spec = ServingSpec(
        base_model=base_model,
        base_path=str(place.path),
        adapters={name: str(path.resolve()) for name, path in (adapters or {}).items()},
        written={name: written(path) for name, path in (adapters or {}).items()},
        device=resolve_device(device),
        idle_minutes=idle_minutes,
        orphan_seconds=orphan_seconds,
    )
    folder = ServingFolder(serving_dir() / spec.id())
    folder.path.mkdir(mode=0o700, exist_ok=True)
    lease.hold(folder.path)
    lock = folder.lock_when_ended(ENDING_SECONDS)
    if lock is not None:
        try:
            folder.write_spec(spec)
            _launch(folder, lock)
        finally:
            # The worker holds its own copy: the lock stays until it ends.
            os.close(lock)
    return status(folder.path.name)


def written(adapter: Path) -> list[int]:
    """When an adapter's files were last written, in ns: a worker keeps what it has loaded."""
    return [file.stat().st_mtime_ns for file in files_of(adapter) if file.is_file()]


def status(endpoint: Endpoint | str) -> Endpoint:
    """Where the worker stands now. Raises `NotFound` for an id that never was."""
    name = endpoint if isinstance(endpoint, str) else endpoint.id
    if not name.isalnum():
        raise NotFound(f"no chat worker `{name[:60]}`.", "Start it again.")
    found = ServingFolder(serving_dir() / name).endpoint()
    if found is None:
        raise NotFound(f"no chat worker `{name[:60]}`.", "Start it again.")
    return _used(found)


def wait(endpoint: Endpoint | str, timeout_seconds: float = 120.0) -> Endpoint:
    """Wait until the worker answers. Raises `EngineError` when it fails or takes longer."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        now = status(endpoint)
        if now.state == "ready":
            return now
        if now.state != "starting":
            raise EngineError(now.note or "The chat worker stopped.", "Start it again.")
        if time.monotonic() > deadline:
            raise EngineError(f"the chat worker is still {now.note} after {timeout_seconds:.0f} s.", "See its log.")
        time.sleep(0.1)


def endpoints() -> list[Endpoint]:
    """All workers that run or failed, by id."""
    found = (ServingFolder(path).endpoint() for path in sorted(serving_dir().iterdir()) if path.is_dir())
    return [_used(endpoint) for endpoint in found if endpoint is not None and endpoint.state != "stopped"]


def chat(endpoint: Endpoint, model: str, messages: list[dict[str, str]], max_tokens: int = 256) -> str:
    """One whole answer. Raises `EngineError` with the worker's own words when it refuses."""
    with _asked(endpoint, {"model": model, "messages": messages, "max_tokens": max_tokens}) as response:
        try:
            return str(json.loads(response.read())["choices"][0]["message"]["content"])
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise EngineError("the chat worker's answer cannot be read.", "See its log.") from error


def stream(endpoint: Endpoint, model: str, messages: list[dict[str, str]], max_tokens: int = 256) -> Iterator[str]:
    """Pieces of one answer as they are written. Raises `EngineError`."""
    body = {"model": model, "messages": messages, "max_tokens": max_tokens, "stream": True}
    with _asked(endpoint, body) as response:
        for line in response:
            kind, _, data = line.decode("utf-8", "replace").strip().partition(": ")
            if kind != "data":
                continue
            if data == "[DONE]":
                return
            event = json.loads(data)
            if "error" in event:
                raise EngineError(str(event["error"]["message"]))
            piece = event["choices"][0]["delta"].get("content")
            if piece:
                yield str(piece)
    raise EngineError("the chat worker ended in the middle of an answer.", "Start it again; see its log.")


def stop(endpoint: Endpoint | str, timeout_seconds: float = 10.0) -> None:
    """End the worker. Safe twice. Raises `EngineError` when it does not end."""
    try:
        now = status(endpoint)
    except NotFound:
        return
    folder = ServingFolder(now.folder)
    lease.release(folder.path)
    deadline = time.monotonic() + timeout_seconds
    while folder.alive():
        pid = folder.pid()
        # The pid is used only while the lock is held: then it cannot have been given to another process.
        if pid is not None:
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                break
        if time.monotonic() > deadline:
            raise EngineError("the chat worker does not end.", "Try again in a minute; see its log.")
        time.sleep(0.1)
    if now.state != "failed":
        # A worker that was stopped while it loaded could not say so itself.
        folder.withdraw()
        folder.say("stopped")


def _used(endpoint: Endpoint) -> Endpoint:
    """Whoever sees a living worker may ask it: from now on this process counts among its users."""
    if endpoint.state in ("starting", "ready"):
        lease.hold(endpoint.folder)
    return endpoint


@contextmanager
def _asked(endpoint: Endpoint, body: dict[str, Any]) -> Iterator[http.client.HTTPResponse]:
    address = endpoint.address
    if address is None:
        raise EngineError("the chat worker is not ready.", endpoint.note or "Start it.")
    connection = http.client.HTTPConnection(address.host, address.port, timeout=ANSWER_TIMEOUT_SECONDS)
    headers = {"Authorization": f"Bearer {address.token}", "Content-Type": "application/json"}
    try:
        try:
            connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
            response = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise EngineError("the chat worker does not answer.", "It may have ended; start it again.") from error
        if response.status != 200:
            raise EngineError(_reason(response))
        yield response
    except (OSError, http.client.HTTPException) as error:
        raise EngineError("the chat worker ended in the middle of an answer.", "Start it again.") from error
    finally:
        connection.close()


def _reason(response: http.client.HTTPResponse) -> str:
    try:
        return str(json.loads(response.read())["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"the chat worker answered with status {response.status}."


def _launch(folder: ServingFolder, lock: int) -> None:
    kept = {
        name: value for name, value in os.environ.items() if not any(word in name.upper() for word in _SECRET_WORDS)
    }
    kept |= {"PYTHONUNBUFFERED": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}
    try:
        with folder.log_file.open("wb") as log:
            os.fchmod(log.fileno(), 0o600)
            process = subprocess.Popen(
                [sys.executable, "-m", "serving.server", str(folder.path), "--lock-fd", str(lock)],
                cwd=PROJECT_ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=kept,
                start_new_session=True,
                pass_fds=[lock],
            )
        folder.write_pid(process.pid)
    except OSError as error:
        raise EngineError(
            f"the chat worker could not be started ({error.strerror}).", "Free memory or disk."
        ) from error
    # Somebody has to hear of its end, or it stays in the process table as long as we live.
    threading.Thread(target=process.wait, daemon=True).start()
