"""The best prompt that we can write for the base: what tuning has to beat.

Candidates are built from the training rows, chosen on validation rows, and never see a test row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from core.errors import TuneworthyError
from dataset.row import Message, Row
from evaluation.instructions import instruction

Encode = Callable[[list[Message]], list[int]]
"""A conversation as token ids, ready for the answer."""
MAX_NEAREST = 3
"""Nearest examples differ from row to row, so their tokens cannot be shared: fewer of them, better chosen."""


@dataclass(frozen=True)
class Recipe:
    """One way to prompt."""

    name: str
    instruction: str
    examples: Literal["none", "fixed", "nearest"]
    k: int

    @property
    def words(self) -> str:
        """For people."""
        if self.examples == "none":
            return "instruction only"
        kind = "fixed" if self.examples == "fixed" else "nearest"
        return f"instruction and {self.k} {kind} example{'s' if self.k != 1 else ''}"


def recipes(train: Sequence[Row], k: int) -> list[Recipe]:
    """The candidates: told only, told with `k` fixed diverse examples, told with the nearest ones."""
    answers = [row.answer for row in train]
    told, alone = instruction(answers, examples=True), instruction(answers, examples=False)
    found = [Recipe("told", alone, "none", 0)] if alone else []
    fixed, nearest = min(k, len(train)), min(k, MAX_NEAREST, len(train))
    if fixed:
        found.append(Recipe(f"fixed_{fixed}", told, "fixed", fixed))
        found.append(Recipe(f"nearest_{nearest}", told, "nearest", nearest))
    return found


class Prompter:
    """Writes prompts after a recipe, within the model's context."""

    def __init__(self, train: Sequence[Row], encode: Encode, room_tokens: int) -> None:
        self.train = list(train)
        self.encode = encode
        self.room_tokens = room_tokens
        self._index: tuple[Any, Any] | None = None

    def prompts(self, recipe: Recipe, rows: Sequence[Row]) -> list[list[int]]:
        """Token ids for each row. Examples are dropped, the least fitting first, until a prompt fits the context."""
        chosen = self.examples(recipe, rows)
        return [self._fitted(recipe, row, examples) for row, examples in zip(rows, chosen, strict=True)]

    def examples(self, recipe: Recipe, rows: Sequence[Row]) -> list[list[Row]]:
        """The examples for each row, the most fitting last: next to the question."""
        if recipe.examples == "none" or not self.train:
            return [[] for _ in rows]
        if recipe.examples == "fixed":
            fixed = [self.train[at] for at in self._diverse(recipe.k)]
            return [fixed for _ in rows]
        return [[self.train[at] for at in reversed(best)] for best in self._nearest(rows, recipe.k)]

    def _fitted(self, recipe: Recipe, row: Row, examples: list[Row]) -> list[int]:
        for skipped in range(len(examples) + 1):
            ids = self._encoded(recipe.instruction, row, examples[skipped:])
            if len(ids) <= self.room_tokens:
                break
        return ids

    def _encoded(self, told: str, row: Row, examples: list[Row]) -> list[int]:
        try:
            return self.encode(conversation(told, row, examples))
        except TuneworthyError:
            # Some templates know no system turn: there the instruction stands in the first user turn.
            return self.encode(conversation(told, row, examples, system=False))

    def _nearest(self, rows: Sequence[Row], k: int) -> list[list[int]]:
        import numpy as np

        vectorizer, known = self._indexed()
        found: list[list[int]] = []
        for start in range(0, len(rows), 256):
            asked = vectorizer.transform([row.user_text for row in rows[start : start + 256]])
            likeness = (asked @ known.T).toarray()
            # Stable, so that equal likeness falls to the earlier row on every machine.
            found += [[int(at) for at in order[:k]] for order in np.argsort(-likeness, axis=1, kind="stable")]
        return found

    def _diverse(self, k: int) -> list[int]:
        """Farthest-first: the row most like all others, then each time the one least like those taken (Gonzalez 1985).

        Labels that have no example yet go first, so that each of the frequent ones is shown.
        """
        import numpy as np

        _, known = self._indexed()
        centre = np.asarray(known.mean(axis=0)).ravel()
        closest = np.zeros(len(self.train))
        taken: list[int] = []
        while len(taken) < min(k, len(self.train)):
            preference = -closest if taken else known @ centre
            shown = {self.train[at].answer for at in taken}
            repeated = np.array([row.answer in shown for row in self.train])
            preference = preference - 2.0 * repeated
            preference[taken] = -np.inf
            at = int(np.argmax(preference))
            taken.append(at)
            closest = np.maximum(closest, (known @ known[[at]].T).toarray().ravel())
        return taken

    def _indexed(self) -> tuple[Any, Any]:
        if self._index is None:
            from sklearn.feature_extraction.text import TfidfVectorizer

            vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b|\S")
            self._index = (vectorizer, vectorizer.fit_transform([row.user_text or " ." for row in self.train]).tocsr())
        return self._index


def conversation(told: str, row: Row, examples: Sequence[Row], system: bool = True) -> list[Message]:
    """System turn with the instruction, the examples as turns of their own, then the question.

    With `system` false nothing is said in a system turn: its words lead the first user turn.
    """
    first = next((message.content for message in row.asked if message.role == "system"), "")
    lead = "\n\n".join(part for part in (first, told) if part)
    turns = [message for example in examples for message in example.messages if message.role != "system"]
    turns += [message for message in row.asked if message.role != "system"]
    if not lead:
        return turns
    if system:
        return [Message("system", lead), *turns]
    return [Message(turns[0].role, f"{lead}\n\n{turns[0].content}"), *turns[1:]]
