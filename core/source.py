"""Where a rule, a price or a default comes from."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict


class Source(BaseModel):
    """A page, paper or measurement that a figure or a rule rests on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    """What it is, as one would cite it."""
    says: str = ""
    """What it says, in our words."""
    url: str = ""
    """Where it stands; empty when it was read in a package or a data file."""
    checked: date
    """The day on which we last read it."""
    verified: Literal["read", "abstract", "memory", "measured", "judgement"] = "read"
    """How well we know it: read in full, abstract only, from memory, measured by us, our own judgement."""
