"""What a team decided and why: the noun that travels from the first question to the shelf."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from core.answers import Answers
from core.jobspec import JobSpec


class DataRef(BaseModel):
    """The data of a plan: our own copies, after reading and splitting. The original is never altered."""

    model_config = ConfigDict(extra="forbid")
    name: str
    """What the file was called."""
    train: str
    validation: str
    test: str
    """Paths of the three parts, chat JSONL under our own names."""
    sha256: str
    """Hash of the original file."""
    rows: int
    train_rows: int
    validation_rows: int
    test_rows: int
    tokens: dict[str, float | str] = {}
    findings: list[dict[str, object]] = []


class EvaluationPlan(BaseModel):
    """Written down before the launch: what is measured, on which rows, and what would count as success."""

    model_config = ConfigDict(extra="forbid")
    metric: str
    rows: int
    models: list[str]
    success: str
    """In words: what must be true for the tune to count as worth it."""
    written_at: datetime


class Plan(BaseModel):
    """Answers, prices used, ranking, data, spec, jobs, verdict. A row in the store and a link (`?plan=`)."""

    model_config = ConfigDict(extra="forbid")
    id: str
    name: str = "Untitled plan"
    answers: Answers = Answers()
    decided_by: str = ""
    decided_at: datetime | None = None
    recommendation: str | None = None
    ranking: list[dict[str, object]] = []
    price_overrides: dict[str, float] = {}
    """Prices set for this plan only: {item: amount}."""
    cost_options: dict[str, object] = {}
    """Settings of the cost curves: horizon, growth, rates, price rows taken."""
    prices_used: list[dict[str, object]] = []
    cost_summary: dict[str, object] = {}
    data: DataRef | None = None
    spec: JobSpec | None = None
    evaluation_plan: EvaluationPlan | None = None
    """Of the newest launch."""
    evaluation_plans: dict[str, EvaluationPlan] = {}
    """{evaluate job: what was written down before its launch}."""
    jobs: list[str] = []
    verdict: str | None = None
    archived: bool = False
    created_at: datetime
    updated_at: datetime
