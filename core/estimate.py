"""A prediction with its doubt: low, likely, high."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator


class Estimate(BaseModel):
    """What we expect, between what is possible. Unknown is `None`, never zero."""

    model_config = ConfigDict(extra="forbid")

    low: float | None = None
    likely: float | None = None
    high: float | None = None
    unit: str
    """GiB, s, USD, tokens or tokens/s."""
    because: list[str] = []
    """Facts and assumptions that it rests on, in plain words."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        known = [value for value in (self.low, self.likely, self.high) if value is not None]
        if known != sorted(known):
            raise ValueError(f"low <= likely <= high is required, got {known}")
        return self

    @property
    def known(self) -> bool:
        """True when a likely value exists."""
        return self.likely is not None


class RunEstimate(BaseModel):
    """What a job will need before it starts: memory (GiB), time (s), speed (tokens/s), money (USD)."""

    model_config = ConfigDict(extra="forbid")

    memory_gib: Estimate
    seconds: Estimate
    tokens_per_second: Estimate
    usd: Estimate
    breakdown: dict[str, float] = {}
    """Likely GiB by part: weights, optimizer, activations, logits, context."""
    fits: bool | None = None
    """None when the device's memory is not known."""
    plan: dict[str, object] = {}
    """What was chosen: micro_batch, grad_checkpointing, packing."""
    stack: str = "peft"
    memory_factor: float = 1.0
    """What earlier runs of this machine put on our own figure; it is in `memory_gib` already."""
    speed_factor: float = 1.0
    """The same, in `tokens_per_second`."""
