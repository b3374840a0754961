"""The rows of a parity and the right answers to them, where a team has those."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from backends.rescue.golden import Golden
from core.errors import BadInput, TuneworthyError
from dataset.normalise import keys_of
from dataset.opening import sha256_of
from dataset.read import read
from dataset.row import Row
from evaluation.report import EvaluationReport

FROM_THE_PROMPTS = "the answers that stand in the file of prompts"


def asked_rows(report: EvaluationReport) -> dict[int, Row]:
    """The judged rows by line. Raises `BadInput` where their file has changed."""
    path = Path(report.test_file)
    if not path.is_file() or sha256_of(path) != report.test_sha256:
        raise BadInput("the judged rows are gone or have changed.", "Ask for the parity again.", file=str(path))
    return {row.line: row for row in read(path).rows}


def right_answers(golden: Golden, labels: Path | None) -> tuple[dict[str, str], str]:
    """({key of the input: right answer}, where they come from). Raises `BadInput` for a named file without answers."""
    if labels is not None:
        found = _answers(read(labels).usable(pairs=True).rows)
        if not found:
            raise BadInput("holds no right answers.", "Each row needs an input and an answer.", file=str(labels))
        return found, labels.name
    path = Path(golden.prompts)
    with suppress(TuneworthyError, OSError):
        if sha256_of(path) == golden.prompts_sha256:
            return _answers(read(path, inputs=golden.inputs or None).rows), FROM_THE_PROMPTS
    return {}, ""


def _answers(rows: Sequence[Row]) -> dict[str, str]:
    found: dict[str, str] = {}
    for row, key in zip(rows, keys_of(rows).inputs, strict=True):
        if row.answer.strip():
            found.setdefault(key, row.answer)
    return found
