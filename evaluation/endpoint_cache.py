"""Replies of a hosted model that were paid for once, by the hash of everything that decides them.

Beside the answers of local models: cache/answers/<hash>.jsonl, one line a reply. Prompts are not stored, only hashes.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from core.endpoint_address import EndpointAddress
from evaluation.cache import AnswerCache

VERSION = 1
"""Raised when a reply comes to mean something else."""


class Reply(BaseModel):
    """What a hosted model wrote, and what it was billed by."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    text: str
    prompt_tokens: int
    """As the host counted them; 0 where it does not say."""
    answer_tokens: int
    truncated: bool
    """Cut at the longest allowed length."""
    seconds: float
    """From the request to the whole answer, tries that failed left out."""


def reply_cache(address: EndpointAddress, settings: dict[str, Any]) -> AnswerCache[Reply]:
    """Replies of one model of one host under one setting."""
    return AnswerCache(Reply, ["endpoint", VERSION, address.base_url, address.model, settings])
