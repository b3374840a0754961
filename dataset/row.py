"""One example: the turns of a conversation, and where it stood in the original file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

NOTHING: Mapping[str, Any] = {}


class Extra(Mapping[str, Any]):
    """A few named values in a third of a dict's memory: rows of one make share one tuple of names."""

    __slots__ = ("_names", "_values")

    def __init__(self, names: tuple[str, ...], values: tuple[Any, ...]) -> None:
        self._names = names
        self._values = values

    def __getitem__(self, name: str) -> Any:
        try:
            return self._values[self._names.index(name)]
        except ValueError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return repr(dict(self))


@dataclass(frozen=True, slots=True)
class Message:
    """One turn."""

    role: str
    """system, user or assistant; anything else is kept as found and reported."""
    content: str
    learned: bool = True
    """False for an assistant turn that the file marks with weight 0: it is shown to the model and not learned."""


@dataclass(frozen=True, slots=True)
class Row:
    """One example. Frozen: whoever wants another one makes another one."""

    messages: tuple[Message, ...]
    line: int
    """1-based line in the original; for a JSON document the number of the record."""
    extra: Mapping[str, Any] = field(default_factory=lambda: NOTHING, compare=False)
    """Columns that are neither input nor output: a customer or document id to group by, for example."""

    @property
    def asked(self) -> tuple[Message, ...]:
        """The turns before the answer: all but a last assistant turn."""
        if self.messages and self.messages[-1].role == "assistant":
            return self.messages[:-1]
        return self.messages

    @property
    def input_text(self) -> str:
        """What inputs are compared by: the system and user turns before the last message."""
        return "\n".join(message.content for message in self.asked if message.role in ("system", "user"))

    @property
    def user_text(self) -> str:
        """What near duplicates are compared by: the user turns alone, so that a shared system prompt counts nothing."""
        return "\n".join(message.content for message in self.asked if message.role == "user")

    @property
    def answer(self) -> str:
        """The last message, if it is the assistant's; else an empty string."""
        if self.messages and self.messages[-1].role == "assistant":
            return self.messages[-1].content
        return ""

    @property
    def text(self) -> str:
        """All turns, one below the other."""
        return "\n".join(message.content for message in self.messages)
