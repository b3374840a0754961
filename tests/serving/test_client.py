from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.errors import BadInput, EngineError, NotFound, Refused
from core.home import serving_dir
from serving import lease
from serving.client import chat, endpoints, start, status, stop, wait, written
from serving.endpoint import Endpoint, ServingFolder

ROOT = Path(__file__).parents[2]
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


def test_an_adapter_that_was_written_over_gets_a_worker_of_its_own(
    base: Path, adapters: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.client._launch", lambda folder, lock: None)
    own = {"tuned": Path(shutil.copytree(adapters["first"], tmp_path / "tuned"))}
    before = start(str(base), own, device="cpu").id
    assert start(str(base), own, device="cpu").id == before
    assert status(before).written == {"tuned": written(own["tuned"])} and status(before).base_path == str(base)
    os.utime(own["tuned"] / "adapter_model.safetensors", ns=(1, 1))
    assert status(before).written != {"tuned": written(own["tuned"])}
    assert start(str(base), own, device="cpu").id != before, "a training that went on left other weights"


def test_an_idle_worker_ends_by_itself_and_a_killed_one_is_explained(base: Path) -> None:
    idle = wait(start(str(base), device="cpu", idle_minutes=0.01), timeout_seconds=90)
    assert state_soon(idle, "stopped").note == ""
    killed = wait(start(str(base), device="cpu"), timeout_seconds=90)
    assert killed.address is not None
    os.kill(killed.address.pid, signal.SIGKILL)
    assert "died" in state_soon(killed, "failed").note
    stop(killed)


def test_a_worker_outlives_none_of_those_who_use_it(base: Path) -> None:
    starter = (
        "import sys; from serving.client import start, wait; "
        "print(wait(start(sys.argv[1], device='cpu', orphan_seconds=0.5), 90).id, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", starter, str(base)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as parent:
        assert parent.stdout is not None
        worker = parent.stdout.readline().strip()
        folder = ServingFolder(serving_dir() / worker)
        assert folder.alive()
        # From here on this process uses it as well: the end of the first user does not end it.
        ready = status(worker)
        parent.kill()
        parent.wait()
        time.sleep(1.5)
        assert chat(ready, "base", HELLO, max_tokens=3) == chat(ready, "base", HELLO, max_tokens=3)
    lease.release(folder.path)
    deadline = time.monotonic() + 30
    while folder.alive() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not folder.alive()
    assert "everybody who used this worker is gone" in folder.log_file.read_text()


def test_a_lease_is_held_once_and_let_go(tmp_path: Path) -> None:
    assert lease.in_use(tmp_path)  # started by hand: nobody could say that he is gone
    lease.hold(tmp_path)
    lease.hold(tmp_path)
    assert lease.in_use(tmp_path)
    lease.release(tmp_path)
    lease.release(tmp_path)
    assert not lease.in_use(tmp_path)
    lease.hold(tmp_path)
    (tmp_path / "users").unlink()
    (tmp_path / "users").touch()
    lease.hold(tmp_path)
    assert lease.in_use(tmp_path)
    lease.release(tmp_path)


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
