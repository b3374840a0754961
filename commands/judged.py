"""A judgement for people, in the terminal: the table, the verdict and its reasons, and what it does not see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from commands.printing import print_table, seconds_in_words

if TYPE_CHECKING:
    from evaluation.report import EvaluationReport
    from evaluation.stats import Interval

SHOWN_WORSE = 5
STATE_WORDS = {"kept": "kept", "lost": "lost", "cannot_tell": "cannot tell"}


def print_report(report: EvaluationReport) -> None:
    """All of it, the verdict under the scores that it rests on."""
    from evaluation.report import VERDICT_WORDS

    _task(report)
    _axes(report)
    if "tuned" in report.models:
        typer.echo(f"Verdict: {VERDICT_WORDS[report.verdict]}.")
    for reason in report.reasons:
        typer.echo(f"  - {reason}")
    if report.leak.naive:
        naive = "; ".join(f"{_name(name)} {_in_words(score)}" for name, score in report.leak.naive.items())
        typer.echo(f"With the rows that stand in training the scores would read: {naive}.")
    for luck in (report.noise, report.seeds):
        if luck is not None:
            typer.echo(luck.sentence)
    for name, found in report.details.consistency.items():
        typer.echo(f"{_name(name)}: {found.sentence}.")
    if report.classifier:
        thousand = seconds_in_words(1000 * report.seconds_per_answer.get("tuned", 0.0))
        typer.echo(f"The tuned model is a small classifier: a thousand texts take {thousand} here.")
        if report.not_applicable:
            typer.echo(f"Not applicable, as it writes no text: {', '.join(report.not_applicable)}.")
    if report.worse_rows:
        lines = [str(row.line) for row in report.worse_rows[:SHOWN_WORSE]]
        more = " ..." if len(report.worse_rows) > SHOWN_WORSE else ""
        typer.echo(f"Rows that got worse: {len(report.worse_rows)} (lines {', '.join(lines)}{more})")
    _list("What to try, in this order:", report.remedies)
    _list("What this cannot see:", report.limits)


def _task(report: EvaluationReport) -> None:
    cells = []
    for name, axes in report.models.items():
        task = axes["task"]
        valid = report.json_valid.get(name)
        seconds = report.seconds_per_answer.get(name)
        cells.append(
            [
                _name(name),
                f"{task.score:.3f} ({task.low:.3f} to {task.high:.3f})",
                "" if valid is None else f"{valid.score:.2f}",
                "" if seconds is None else f"{seconds:.2f}",
            ]
        )
    columns = ["model", f"{report.metric_words} (95 %)", "valid JSON", "seconds an answer"]
    print_table(f"On the same {report.rows} held-out rows", columns, cells)


def _axes(report: EvaluationReport) -> None:
    """Scores on the other axes, and what became of each; nothing where none was asked."""
    if not report.axes:
        return
    models = [name for name, scores in report.models.items() if set(scores) & set(report.axes)]
    cells = []
    for axis, found in report.axes.items():
        scores = [report.models[name].get(axis) for name in models]
        state = STATE_WORDS[found.kept.state] if found.kept else ""
        cells.append(
            [f"{found.words} ({found.n})", *("" if score is None else _in_words(score) for score in scores), state]
        )
    quick = ", a quick look" if report.look == "quick" else ""
    print_table(f"Right answers by axis (95 %){quick}", ["axis (questions)", *map(_name, models), ""], cells)


def _list(title: str, lines: list[str]) -> None:
    if lines:
        typer.echo(title)
    for line in lines:
        typer.echo(f"  - {line}")


def _name(model: str) -> str:
    from evaluation.report import MODEL_WORDS

    return {str(name): text for name, text in MODEL_WORDS.items()}.get(model, model)


def _in_words(score: Interval) -> str:
    return f"{score.score:.2f} ({score.low:.2f} to {score.high:.2f})"
