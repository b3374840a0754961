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
    fp8_tflops: float = Field(default=0, ge=0)
    """Dense fp8 peak; 0 where the card has no such arithmetic."""
    fp8_rows: bool = False
    """True where fp8 products take a scale for each row: Hopper and later data-centre cards."""
    bf16: bool = True
    """False where 16 bits mean float16 alone."""
    kind: Literal["cuda", "mps", "cpu"] = "cuda"
    shared: bool = False
    """True where the memory is the machine's own, and the system needs some of it."""
    source: str = Field(min_length=1)
    """Where the figures stand."""

    @property
    def usable_gib(self) -> float:
        """Memory that a run may have: of shared memory the system keeps a quarter."""
        return self.memory_gib * (0.75 if self.shared else 1.0)


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
        book = require_file(path)
        table, sources = book["devices"], book["sources"]
        assert isinstance(table, dict) and isinstance(sources, dict)
        return {
            name: Device.model_validate(entry | {"source": sources.get(entry.get("source"), "")})
            for name, entry in table.items()
        }
    except ValidationError as error:
        raise ProblemsFound(problems_of(error, str(path))) from error


def device(name: str) -> Device:
    """A card by name, whatever its case, or by the longer name that `nvidia-smi` prints. Raises `NotFound`."""
    return devices()[device_name(name)]


def device_name(name: str) -> str:
    """Our name of a card that may be written in another way. Raises `NotFound`."""
    wanted = _words(name)
    named = {known: known for known in devices()} | _other_names()
    for known, card in named.items():
        if _words(known) == wanted:
            return card
    # nvidia-smi says "NVIDIA A100-SXM4-80GB": the longest known name whose words all begin one of its words.
    inside = [
        known
        for known in named
        if _words(known)[0] in wanted and all(any(word.startswith(part) for word in wanted) for part in _words(known))
    ]
    if inside:
        return named[max(inside, key=lambda known: (len(_words(known)), known in devices()))]
    raise NotFound(f"no card `{name}` in our facts.", f"Known: {', '.join(devices())}.")


@lru_cache(maxsize=1)
def _other_names() -> dict[str, str]:
    table = require_file(FACTS_FOLDER / "devices.toml")["also"]
    assert isinstance(table, dict)
    return {str(name): str(card) for name, card in table.items()}


def _words(name: str) -> list[str]:
    words = name.lower().replace("-", " ").split()
    return [word for word in words if word not in ("nvidia", "geforce", "tesla")] or ["?"]
