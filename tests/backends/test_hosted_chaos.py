"""Killed between any two steps and started again: a launch leaves one paid job at the host, never two, never none."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import httpx2
import pytest

from backends.hosts import launching, poller, watching
from backends.hosts.poller import Poller
from backends.openai_managed import OpenAIManagedEngine
from core.home import new_id
from core.job import EngineRef

from .fake_host import FakeHost, Fault
from .hosted import KEY, KEY_VARIABLE, hosted_spec, poller_of, quiet

SCHEDULES = int(os.environ.get("CHAOS_SCHEDULES", "40"))
"""Seeded crash schedules; a thousand are run by hand."""


class Killed(BaseException):
    """What kill -9 is to a process: nothing catches it, nothing is tidied up."""


class Fuse:
    """Kills at the given step, counting requests, answers and every word written down."""

    def __init__(self) -> None:
        self.left = -1

    def burn(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Killed


@pytest.fixture
def fuse(monkeypatch: pytest.MonkeyPatch) -> Fuse:
    found = Fuse()

    def around(write: Any) -> Any:
        def burning(*args: Any, **kwargs: Any) -> Any:
            found.burn()
            result = write(*args, **kwargs)
            found.burn()
            return result

        return burning

    for module in (launching, poller, watching):
        monkeypatch.setattr(module, "write_ledger", around(module.write_ledger))
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)  # it is the process that dies here, not the machine
    return found


class Wired(FakeHost):
    """A fake host whose caller may be killed before a request leaves and before its answer is read."""

    def __init__(self, fuse: Fuse, **settings: Any) -> None:
        super().__init__(**settings)
        self.fuse = fuse

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        self.fuse.burn()
        answer = super().handle(request)
        self.fuse.burn()
        return answer


def go_round(poller: Poller) -> bool:
    """One round of a poller; True when it was killed in it."""
    poller._next.clear()
    try:
        poller.round()
    except Killed:
        return True
    return False


def launched(folder: Path, fuse: Fuse) -> tuple[Wired, OpenAIManagedEngine, EngineRef]:
    host, engine = Wired(fuse, now=lambda: 1_790_000_000.0, seconds=100.0, key=KEY), OpenAIManagedEngine(wake=quiet)
    return host, engine, engine.submit(hosted_spec(folder), new_id("job"))


def test_a_kill_between_any_two_steps_of_a_launch_leaves_one_job(tmp_path: Path, fuse: Fuse) -> None:
    place, killed = 0, True
    while killed:
        place += 1
        host, engine, ref = launched(tmp_path, fuse)
        fuse.left = place
        killed = go_round(poller_of(host))
        fuse.left = -1
        for _ in range(3):  # a new process, which knows what is written down
            go_round(poller_of(host))
        assert len(host.jobs) == 1, f"killed at step {place}"
        assert len(host.files) == 1 and engine.poll(ref).note == "the host checks the rows"
        engine.forget(ref)
    assert place > 15, "the launch has fewer steps than it had: is the fuse still wired?"


def test_crashes_faults_and_cancels_in_any_order_leave_no_second_job(tmp_path: Path, fuse: Fuse) -> None:
    lost, double, cancelled = [], [], 0
    for seed in range(SCHEDULES):
        chance = random.Random(seed)
        host, engine, ref = launched(tmp_path, fuse)
        host.metadata_kept = chance.random() < 0.8
        host.faults = [
            Fault(
                chance.choice(["POST /files", "POST /fine_tuning/jobs", "GET /fine_tuning/jobs.*", "GET /files"]),
                status=chance.choice([500, 503, 429, 409]),
                drop=chance.random() < 0.3,
                done_first=chance.random() < 0.5,
            )
            for _ in range(chance.randrange(3))
        ]
        stops = chance.random() < 0.2
        running = poller_of(host)
        for _ in range(chance.randrange(1, 5)):
            fuse.left = chance.randrange(1, 30)
            if stops and chance.random() < 0.5:
                engine.cancel(ref)
            if go_round(running):
                running = poller_of(host)
        fuse.left, host.faults = -1, []
        for _ in range(4):
            go_round(running)
        state = engine.poll(ref)
        if len(host.jobs) > 1:
            double.append(seed)
        if state.state == "cancelled":
            cancelled += 1
            if any(host._progress(name)[0] != "cancelled" for name in host.jobs):
                lost.append(seed)
        elif len(host.jobs) != 1:
            lost.append(seed)
        engine.forget(ref)
    assert (lost, double) == ([], [])
    assert cancelled > 0, "no schedule stops a job any more"
