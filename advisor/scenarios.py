"""Worked scenarios: teams' answers with the advice that a good practitioner would give, from `examples/plans/`.

They keep the rules honest: a test holds the advice to what was expected, and `table` shows both in docs/scenarios.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from advisor.advice import Advice, Flip
from advisor.advise import advise
from advisor.facts import TRIAL_VALUES
from advisor.memo_words import VARIANTS
from core.answers import APPROACHES, Answers, ApproachId
from core.errors import ProblemsFound, problems_of
from core.jobspec import read_mapping
from cost_models.curves import cost

FOLDER = Path(__file__).resolve().parents[1] / "examples" / "plans"
FLIPS_SHOWN = 3


class Expected(BaseModel):
    """What a good practitioner would say to the team. The commands ignore it."""

    model_config = ConfigDict(extra="forbid")

    recommendation: ApproachId
    variant: str | None = None
    """The form that must be named; any where empty."""
    acceptable: list[ApproachId]
    """All that would do as well."""
    ruled_out: list[ApproachId]
    """All that must not be used, whatever their score. What is in no list is to be avoided."""
    because: list[str]
    """Rules that must have fired."""
    says: str
    """The practitioner's own words."""


class Scenario(BaseModel):
    """One team: who they are, what they answered, and what they should hear."""

    model_config = ConfigDict(extra="forbid")

    file: str
    name: str = Field(min_length=1)
    about: str = Field(min_length=1)
    answers: Answers
    expect: Expected


def read_scenario(path: Path) -> Scenario:
    """One file. Raises `NotFound`, `BadInput` or `ProblemsFound` (all problems at once)."""
    try:
        return Scenario.model_validate({**read_mapping(path, "name:"), "file": path.name})
    except ValidationError as error:
        raise ProblemsFound(problems_of(error, str(path))) from error


def scenarios(folder: Path = FOLDER) -> list[Scenario]:
    """All of a folder, in the order of their file names."""
    return [read_scenario(path) for path in sorted(folder.glob("*.yaml"))]


def advice_for(scenario: Scenario, today: date) -> Advice:
    """What the advisor says to the team, the cost curves included."""
    return advise(scenario.answers, today=today, cost=cost(scenario.answers, today=today))


def disagreements(scenario: Scenario, advice: Advice) -> list[str]:
    """Where the advice differs from what was expected, in words; empty where it does not."""
    expect, found = scenario.expect, []
    if advice.recommendation != expect.recommendation:
        found.append(f"recommends {advice.recommendation}, expected {expect.recommendation}")
    if expect.variant and advice.variant != expect.variant:
        found.append(f"names the variant {advice.variant}, expected {expect.variant}")
    acceptable = {row.approach for row in advice.ranking if row.verdict == "acceptable"}
    ruled_out = {row.approach for row in advice.ranking if row.vetoed}
    for what, got, wanted in (
        ("acceptable", acceptable, set(expect.acceptable)),
        ("ruled out", ruled_out, set(expect.ruled_out)),
    ):
        if got != wanted:
            found.append(f"{what}: {', '.join(sorted(got)) or 'none'}, expected {', '.join(sorted(wanted)) or 'none'}")
    fired = {reason.rule for row in advice.ranking for reason in row.reasons}
    silent = [rule for rule in expect.because if rule not in fired]
    return [*found, *(["did not fire: " + ", ".join(silent)] if silent else [])]


def table(told: Iterable[tuple[Scenario, Advice]]) -> str:
    """The scenarios as a Markdown table, as docs/scenarios.md shows them."""
    head = ["scenario", "what the team said", "recommended", "strongest reason", "would do too", "what would change it"]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    lines += [f"| {' | '.join(_cells(scenario, advice))} |" for scenario, advice in told]
    return "\n".join(lines) + "\n"


def verdicts(each: Iterable[Scenario]) -> str:
    """What a practitioner would add to each, as docs/scenarios.md shows it below the table."""
    return "\n\n".join(f"**{scenario.name}.** {scenario.expect.says.strip()}" for scenario in each) + "\n"


def _cells(scenario: Scenario, advice: Advice) -> list[str]:
    best = advice.ranking[0]
    variant = f", {VARIANTS[best.variant]}" if best.variant else ""
    others = [APPROACHES[row.approach] for row in advice.ranking if row.verdict == "acceptable"]
    flips = [_flip(flip) for flip in advice.flips if flip.answered and _can_happen(flip)][:FLIPS_SHOWN]
    return [
        f"[{scenario.name}](../examples/plans/{scenario.file})",
        scenario.about.strip(),
        f"{APPROACHES[best.approach]}{variant}",
        next((reason.because for reason in best.reasons if reason.points > 0), advice.headline),
        ", ".join(others) or "nothing",
        "; ".join(flips) or "no single answer",
    ]


def _can_happen(flip: Flip) -> bool:
    """False for a prompt that would have to be untried."""
    order = TRIAL_VALUES["prompt_tried"]
    return flip.field != "prompt_tried" or order.index(flip.to) > order.index(flip.from_)


def _flip(flip: Flip) -> str:
    return f"`{flip.field}` {_shown(flip.to)}: {APPROACHES[flip.then]}"


def _shown(value: str | int | float | bool) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else f"{value:,g}" if isinstance(value, float) else value
