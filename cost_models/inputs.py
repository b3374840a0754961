"""From answers to the numbers of the cost curves: what was answered is taken, the rest is assumed in the open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.answers import Answers
from cost_models.encoder import INPUTS, encoder_fits
from cost_models.facts import Assumption, cost_facts
from cost_models.options import Length

ANSWERED = "Your answer"
# A plan's own figure is a guess too, but a better one than ours.
VOLUME_DOUBT = 1.25
TOKEN_DOUBT = 1.15
MOVES_COST = (
    "task_kind", "classes", "knowledge_freshness", "task_stability", "input_tokens", "output_tokens",
    "volume_per_month", "labelled_examples", "own_text_tokens", "has_eval_set", "tenants", "stakes", "privacy",
)  # fmt: skip
"""Answers that the bills depend on; the others change advice only."""
_FRESHNESS_ASSUMED = "slow"
_KIND_ASSUMED = "other"


def resolve(answers: Answers) -> list[Assumption]:
    """Every number that the curves use, with its range, by id; `verified` is `answered` for the team's own."""
    table = cost_facts().by_id()
    freshness = answers.knowledge_freshness or _FRESHNESS_ASSUMED
    stability = answers.task_stability or "stable"
    table["corpus_refresh_share"] = _renamed(table, f"corpus_refresh_share.{freshness}")
    table["refresh_months"] = _renamed(table, f"refresh_months.{stability}")
    for name in [name for name in table if name.startswith(("corpus_refresh_share.", "refresh_months."))]:
        del table[name]
    if not encoder_fits(answers):
        for name in INPUTS:
            del table[name]
    for field, says, likely in _token_sizes(answers):
        table[field] = _tokens(field, says, getattr(answers, field), likely)
    if answers.volume_per_month is not None:
        table["volume_per_month"] = _around(
            "volume_per_month", answers.volume_per_month, VOLUME_DOUBT, "calls", "calls per month"
        )
    if answers.labelled_examples is not None:
        table["labelled_examples"] = _exactly(
            "labelled_examples", answers.labelled_examples, "examples", "examples that you already have"
        )
    if answers.own_text_tokens is not None:
        table["corpus_tokens"] = _exactly("corpus_tokens", answers.own_text_tokens, "tokens", "text to be searched")
    if answers.has_eval_set:
        table["eval_examples"] = _exactly(
            "eval_examples", 0, "examples", "examples to be labelled for tests; you have a test set"
        )
    table["tenants"] = _given_or(answers.tenants, 1, "tenants", "models", "variants that need a model of their own")
    replicas = 2 if answers.stakes == "high" else 1
    table["replicas"] = Assumption(
        id="replicas",
        low=replicas,
        likely=replicas,
        high=replicas,
        unit="cards",
        says="cards that always run; two where a wrong or missing answer is costly",
        source="Our judgement",
    )
    return list(table.values())


def with_lengths(assumptions: Sequence[Assumption], lengths: Mapping[Length, float]) -> list[Assumption]:
    """The assumptions with measured lengths of prompts in place of ours."""
    exact = {name: {"low": value, "likely": value, "high": value} for name, value in lengths.items()}
    more = {"scale": "linear", "verified": "measured", "source": "A tournament on your rows"}
    return [entry.model_copy(update=exact[entry.id] | more) if entry.id in exact else entry for entry in assumptions]


def _tokens(field: str, says: str, answer: float | None, likely: float) -> Assumption:
    """The answer with a little doubt, or half to twice the likely value where nothing was said."""
    if answer is not None:
        return _around(field, answer, TOKEN_DOUBT, "tokens", says)
    return Assumption(
        id=field,
        low=likely / 2,
        likely=likely,
        high=likely * 2,
        scale="log",
        unit="tokens",
        says=says,
        source="Our judgement, by kind of task",
    )


def _token_sizes(answers: Answers) -> list[tuple[str, str, float]]:
    given, written = cost_facts().task_tokens[answers.task_kind or _KIND_ASSUMED]
    return [
        ("input_tokens", "tokens of one input", given),
        ("output_tokens", "tokens of one answer", written),
    ]


def _renamed(table: dict[str, Assumption], name: str) -> Assumption:
    return table[name].model_copy(update={"id": name.partition(".")[0]})


def _around(name: str, value: float, factor: float, unit: str, says: str) -> Assumption:
    return Assumption(
        id=name,
        low=value / factor,
        likely=value,
        high=value * factor,
        unit=unit,
        says=says,
        source=ANSWERED,
        verified="answered",
    )


def _exactly(name: str, value: float, unit: str, says: str) -> Assumption:
    return _around(name, value, 1.0, unit, says)


def _given_or(value: int | None, assumed: int, name: str, unit: str, says: str) -> Assumption:
    if value is not None:
        return _exactly(name, value, unit, says)
    return _exactly(name, assumed, unit, says).model_copy(update={"source": "Our judgement", "verified": "judgement"})
