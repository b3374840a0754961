"""What a measurement of prompts found, taken into a plan: the judge asked the base, plain and with its best prompt."""

from __future__ import annotations

from advisor.from_tournament import SHARE_OF_RIGHT, TRIED
from core.answers import Answers, ApproachId
from cost_models.options import CostOptions
from evaluation.report import EvaluationReport, ModelName

SPOKEN_FOR: dict[ModelName, ApproachId] = {"base": "zero_shot", "best_prompt": "few_shot"}
"""Which approach a judged model speaks for."""


def with_measurement(answers: Answers, options: CostOptions, report: EvaluationReport) -> tuple[Answers, CostOptions]:
    """Answers and settings with what was measured of base and best prompt; all else stays as it was."""
    asked = [name for name in SPOKEN_FOR if "task" in report.models.get(name, {})]
    if not asked:
        return answers, options
    prompted = asked[-1]
    examples = report.prompt.examples if report.prompt is not None else 0
    now, before = "few_shot" if examples else "zero_shot", answers.prompt_tried or "none"
    changed: dict[str, object] = {"prompt_tried": max(now, before, key=TRIED.index)}
    scores = {name: round(report.models[name]["task"].score, 4) for name in asked}
    if report.metric in SHARE_OF_RIGHT:
        changed["prompt_quality"] = max(scores.values())
        measured = {SPOKEN_FOR[name]: score for name, score in scores.items()}
        options = options.model_copy(update={"quality": options.quality | measured})
    if report.prompt is not None and report.prompt.base_mean_tokens:
        changed["input_tokens"] = max(1, round(report.prompt.base_mean_tokens))
    if prompted in report.tokens:
        changed["output_tokens"] = max(1, round(report.tokens[prompted].answer))
    return answers.model_copy(update=changed), options
