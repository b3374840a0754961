"""One answer of a model. Imports nothing heavy, so that everybody may name it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Completion(BaseModel):
    """What a model wrote after a prompt."""

    model_config = ConfigDict(extra="forbid")
    text: str
    tokens: int
    """Tokens written, the end mark not counted."""
    truncated: bool
    """True when the answer was cut at its longest allowed length."""
    seconds: float
    """Wall time: of the answer alone when it ran alone, else its equal share of the batch."""
