"""The line that every benchmark prints first: date, machine, versions."""

from __future__ import annotations

import importlib.metadata
import platform
import re
from datetime import date
from pathlib import Path

from core.machine import machine


def here(*packages: str) -> str:
    """`2026-11-24; AMD EPYC, 2 cores, 15.6 GiB, avx512_bf16; Python 3.11.2; torch 2.13.0`."""
    found = machine()
    cpu = (
        re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
        if Path("/proc/cpuinfo").exists()
        else None
    )
    name = cpu.group(1) if cpu else platform.processor()
    parts = [f"{name}, {found.cores} cores, {found.memory_gib:.1f} GiB", *found.cpu_flags, *found.gpus]
    versions = [f"{package} {_version(package)}" for package in packages]
    return "; ".join(
        [date.today().isoformat(), ", ".join(map(str, parts)), f"Python {platform.python_version()}", *versions]
    )


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
