"""The formats of one record, told by its keys, and how each becomes turns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import BadInput
from dataset.fields import as_text, dig
from dataset.preference import FORMAT as PREFERENCE
from dataset.preference import USED as PREFERENCE_USED
from dataset.preference import is_preference, preference_turns
from dataset.prompt_template import PromptTemplate
from dataset.row import Message
from dataset.turns import NotThisShape, chat_turns

# Usual names, the surer ones first.
INPUT_NAMES = (
    *("text", "utterance", "question", "query", "prompt", "instruction", "input", "inputs", "message", "sentence"),
    *("content", "user", "request", "source", "document", "article", "review", "comment", "email", "ticket_text"),
    *("description", "body", "passage", "title", "context"),
)
OUTPUT_NAMES = (
    *("label", "intent", "category", "class", "classification", "topic", "sentiment", "tag", "completion", "output"),
    *("outputs", "response", "sql", "answer", "answers", "assistant", "reply", "target", "summary", "translation"),
    *("ticket", "json", "result", "expected", "labels"),
)
_PAIRS = (
    ("prompt_completion", "prompt", ("completion",)),
    ("instruction", "instruction", ("output", "response", "completion", "answer")),
    ("question_answer", "question", ("sql", "answer", "query", "response")),
    ("text_label", "text", ("label",)),
    ("input_output", "input", ("output",)),
)
LABEL_NAMES = frozenset(OUTPUT_NAMES[:8])


@dataclass(frozen=True, slots=True)
class Shape:
    """A format and its way to turns."""

    format: str
    turns: Callable[[Mapping[str, Any]], tuple[Message, ...]]
    used: frozenset[str]
    """Keys that become turns; the others are kept as `Row.extra`."""
    chat: str = ""
    """Where the list of turns is, if there is one."""


def shape_of(fields: Mapping[str, Any]) -> Shape | None:
    """The shape of a record by its keys; None when they say nothing."""
    keys = fields.keys()
    if is_preference(fields):
        return Shape(PREFERENCE, preference_turns, PREFERENCE_USED, chat="input.messages")
    for key in ("messages", "conversations", "conversation"):
        if key in keys and "chosen" not in keys:
            return _chat(key)
    for format_name, source, outputs in _PAIRS:
        output = next((name for name in outputs if name in keys), None) if source in keys else None
        if output is not None:
            second = next((name for name in ("input", "context") if name in keys and name != source), None)
            if format_name == "instruction":
                return _instruction(second, output)
            with_context = format_name == "question_answer" and second == "context"
            return _flat(format_name, [source, "context"] if with_context else [source], output)
    plain = [
        key for key, value in fields.items() if not (isinstance(value, list) and value and isinstance(value[0], dict))
    ]
    guessed = guess_columns(plain)
    if guessed is None:
        return None
    return _flat("text_label" if guessed[1].lower() in LABEL_NAMES else "input_output", *guessed)


def guess_columns(columns: Sequence[str]) -> tuple[list[str], str] | None:
    """(input columns, output column) by the usual names, or None. With two columns one known name is enough."""
    by_name = {column.strip().lower().replace(" ", "_"): column for column in reversed(columns)}
    source = next((by_name[name] for name in INPUT_NAMES if name in by_name), None)
    target = next((by_name[name] for name in OUTPUT_NAMES if name in by_name and by_name[name] != source), None)
    if len(columns) == 2:
        if source and not target:
            target = next(column for column in columns if column != source)
        elif target and not source:
            source = next(column for column in columns if column != target)
    return ([source], target) if source and target else None


def choose(
    columns: Sequence[str], inputs: list[str] | None, output: str | None, template: PromptTemplate | None, *, file: str
) -> tuple[list[str], str] | None:
    """(inputs, output) of what somebody chose, the missing half guessed; None where nothing was chosen.

    Raises `BadInput` for a column that is not there.
    """
    inputs = template.columns if template else inputs
    if not inputs and not output:
        return None
    shown = ", ".join(columns[:30]) or "none"
    for name in [*(inputs or []), *([output] if output else [])]:
        if not any(name == column or column.startswith(f"{name}.") or _below(name, column) for column in columns):
            raise BadInput(f"has no column `{name[:80]}`.", f"It has: {shown}.", file=file)
    others = [column for column in columns if column != output and column not in (inputs or [])]
    guess = guess_columns(columns)
    inputs = inputs or (guess[0] if guess and guess[0] != [output] else others[:1])
    output = output or (guess[1] if guess and guess[1] not in inputs else None)
    output = output or (others[0] if len(others) == 1 else None)
    if not inputs or not output:
        raise BadInput(f"needs an {'output' if inputs else 'input'} column too.", f"It has: {shown}.", file=file)
    return inputs, output


def _below(name: str, column: str) -> bool:
    """`turns.0.value` is a path below the column `turns`."""
    return name.startswith(f"{column}.")


def mapped(format_name: str, inputs: Sequence[str], output: str, template: PromptTemplate | None = None) -> Shape:
    """A shape that somebody chose: input columns joined line by line or put into a template, and the answer's."""
    if template is None:
        return _flat(format_name, list(inputs), output)

    def turns(record: Mapping[str, Any]) -> tuple[Message, ...]:
        return _pair(template.fill(record), dig(record, output))

    return Shape(format_name, turns, frozenset([*inputs, output]))


def _chat(key: str) -> Shape:
    def turns(record: Mapping[str, Any]) -> tuple[Message, ...]:
        if isinstance(record.get("label"), bool):
            raise NotThisShape("carries a verdict (label true or false): preference data, not examples to learn")
        found = chat_turns(record[key])
        system = record.get("system") if key != "messages" else None
        if isinstance(system, str) and system and not any(turn.role == "system" for turn in found):
            return (Message("system", system), *found)
        return found

    return Shape("openai_chat" if key == "messages" else "sharegpt", turns, frozenset({key, "system"}), chat=key)


def _flat(format_name: str, inputs: list[str], output: str) -> Shape:
    def turns(record: Mapping[str, Any]) -> tuple[Message, ...]:
        asked = [as_text(dig(record, name)) for name in inputs]
        return _pair("\n".join(part for part in asked if part), dig(record, output))

    return Shape(format_name, turns, frozenset([*inputs, output]))


def _instruction(second: str | None, output: str) -> Shape:
    def turns(record: Mapping[str, Any]) -> tuple[Message, ...]:
        asked = [as_text(record["instruction"]), as_text(record.get(second)) if second else ""]
        system = as_text(record.get("system"))
        first = (Message("system", system),) if system else ()
        return (*first, *_pair("\n\n".join(part for part in asked if part), record[output]))

    return Shape("instruction", turns, frozenset({"instruction", "system", output, second or output}))


def _pair(asked: str, answer: Any) -> tuple[Message, ...]:
    question = Message("user", asked)
    return (question,) if answer is None else (question, Message("assistant", as_text(answer)))
