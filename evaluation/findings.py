"""From what each model said to the report: scores, tests, verdict, the rows that got worse, and the limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from core.jobspec import JobSpec
from evaluation.axes.question import Axis
from evaluation.axis_reports import axis_report, interval_table
from evaluation.classifier_verdict import decide_classifier
from evaluation.consistency import consistency
from evaluation.gate import bar, weigh
from evaluation.judged_classifier import WHY_NOT
from evaluation.latency import Latency
from evaluation.limits import limits
from evaluation.luck import Training, luck_of
from evaluation.measure import Measured
from evaluation.metrics import METRICS, Metric, field_matches, is_structure, json_valid, score
from evaluation.overfitting import Copying, Gap, copying, gaps
from evaluation.report import (
    MODEL_WORDS,
    EvaluationReport,
    JudgedAnswer,
    Leak,
    ModelName,
    PromptChoice,
    TokenCount,
    WorseRow,
)
from evaluation.rows import JudgedRows
from evaluation.stats import interval
from evaluation.task_details import task_details
from evaluation.verdict import DEFAULT_MARGIN, judge
from evaluation.widened import widened_interval
from serving.classifier import Form

MAX_LINES = 50
FREE_TEXT = ("token_f1", "rouge_l")
"""Metrics of tasks that are answered in free words; all others have set answers."""
_TRUNCATED_SHARE_TOLD = 0.02


@dataclass(frozen=True)
class Said:
    """One answer, with what it took."""

    text: str
    prompt_tokens: int
    answer_tokens: int
    seconds: float
    truncated: bool


@dataclass
class Asked:
    """Everything that the models answered."""

    said: dict[ModelName, list[Said]] = field(default_factory=dict)
    prompt: PromptChoice | None = None
    adapter_sha256: str | None = None
    """Of the weights that answered."""
    adapter_settings_sha256: str | None = None
    classifier: Form | None = None
    """Where a small classifier stands in the tuned model's place: its form."""
    axes: dict[Axis, Measured] = field(default_factory=dict)
    latency: dict[ModelName, Latency] = field(default_factory=dict)
    trained: list[float] = field(default_factory=list)
    """Scores of the tuned model on a sample of its training rows."""
    again: dict[int, str] = field(default_factory=dict)
    """The base's answers to some held-out rows, by position, when it was asked a second time."""
    judged_seed: Training = ("", 0)
    """Job and seed of the tuned model; empty where no other seeds stand beside it."""
    seeds: dict[Training, list[str]] = field(default_factory=dict)
    """Answers of other seeds of the tuned model to all held-out rows."""
    varied: dict[ModelName, list[list[str]]] = field(default_factory=dict)
    """Sampled answers to some rows, (rows, times)."""


def build_report(
    spec: JobSpec,
    rows: JudgedRows,
    asked: Asked,
    metric: Metric,
    *,
    adapter: Path | None,
    device: str,
    now: datetime,
) -> EvaluationReport:
    """The whole judgement. Scores and verdict rest on the rows that training has not seen."""
    said = asked.said
    expected = [row.answer for row in rows.test]
    names = [name for name in MODEL_WORDS if name in said]
    scores = {
        name: [score(metric, want, got.text, spec.sqlite) for want, got in zip(expected, said[name], strict=True)]
        for name in names
    }
    honest = rows.honest
    judged = {name: [scores[name][at] for at in honest] for name in names}
    luck = luck_of(
        {str(name): values for name, values in scores.items()},
        honest,
        lambda at, text: score(metric, expected[at], text, spec.sqlite),
        again=asked.again,
        judged=asked.judged_seed,
        seeds=asked.seeds,
        rows_seed=spec.seed,
    )
    judgement = judge(
        {str(name): values for name, values in judged.items()},
        metric_words=METRICS[metric],
        margin=spec.margins.get("task", DEFAULT_MARGIN),
        seed=spec.seed,
        # A classifier decodes nothing.
        spread={name: half for name, half in luck.spread.items() if name != "tuned" or asked.classifier is None},
    )
    if asked.classifier is not None and "tuned" in judged:
        told = decide_classifier(
            {str(name): values for name, values in judged.items()},
            judgement.paired,
            asked.classifier,
            metric_words=METRICS[metric],
            margin=spec.margins.get("task", DEFAULT_MARGIN),
        )
        judgement = judgement.model_copy(update=dict(zip(("verdict", "reasons"), told, strict=True)))
    without = WHY_NOT if asked.classifier is not None else {}
    closed = metric not in FREE_TEXT
    axes = {axis: axis_report(measured, spec, closed=closed) for axis, measured in asked.axes.items()}
    kept = {axis: axes[axis].kept for axis in asked.axes}
    found_gaps = gaps_of(asked, judged, spec.seed)
    harm = asked.axes["safety"].harm if "safety" in asked.axes else None
    verdict, more, remedies = weigh(
        judgement.verdict, kept, spec, closed=closed, gaps=found_gaps, harm=harm, without=without
    )
    # What decided stands first: an axis that was lost decides over a task that was won.
    reasons = [*judgement.reasons, *more] if verdict == judgement.verdict else [more[0], *judgement.reasons, *more[1:]]
    reasons += [f"{gap.sentence[0].upper()}{gap.sentence[1:]}." for gap in found_gaps if gap.found == "overfitted"]
    beside = interval_table(asked.axes, spec.seed)
    task = {name: interval(judged[name], spec.seed) for name in names}
    if luck.seeds and "tuned" in task:
        task["tuned"] = widened_interval(task["tuned"], luck.seeds.half_width)
    details = task_details(
        spec,
        metric,
        [row.answer for row in rows.train],
        [expected[at] for at in honest],
        {name: [said[name][at].text for at in honest] for name in names},
    )
    details.consistency = consistency({str(name): rows for name, rows in asked.varied.items()}, spec.seed)
    return EvaluationReport(
        verdict=verdict,
        reasons=[*reasons, *_row_words(rows), *_empty_words(said), *_truncation_words(said)],
        remedies=remedies,
        metric=metric,
        metric_words=METRICS[metric],
        models={name: {"task": task[name]} | beside.get(name, {}) for name in names},
        axes={str(axis): report for axis, report in axes.items()},
        look=spec.look,
        stakes=bar(spec),
        paired=judgement.paired,
        noise=luck.decoding,
        seeds=luck.seeds,
        gaps=found_gaps,
        copying=_copying(rows, said),
        worse_rows=_worse_rows(rows, said, scores),
        answers=_answers(rows, said, scores),
        leak=Leak(
            overlap=len(rows.leaked),
            lines=[rows.test[at].line for at in sorted(rows.leaked)[:MAX_LINES]],
            naive={name: interval(scores[name], spec.seed) for name in names} if rows.leaked else {},
        ),
        prompt=asked.prompt,
        json_valid={name: interval([json_valid(said[name][at].text) for at in honest], spec.seed) for name in names}
        if any(is_structure(text) for text in expected)
        else {},
        fields=_fields(metric, expected, said, honest),
        details=details,
        latency={str(name): found for name, found in asked.latency.items()},
        tokens={name: _tokens(said[name]) for name in names if any(each.prompt_tokens for each in said[name])},
        seconds_per_answer={name: sum(item.seconds for item in said[name]) / len(said[name]) for name in names},
        device=device,
        limits=limits(
            spec,
            rows,
            device,
            axes,
            one_seed="tuned" in said and luck.seeds is None and asked.classifier != "classic",
            varied=asked.varied,
            without=without,
        ),
        classifier=asked.classifier,
        not_applicable={axis: why for axis, why in without.items() if axis in spec.axes},
        base_model=spec.base_model,
        base_revision=spec.base_revision,
        adapter=str(adapter) if adapter else None,
        adapter_sha256=asked.adapter_sha256,
        adapter_settings_sha256=asked.adapter_settings_sha256,
        train_job=spec.job,
        test_file=str(rows.test_file),
        test_sha256=rows.test_sha256,
        rows=len(honest),
        rows_in_file=rows.in_file,
        seed=spec.seed,
        created_at=now,
    )


def gaps_of(asked: Asked, judged: Mapping[ModelName, Sequence[float]], seed: int) -> list[Gap]:
    """Gaps between rows that the tune was trained on and others: held-out ones, and those unlike the training rows."""
    if not asked.trained or "tuned" not in judged:
        return []
    others = {"held-out": judged["tuned"]} if judged["tuned"] else {}
    inputs = asked.axes.get("new_inputs")
    if inputs is not None and "tuned" in inputs.marks:
        pairs = zip(inputs.questions, inputs.marks["tuned"], strict=True)
        unlike = [mark.score for question, mark in pairs if question.part == "shifted"]
        others |= {"unlike": unlike} if unlike else {}
    return gaps(asked.trained, others, seed=seed)


def _copying(rows: JudgedRows, said: Mapping[ModelName, Sequence[Said]]) -> Copying | None:
    if "tuned" not in said or not rows.train:
        return None
    return copying([answer.text for answer in said["tuned"]], rows.test, rows.trained_on)


def _worse_rows(
    rows: JudgedRows, said: Mapping[ModelName, Sequence[Said]], scores: Mapping[ModelName, Sequence[float]]
) -> list[WorseRow]:
    """Rows on which the tuned model scores below the base or its best prompt, the greatest loss first.

    Rows that stand in training are left out, as in the scores.
    """
    rivals: list[ModelName] = [name for name in ("base", "best_prompt") if name in scores]
    if "tuned" not in scores or not rivals:
        return []
    losses = [(max(scores[name][at] for name in rivals) - scores["tuned"][at], at) for at in rows.honest]
    found = []
    for loss, at in sorted(losses, key=lambda item: (-item[0], item[1])):
        if loss <= 0:
            break
        row = rows.test[at]
        found.append(
            WorseRow(
                line=row.line,
                input=row.user_text,
                expected=row.answer,
                tuned=said["tuned"][at].text,
                base=said["base"][at].text if "base" in said else None,
                best_prompt=said["best_prompt"][at].text if "best_prompt" in said else None,
            )
        )
    return found


def _answers(
    rows: JudgedRows, said: Mapping[ModelName, Sequence[Said]], scores: Mapping[ModelName, Sequence[float]]
) -> list[JudgedAnswer]:
    return [
        JudgedAnswer(
            line=row.line,
            input=row.user_text,
            expected=row.answer,
            in_training=at in rows.leaked,
            answers={name: said[name][at].text for name in said},
            scores={name: scores[name][at] for name in said},
            truncated=[name for name in said if said[name][at].truncated],
        )
        for at, row in enumerate(rows.test)
    ]


def _fields(
    metric: Metric, expected: Sequence[str], said: Mapping[ModelName, Sequence[Said]], honest: Sequence[int]
) -> dict[str, dict[str, float]]:
    """{model: {field: share right}} for tasks that answer in JSON objects."""
    if metric not in ("json_match", "field_f1"):
        return {}
    found: dict[str, dict[str, float]] = {}
    for name, answers in said.items():
        matches: dict[str, list[float]] = {}
        for at in honest:
            for key, right in field_matches(expected[at], answers[at].text).items():
                matches.setdefault(key, []).append(right)
        found[name] = {key: sum(values) / len(values) for key, values in matches.items()}
    return found


def _tokens(answers: Sequence[Said]) -> TokenCount:
    return TokenCount(
        prompt=sum(item.prompt_tokens for item in answers) / len(answers),
        answer=sum(item.answer_tokens for item in answers) / len(answers),
    )


def _row_words(rows: JudgedRows) -> list[str]:
    found = [rows.one_answer] if rows.one_answer else []
    count = len(rows.leaked)
    if not count:
        return found
    were = "row stands" if count == 1 else "rows stand"
    leaked = f"{count} held-out {were} in training too: the scores leave them out, and the naive ones stand beside."
    return [*found, leaked]


def _empty_words(said: Mapping[ModelName, Sequence[Said]]) -> list[str]:
    empty = {name: sum(not item.text.strip() for item in answers) for name, answers in said.items()}
    return [
        f"{empty[name]} of {len(answers)} {MODEL_WORDS[name]} answers are empty: does it end at once, as with a chat "
        "template that is not its own?"
        for name, answers in said.items()
        if empty[name] > _TRUNCATED_SHARE_TOLD * len(answers)
    ]


def _truncation_words(said: Mapping[ModelName, Sequence[Said]]) -> list[str]:
    cut = {name: sum(item.truncated for item in answers) for name, answers in said.items()}
    return [
        f"{cut[name]} of {len(answers)} {MODEL_WORDS[name]} answers were cut at the length limit: "
        "raise `max_new_tokens`?"
        for name, answers in said.items()
        if cut[name] > _TRUNCATED_SHARE_TOLD * len(answers)
    ]
