"""What this machine has, found without importing torch."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel

from core.errors import BadInput


class Machine(BaseModel):
    """Cores, memory and NVIDIA cards."""

    cores: int
    memory_gib: float
    """Of the machine, or of the control group where that allows less."""
    gpus: list[str] = []
    """Names of the cards; empty where no driver is found."""
    gpu_memory_gib: list[float] = []
    cpu_flags: list[str] = []
    """Those of amx_bf16 and avx512_bf16 that the processor has."""


@lru_cache(maxsize=1)
def machine() -> Machine:
    """Read once per process."""
    names, memory = _nvidia()
    return Machine(
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_gib=_memory_gib(),
        gpus=names,
        gpu_memory_gib=memory,
        cpu_flags=_cpu_flags(),
    )


def resolve_device(device: str) -> str:
    """`auto`, `cpu`, `cuda` or `cuda:1` as `cpu` or `cuda:N`. Raises `BadInput` for what is not here."""
    here = machine()
    if device == "auto":
        return "cuda:0" if here.gpus else "cpu"
    if device == "cpu":
        return "cpu"
    name, _, index = device.partition(":")
    if name == "cuda" and (not index or index.isdigit()):
        if int(index or 0) < len(here.gpus):
            return f"cuda:{int(index or 0)}"
        raise BadInput(f"device `{device}` is not here: {len(here.gpus)} NVIDIA card(s) found.", "Use `auto` or `cpu`.")
    raise BadInput(f"`{device}` is not a device.", "Use `auto`, `cpu`, `cuda` or `cuda:0`.")


def device_memory_gib(device: str) -> float:
    """Memory of a resolved device in GiB."""
    if device == "cpu":
        return machine().memory_gib
    return machine().gpu_memory_gib[int(device.partition(":")[2])]


def control_groups() -> list[Path]:
    """The control group of this process and those around it, as folders; Linux only."""
    root = Path("/sys/fs/cgroup")
    lines = read_or_nothing(Path("/proc/self/cgroup")).splitlines()
    names = [line.split("::", 1)[1].strip("/") for line in lines if line.startswith("0::")]
    return list(dict.fromkeys([root, *(folder for name in names for folder in _upwards(root, name))]))


def read_or_nothing(path: Path) -> str:
    """The text of a file of the system; empty where there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def _upwards(root: Path, name: str) -> list[Path]:
    parts = [part for part in name.split("/") if part not in ("", "..")]
    return [root.joinpath(*parts[:count]) for count in range(len(parts), 0, -1)]


def _memory_gib() -> float:
    limits_bytes = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    older = Path("/sys/fs/cgroup/memory/memory.limit_in_bytes")  # of a container under the first version of groups
    for file in (*(folder / "memory.max" for folder in control_groups()), older):
        text = read_or_nothing(file).strip()
        if text.isdigit():  # else `max`: no limit
            limits_bytes.append(int(text))
    return min(limits_bytes) / 2**30


def _nvidia() -> tuple[list[str], list[float]]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return [], []
    query = [program, "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    try:
        printed = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return [], []
    names, memory = [], []
    for line in printed.splitlines():
        name, _, mebibytes = line.rpartition(",")
        if name and mebibytes.strip().isdigit():
            names.append(name.strip())
            memory.append(int(mebibytes) / 1024)
    return names, memory


def _cpu_flags() -> list[str]:
    text = read_or_nothing(Path("/proc/cpuinfo"))
    line = next((line for line in text.splitlines() if line.startswith("flags")), "")
    return [flag for flag in ("amx_bf16", "avx512_bf16") if flag in line.split()]
