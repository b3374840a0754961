"""What a team may set about the curves beside its answers: horizon, growth, rates, and which price rows are taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.answers import ApproachId
from core.errors import ProblemsFound, problems_of

MAX_MONTHS = 36
Length = Literal["instruction_tokens", "few_shot_examples"]
Choice = Literal["api_model", "embedding", "vector_store", "serving_gpu", "training_gpu", "managed"]


class CostOptions(BaseModel):
    """Settings of the curves. The same answers, prices, day and settings give the same report."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    months: int = Field(default=24, ge=1, le=MAX_MONTHS)
    """Horizon in months."""
    seed: int = Field(default=7, ge=0, le=2**31 - 1)
    """Seed of the draws."""
    discount_rate: float = Field(default=0.0, ge=0, le=1)
    """What money later is worth less, per year: 0.08 for 8 %."""
    draws: int = Field(default=2000, ge=10, le=100_000)
    """Latin-hypercube draws."""
    volume_growth: float = Field(default=0.0, ge=-0.9, le=20)
    """Growth of the calls per year: 0.5 for half as many again."""
    hold_prices: bool = False
    """Keep every price as it is today, instead of letting token and card prices drift."""
    batch_share: float = Field(default=0.0, ge=0, le=1)
    """Share of the calls that can wait a day and are sent as a batch."""
    present_usd_per_month: float | None = Field(default=None, ge=0, le=1e12)
    """What the work costs today, in USD a month: the curve of doing nothing."""
    quality: dict[ApproachId, float] = {}
    """Measured share of right answers by approach, 0 to 1."""
    lengths: dict[Length, float] = {}
    """Measured lengths of prompts, in place of what we assume."""
    usd_per_right_answer: float | None = Field(default=None, ge=0, le=1e9)
    """What one more right answer is worth, in USD."""
    choices: dict[Choice, str] = {}
    """Price rows to count with instead of ours, such as `serving_gpu: gpu.h100-sxm.lambda`."""


def read_options(given: Mapping[str, object], where: str = "") -> CostOptions:
    """Options from a file or form. Raises `ProblemsFound` with all problems at once."""
    try:
        return CostOptions.model_validate(given)
    except ValidationError as error:
        raise ProblemsFound(problems_of(error, where)) from error
