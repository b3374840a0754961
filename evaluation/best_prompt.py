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

Encode = Callable[[Sequence[Message]], list[int]]
"""A conversation as token ids, ready for the answer."""
MAX_NEAREST = 3
"""Nearest examples differ from row to row, so their tokens cannot be shared: fewer of them, better chosen."""
ROUTES = 4
"""Groups of like questions, each with examples of its own: they are read once for the whole group."""


@dataclass(frozen=True)
class Recipe:
    """One way to prompt."""

    name: str
    instruction: str
    examples: Literal["none", "fixed", "routed", "nearest"]
    k: int

    @property
    def words(self) -> str:
        """For people."""
        if self.examples == "none":
            return "instruction only"
        chosen = {"fixed": "the same for all", "routed": "by group of like questions", "nearest": "by likeness"}
        return f"instruction and {self.k} example{'s' if self.k != 1 else ''}, {chosen[self.examples]}"


def recipes(train: Sequence[Row], k: int, *, nearest: bool = True) -> list[Recipe]:
    """The candidates: told only, and told with examples that are fixed, by group of like questions, or the nearest.

    `nearest` false leaves out the dearest kind, whose examples every row has to read for itself.
    """
    answers = [row.answer for row in train]
    told, alone = instruction(answers, examples=True), instruction(answers, examples=False)
    found = [Recipe("told", alone, "none", 0)] if alone else []
    most = min(k, len(train))
    if most:
        found.append(Recipe(f"fixed_{most}", told, "fixed", most))
    if most and len(train) >= 2 * ROUTES * most:
        found.append(Recipe(f"routed_{most}", told, "routed", most))
    if most and nearest:
        found.append(Recipe(f"nearest_{min(most, MAX_NEAREST)}", told, "nearest", min(most, MAX_NEAREST)))
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
            fixed = [self.train[at] for at in self._diverse(range(len(self.train)), recipe.k)]
            return [fixed for _ in rows]
        if recipe.examples == "routed":
            return self._routed(rows, recipe.k)
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

    def _routed(self, rows: Sequence[Row], k: int) -> list[list[Row]]:
        """Examples of the group of training rows (k-means on TF-IDF) that a question is most like."""
        from sklearn.cluster import KMeans

        vectorizer, known = self._indexed()
        groups = KMeans(n_clusters=ROUTES, n_init=3, random_state=0).fit(known)
        members = [[at for at, label in enumerate(groups.labels_) if label == group] for group in range(ROUTES)]
        examples = [[self.train[at] for at in self._diverse(group, k)] for group in members]
        return [examples[label] for label in groups.predict(vectorizer.transform([row.user_text for row in rows]))]

    def _diverse(self, among: Sequence[int], k: int) -> list[int]:
        """Farthest-first: the row most like all others, then each time the one least like those taken (Gonzalez 1985).

        Answers that have no example yet go first, so that each of the frequent labels is shown.
        """
        import numpy as np

        known = self._indexed()[1][list(among)]
        centre = np.asarray(known.mean(axis=0)).ravel()
        closest = np.zeros(len(among))
        taken: list[int] = []
        while len(taken) < min(k, len(among)):
            preference = -closest if taken else known @ centre
            shown = {self.train[among[at]].answer for at in taken}
            preference = preference - 2.0 * np.array([self.train[at].answer in shown for at in among])
            preference[taken] = -np.inf
            best = int(np.argmax(preference))
            taken.append(best)
            closest = np.maximum(closest, (known @ known[[best]].T).toarray().ravel())
        return [among[at] for at in taken]

    def _indexed(self) -> tuple[Any, Any]:
        if self._index is None:
            from sklearn.feature_extraction.text import TfidfVectorizer

            vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b|\S")
            self._index = (vectorizer, vectorizer.fit_transform([row.user_text or " ." for row in self.train]).tocsr())
        return self._index


def encoded(encode: Encode, messages: Sequence[Message]) -> list[int]:
    """A conversation as ids; where a template knows no system turn, its words lead the first user turn."""
    try:
        return encode(messages)
    except TuneworthyError:
        return encode(conversation("", Row(tuple(messages), 0), (), system=False))


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
