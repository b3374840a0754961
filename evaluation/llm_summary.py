"""A hosted judge in one line, as the report keeps it: how much it marked, and how far it says what others say."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from evaluation.stats import Interval


class LlmSummary(BaseModel):
    """The marks of one judgement in short. They decide nothing: the verdict rests on the metric."""

    model_config = ConfigDict(extra="ignore")
    judge: str
    """The model's name and its host."""
    rubric: str
    n: int
    """Answers with a mark, of all models, rows that stand in training left out."""
    with_metric: Interval | None = None
    """Share of them that metric and judge call alike right or wrong, with its 95 % interval; rows are drawn whole."""
    labels: int = 0
    """Answers that a person labelled blind and the judge marked; 0 until all of the 30 are labelled."""
    with_person: Interval | None = None
    """Share of those on which person and judge say the same."""
    kappa: float | None = None
    """Cohen's kappa with the person; None where not known, or not defined."""
    words: str
    """One line for people."""
