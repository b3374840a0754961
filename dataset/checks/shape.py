"""Is every row an example? Answers, roles, empty turns, and how many there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise

from dataset.finding import Finding, finding, plural
from dataset.row import Row

ROLES = ("system", "user", "assistant")
FEW_ROWS = 100
TOO_FEW_ROWS = 10
_TOOL_ROLES = {"tool", "function", "function_call", "observation"}
USUAL_ROLES = {
    **dict.fromkeys(("assistant", "model", "chatbot", "bot", "gpt", "chatgpt", "ai", "agent"), "assistant"),
    **dict.fromkeys(("user", "human", "customer", "prompter", "client"), "user"),
    **dict.fromkeys(("system", "developer", "instructions"), "system"),
}
"""Roles that other programs write, in lower case, and what they are called here."""
_CASES_SHOWN = 6
_LINES_SHOWN = 3


def unusable(row: Row) -> str | None:
    """Why nothing can be learned from a row, in words; None when something can."""
    unknown = next((message.role for message in row.messages if message.role not in ROLES), None)
    if unknown is not None:
        return f"the role `{unknown[:40]}` is not system, user or assistant"
    if not row.messages or row.messages[-1].role != "assistant":
        return "the last turn is not the assistant's"
    if not row.answer.strip():
        return "the answer is empty"
    if not row.input_text.strip():
        return "the input is empty"
    return None


def check_shape(rows: Sequence[Row]) -> Iterator[Finding]:
    """missing_assistant, bad_roles, empty_text, too_few_examples."""
    yield from _missing_assistant(rows)
    yield from _bad_roles(rows)
    yield from _empty_text(rows)
    if len(rows) < FEW_ROWS:
        few = len(rows) < TOO_FEW_ROWS
        yield finding(
            "too_few_examples",
            "error" if few else "warning",
            [],
            f"There {'is' if len(rows) == 1 else 'are'} {plural(len(rows), 'row')}. "
            + ("That is too few to tune or to judge anything." if few else f"Under {FEW_ROWS}, prompting often wins."),
            f"Collect at least {FEW_ROWS} good rows, or measure a prompt with examples first.",
            count=len(rows),
        )


def _missing_assistant(rows: Sequence[Row]) -> Iterator[Finding]:
    cases: dict[str, list[int]] = {}
    for row in rows:
        if row.messages and row.messages[-1].role == "assistant":
            continue
        if not row.messages:
            case = "without any turn"
        elif any(message.role == "assistant" for message in row.messages):
            case = f"whose last turn is of the role `{row.messages[-1].role[:30]}`, after answers before it"
        elif row.messages[-1].role not in ROLES:
            case = f"whose last turn is of the unknown role `{row.messages[-1].role[:30]}`"
        else:
            case = "without any turn of the assistant"
        cases.setdefault(case, []).append(row.line)
    lines = [line for found in cases.values() for line in found]
    if lines:
        yield finding(
            "missing_assistant",
            "error",
            lines,
            f"{plural(len(lines), 'row')} end{'s' if len(lines) == 1 else ''} without an answer of the assistant: "
            f"{_each_case(cases)}.",
            "Add the answer, take the last question away, or leave the row out.",
        )


def _bad_roles(rows: Sequence[Row]) -> Iterator[Finding]:
    """One finding; its words name each case with its lines. A row counts once, under its worst case."""
    errors: dict[str, list[int]] = {}
    warnings: dict[str, list[int]] = {}
    names: Counter[str] = Counter()
    for row in rows:
        roles = [message.role for message in row.messages]
        unknown = list(dict.fromkeys(role for role in roles if role not in ROLES))
        names.update(unknown)
        twice = next((role for role, after in pairwise(roles) if role == after), None)
        if unknown:
            errors.setdefault(f"with the unknown role `{unknown[0][:30]}`", []).append(row.line)
        elif "system" in roles[1:]:
            errors.setdefault("with a system turn that is not the first", []).append(row.line)
        elif twice is not None:
            warnings.setdefault(f"with the same role twice in a row (`{twice}`)", []).append(row.line)
        elif "user" not in roles:
            warnings.setdefault("without a user turn", []).append(row.line)
    lines = [line for found in (*errors.values(), *warnings.values()) for line in found]
    if lines:
        yield finding(
            "bad_roles",
            "error" if errors else "warning",
            lines,
            f"{plural(len(lines), 'row has', 'rows have')} roles that a chat template may refuse: "
            f"{_each_case({**errors, **warnings})}."
            + (" Tool calls are not trained in this release." if names.keys() & _TOOL_ROLES else ""),
            _role_fix(names, late="with a system turn that is not the first" in errors, joined=bool(warnings)),
        )


def _role_fix(names: Collection[str], *, late: bool, joined: bool) -> str:
    """What to do about each case that was found."""
    renamed = [
        f"`{name[:30]}` to {USUAL_ROLES[name.strip().lower()]}" for name in names if name.strip().lower() in USUAL_ROLES
    ]
    parts = [f"Rename {', '.join(renamed[:5])}."] if renamed else []
    if len(renamed) < len(names):
        parts.append("Use the roles system, user and assistant.")
    if late:
        parts.append("Put the system turn first.")
    if joined:
        parts.append("Join turns of one role, and give every row a user turn.")
    return " ".join(parts)


def _each_case(cases: Mapping[str, Sequence[int]]) -> str:
    """`2 without a user turn (lines 4, 9), ...`, most frequent first."""
    ordered = sorted(cases.items(), key=lambda case: -len(case[1]))
    parts = []
    for words, lines in ordered[:_CASES_SHOWN]:
        shown = ", ".join(map(str, lines[:_LINES_SHOWN])) + (" ..." if len(lines) > _LINES_SHOWN else "")
        parts.append(f"{len(lines):,} {words} ({'line' if len(lines) == 1 else 'lines'} {shown})")
    return ", ".join(parts) + (f" and {len(ordered) - _CASES_SHOWN} more kinds" if len(ordered) > _CASES_SHOWN else "")


def _empty_text(rows: Sequence[Row]) -> Iterator[Finding]:
    cases: dict[str, list[int]] = {}
    answers = 0
    for row in rows:
        empty = [message.role for message in row.messages if not message.content.strip()]
        if empty:
            cases.setdefault(f"of the role `{empty[0][:30]}`", []).append(row.line)
            answers += "assistant" in empty
    lines = [line for found in cases.values() for line in found]
    if lines:
        yield finding(
            "empty_text",
            "error",
            lines,
            f"{plural(len(lines), 'row has', 'rows have')} a turn without text ({answers:,} of them the assistant's): "
            f"{_each_case(cases)}.",
            "Fill the turn, or leave the row out.",
        )
