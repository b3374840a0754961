"""What this machine has: memory is what we may use of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.machine import machine

GROUP = "0::/user.slice/app.scope\n"


@pytest.fixture(autouse=True)
def looked_at_anew() -> Iterator[None]:
    machine.cache_clear()
    yield
    machine.cache_clear()


def limits(monkeypatch: pytest.MonkeyPatch, **files: str) -> None:
    """What the kernel says of control groups: {end of the path: text}."""
    read_text = Path.read_text

    def told(path: Path, *given: object, **words: object) -> str:
        if path == Path("/proc/self/cgroup"):
            return GROUP
        if path.is_relative_to("/sys/fs/cgroup"):
            place = str(path.relative_to("/sys/fs/cgroup").parent)
            if path.name != "memory.max" or place not in files:
                raise FileNotFoundError(path)
            return files[place]
        return read_text(path, *given, **words)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "read_text", told)


@pytest.mark.parametrize("place", [".", "user.slice", "user.slice/app.scope"])
def test_the_limit_of_a_control_group_is_the_memory(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    limits(monkeypatch, **{place: f"{1 << 29}\n"})
    assert machine().memory_gib == 0.5


def test_without_a_limit_the_memory_is_that_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    limits(monkeypatch, **{"user.slice/app.scope": "max\n", ".": f"{1 << 62}\n"})
    assert 0.5 < machine().memory_gib < 1 << 20
