"""The lecture's table for this team, and the open models that would fit it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from advisor.advice import Advice, Verdict
from core.answers import APPROACHES, Answers, ApproachId
from core.errors import ProblemsFound, problems_of
from cost_models.prices import require_file
from cost_models.report import CostReport
from cost_models.shapes import ModelShape, known_models

SPECTRUM_FILE = Path(__file__).parent / "spectrum.toml"
QUICK_MS = 500
QUICK_PARAMS = 2e9
MODEST_PARAMS = 4e9
SMALL_BUDGETS = ("none", "small")
OPEN_LICENCES = ("Apache-2.0", "MIT")
GIB = 2**30


class Rung(BaseModel):
    """One approach in plain words."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    pros: str
    cons: str
    effort: str
    control: str
    performance: str
    when: str


class SpectrumRow(Rung):
    """One approach in plain words, with this team's verdict and figures."""

    approach: ApproachId
    verdict: Verdict | None = None
    why: str = ""
    """The strongest reason for this team."""
    upfront_usd: float | None = None
    monthly_usd: float | None = None


class ModelFit(BaseModel):
    """An open base model, and whether it suits the answers."""

    model: str
    params_billion: float
    weights_gib: float
    """In 16 bits."""
    context: int
    licence: str
    languages: list[str]
    fits: bool
    because: list[str]
    """What speaks against it, or what it is good for."""


@lru_cache(maxsize=1)
def rungs() -> dict[ApproachId, Rung]:
    """The plain words by approach. Raises `ProblemsFound` naming file and field."""
    table = require_file(SPECTRUM_FILE)
    try:
        return {name: Rung.model_validate(table[name]) for name in APPROACHES}
    except ValidationError as error:
        raise ProblemsFound(problems_of(error, str(SPECTRUM_FILE))) from error


def spectrum(advice: Advice | None = None, cost: CostReport | None = None) -> list[SpectrumRow]:
    """The table from the cheapest start to the dearest, with what advice and cost say where they are given."""
    rows = []
    for name in APPROACHES:
        ranked = advice.ranked(name) if advice else None
        rows.append(
            SpectrumRow(
                **rungs()[name].model_dump(),
                approach=name,
                verdict=ranked.verdict if ranked else None,
                why=ranked.reasons[0].because if ranked and ranked.reasons else "",
                upfront_usd=cost.upfront_usd[name] if cost else None,
                monthly_usd=cost.monthly_usd[name] if cost else None,
            )
        )
    return rows


def fitting_models(answers: Answers) -> list[ModelFit]:
    """Our list of open models that answer in turns, those that fit first, small before large."""
    fits = [_fit(shape, answers) for shape in known_models().values() if shape.chat]
    return sorted(fits, key=lambda fit: (not fit.fits, fit.params_billion))


def _fit(shape: ModelShape, answers: Answers) -> ModelFit:
    against = _against(shape, answers)
    return ModelFit(
        model=shape.id,
        params_billion=round(shape.total_params / 1e9, 2),
        weights_gib=round(shape.total_params * 2 / GIB, 1),
        context=shape.context,
        licence=shape.licence,
        languages=shape.languages,
        fits=not against,
        because=against or _for(shape),
    )


def _against(shape: ModelShape, answers: Answers) -> list[str]:
    size, found = shape.total_params, []
    missing = [code for code in answers.languages or [] if code.lower()[:2] not in shape.languages]
    if missing:
        found.append(f"Its card does not name {', '.join(missing)}.")
    needed = (answers.input_tokens or 0) + (answers.output_tokens or 0)
    if needed > shape.context:
        found.append(f"{needed:,} tokens do not fit its context of {shape.context:,}.")
    if answers.latency_ms is not None and answers.latency_ms <= QUICK_MS and size > QUICK_PARAMS:
        found.append(f"Too slow for {answers.latency_ms:,} ms on a modest card.")
    if answers.budget in SMALL_BUDGETS and size > MODEST_PARAMS:
        found.append("Hosting it day and night is beyond a small budget.")
    if answers.task_kind == "reasoning" and size < MODEST_PARAMS:
        found.append("Too small for reasoning in steps.")
    return found


def _for(shape: ModelShape) -> list[str]:
    size = shape.total_params
    place = "tunes on a laptop" if size < 4e8 else "needs a card" if size > QUICK_PARAMS else "tunes on a small card"
    words = [f"{place[:1].upper()}{place[1:]}."]
    if shape.licence not in OPEN_LICENCES:
        words.append(f"Read its licence first ({shape.licence}).")
    return words
