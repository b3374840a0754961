"""What the rules look at: the answers, with every gap filled by a stated assumption, and what the calendar says."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date
from functools import lru_cache

from advisor.money import Money
from core.answers import Answers
from cost_models.facts import cost_facts
from cost_models.managed import months_until, takes_jobs, training_row
from cost_models.prices import PriceBook

LEVELS = ("low", "medium", "high", "very_high")
FRESHNESS = ("static", "slow", "seasonal", "monthly", "weekly", "daily")
BUDGETS = ("none", "small", "medium", "large", "very_large")
DEFAULT_TARGET = 0.9


@dataclass(frozen=True)
class Facts:
    """One team's case. Fields are those of `Answers`; where none was given they hold what we assume.

    The quality of today's prompt, the gap, the number of labels, the latency, the domain and the languages are not
    assumed: rules about them stay silent until somebody says.
    """

    task_kind: str = "other"
    knowledge_need: str = "medium"
    knowledge_freshness: str = "slow"
    volume_per_month: float = 10_000
    labelled_examples: int = 0
    format_strictness: str = "medium"
    privacy: str = "medium"
    budget: str = "medium"
    has_eval_set: bool = False
    prompt_tried: str = "none"
    tenants: int = 1
    team_ml_fte: float = 0.5
    own_text_tokens: float = 0
    stakes: str = "medium"
    target_quality: float = DEFAULT_TARGET
    portability: bool = False
    citations: bool = False
    task_stability: str = "stable"
    label_quality: str = "unknown"
    prompt_quality: float | None = None
    switch_gap: str | None = None
    classes: int | None = None
    latency_ms: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    domain: str | None = None
    languages: tuple[str, ...] | None = None
    calendar: Calendar | None = None
    money: Money | None = None
    """What the curves say; None where they were not worked out."""
    assumed: frozenset[str] = frozenset()
    """Fields that nobody answered."""

    # Words for conditions that several rules share.

    @property
    def knowledge(self) -> int:
        """0 low to 3 very high."""
        return LEVELS.index(self.knowledge_need)

    @property
    def freshness(self) -> int:
        """0 static to 5 daily; 0 too where no knowledge is needed, for then nothing can be out of date."""
        return FRESHNESS.index(self.knowledge_freshness) if self.knowledge >= 1 else 0

    @property
    def strict_form(self) -> bool:
        """The form or the voice must hold."""
        return self.format_strictness in ("high", "very_high")

    @property
    def good_enough(self) -> bool | None:
        """Does today's prompt reach the target? None when its quality is not known."""
        return None if self.prompt_quality is None else self.prompt_quality >= self.target_quality

    @property
    def target_percent(self) -> float:
        """The target as people say it."""
        return self.target_quality * 100

    @property
    def prompt_percent(self) -> float:
        """Today's quality as people say it."""
        return (self.prompt_quality or 0) * 100


@dataclass(frozen=True)
class Calendar:
    """What a day means for managed tuning, from the price book's dates."""

    today: date
    open_hosts: tuple[str, ...] = ()
    """Hosts that take new tuning jobs today."""
    retires: date | None = None
    """When the models of the host that we count with are shut down."""
    months_left: float | None = None
    openai_last_day: date | None = None
    """OpenAI's last day for new jobs."""
    openai_retires: date | None = None


TRIAL_VALUES: dict[str, tuple[object, ...]] = {
    "prompt_tried": ("none", "zero_shot", "few_shot", "long_few_shot", "rag"),
    "prompt_quality": (0.3, 0.5, 0.7, 0.85, 0.95),
    "switch_gap": ("none", "form", "knowledge", "ability"),
    "labelled_examples": (0, 50, 100, 300, 1_000, 5_000),
    "knowledge_need": LEVELS,
    "knowledge_freshness": FRESHNESS,
    "format_strictness": LEVELS,
    "volume_per_month": (1_000.0, 10_000.0, 100_000.0, 1_000_000.0, 10_000_000.0),
    "privacy": ("low", "medium", "high", "strict"),
    "task_kind": (
        "classify", "extract", "generate", "style", "qa", "sql", "summarise", "translate", "chat", "reasoning", "other",
    ),
    "budget": BUDGETS,
    "has_eval_set": (False, True),
    "latency_ms": (200, 1_000, 10_000),
    "citations": (False, True),
    "portability": (False, True),
    "task_stability": ("stable", "changing"),
    "label_quality": ("unknown", "noisy", "checked"),
    "team_ml_fte": (0.0, 0.5, 1.0, 2.0, 10.0),
    "tenants": (1, 5, 50),
    "classes": (2, 10, 77),
    "target_quality": (0.5, 0.7, 0.8, 0.9, 0.95, 0.99),
    "stakes": ("low", "medium", "high"),
    "own_text_tokens": (0.0, 1e9, 1e11),
}  # fmt: skip
"""Values that are tried to find out what would change the advice, in the order of their size."""
_DERIVED = ("calendar", "money", "assumed")
ANSWER_FIELDS = tuple(field.name for field in fields(Facts) if field.name not in _DERIVED)


def resolve(answers: Answers, today: date) -> Facts:
    """The facts of a case: answered where answered, assumed where not."""
    given = answers.model_dump(include=set(ANSWER_FIELDS), exclude_none=True)
    if "languages" in given:
        given["languages"] = tuple(given["languages"])
    assumed = frozenset(name for name in ANSWER_FIELDS if name not in given)
    return replace(Facts(), **given, calendar=calendar(today), assumed=assumed)


@lru_cache(maxsize=16)
def calendar(today: date) -> Calendar:
    """The state of managed tuning on a day."""
    book = PriceBook.load(None, today)
    rows = {host: training_row(book, host) for host in cost_facts().defaults.managed}
    still = tuple(host for host, row in rows.items() if takes_jobs(row, today))
    retires = rows[still[0]].retires if still else None
    openai = next((row for host, row in rows.items() if host.startswith("tune.openai")), None)
    return Calendar(
        today=today,
        open_hosts=tuple(rows[host].provider for host in still),
        retires=retires,
        months_left=months_until(retires, today) if retires else None,
        openai_last_day=openai.last_day_for_new_jobs if openai else None,
        openai_retires=openai.retires if openai else None,
    )
