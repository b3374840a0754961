"""What a tournament measured, taken into the answers and the cost settings of a plan: facts in place of guesses."""

from __future__ import annotations

from core.answers import Answers, ApproachId
from cost_models.options import CostOptions, Length
from evaluation.tournament_report import RungReport, TournamentReport

SHARE_OF_RIGHT = ("exact_match", "normalised_match", "json_match", "numeric", "sql_match", "sql_rows")
"""Metrics whose mean is a share of right answers. Of the others nothing says which answer is good enough."""
TRIED = ("none", "zero_shot", "few_shot", "long_few_shot", "rag")
"""Prompting by how far it goes."""
MOST_TRUNCATED = 0.1
"""Where more answers than this were cut, their length says nothing."""


def with_tournament(answers: Answers, options: CostOptions, report: TournamentReport) -> tuple[Answers, CostOptions]:
    """Answers and settings with what was measured; all else stays as it was.

    The best score becomes `prompt_quality`, and the scores of the rungs the `quality` of their approaches, where the
    metric counts right answers. `prompt_tried` is never taken back.
    """
    changed: dict[str, object] = {"prompt_tried": _tried(answers, report)}
    if report.metric in SHARE_OF_RIGHT:
        changed["prompt_quality"] = round(report.winner.score.score, 4)
        options = options.model_copy(update={"quality": options.quality | quality_of(report)})
    options = options.model_copy(update={"lengths": options.lengths | lengths_of(report)})
    if report.question_tokens is not None:
        changed["input_tokens"] = max(1, round(report.question_tokens))
    if report.winner.truncated <= MOST_TRUNCATED * report.rows:
        changed["output_tokens"] = max(1, round(report.winner.answer_tokens))
    return answers.model_copy(update=changed), options


def quality_of(report: TournamentReport) -> dict[ApproachId, float]:
    """Share of right answers by approach; empty for a metric that does not count them.

    Answers held to a schema are few-shot ones too: the better of both speaks for it. Retrieval of examples speaks for
    `rag`, though no documents were searched.
    """
    if report.metric not in SHARE_OF_RIGHT:
        return {}
    spoken: dict[ApproachId, list[RungReport | None]] = {
        "zero_shot": [report.rung("zero_shot")],
        "few_shot": [report.rung("few_shot"), report.rung("constrained")],
        "rag": [report.rung("retrieval")],
    }
    scores = {name: [rung.score.score for rung in rungs if rung is not None] for name, rungs in spoken.items()}
    return {name: round(max(values), 4) for name, values in scores.items() if values}


def lengths_of(report: TournamentReport) -> dict[Length, float]:
    """The measured lengths of prompts by the names of the cost assumptions that they could stand in for.

    `few_shot_examples` are examples of the size that the curves count with, a question and an answer: what the few-shot
    prompt is longer than the instruction alone, over that size. Nothing is said of a host that counts no bare question.
    """
    zero, few = report.rung("zero_shot"), report.rung("few_shot")
    if report.question_tokens is None or zero is None:
        return {}
    found: dict[Length, float] = {"instruction_tokens": max(0.0, zero.prompt_tokens - report.question_tokens)}
    size = report.question_tokens + report.winner.answer_tokens
    if few is not None and size > 0:
        found["few_shot_examples"] = max(0.0, (few.prompt_tokens - zero.prompt_tokens) / size)
    return {name: round(value, 2) for name, value in found.items()}


def in_words(report: TournamentReport) -> list[str]:
    """What would change in the plan, one line each, so that a person can say yes to it."""
    found = []
    if report.metric in SHARE_OF_RIGHT:
        found.append(f"Good answers with the best prompt: {report.winner.score.score:.0%} ({report.winner.words}).")
    else:
        found.append(f"{report.metric_words} is no share of right answers: how good the prompt is stays your answer.")
    if report.question_tokens is not None:
        found.append(f"Tokens of a question: {report.question_tokens:,.0f}.")
    if report.winner.truncated <= MOST_TRUNCATED * report.rows:
        found.append(f"Tokens of an answer: {report.winner.answer_tokens:,.0f}.")
    return found


def _tried(answers: Answers, report: TournamentReport) -> str:
    now = "few_shot" if any(rung.shots for rung in report.rungs) else "zero_shot"
    before = answers.prompt_tried or "none"
    return max(now, before, key=TRIED.index)
