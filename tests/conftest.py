"""Every test gets a home of its own, and no network of other people's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core.base_models import locate
from core.jobspec import DEFAULT_BASE_MODEL

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ.setdefault("HF_HUB_OFFLINE", "1")


def pytest_make_parametrize_id(val: object) -> str | None:
    """Archives hold the time at which they were made: as names of tests they would differ between processes."""
    return f"{len(val)}-bytes" if isinstance(val, bytes) and len(val) > 16 else None


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh `TUNEWORTHY_HOME`."""
    folder = tmp_path / "home"
    monkeypatch.setenv("TUNEWORTHY_HOME", str(folder))
    monkeypatch.delenv("TUNEWORTHY_DB", raising=False)
    monkeypatch.setenv("TUNEWORTHY_CACHE", str(tmp_path / "cache"))
    return folder


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real data sets by others, beside the repository where they are at hand."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "data").is_dir():
        pytest.skip("the folder of real data sets is not beside this clone")
    return folder


@pytest.fixture(scope="session")
def true_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder `models` of a cache with SmolLM2-135M-Instruct: the one given, or fetched and converted now."""
    given = os.environ.get("TUNEWORTHY_TEST_CACHE")
    cache = Path(given).resolve() if given else tmp_path_factory.mktemp("true-cache")
    done = subprocess.run(
        [sys.executable, "-m", "training.prepare"],
        cwd=Path(__file__).resolve().parents[1],
        env=os.environ | {"TUNEWORTHY_CACHE": str(cache)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip(f"the true model cannot be had here: {done.stderr.strip().splitlines()[-1][:300]}")
    return cache / "models"


@pytest.fixture
def true_base(true_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the true model, in a cache that is otherwise this test's own."""
    cache = tmp_path / "true-cache"
    cache.mkdir()
    (cache / "models").symlink_to(true_models)
    monkeypatch.setenv("TUNEWORTHY_CACHE", str(cache))
    folder = locate(DEFAULT_BASE_MODEL).path
    assert folder is not None
    return folder


@pytest.fixture(scope="session")
def browser_path() -> str:
    """A Chromium to drive. CI fails where there is none; elsewhere the test is skipped with a reason."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        found = shutil.which(name)
        if found:
            return found
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
    if own.is_file():
        return str(own)
    reason = "no Chromium could be found or fetched"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
