"""Set up Tuneworthy in a virtual environment, with nothing but the standard library.

    python3 set_up.py .venv          what the app needs
    python3 set_up.py .venv --dev    and what the tests need, a browser included

Does nothing when it was done before and no requirement has changed. Says in one line what is missing on this machine.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
TORCH = "torch>=2.11,<2.14"
CUDA_GIGABYTES = 4
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def main() -> int:
    """Set up, and return the exit code."""
    parser = argparse.ArgumentParser(description="Set up Tuneworthy in a virtual environment.")
    parser.add_argument("venv", type=Path)
    parser.add_argument("--dev", action="store_true", help="also what the tests need")
    arguments = parser.parse_args()
    missing = missing_here()
    if missing:
        print(missing, file=sys.stderr)
        return 2
    venv: Path = arguments.venv
    stamp = venv / "tuneworthy-stamp"
    wanted = fingerprint(arguments.dev)
    if not stamp.is_file() or stamp.read_text() not in (wanted, fingerprint(dev=True)):
        install(venv, arguments.dev)
        stamp.write_text(wanted)
    if arguments.dev:
        fetch_browser(venv)
    return 0


def missing_here() -> str:
    """What this machine lacks, in one line with the command that brings it; empty when all is there."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if sys.version_info < (3, 11):  # noqa: UP036 - this file runs before pip can refuse an old Python
        return f"Python {version} is too old. Install 3.11 or newer, then: make PYTHON=python3.12 app"
    try:
        import ensurepip
        import venv
    except ImportError:
        sudo = "" if os.geteuid() == 0 else "sudo "
        return f"Python's venv or ensurepip is missing. Run: {sudo}apt-get install -y python3-venv"
    assert ensurepip and venv
    return ""


def fingerprint(dev: bool) -> str:
    """Changes whenever something else would have to be installed."""
    content = (ROOT / "pyproject.toml").read_bytes() + (ROOT / "constraints.txt").read_bytes()
    return hashlib.sha256(content + sys.version.encode()).hexdigest() + (" dev" if dev else "")


def install(venv: Path, dev: bool) -> None:
    """Make the environment and install into it."""
    python = venv / "bin" / "python"
    if not python.is_file():
        print(f"Making a virtual environment in {venv} ...", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check"]
    install_torch(pip)
    extras = "local,data,dev" if dev else "local,data"
    print("Installing Tuneworthy and what it needs ...", flush=True)
    quiet = [] if sys.stdout.isatty() else ["--quiet"]
    subprocess.run(
        [*pip, "install", *quiet, "-c", "constraints.txt", "-e", f".[{extras}]"],
        cwd=ROOT,
        check=True,
    )


def install_torch(pip: list[str]) -> None:
    """A CPU build of torch where there is no NVIDIA driver and pip finds one; else what pip finds, with its size."""
    index = os.environ.get("TORCH_INDEX_URL")
    source = ["--index-url", index] if index else []
    if shutil.which("nvidia-smi") is None and not index and brings_cuda(pip):
        print(
            f"No NVIDIA driver is here, and pip finds only a CUDA build of torch: about {CUDA_GIGABYTES} GB will be "
            "fetched. To avoid that, stop now and set TORCH_INDEX_URL to an index of CPU builds.",
            flush=True,
        )
    print("Installing torch ...", flush=True)
    quiet = [] if sys.stdout.isatty() else ["--quiet"]
    subprocess.run([*pip, "install", *quiet, *source, "-c", "constraints.txt", TORCH], cwd=ROOT, check=True)


def brings_cuda(pip: list[str]) -> bool:
    """True if the torch that pip would take pulls CUDA libraries in."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = ["install", "--dry-run", "--ignore-installed", "--no-deps", "--quiet", "--report", str(report), TORCH]
        done = subprocess.run([*pip, *command, "-c", "constraints.txt"], cwd=ROOT, capture_output=True, check=False)
        if done.returncode != 0 or not report.is_file():
            return False
        found = json.loads(report.read_text())["install"]
    needs = found[0]["metadata"].get("requires_dist", []) if found else []
    return any(need.startswith(("nvidia-", "cuda-")) and "extra ==" not in need for need in needs)


def fetch_browser(venv: Path) -> None:
    """A Chromium for the browser tests: what is there, else apt as root, else Playwright's own. Never fails."""
    if any(shutil.which(name) for name in BROWSERS):
        return
    print("Fetching a browser for the tests ...", flush=True)
    if os.geteuid() == 0 and shutil.which("apt-get"):
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "chromium"]):
            subprocess.run(command, env=environment, check=False, capture_output=True)
    if not any(shutil.which(name) for name in BROWSERS):
        playwright = [str(venv / "bin" / "playwright"), "install", "chromium"]
        done = subprocess.run(playwright, check=False, capture_output=True)
        if done.returncode != 0:
            print("No browser could be fetched; the browser tests will be skipped with that reason.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
