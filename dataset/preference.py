"""Preference pairs: one prompt, an answer that was preferred and one that was not.

They read as rows whose answer is the preferred one, so that every check can look at them; the other answer is kept
in `Row.extra`. Plain training does not take them: `Dataset.usable` refuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataset.row import Message
from dataset.turns import NotThisShape, chat_turns

FORMAT = "preference"
REJECTED = "rejected"
"""The key of `Row.extra` that holds the text of the answer that was not preferred."""
_PROMPTS = ("prompt", "question", "instruction", "input", "messages", "conversations", "conversation")
USED = frozenset((*_PROMPTS, "system", "chosen", "rejected", "preferred_output", "non_preferred_output"))


def is_preference(keys: Mapping[str, Any]) -> bool:
    """True for records with both answers, in either of the usual spellings."""
    return {"chosen", "rejected"} <= keys.keys() or {"preferred_output", "non_preferred_output"} <= keys.keys()


def preference_turns(record: Mapping[str, Any]) -> tuple[Message, ...]:
    """The prompt's turns and the preferred answer. Raises `NotThisShape`."""
    return _conversation(record, "preferred_output" if "preferred_output" in record else "chosen")


def rejected_text(record: Mapping[str, Any]) -> str:
    """The answer that was not preferred; empty where it cannot be read."""
    try:
        turns = _conversation(record, "non_preferred_output" if "non_preferred_output" in record else "rejected")
    except NotThisShape:
        return ""
    return turns[-1].content if turns and turns[-1].role == "assistant" else ""


def _conversation(record: Mapping[str, Any], key: str) -> tuple[Message, ...]:
    given = record[key]
    if isinstance(given, str):
        answer: tuple[Message, ...] = (Message("assistant", given),)
    else:
        answer = chat_turns([given] if isinstance(given, dict) else given)
    if answer and answer[0].role != "assistant":
        return answer  # the whole conversation, prompt and all
    return (*_asked(record), *answer)


def _asked(record: Mapping[str, Any]) -> tuple[Message, ...]:
    name = next((name for name in _PROMPTS if record.get(name)), None)
    value = record[name] if name else None
    if isinstance(value, dict):
        value = value.get("messages")
    if not value:
        raise NotThisShape("holds a preference pair without a prompt")
    turns = (Message("user", value),) if isinstance(value, str) else chat_turns(value)
    system = record.get("system")
    if isinstance(system, str) and system and not any(turn.role == "system" for turn in turns):
        return (Message("system", system), *turns)
    return turns
