"""The app in a process of its own, a real browser, and a base model that is small enough to train in seconds."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from backends.engines import engine
from core.errors import TuneworthyError
from core.store import open_store
from tests.training.conftest import build_base, quietly

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60.0
STEP_MS = 45_000
expect.set_options(timeout=STEP_MS)  # a busy machine is slow, not wrong
BROWSER_FLAGS = ("--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync")


class App:
    """The app on loopback, at the same address after each start. Ended by its process id."""

    def __init__(self, home: Path, log: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log = log
        self.environment = os.environ | {"TUNEWORTHY_HOME": str(home), "TUNEWORTHY_CACHE": str(home / "cache")}
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def start(self) -> None:
        command = [sys.executable, "-m", "tuneworthy", "app", "--port", str(self.port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            assert self.process.poll() is None, self.log.read_text()
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=1):
                    return
            except OSError:
                time.sleep(0.1)
        raise AssertionError(f"the app did not answer in {START_SECONDS:.0f} s: {self.log.read_text()}")

    def kill(self) -> None:
        """At once, as a crash or a shut lid would."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(timeout=20)
            self.process = None


@pytest.fixture
def app(home: Path, tmp_path: Path) -> Iterator[App]:
    """A running app with an empty home."""
    found = App(home, tmp_path / "app.log")
    found.start()
    yield found
    found.kill()
    for record in open_store().jobs():
        if record.ref is not None:
            with suppress(TuneworthyError):
                engine(record.engine).cancel(record.ref)


@pytest.fixture(scope="session")
def browser(browser_path: str) -> Iterator[Browser]:
    flags = [*BROWSER_FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=browser_path, args=flags)
        yield found
        found.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(STEP_MS)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with quietly():
        return build_base(tmp_path_factory.mktemp("journey") / "tiny")
