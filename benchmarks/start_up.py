"""How long a person waits: `tuneworthy --help`, and the page from the command to its first paint.

    python -m benchmarks.start_up

Every process is fresh; the second and later runs find the files in the system's cache.
"""

from __future__ import annotations

import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.here import here

ROOT = Path(__file__).resolve().parents[1]
RUNS = 5
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def help_seconds() -> float:
    """One `--help` in a fresh process."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "tuneworthy.py", "--help"], cwd=ROOT, check=True, capture_output=True)
    return time.perf_counter() - start


def bare_python_seconds() -> float:
    """The interpreter alone: what no program can be faster than."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import typer"], check=True, capture_output=True)
    return time.perf_counter() - start


def page_seconds(browser: str) -> tuple[float, float, float]:
    """(server answers, first contentful paint, headline and ranking shown) after the command, in seconds."""
    from playwright.sync_api import sync_playwright

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=browser, args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        page = launched.new_page()
        start = time.perf_counter()
        server = subprocess.Popen(
            [sys.executable, "tuneworthy.py", "app", "--port", str(port)],
            cwd=ROOT,
            env=os.environ | {"TUNEWORTHY_HOME": home},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.02)
            up = time.perf_counter() - start
            page.goto(f"http://127.0.0.1:{port}/")
            opened = time.perf_counter() - start
            page.wait_for_selector("[data-testid=stMain] h1", timeout=60_000)
            page.wait_for_selector("[data-testid=stPlotlyChart], .js-plotly-plot", timeout=60_000)
            shown = time.perf_counter() - start
            paint = page.evaluate(
                "performance.getEntriesByName('first-contentful-paint')[0].startTime"
                " + performance.timeOrigin - Date.now()"
            )
            return up, shown + paint / 1000 if paint < 0 else opened, shown
        finally:
            launched.close()
            server.terminate()
            server.wait()


def main() -> None:
    """Print medians."""
    print(here("streamlit", "typer", "plotly"))
    helps = [help_seconds() for _ in range(RUNS)]
    bare = [bare_python_seconds() for _ in range(RUNS)]
    print(
        f"tuneworthy --help: {statistics.median(helps):.2f} s; Python with typer alone: {statistics.median(bare):.2f} s"
    )
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser is None:
        print("page: no Chromium here")
        return
    for run in range(3):
        up, paint, shown = page_seconds(browser)
        print(f"page, run {run + 1}: server up {up:.1f} s, first paint {paint:.1f} s, ranking and curves {shown:.1f} s")


if __name__ == "__main__":
    main()
