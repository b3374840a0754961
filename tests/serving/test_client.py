from __future__ import annotations

import json
import os
import signal
import stat
import time
from pathlib import Path

import pytest

from core.errors import BadInput, EngineError, NotFound, Refused
from serving.client import chat, endpoints, start, status, stop, wait
from serving.endpoint import Endpoint

HELLO = [{"role": "user", "content": "hello"}]


def state_soon(endpoint: Endpoint, wanted: str) -> Endpoint:
    deadline = time.monotonic() + 30
    while status(endpoint).state != wanted and time.monotonic() < deadline:
        time.sleep(0.05)
    return status(endpoint)


def test_a_worker_is_started_found_again_and_stopped(
    base: Path, adapters: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    begun = start(str(base), adapters, device="cpu")
    assert begun.state in ("starting", "ready")
    assert start(str(base), adapters, device="cpu").id == begun.id
    ready = wait(begun, timeout_seconds=90)
    assert [found.id for found in endpoints()] == [ready.id]
    assert ready.models == ["base", "first", "second"]
    assert chat(ready, "base", HELLO, max_tokens=6) != chat(ready, "first", HELLO, max_tokens=6)
    assert ready.address is not None
    assert stat.S_IMODE((ready.folder / "endpoint.json").stat().st_mode) == 0o600
    environment = Path(f"/proc/{ready.address.pid}/environ").read_bytes()
    assert b"sk-secret" not in environment
    log = (ready.folder / "log.txt").read_text()
    assert "ready on 127.0.0.1" in log and ready.address.token not in log and "hello" not in log
    again = start(str(base), adapters, device="cpu")
    assert again.address is not None and again.address.pid == ready.address.pid
    stop(ready)
    stop(ready)
    assert status(ready).state == "stopped"
    assert endpoints() == []


def test_an_idle_worker_ends_by_itself_and_a_killed_one_is_explained(base: Path) -> None:
    idle = wait(start(str(base), device="cpu", idle_minutes=0.01), timeout_seconds=90)
    assert state_soon(idle, "stopped").note == ""
    killed = wait(start(str(base), device="cpu"), timeout_seconds=90)
    assert killed.address is not None
    os.kill(killed.address.pid, signal.SIGKILL)
    assert "died" in state_soon(killed, "failed").note
    stop(killed)


def test_a_worker_that_cannot_load_says_why(base: Path, tmp_path: Path) -> None:
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA"}))
    begun = start(str(base), {"broken": adapter}, device="cpu")
    with pytest.raises(EngineError, match="holds no adapter"):
        wait(begun, timeout_seconds=90)
    assert status(begun).state == "failed"


def test_a_worker_can_be_stopped_while_it_loads(base: Path) -> None:
    begun = start(str(base), device="cpu", idle_minutes=5)
    stop(begun)
    assert status(begun).state == "stopped"


def test_what_cannot_be_served_is_refused_before_a_process_starts(base: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no adapter `gone`"):
        start(str(base), {"gone": tmp_path / "gone"}, device="cpu")
    with pytest.raises(BadInput, match="no model folder"):
        start(str(tmp_path / "nowhere"), device="cpu")
    with pytest.raises(Refused, match="not on this machine yet"):
        start("some/model", device="cpu")
    with pytest.raises(NotFound):
        status("../../etc")
    assert endpoints() == []
