"""The table of engines: a new engine is one file, one row here, and its name in the contract test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from backends.fake import FakeEngine
from backends.local import LocalEngine
from backends.openai_managed import OpenAIManagedEngine
from core.errors import EngineError
from core.job import Engine


@dataclass(frozen=True)
class EngineRow:
    """One engine, as the pages and the command line offer it."""

    name: str
    label: str
    """For people."""
    about: str
    make: Callable[[], Engine] | None
    """None while the engine is not in this release."""


ENGINES: dict[str, EngineRow] = {
    row.name: row
    for row in (
        EngineRow("local", "This machine", "Tunes on your own CPU or NVIDIA card. Nothing leaves it.", LocalEngine),
        EngineRow("fake", "Fake host", "Trains nothing. For trying the page and for tests.", FakeEngine),
        EngineRow(
            "openai",
            "Managed host (OpenAI protocol)",
            "Your rows go to OpenAI, Azure, Nebius or another host, which tunes, serves and charges.",
            OpenAIManagedEngine,
        ),
        EngineRow("ray", "Ray cluster", "Clusters come with a later release.", None),
    )
}


def engine(name: str) -> Engine:
    """The engine of that name. Raises `EngineError` for one that is not here."""
    row = ENGINES.get(name)
    usable = ", ".join(row.name for row in ENGINES.values() if row.make)
    if row is None:
        raise EngineError(f"there is no engine `{name}`.", f"Engines: {usable}.")
    if row.make is None:
        raise EngineError(f"the engine `{name}` is not in this release.", f"Engines: {usable}.")
    return row.make()
