"""Is every row an example? Answers, roles, empty turns, and how many there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from dataset.finding import Finding, finding, plural
from dataset.row import Row

ROLES = ("system", "user", "assistant")
FEW_ROWS = 100
TOO_FEW_ROWS = 10
_TOOL_ROLES = {"tool", "function", "function_call", "observation"}


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
    lines = [row.line for row in rows if not row.messages or row.messages[-1].role != "assistant"]
    if lines:
        yield finding(
            "missing_assistant",
            "error",
            lines,
            f"{plural(len(lines), 'row')} end{'s' if len(lines) == 1 else ''} without an answer of the assistant.",
            "Add the answer, or leave the row out.",
        )


def _bad_roles(rows: Sequence[Row]) -> Iterator[Finding]:
    errors, warnings = [], []
    names: Counter[str] = Counter()
    for row in rows:
        roles = [message.role for message in row.messages]
        unknown = {role for role in roles if role not in ROLES}
        names.update(unknown)
        if unknown or "system" in roles[1:]:
            errors.append(row.line)
        elif any(role == after for role, after in pairwise(roles)) or "user" not in roles:
            warnings.append(row.line)
    if errors:
        shown = ", ".join(f"`{name[:30]}`" for name, _ in names.most_common(5))
        what = f"unknown roles ({shown})" if shown else "a system turn that is not the first"
        hint = " Tool calls are not trained in this release." if names.keys() & _TOOL_ROLES else ""
        yield finding(
            "bad_roles",
            "error",
            [*errors, *warnings],
            f"{plural(len(errors), 'row has', 'rows have')} {what}.{hint}",
            "Use system (first), user and assistant.",
        )
    elif warnings:
        yield finding(
            "bad_roles",
            "warning",
            warnings,
            f"{plural(len(warnings), 'row has', 'rows have')} the same role twice in a row, or no user turn.",
            "Join such turns, and give every row a user turn.",
        )


def _empty_text(rows: Sequence[Row]) -> Iterator[Finding]:
    lines, answers = [], 0
    for row in rows:
        empty = [message.role for message in row.messages if not message.content.strip()]
        if empty:
            lines.append(row.line)
            answers += "assistant" in empty
    if lines:
        yield finding(
            "empty_text",
            "error",
            lines,
            f"{plural(len(lines), 'row has', 'rows have')} a turn without text ({answers:,} of them the assistant's).",
            "Fill the turn, or leave the row out.",
        )
