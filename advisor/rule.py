"""A rule: when it fires, what it says with the team's own value, and for or against what it speaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from pydantic import ValidationError

from advisor.facts import Facts
from core.answers import ApproachId
from core.errors import ProblemsFound, problems_of
from core.source import Source
from cost_models.prices import require_file

SOURCES_FILE = Path(__file__).parent / "sources.toml"


@dataclass(frozen=True)
class Rule:
    """One rule as a record. The score of an approach is the sum of the points of the rules that fired."""

    id: str
    when: Callable[[Facts], bool]
    """Does it fire? Looks at nothing but the facts."""
    because: str
    """One plain sentence; `{field}` holds the team's own value."""
    uses: tuple[str, ...]
    """Fields that it looks at: a reason that rests on an assumed one says so."""
    threshold: str
    """The condition in words."""
    source: str
    """Key in `sources.toml`."""
    points: dict[ApproachId, int] = field(default_factory=dict)
    """10 leans, 20 is clear, 30 is strong, 60 and more decides."""
    veto: tuple[ApproachId, ...] = ()
    """Approaches that are ruled out, whatever their score. Needs an answer: an assumption never vetoes."""
    note: str = ""
    """Something to do whatever is chosen."""
    variant: tuple[ApproachId, str] | None = None
    """Which form of an approach is meant when it is recommended."""

    def touches(self, approach: ApproachId) -> bool:
        """True when it speaks about the approach."""
        return approach in self.points or approach in self.veto


@lru_cache(maxsize=1)
def sources() -> dict[str, Source]:
    """Where the rules come from, by key. Raises `ProblemsFound` naming file and field."""
    table = require_file(SOURCES_FILE)
    try:
        return {key: Source.model_validate(entry) for key, entry in table.items()}
    except ValidationError as error:
        raise ProblemsFound(problems_of(error, str(SOURCES_FILE))) from error
