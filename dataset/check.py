"""Check a data set: every check over every row, one report."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from dataset.checks.conflicts import check_conflicts
from dataset.checks.duplicates import check_duplicates
from dataset.checks.identity import check_identity
from dataset.checks.labels import check_labels, labels_of
from dataset.checks.language import check_languages
from dataset.checks.overlap import check_groups, check_overlap
from dataset.checks.privacy import check_privacy
from dataset.checks.shape import check_shape
from dataset.checks.spelling import check_spelling
from dataset.checks.split_classes import check_split_classes
from dataset.checks.stale import check_stale
from dataset.checks.tokens import check_tokens
from dataset.checks.toxicity import check_toxicity
from dataset.finding import Finding, Report, by_severity, finding
from dataset.normalise import keys_of
from dataset.read import Dataset

if TYPE_CHECKING:
    from dataset.render import Renderer


def check(
    dataset: Dataset,
    *,
    validation: Dataset | None = None,
    renderer: Renderer | None = None,
    max_tokens: int = 512,
    group: str | None = None,
    today: date,
) -> Report:
    """The report that `tuneworthy check` prints.

    Without a `renderer` (the tokenizer and template of the base model) tokens are estimated and the loss mask is not
    looked at. `group` is a column whose values should stand on one side of the split. Line numbers are those of the
    data file; for the overlap checks those of the validation file. Raises `BadInput` for a group column
    that is not there.
    """
    rows = dataset.rows
    keys = keys_of(rows)
    labels = labels_of(rows)
    findings: list[Finding] = [*dataset.findings, *check_shape(rows), *check_duplicates(rows, keys, labels)]
    findings.extend(check_conflicts(rows, keys, labels))
    if validation is not None:
        findings.extend(check_overlap(rows, keys, validation.rows))
        findings.extend(check_split_classes(labels, validation.rows))
        findings.extend(_system_prompts(dataset, validation))
    if group is not None:
        findings.extend(check_groups(rows, validation.rows if validation is not None else (), group))
    tokens, of_tokens = check_tokens(rows, renderer, max_tokens)
    findings.extend(of_tokens)
    findings.extend(check_labels(rows, labels))
    findings.extend(check_spelling(rows, labels))
    findings.extend(check_privacy(rows))
    findings.extend(check_identity(rows))
    findings.extend(check_toxicity(rows))
    findings.extend(check_languages(rows))
    findings.extend(check_stale(rows, today=today))
    return Report(
        format=dataset.format,
        rows=len(rows),
        tokens=tokens,
        findings=by_severity(findings),
        encoding=dataset.encoding,
        columns=list(dataset.columns),
        labels=labels,
        sha256=dataset.sha256,
        checked=today,
    )


def _system_prompts(dataset: Dataset, validation: Dataset) -> list[Finding]:
    """Training with a system prompt and judging without one (or the other way round) measures the prompt."""
    with_system = [any(m.role == "system" for row in part.rows for m in row.messages) for part in (dataset, validation)]
    if not dataset.rows or not validation.rows or with_system[0] == with_system[1]:
        return []
    has, lacks = ("training", "validation") if with_system[0] else ("validation", "training")
    return [
        finding(
            "template_mismatch",
            "warning",
            [],
            f"The {has} rows have a system prompt and the {lacks} rows have none.",
            "Use the same prompt in both.",
            count=1,
        )
    ]
