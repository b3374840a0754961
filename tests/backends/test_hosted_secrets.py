"""The key is planted, and looked for in everything that a hosted job leaves: it stands nowhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import pytest

from backends.hosts import poller
from backends.hosts.keys import key_file, key_of
from backends.hosts.profile import profile
from backends.launch import launch, state_of
from core.errors import BadInput, EngineError
from core.home import home
from core.jobspec import HostSettings
from core.store import open_store

from .fake_host import FakeHost
from .hosted import KEY, KEY_VARIABLE, hosted_spec


@pytest.fixture
def served() -> Iterator[tuple[FakeHost, str]]:
    """The fake host behind a true port of this machine."""
    host = FakeHost(seconds=60.0, key=KEY)

    class Door(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            url = f"http://127.0.0.1{self.path}"
            reply = host.handle(httpx2.Request(self.command, url, headers=dict(self.headers.items()), content=body))
            self.send_response(reply.status_code)
            self.send_header("content-type", reply.headers.get("content-type", "application/octet-stream"))
            self.send_header("content-length", str(len(reply.content)))
            self.end_headers()
            self.wfile.write(reply.content)

        do_GET = do_POST = do_DELETE = answer

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield host, f"http://127.0.0.1:{server.server_address[1]}/v1"
    server.shutdown()
    server.server_close()


def test_a_true_poller_does_a_job_and_the_key_stands_nowhere(
    served: tuple[FakeHost, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, address = served
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    monkeypatch.setenv("OPENAI_LOG", "debug")
    commands: list[list[str]] = []
    processes: list[subprocess.Popen[bytes]] = []
    true_popen = subprocess.Popen

    def popen(command: list[str], **settings: object) -> subprocess.Popen[bytes]:
        commands.append(command)
        processes.append(true_popen(command, **settings))  # type: ignore[call-overload]
        return processes[-1]

    monkeypatch.setattr(poller.subprocess, "Popen", popen)
    spec = hosted_spec(tmp_path, host=HostSettings(profile="compatible", base_url=address))
    record = launch(open_store(), spec)
    try:
        end = time.monotonic() + 60
        while not (state := state_of(record)).done:
            assert time.monotonic() < end, state
            if len(processes) == 1 and host.jobs:  # killed in the middle: whoever looks next starts another
                processes[0].kill()
                processes[0].wait(10)
                host.seconds = 0.05
            time.sleep(0.1)
    finally:
        poller.leave_file().touch()
        for process in processes:
            process.wait(20)
    assert state.state == "succeeded" and len(host.jobs) == 1 and len(processes) > 1
    written = {path: path.read_bytes() for path in home().rglob("*") if path.is_file()}
    assert len(written) > 8, "database, spec, ledger, events, log"
    assert [str(path) for path, body in written.items() if KEY.encode() in body] == []
    assert not any(KEY in argument for command in commands for argument in command)
    assert not any(KEY in str(request.url) for request in host.requests)
    assert not any(KEY.encode() in request.content for request in host.requests)
    assert all(request.headers["authorization"] == f"Bearer {KEY}" for request in host.requests)


def test_a_key_may_stand_in_a_file_that_only_its_owner_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    host = profile("compatible", "https://tuning.example.org/v1")
    with pytest.raises(EngineError, match="no key"):
        key_of(host)
    path = key_file(KEY_VARIABLE)
    path.parent.mkdir(mode=0o700, parents=True)
    path.write_text(f"{KEY}\n", encoding="utf-8")
    os.chmod(path, 0o644)
    with pytest.raises(EngineError, match="others can read"):
        key_of(host)
    os.chmod(path, 0o600)
    assert key_of(host) == KEY


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("openai", "https://elsewhere.example.org/v1"),
        ("azure", "https://openai.azure.com.example.org/openai/v1/"),
        ("compatible", "http://tuning.example.org/v1"),
        ("compatible", f"https://{KEY}@tuning.example.org/v1"),
        ("compatible", f"https://tuning.example.org/v1?key={KEY}"),
        ("azure", ""),
    ],
)
def test_a_key_goes_to_no_address_that_is_not_its_host(name: str, address: str) -> None:
    with pytest.raises(BadInput) as caught:
        profile(name, address)
    assert KEY not in str(caught.value) and caught.value.hint


def test_a_poller_without_a_key_hands_over_to_one_that_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    held: list[int] = []

    def start(arguments: list[str], descriptors: tuple[int, ...] = ()) -> None:
        started.append(arguments)
        held.extend(os.dup(each) for each in descriptors)  # as a process that was started would hold them

    monkeypatch.setattr(poller, "_start", start)
    host = profile("compatible", "https://tuning.example.org/v1")
    poller.wake(host)
    poller.wake(host)
    assert [arguments[0] for arguments in started] == ["--lock-fd"], "one that is starting is not started again"
    (poller.poller_dir() / "poller.json").write_text('{"pid": 1, "keys": []}', encoding="utf-8")
    poller.wake(host)
    assert len(started) == 1, "there is no key here either"
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    poller.wake(host)
    poller.wake(host)
    assert started[1:] == [["--take-over"]] and poller.leave_file().exists()
    for each in held:
        os.close(each)


def test_no_page_and_no_command_loads_the_client(tmp_path: Path) -> None:
    spec = hosted_spec(tmp_path, host=HostSettings(profile="azure", base_url="https://a.openai.azure.com/openai/v1/"))
    code = (
        "import json, sys\n"
        "from backends.engines import engine\n"
        "from core.jobspec import JobSpec\n"
        "spec = JobSpec.model_validate_json(sys.argv[1])\n"
        "host = engine('openai')\n"
        "print(json.dumps([len(host.check(spec)), host.estimate(spec).usd.likely, 'openai' in sys.modules]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, spec.model_copy(update={"base_model": "gpt-4.1-mini"}).model_dump_json()],
        capture_output=True, text=True, check=True, env=os.environ | {"AZURE_OPENAI_API_KEY": KEY},
    )  # fmt: skip
    problems, usd, loaded = json.loads(done.stdout)
    assert (problems, loaded) == (1, False), "one warning: the day on which the model is shut down"
    assert 0 < usd < 0.01
