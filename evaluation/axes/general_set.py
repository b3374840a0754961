"""Multiple-choice sets of others as questions: MMLU, ARC, HellaSwag, TruthfulQA, or a file of one's own.

`general_set:` in a spec names a file: JSON lines, a JSON list or CSV. Known layouts, by their columns:

| columns | whose |
|---|---|
| `question`, `choices` (a list), `answer` (index, letter or text) | one's own, MMLU on the hub |
| `question`, `choices` {`text`, `label`}, `answerKey` | ARC |
| `query`, `choices`, `gold` | ARC and others as lm-eval's older files hold them |
| `ctx`, `endings`, `label` | HellaSwag |
| six lines a question in a `.txt`: context, index, four endings | HellaSwag as plain text |
| `question`, `choice0` ..., `answer` | MMLU as CSV with a header |
| `Question`, `Best Answer`, `Incorrect Answers` (parted by `;`) | TruthfulQA: one right choice against all wrong ones |
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import BadInput, NotFound
from evaluation.axes.knowledge import choice_question
from evaluation.axes.question import Question

MAX_BYTES = 256 << 20
MAX_QUESTIONS = 100_000
SIX = 6
"""Lines of a question in plain text."""
_MOST_LEFT_OUT = 0.2
_COLUMNS = "Give the columns `question`, `choices` and `answer`."
_PARTS = ("subject", "category", "activity_label", "Category")
_ASKED_BEFORE = "Question: "


@dataclass(frozen=True)
class GeneralSet:
    """What a file holds."""

    questions: list[Question]
    left_out: list[int]
    """Lines that cannot be asked: no answer, an empty choice, or the same choice twice."""


def general_set(path: Path) -> GeneralSet:
    """The questions of a file. Raises `NotFound`, or `BadInput` where over a fifth of its rows cannot be asked."""
    if not path.is_file():
        raise NotFound(f"no file at {path}.", "Check `general_set`.")
    if path.stat().st_size > MAX_BYTES:
        raise BadInput("is larger than 256 MiB.", "Give a part of it.", file=str(path))
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput("is not UTF-8 text.", "Save it as UTF-8.", file=str(path)) from error
    found: list[Question] = []
    left_out: list[int] = []
    for line, row in _rows(path, text):
        question = _question(path, line, row)
        if question is None:
            left_out.append(line)
        else:
            found.append(question)
        if len(found) + len(left_out) > MAX_QUESTIONS:
            raise BadInput(f"holds more than {MAX_QUESTIONS:,} rows.", "Give a part of it.", file=str(path))
    if len(left_out) > _MOST_LEFT_OUT * (len(found) + len(left_out)):
        raise BadInput("is not a question with choices and an answer.", _COLUMNS, file=str(path), line=left_out[0])
    if not found:
        raise BadInput("holds no questions.", _COLUMNS, file=str(path))
    return GeneralSet(found, left_out)


def _rows(path: Path, text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """`(1-based line or record, its fields)`."""
    if path.suffix == ".txt":
        lines = text.splitlines()
        for start in range(0, len(lines) - SIX + 1, SIX):
            context, label, *endings = lines[start : start + SIX]
            yield start + 1, {"ctx": context, "label": label, "endings": endings}
    elif text.lstrip()[:1] == "[":
        for number, value in enumerate(_json(path, text, 1), 1):
            yield number, value if isinstance(value, dict) else {}
    elif text.lstrip()[:1] == "{":
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip():
                value = _json(path, line, number)
                yield number, value if isinstance(value, dict) else {}
    else:
        reader = csv.DictReader(io.StringIO(text, newline=""))
        try:
            for row in reader:
                yield reader.line_num, {str(name): value for name, value in row.items()}
        except csv.Error as error:
            raise BadInput(f"is not CSV: {error}.", _COLUMNS, file=str(path), line=reader.line_num) from error


def _json(path: Path, text: str, line: int) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput("is not JSON.", _COLUMNS, file=str(path), line=line) from error


def _question(path: Path, line: int, row: Mapping[str, Any]) -> Question | None:
    """One row as a question; None where it is none."""
    asked = next((row[name] for name in ("question", "Question", "query", "ctx") if row.get(name)), None)
    choices, right = _choices(row)
    sound = isinstance(asked, str) and len(choices) >= 2 and right is not None and 0 <= right < len(choices)
    if not sound or not all(choice.strip() for choice in choices) or len(set(choices)) < len(choices):
        return None
    words = str(asked).strip().removeprefix(_ASKED_BEFORE)
    part = next((str(row[name]) for name in _PARTS if row.get(name)), path.stem)
    name = f"{path.stem}-{line}"
    if "ctx" in row:
        # A beginning that is gone on with, not a question.
        return Question(
            id=name, axis="knowledge", part=part, cluster=name, text=words,
            choices=tuple(f" {choice.strip()}" for choice in choices), right=right or 0, expected=choices[right or 0],
        )  # fmt: skip
    return choice_question(name, part, words, [choice.strip() for choice in choices], right or 0)


def _choices(row: Mapping[str, Any]) -> tuple[list[str], int | None]:
    """The choices and which is right; None where that cannot be told."""
    if row.get("Best Answer"):
        wrong = str(row.get("Incorrect Answers") or "").split(";")
        return [str(row["Best Answer"]), *(choice for choice in map(str.strip, wrong) if choice)], 0
    given = row.get("choices") or row.get("endings")
    labels: list[str] = []
    if isinstance(given, dict):
        told = given.get("label")
        labels = [str(label) for label in told] if isinstance(told, list) else []
        given = given.get("text")
    in_columns = given is None
    if given is None:
        given = [row[name] for name in (f"choice{at}" for at in range(26)) if row.get(name) is not None]
        while given and given[-1] == "":
            given.pop()
    if not isinstance(given, list) or not all(isinstance(choice, str | int | float) for choice in given):
        return [], None
    choices = [str(choice) for choice in given]
    told = next(
        (row[name] for name in ("answer", "answerKey", "gold", "label") if row.get(name) not in (None, "")), None
    )
    if isinstance(told, str) and told in choices and not in_columns:
        # A text that is one of the choices; in a table everything is text, and a number there is an index.
        return choices, choices.index(told)
    return choices, _place(told, choices, labels)


def _place(told: Any, choices: list[str], labels: list[str]) -> int | None:
    """Which choice an index, a letter or the words of the answer mean."""
    words = str(told).strip()
    if words in labels:
        return labels.index(words)
    if words.isascii() and words.isdigit():
        return int(words)
    if len(words) == 1 and words.isascii() and words.isalpha():
        return ord(words.upper()) - ord("A")
    return choices.index(words) if words in choices else None
