"""What the lecture on fine-tuning says in numbers, as `facts/lecture.toml` has it, and how a number is put in words."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from math import inf
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.errors import ProblemsFound, problems_of
from cost_models.facts import FACTS_FOLDER
from cost_models.prices import require_file


class Claim(BaseModel):
    """One figure of the lecture: about what, how much, in which unit, under which heading."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    about: str
    number: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    says: str = ""
    """The figure in words, where number and unit alone would not say it."""
    unit: str
    where: str = Field(min_length=1)

    @model_validator(mode="after")
    def _a_number_or_a_range(self) -> Self:
        if (self.number is None) == (self.at_least is None and self.at_most is None):
            raise ValueError("either `number`, or `at_least` or `at_most`, is required")
        return self

    @property
    def range(self) -> tuple[float, float]:
        """Lowest and highest value that the lecture's words allow, in `unit`."""
        if self.number is not None:
            return self.number, self.number
        return self.at_least or 0.0, inf if self.at_most is None else self.at_most

    @property
    def words(self) -> str:
        """The figure as the lecture puts it, in short."""
        low, high = self.range
        if self.says:
            return self.says
        return in_words(low, high, self.unit) if high < inf else f"{in_words(low, low, self.unit)} or more"


class Basis(BaseModel):
    """What the figures are about: sizes, models, hours and dollars an hour."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    matrix_side: int
    rank: int
    targets: list[str]
    eight_b: str
    seven_b: str
    seven_b_parameters: int
    big_parameters: int
    big_layers: int
    big_width: int
    trained_share: float
    step_tokens: int
    hours: tuple[float, float]
    usd_per_gpu_hour: tuple[float, float]


class LectureFacts(BaseModel):
    """`facts/lecture.toml`, read and checked."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    checked: date
    source: str = Field(min_length=1)
    basis: Basis
    claim: list[Claim]


@lru_cache(maxsize=1)
def lecture_facts() -> LectureFacts:
    """What the lecture says, read once. Raises `ProblemsFound` naming file and field."""
    path = FACTS_FOLDER / "lecture.toml"
    try:
        return LectureFacts.model_validate(require_file(path))
    except ValidationError as error:
        raise ProblemsFound(problems_of(error, str(path))) from error


def in_words(low: float, high: float, unit: str) -> str:
    """A value or a range with its unit, to three digits: `65,536`, `58 to 131 GB`, `2.8 TB`, `5.83 million dollars`."""
    size, words = 1.0, unit
    if unit == "GB" and high >= 1e3:
        size, words = 1e3, "TB"
    elif unit in ("numbers", "dollars"):
        size, word = next(
            ((each, word) for each, word in ((1e9, "billion"), (1e6, "million")) if high >= each), (1, "")
        )
        words = f"{word} {unit if unit == 'dollars' else ''}".strip()
    ends = [f"{end / size:,.0f}" if end / size >= 100 else f"{end / size:.3g}" for end in (low, high)]
    number = ends[0] if ends[0] == ends[1] else " to ".join(ends)
    return f"{number} {words}".strip()
