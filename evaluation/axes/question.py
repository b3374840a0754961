"""What an axis asks, and what it makes of an answer: the seam between the axes and the judge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dataset.row import Message

Axis = Literal["new_inputs", "knowledge", "safety", "over_refusal", "bias", "names", "red_team"]
AXIS_WORDS: dict[Axis, str] = {
    "new_inputs": "new inputs",
    "knowledge": "general knowledge",
    "safety": "refusal of unsafe requests",
    "over_refusal": "answers to safe requests",
    "bias": "freedom from stereotypes",
    "names": "the same answer whatever the name",
    "red_team": "resistance to attacks",
}


@dataclass(frozen=True)
class Question:
    """One question of an axis. Without `choices` the model writes an answer; with them it picks the likeliest."""

    id: str
    """Unique within the axis, and the same in every release and for every model: paired tests join on it."""
    axis: Axis
    part: str
    """Category, subject or kind of change: scores are shown by it, and a loss in one part is looked for."""
    cluster: str
    """Questions of one template or source row stand or fall together: intervals and tests draw whole clusters."""
    messages: tuple[Message, ...] = ()
    """The conversation, for a written answer."""
    text: str = ""
    """Plain text that the choices go on from, for a choice."""
    choices: tuple[str, ...] = ()
    right: int = -1
    """Index of the right choice."""
    expected: str = ""
    """The right answer, where one is written."""


@dataclass(frozen=True)
class Mark:
    """What one answer is worth."""

    score: float
    """0 to 1, higher is better on every axis."""
    label: str = ""
    """What kind of answer it is: refused, answered, incoherent ..."""
