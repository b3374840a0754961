"""How long a tuned model lives: as the host says, else as our dated facts do. What nobody tells is unknown."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from backends.hosts.models import base_of
from core.errors import NotFound
from cost_models.prices import PriceBook

FACTS = Path(__file__).with_name("retirements.toml")
_SNAPSHOT = re.compile(r"-(?:\d{4}-\d{2}-\d{2}|\d{4})$")


class Retirement(BaseModel):
    """One row of `retirements.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    host: str
    base: str
    """Family of the base, without the date of a snapshot."""
    retires: date
    checked: date
    source: str = Field(min_length=1)


class Life(BaseModel):
    """When a model is shut down, and who says so."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    retires: date | None = None
    """None: nobody tells."""
    source: str = ""

    def days_left(self, today: date) -> int | None:
        """Days until it is shut down, below 1 once it is; None where nobody tells."""
        return None if self.retires is None else (self.retires - today).days


def is_tuned(model: str) -> bool:
    """Does a list of models name a tuned one here?"""
    return bool(base_of(model))


def family(base: str) -> str:
    """`gpt-4.1-mini` of `gpt-4.1-mini-2025-04-14`."""
    return _SNAPSHOT.sub("", base)


def life_of(host: str, base: str, book: PriceBook, told: date | None = None) -> Life:
    """The life of models tuned from `base` at a host. `told` is the day that the host itself names."""
    if told is not None:
        return Life(retires=told, source="the host's own list of models")
    try:
        row = book.row(f"tune.{host}.{family(base)}.training")
    except NotFound:
        row = None
    if row is not None and row.retires is not None:
        return Life(retires=row.retires, source=f"{row.source} (checked {row.checked})")
    for fact in retirements():
        if (fact.host, fact.base) == (host, family(base)):
            return Life(retires=fact.retires, source=f"{fact.source} (checked {fact.checked})")
    return Life()


@lru_cache(maxsize=1)
def retirements() -> tuple[Retirement, ...]:
    """The rows of `retirements.toml`, read once."""
    told = tomllib.loads(FACTS.read_text(encoding="utf-8"))
    return tuple(Retirement.model_validate(row) for row in told["retirement"])
