"""The shape of advice, as `tuneworthy advise --json` prints it."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from core.answers import ApproachId
from core.errors import Problem
from core.source import Source

Verdict = Literal["recommended", "acceptable", "avoid"]
RunsOn = Literal["api", "managed_host", "own_machines"]


class Reason(BaseModel):
    """A rule that fired for or against an approach."""

    rule: str
    because: str
    source: Source
    points: int
    """What it adds to the score; 0 for a veto."""
    veto: bool = False
    assumed: list[str] = []
    """Fields that it rests on and nobody answered."""


class Ranked(BaseModel):
    """One approach with its score and everything that was said about it."""

    approach: ApproachId
    verdict: Verdict
    score: int
    """The sum of its reasons' points."""
    vetoed: bool
    runs_on: RunsOn
    """Who sees the data."""
    variant: str | None = None
    """Which form is meant: small_encoder, multi_lora, open_model."""
    reasons: list[Reason]


class Assumed(BaseModel):
    """What was taken where nothing was said."""

    field: str
    value: str | int | float | bool | None
    says: str


class Conflict(BaseModel):
    """Two rules, or advice and cost, that pull apart. Shown side by side, not averaged away."""

    approach: ApproachId
    pro: str
    contra: str
    says: str


class Flip(BaseModel):
    """The nearest value of one answer at which another approach would be recommended."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    field: str
    from_: str | int | float | bool | None = Field(alias="from")
    to: str | int | float | bool
    then: ApproachId
    answered: bool
    """False where `from` is our assumption."""


class NextQuestion(BaseModel):
    """What to ask next."""

    field: str
    question: str
    could_become: list[ApproachId]
    """What would be recommended under other answers."""
    moves: int
    """Largest change, in points, of the lead of the recommended approach."""


class Advice(BaseModel):
    """A recommendation with its reasons, its doubts and what would change it."""

    model_config = ConfigDict(extra="forbid")

    recommendation: ApproachId
    variant: str | None
    headline: str
    """The recommendation's strongest reasons, in a sentence or two."""
    ranking: list[Ranked]
    assumptions: list[Assumed]
    conflicts: list[Conflict]
    flips: list[Flip]
    questions: list[NextQuestion]
    contradictions: list[Problem]
    """Answers that cannot all be true, each with what was assumed."""
    notes: list[str]
    """To do whatever is chosen: an evaluation set, constrained output, a test of safety."""
    tune_lives_months: float | None
    """Months that a managed tune made today would live; None where no date is known."""
    today: date

    def ranked(self, approach: ApproachId) -> Ranked:
        """The row of one approach."""
        return next(row for row in self.ranking if row.approach == approach)
