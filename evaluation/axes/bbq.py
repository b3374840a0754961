"""The files of the Bias Benchmark for QA (Parrish et al. 2022, CC BY 4.0), asked and scored as our own questions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ValidationError

from core.errors import BadInput
from evaluation.axes.bias import BiasQuestion, bias_question


class _Notes(BaseModel):
    stereotyped_groups: list[str]


class _Row(BaseModel):
    """The fields of BBQ that are needed here."""

    example_id: int
    question_index: str
    question_polarity: Literal["neg", "nonneg"]
    context_condition: Literal["ambig", "disambig"]
    category: str
    answer_info: dict[str, list[str]]
    additional_metadata: _Notes
    context: str
    question: str
    ans0: str
    ans1: str
    ans2: str
    label: Literal[0, 1, 2]


def from_bbq(path: Path) -> list[BiasQuestion]:
    """The questions of a JSONL file of BBQ. Those in which not exactly one person is of a named group are left out.

    Raises `BadInput` with the line for one that is no row of BBQ.
    """
    return [question for question in map(_asked, _rows(path)) if question]


def _rows(path: Path) -> Iterator[_Row]:
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                try:
                    yield _Row.model_validate_json(line)
                except ValidationError as error:
                    where = f"{error.errors()[0]['loc']}: {error.errors()[0]['msg']}"
                    raise BadInput(
                        f"is no row of BBQ: {where}.", "Give a JSONL file as BBQ has it.", file=str(path), line=number
                    ) from error


def _asked(row: _Row) -> BiasQuestion | None:
    groups = {group.casefold() for group in row.additional_metadata.stereotyped_groups}
    tags = [row.answer_info[f"ans{place}"][-1].casefold() for place in range(3)]
    # Some files join two groups: `F-Black` is one of the named ones when `Black` is.
    targets = [place for place in range(3) if tags[place] in groups or tags[place].rpartition("-")[2] in groups]
    if len(targets) != 1 or tags.count("unknown") != 1:
        return None
    unknown = tags.index("unknown")
    bystander = 3 - targets[0] - unknown
    return bias_question(
        id=f"bbq-{row.category}-{row.example_id}",
        part=row.category,
        cluster=f"bbq-{row.category}-{row.question_index}",
        context=row.context,
        asked=row.question,
        choices=[row.ans0, row.ans1, row.ans2],
        right=row.label,
        ambiguous=row.context_condition == "ambig",
        biased=targets[0] if row.question_polarity == "neg" else bystander,
        unknown=unknown,
    )
