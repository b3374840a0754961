"""Turns out of the lists that chats are written as, by hosts and by ShareGPT; what is no text becomes one.

A tool call reads as JSON text, a picture as a short marker that tells pictures apart; both are counted by
`beyond_text`, so that somebody is told.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from dataset.row import Message

_ROLES = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "assistant": "assistant",
    "system": "system",
}
_SHARED = {
    **{role: role for role in ("system", "user", "assistant", "tool", "function")},
    "developer": "system",
}
"""One object for all roles of one name: a million rows hold two million of them."""
_MARKERS = {
    **{"image_url": "image", "image": "image", "input_image": "image", "input_audio": "audio", "audio": "audio"},
    **{"file": "file", "input_file": "file", "video": "video", "video_url": "video"},
}


class NotThisShape(Exception):
    """A record that has the right keys and the wrong values; the message says what is wrong with it."""


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
            role = _ROLES.get(role.lower(), role) if isinstance(role, str) else role
            content = turn.get("value")
        elif "role" in turn:
            role, content = turn["role"], turn.get("content")
        else:
            raise NotThisShape(f"has a turn {number} without a role")
        if not isinstance(role, str):
            raise NotThisShape(f"has a turn {number} whose role is not a text")
        text = content if isinstance(content, str) else _content(content, role, number)
        if role == "assistant" and (len(turn) > 2 or not isinstance(content, str)):
            text = _with_calls(text, turn, number)
        role = _SHARED.get(role, role)
        # What the user says is never learned: there a weight says nothing.
        turns.append(Message(role, text, role in ("user", "system") or turn.get("weight", 1) != 0))
    return tuple(turns)


def beyond_text(value: Any) -> tuple[int, int]:
    """(pictures and other parts that are no text, tool calls) in a list of turns that `chat_turns` could read."""
    parts = calls = 0
    for turn in value if isinstance(value, list) else ():
        content = turn.get("content")
        if isinstance(content, list):
            parts += sum(_marker(part) is not None for part in content)
        if turn.get("role") == "assistant" and (len(turn) > 2 or not isinstance(content, str)):
            calls += len(_calls(turn, 0))
    return parts, calls


def _content(content: Any, role: str, number: int) -> str:
    if content is None:
        return ""
    if not isinstance(content, list):
        raise NotThisShape(f"has a turn {number} whose content is not text")
    return "".join(_part(part, role, number) for part in content)


def _part(part: Any, role: str, number: int) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, dict):
        for key in ("text", "refusal"):
            if isinstance(part.get(key), str):
                return str(part[key])
        marker = _marker(part)
        if marker and role == "assistant":
            raise NotThisShape(f"has {'an' if marker[0] in 'ai' else 'a'} {marker} in turn {number}, an answer")
        if marker:
            told = json.dumps(part, sort_keys=True).encode()
            return f"[{marker} {hashlib.blake2b(told, digest_size=4).hexdigest()}]"
    raise NotThisShape(f"has a turn {number} with a part that is not text")


def _marker(part: Any) -> str | None:
    kind = part.get("type") if isinstance(part, dict) else None
    return _MARKERS.get(kind) if isinstance(kind, str) and not isinstance(part.get("text"), str) else None


def _with_calls(text: str, turn: Mapping[str, Any], number: int) -> str:
    calls = [_call_text(call) for call in _calls(turn, number)]
    if not text and isinstance(turn.get("refusal"), str):
        text = str(turn["refusal"])
    return "\n".join([text, *calls] if text else calls)


def _calls(turn: Mapping[str, Any], number: int) -> list[dict[str, Any]]:
    calls = turn.get("tool_calls")
    if calls is None:
        calls = [turn["function_call"]] if turn.get("function_call") is not None else []
    if not isinstance(calls, list) or not all(isinstance(call, dict) for call in calls):
        raise NotThisShape(f"has a turn {number} whose tool calls are not a list of objects")
    return calls


def _call_text(call: Mapping[str, Any]) -> str:
    """`{"name": "find", "arguments": {"id": 7}}`: name and arguments, without the id that only a host needs."""
    inner = next((call[key] for key in ("function", "custom") if isinstance(call.get(key), dict)), call)
    name, arguments = inner.get("name", ""), inner.get("arguments", inner.get("input", ""))
    # Hosts write arguments as JSON within a text; they are taken as they stand, never parsed.
    told = isinstance(arguments, str) and arguments.lstrip().startswith("{")
    text = arguments.strip() if told else json.dumps(arguments, ensure_ascii=False)
    return f'{{"name": {json.dumps(name, ensure_ascii=False)}, "arguments": {text}}}'
