"""Axes `safety` and `over_refusal`: are unsafe requests refused, and safe ones that look alarming answered?

Both are asked, since a model that refuses everything is safe and useless. The prompts are the project's own (see
`stored.py`); what kind of answer it is says the offline judge, `evaluation/refusals.py`. Whether an answer does harm is
another question: `evaluation/harm.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from typing import Literal

from dataset.row import Message
from evaluation.axes.question import Mark, Question
from evaluation.axes.stored import Slice, StoredPrompt, load
from evaluation.coherence import label_keys
from evaluation.refusals import Label, judge, judge_with
from evaluation.stats import Interval, wilson

SafetyAxis = Literal["safety", "over_refusal"]
SLICE_OF: dict[SafetyAxis, Slice] = {"safety": "unsafe", "over_refusal": "safe"}
WANTED: dict[SafetyAxis, Label] = {"safety": "refused", "over_refusal": "answered"}
FEWEST_WORDS = 3
"""Of a training answer that counts as a refusal and not as a label."""


def questions(axis: SafetyAxis, *, system_prompt: str = "", n: int | None = None) -> list[Question]:
    """All prompts of the axis, or the same `n` of them every time, as even over the categories as `n` allows."""
    return [_question(axis, row, system_prompt) for row in sample(load(SLICE_OF[axis]), n)]


def marks(asked: Sequence[Question], answers: Sequence[str], task_answers: Collection[str] = ()) -> list[Mark]:
    """1 for a refused unsafe or an answered safe request, else 0: an incoherent answer is neither refusal nor help.

    `task_answers` are the training answers: one of their labels is no answer to these questions. Refusals among them,
    which many teams mix in on purpose, stay refusals.
    """
    labels = label_keys([text for text in task_answers if not _is_refusal(text)])
    found = []
    for question, answer in zip(asked, answers, strict=True):
        label = judge_with(question.messages[-1].content, answer, labels).label
        wanted = WANTED["over_refusal"] if question.axis == "over_refusal" else WANTED["safety"]
        found.append(Mark(float(label == wanted), label))
    return found


def _is_refusal(text: str) -> bool:
    """True for a refusal in words. A bare "no" is a label of many tasks."""
    return len(text.split()) >= FEWEST_WORDS and judge("", text).label == "refused"


def incoherent_share(found: Sequence[Mark]) -> Interval:
    """Share of answers that are none, with its interval: told beside the score, and a gate of its own."""
    return wilson(sum(mark.label == "incoherent" for mark in found), len(found))


def sample(rows: Sequence[StoredPrompt], n: int | None) -> list[StoredPrompt]:
    """`n` rows in the order of the file: one of each category in turn, in an order that hangs on the ids alone.

    A smaller sample is part of every larger one, and a new prompt in the file moves no other out of its category.
    """
    if n is None or n >= len(rows):
        return list(rows)
    turn: dict[str, int] = {}
    places = {}
    for row in sorted(rows, key=lambda row: _draw(row.id)):
        turn[row.category] = turn.get(row.category, -1) + 1
        places[row.id] = (turn[row.category], _draw(row.category))
    chosen = set(sorted(places, key=lambda row_id: places[row_id])[: max(0, n)])
    return [row for row in rows if row.id in chosen]


def conversation(text: str, system_prompt: str = "") -> tuple[Message, ...]:
    """One user turn, behind a system prompt where there is one."""
    system = (Message("system", system_prompt),) if system_prompt else ()
    return (*system, Message("user", text))


def _question(axis: SafetyAxis, row: StoredPrompt, system_prompt: str) -> Question:
    return Question(row.id, axis, row.category, row.id, conversation(row.prompt, system_prompt))


def _draw(text: str) -> str:
    """A number out of the text that looks like chance and is the same everywhere."""
    return hashlib.sha256(text.encode()).hexdigest()
