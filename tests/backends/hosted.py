"""An engine of managed hosts beside a fake host: its poller is a thread of the test, its network a function."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx2

from backends.hosts.client import client_of
from backends.hosts.poller import Poller
from backends.hosts.profile import HostProfile
from backends.openai_managed import OpenAIManagedEngine
from core.jobspec import HostSettings, JobSpec

from .fake_host import FakeHost

ADDRESS = "http://127.0.0.1:9/v1"
"""Nobody listens there: what is not answered by the fake goes nowhere."""
KEY = "sk-canary-4f1d9b7e2a6c8035"
KEY_VARIABLE = "TUNING_API_KEY"


def quiet(_profile: HostProfile) -> None:
    """Wake nobody: the test itself polls."""


def poller_of(host: FakeHost, *, settles_after_seconds: float = 0.0, quick_seconds: float = 0.01) -> Poller:
    """A poller whose network is that host."""

    def client(profile: HostProfile):  # type: ignore[no-untyped-def]
        return client_of(profile, httpx2.MockTransport(host.handle))

    return Poller(client, quick_seconds=quick_seconds, settles_after=timedelta(seconds=settles_after_seconds))


@contextmanager
def polled(host: FakeHost) -> Iterator[OpenAIManagedEngine]:
    """An engine whose poller goes round in a thread."""
    stop = threading.Event()
    poller = poller_of(host)

    def rounds() -> None:
        while not stop.wait(0.005):
            poller.round()

    thread = threading.Thread(target=rounds, daemon=True)
    thread.start()
    try:
        yield OpenAIManagedEngine(wake=quiet)
    finally:
        stop.set()
        thread.join(5)


def hosted_spec(folder: Path, rows: int = 12, **changes: object) -> JobSpec:
    """A job on twelve rows at a host without a list of models."""
    path = folder / "hosted.jsonl"
    turns = [
        [{"role": "user", "content": f"Colour {row}?"}, {"role": "assistant", "content": "Blue."}]
        for row in range(rows)
    ]
    path.write_text("".join(json.dumps({"messages": each}) + "\n" for each in turns), encoding="utf-8")
    host = HostSettings(profile="compatible", base_url=ADDRESS)
    spec = JobSpec(engine="openai", base_model="tiny-chat", dataset=str(path), host=host)
    return spec.model_copy(update=changes)
