"""Held-out rows as questions to chat with: nobody has to think of a prompt, and the right answer is known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from core.errors import BadInput, TuneworthyError
from core.jobspec import JobSpec
from core.paths import is_file
from dataset.read import read

MOST_ROWS = 200
MOST_BYTES = 64 << 20
TITLE_CHARACTERS = 90


@dataclass(frozen=True)
class Question:
    """A held-out row with one question and its right answer."""

    line: int
    system: str
    prompt: str
    expected: str

    @property
    def title(self) -> str:
        """Its first words."""
        words = " ".join(self.prompt.split())
        return words if len(words) <= TITLE_CHARACTERS else f"{words[: TITLE_CHARACTERS - 3]}..."


def questions(spec: JobSpec) -> tuple[Question, ...]:
    """The first held-out rows of a job, or its validation rows; none where its files cannot be read."""
    for path in (spec.test, spec.validation):
        if path and _is_there(path):
            columns = tuple(spec.inputs) if spec.inputs else None
            changed_ns = Path(path).stat().st_mtime_ns
            return _read(path, changed_ns, columns, spec.output, spec.records, spec.system_prompt, spec.template)
    return ()


def _is_there(path: str) -> bool:
    try:
        return is_file(Path(path))
    except BadInput:
        return False


@lru_cache(maxsize=8)
def _read(
    path: str,
    _changed_ns: int,
    inputs: tuple[str, ...] | None,
    output: str | None,
    records: str | None,
    system_prompt: str | None,
    template: str | None,
) -> tuple[Question, ...]:
    try:
        rows = read(
            Path(path),
            inputs=list(inputs) if inputs else None,
            output=output,
            records=records,
            system_prompt=system_prompt,
            template=template,
            max_bytes=MOST_BYTES,
        ).rows
    except TuneworthyError:
        return ()
    found = []
    for row in rows[:MOST_ROWS]:
        system = "\n".join(message.content for message in row.asked if message.role == "system")
        if row.user_text and row.answer:
            found.append(Question(row.line, system, row.user_text, row.answer))
    return tuple(found)
