"""A release: somebody lets an adapter out of quarantine, with name and reason, knowing the verdict of that moment."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

LEAST_REASON_CHARACTERS = 15
"""A reason that somebody else can follow next year does not fit into less."""
MAX_REASON_CHARACTERS = 2000
MAX_RELEASER_CHARACTERS = 120


def _one_line(text: Any) -> Any:
    # Spaces would fill up a reason that says nothing, and line ends would break the card that shows it.
    return " ".join(text.split()) if isinstance(text, str) else text


class Release(BaseModel):
    """It holds for these weights and for the verdict that was known then: new weights or another verdict end it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: str
    job_id: str
    """The training whose adapter is released."""
    weights_sha256: str = Field(min_length=64, max_length=64)
    name: Annotated[str, Field(min_length=2, max_length=MAX_RELEASER_CHARACTERS), BeforeValidator(_one_line)]
    """Who answers for it."""
    reason: Annotated[
        str, Field(min_length=LEAST_REASON_CHARACTERS, max_length=MAX_REASON_CHARACTERS), BeforeValidator(_one_line)
    ]
    verdict: str | None = None
    """Of the moment; None where nobody had judged these weights."""
    judged_by: str | None = None
    """The evaluate job of that verdict."""
    created_at: datetime
