"""The formats of one record, told by its keys, and how each becomes turns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dataset.fields import as_text, dig
from dataset.row import Message

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
_SHAREGPT_ROLES = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "assistant": "assistant",
    "system": "system",
}


class NotThisShape(Exception):
    """A record that has the right keys and the wrong values; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A format and its way to turns."""

    format: str
    turns: Callable[[Mapping[str, Any]], tuple[Message, ...]]
    used: frozenset[str]
    """Keys that become turns; the others are kept as `Row.extra`."""


def shape_of(fields: Mapping[str, Any]) -> Shape | None:
    """The shape of a record by its keys; None when they say nothing."""
    keys = fields.keys()
    for key in ("messages", "conversations", "conversation"):
        if key in keys and "chosen" not in keys:
            return _chat(key)
    if {"chosen", "rejected"} <= keys:
        return Shape("preference", _refuse_preference, frozenset())
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


def mapped(format_name: str, inputs: Sequence[str], output: str) -> Shape:
    """A shape that somebody chose: input columns are joined line by line, the output column is the answer."""
    return _flat(format_name, list(inputs), output)


def chat_turns(value: Any) -> tuple[Message, ...]:
    """Turns from a list of {role, content} or {from, value}. Raises `NotThisShape`."""
    if not isinstance(value, list):
        raise NotThisShape("has turns that are not a list")
    turns = []
    for number, turn in enumerate(value, 1):
        if not isinstance(turn, dict):
            raise NotThisShape(f"has a turn {number} that is not an object")
        if "from" in turn:
            role = turn["from"]
            role = _SHAREGPT_ROLES.get(role.lower(), role) if isinstance(role, str) else role
            content = turn.get("value")
        elif "role" in turn:
            role, content = turn["role"], turn.get("content")
        else:
            raise NotThisShape(f"has a turn {number} without a role")
        if not isinstance(role, str):
            raise NotThisShape(f"has a turn {number} whose role is not a text")
        learned = turn.get("weight", 1) != 0
        turns.append(Message("system" if role == "developer" else role, _content(content, number), learned))
    return tuple(turns)


def _content(content: Any, number: int) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = [part.get("text") if isinstance(part, dict) else part for part in content]
        texts = [part for part in parts if isinstance(part, str)]
        if len(texts) < len(parts):
            raise NotThisShape(f"has a turn {number} with a part that is not text")
        return "".join(texts)
    if content is None:
        return ""
    raise NotThisShape(f"has a turn {number} whose content is not text")


def _chat(key: str) -> Shape:
    def turns(record: Mapping[str, Any]) -> tuple[Message, ...]:
        if isinstance(record.get("label"), bool):
            raise NotThisShape("carries a verdict (label true or false): preference data, not examples to learn")
        found = chat_turns(record[key])
        system = record.get("system") if key != "messages" else None
        if isinstance(system, str) and system and not any(turn.role == "system" for turn in found):
            return (Message("system", system), *found)
        return found

    return Shape("openai_chat" if key == "messages" else "sharegpt", turns, frozenset({key, "system"}))


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


def _refuse_preference(_record: Mapping[str, Any]) -> tuple[Message, ...]:
    raise NotThisShape("holds a preference pair (chosen and rejected), which this release does not train on")
