"""Facts that are not prices: assumptions with their range, and what cards can do."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.errors import NotFound, ProblemsFound, problems_of
from cost_models.prices import require_file

FACTS_FOLDER = Path(__file__).parent / "facts"
CHECKED = date(2026, 11, 23)


class Assumption(BaseModel):
    """A number that we assume, or that was answered, between what is possible."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    low: float
    likely: float
    high: float
    scale: Literal["linear", "log"] = "linear"
    """log: spread by factors, for numbers that may be ten times off."""
    unit: str
    says: str
    """What the number is, in plain words."""
    source: str = Field(min_length=1)
    checked: date = CHECKED
    verified: Literal["read", "abstract", "memory", "measured", "judgement", "answered"] = "judgement"

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.low <= self.likely <= self.high:
            raise ValueError(f"low <= likely <= high is required, got {self.low}, {self.likely}, {self.high}")
        if self.scale == "log" and self.low <= 0:
            raise ValueError(f"a log scale needs a low end above 0, got {self.low}")
        return self


class Device(BaseModel):
    """A card: dense 16-bit peak (TFLOP/s), usable memory (GiB) and how fast it is read (GB/s)."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    tflops: float = Field(gt=0)
    memory_gib: float = Field(gt=0)
    gb_per_second: float = Field(gt=0)


class Defaults(BaseModel):
    """Which rows of the price book the curves take."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    api_model: str
    embedding: str
    vector_store: str
    reranking: str
    serving_gpu: str
    encoder_gpu: str
    """The card of a small encoder: the cheapest that is rented by itself."""
    training_gpu: str
    pretraining_gpu: str
    pretraining_hours: str
    managed: list[str]
    """Managed hosts, the first that is open for new jobs is counted with."""


class CostFacts(BaseModel):
    """`facts/assumptions.toml`, read and checked."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    assumption: list[Assumption]
    task_tokens: dict[str, tuple[int, int]]
    """Tokens of one input and one answer by kind of task."""
    defaults: Defaults

    def by_id(self) -> dict[str, Assumption]:
        """The assumptions by their id."""
        return {entry.id: entry for entry in self.assumption}


@lru_cache(maxsize=1)
def cost_facts() -> CostFacts:
    """The facts of the cost curves, read once. Raises `ProblemsFound` naming file and field."""
    path = FACTS_FOLDER / "assumptions.toml"
    try:
        return CostFacts.model_validate(require_file(path))
    except ValidationError as error:
        raise ProblemsFound(problems_of(error, str(path))) from error


@lru_cache(maxsize=1)
def devices() -> dict[str, Device]:
    """Cards by name. Raises `ProblemsFound` naming file and field."""
    path = FACTS_FOLDER / "devices.toml"
    try:
        table = require_file(path)["devices"]
        assert isinstance(table, dict)
        return {name: Device.model_validate(entry) for name, entry in table.items()}
    except ValidationError as error:
        raise ProblemsFound(problems_of(error, str(path))) from error


def device(name: str) -> Device:
    """A card by name, whatever its case, or by the longer name that `nvidia-smi` prints. Raises `NotFound`."""
    wanted = _plain(name)
    for known, found in devices().items():
        if _plain(known) == wanted:
            return found
    # nvidia-smi says "NVIDIA H100 80GB HBM3"; the longest known name whose parts all occur in it is the card.
    inside = [known for known in devices() if all(part in wanted for part in _plain(known).split())]
    if inside:
        return devices()[max(inside, key=len)]
    raise NotFound(f"no card `{name}` in our facts.", f"Known: {', '.join(devices())}.")


def _plain(name: str) -> str:
    return name.lower().replace("-", " ").replace("nvidia", "").strip()
