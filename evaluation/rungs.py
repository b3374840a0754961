"""The rungs of a tournament before tuning: from an instruction alone to answers that cannot leave the wanted form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from dataset.row import Message, Row
from evaluation.best_prompt import MAX_NEAREST, Prompter, Recipe, conversation
from evaluation.bm25 import Bm25
from evaluation.instructions import instruction

RungName = Literal["zero_shot", "few_shot", "retrieval", "constrained"]
SHOTS = (2, 4, 8)
"""Numbers of examples that are tried on the rows set aside for the choice."""
_JSON_SHARE = 0.9


def mostly_json(answers: Sequence[str]) -> bool:
    """True where nine of ten answers look like JSON: then answers can be held to a schema."""
    structured = sum(answer.strip()[:1] in ("{", "[") for answer in answers)
    return bool(answers) and structured >= _JSON_SHARE * len(answers)


@dataclass(frozen=True)
class Prompt:
    """One question with what is said before it. Whoever asks it may drop examples, the least fitting first."""

    told: str
    row: Row
    examples: tuple[Row, ...] = ()

    def turns(self, skipped: int = 0, system: bool = True) -> list[Message]:
        """As a conversation, without the first `skipped` examples."""
        return conversation(self.told, self.row, self.examples[skipped:], system)


@dataclass(frozen=True)
class Rung:
    """One way to ask the model, and the rows that stand as examples in it."""

    name: RungName
    told: str
    shots: int = 0
    schema: dict[str, Any] | None = field(default=None, compare=False)

    @property
    def words(self) -> str:
        """For people, at the start of a sentence or in it."""
        examples = f"{self.shots} example{'s' if self.shots != 1 else ''}"
        if self.name == "zero_shot":
            return "zero-shot" if self.told else "the bare question"
        if self.name == "few_shot":
            return f"few-shot with {examples}"
        if self.name == "retrieval":
            return f"retrieval of {examples}"
        return (
            f"decoding held to the JSON schema, with {examples}" if self.shots else "decoding held to the JSON schema"
        )


class Ladder:
    """The rungs that a task allows, built from its training rows; a held-out row is never looked at."""

    def __init__(self, train: Sequence[Row], schema: dict[str, Any] | None) -> None:
        self.train = [row for row in train if row.asked]
        self.schema = schema
        answers = [row.answer for row in train]
        self.alone = instruction(answers, examples=False) if answers else ""
        self.with_examples = instruction(answers, examples=True) if answers else ""
        self._diverse: dict[int, tuple[Row, ...]] = {}
        self._index: Bm25 | None = None

    def zero_shot(self) -> Rung:
        """The instruction alone."""
        return Rung("zero_shot", self.alone)

    def few_shots(self) -> list[Rung]:
        """The same examples for all, in the numbers that are tried."""
        return [Rung("few_shot", self.with_examples, shots) for shots in SHOTS if shots <= len(self.train)]

    def retrieval(self, shots: int) -> Rung | None:
        """The nearest training rows by BM25 to each question: few, since none is read twice."""
        count = min(shots, MAX_NEAREST, len(self.train))
        return Rung("retrieval", self.with_examples, count) if count else None

    def constrained(self, prompt: Rung) -> Rung | None:
        """A prompt with the answers held to the JSON schema; None for a task that has no such form."""
        return Rung("constrained", prompt.told, prompt.shots, self.schema) if self.schema is not None else None

    def prompts(self, rung: Rung, rows: Sequence[Row]) -> list[Prompt]:
        """What each row is asked with."""
        if rung.name == "retrieval":
            return [Prompt(rung.told, row, self._nearest(row, rung.shots)) for row in rows]
        return [Prompt(rung.told, row, self._same_for_all(rung.shots)) for row in rows]

    def _same_for_all(self, shots: int) -> tuple[Row, ...]:
        if shots and shots not in self._diverse:
            recipe = Recipe(f"fixed_{shots}", self.with_examples, "fixed", shots)
            # Chosen as for the judge's best prompt: unlike each other, the answers evenly.
            chosen = Prompter(self.train, lambda turns: [], 0).examples(recipe, self.train[:1])
            self._diverse[shots] = tuple(chosen[0])
        return self._diverse.get(shots, ())

    def _nearest(self, row: Row, shots: int) -> tuple[Row, ...]:
        if self._index is None:
            self._index = Bm25([each.user_text for each in self.train])
        # The most fitting last: next to the question.
        return tuple(self.train[at] for at in reversed(self._index.best(row.user_text, shots)))
