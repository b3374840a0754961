"""General knowledge: does the tuned model still know what the base knew? Choices are weighed, nothing is written.

The questions in `evaluation/slices/knowledge/` are the project's own, one file a subject. The model reads the question
as plain text and the likeliest choice is its pick, as lm-eval does for multiple choice (its measure `acc`). Files of
others (MMLU, ARC, HellaSwag, TruthfulQA, or a team's own) are read by `evaluation.axes.general_set`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import BadInput
from evaluation.axes.question import Mark, Question

if TYPE_CHECKING:
    from evaluation.judged_model import PromptRenderer

FOLDER = Path(__file__).resolve().parents[1] / "slices" / "knowledge"
GENERAL_TEXT = FOLDER.parent / "general_text.jsonl"


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid")
    id: str
    question: str = Field(min_length=1)
    choices: list[str] = Field(min_length=2)
    answer: int = Field(ge=0)


class _Text(BaseModel):
    model_config = ConfigDict(extra="forbid")
    id: str
    text: str = Field(min_length=1)


@cache
def all_questions() -> tuple[Question, ...]:
    """Every question of the project, subject by subject. Raises `BadInput` for a line that cannot be used."""
    found = []
    for path in sorted(FOLDER.glob("*.jsonl")):
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            try:
                line = _Line.model_validate_json(text)
                found.append(choice_question(line.id, path.stem, line.question, line.choices, line.answer))
            except (ValidationError, IndexError) as error:
                raise BadInput(
                    f"is not a question with choices: {str(error)[:200]}", "See the lines around it.",
                    file=str(path), line=number,
                ) from error  # fmt: skip
    return tuple(found)


def choice_question(name: str, part: str, asked: str, choices: Sequence[str], right: int) -> Question:
    """A question as the model reads it. Raises `IndexError` where `right` names no choice."""
    return Question(
        id=name,
        axis="knowledge",
        part=part,
        cluster=name,
        text=f"Question: {asked}\nAnswer:",
        choices=tuple(f" {choice}" for choice in choices),
        right=choices.index(choices[right]),
        expected=choices[right],
    )


def questions(n: int | None = None, among: Sequence[Question] | None = None) -> list[Question]:
    """At most `n` questions, evenly over the subjects; the same `n` always gives the same ones."""
    return spread(all_questions() if among is None else among, n)


def spread(among: Iterable[Question], n: int | None) -> list[Question]:
    """At most `n` of them, one of each part in turn, in the order in which they stand."""
    every = list(among)
    if n is None or n >= len(every):
        return every
    queues: dict[str, list[Question]] = {}
    for question in every:
        queues.setdefault(question.part, []).append(question)
    turns = [
        queue[place]
        for place in range(max(map(len, queues.values())))
        for queue in queues.values()
        if place < len(queue)
    ]
    chosen = {question.id for question in turns[:n]}
    return [question for question in every if question.id in chosen]


def encoded(question: Question, renderer: PromptRenderer) -> tuple[list[int], list[list[int]]]:
    """Token ids of the text and of each choice as it stands behind the text, as lm-eval cuts them.

    Some tokenizers (those of Llama 2 and Mistral) put a space before whatever they are given: a choice that is encoded
    on its own would begin with two.
    """
    context = renderer.encode_text(question.text, start=True)
    wholes = [renderer.encode_text(question.text + choice, start=True) for choice in question.choices]
    # A tokenizer that joins a choice with the end of the text may leave nothing of it.
    choices = [
        whole[len(context) :] or renderer.encode_text(choice)
        for whole, choice in zip(wholes, question.choices, strict=True)
    ]
    return context, choices


def pick(likelihoods: Sequence[float]) -> int:
    """The likeliest choice; the first of equals."""
    return max(range(len(likelihoods)), key=lambda place: likelihoods[place])


def mark(question: Question, picked: int) -> Mark:
    """1 when right."""
    right = picked == question.right
    return Mark(score=float(right), label="right" if right else "wrong")


@cache
def general_texts() -> tuple[str, ...]:
    """Paragraphs of plain prose, the project's own. Raises `BadInput` for a line that cannot be used."""
    found = []
    for number, text in enumerate(GENERAL_TEXT.read_text(encoding="utf-8").splitlines(), 1):
        try:
            found.append(_Text.model_validate(json.loads(text)).text)
        except ValueError as error:
            raise BadInput(
                "is not a paragraph with its id.", "See the lines around it.", file=str(GENERAL_TEXT), line=number
            ) from error
    return tuple(found)


def bits_per_byte(likelihoods: Sequence[float], texts: Sequence[str]) -> float:
    """Bits that a byte of text costs the model: perplexity whatever the tokenizer. Lower is better."""
    from math import log

    return -sum(likelihoods) / log(2) / sum(len(text.encode()) for text in texts)
