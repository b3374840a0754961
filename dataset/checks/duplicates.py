"""The same input again: exactly, nearly, or with another answer."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from dataset.checks.labels import labels_of
from dataset.finding import Finding, Severity, finding, plural
from dataset.normalise import Keys
from dataset.row import Row

_SPACES = re.compile(r"\s+")


def check_duplicates(rows: Sequence[Row], keys: Keys) -> Iterator[Finding]:
    """exact_duplicate, near_duplicate, conflicting_labels."""
    yield from _exact(rows, keys)
    yield from _near(rows, keys)
    yield from _conflicts(rows, keys)


def _exact(rows: Sequence[Row], keys: Keys) -> Iterator[Finding]:
    first: dict[str, int] = {}
    texts: set[str] = set()
    whole: set[tuple[object, ...]] = set()
    lines, same_text, same_row = [], 0, 0
    for place, (row, key) in enumerate(zip(rows, keys.inputs, strict=True)):
        if not key:
            continue
        text, turns = row.input_text, tuple((message.role, message.content) for message in row.messages)
        if key in first:
            lines.append(row.line)
            same_text += text in texts
            same_row += turns in whole
        first.setdefault(key, place)
        texts.add(text)
        whole.add(turns)
    if lines:
        yield finding(
            "exact_duplicate",
            "warning",
            lines,
            f"{plural(len(lines), 'row repeats', 'rows repeat')} an input that stands in an earlier row; "
            f"{same_text:,} byte for byte, {same_row:,} with the same answer too.",
            "Keep one of each, unless the repetition is meant as a weight.",
        )


def _near(rows: Sequence[Row], keys: Keys) -> Iterator[Finding]:
    from dataset.near import near_duplicates

    distinct = list(dict.fromkeys(key for key in keys.users if key))
    near = near_duplicates(distinct)
    has_partner = {text for text, partner in zip(distinct, near.partner, strict=True) if partner >= 0}
    lines = [row.line for row, key in zip(rows, keys.users, strict=True) if key in has_partner]
    if lines:
        at_least = "" if near.complete else "At least "
        yield finding(
            "near_duplicate",
            "warning",
            lines,
            f"{at_least}{plural(len(lines), 'row has', 'rows have')} a near copy among the others "
            "(four fifths of the character 5-grams shared).",
            "Let the split keep them on one side (it does by default); drop copies that teach nothing new.",
        )


def _conflicts(rows: Sequence[Row], keys: Keys) -> Iterator[Finding]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row, key in zip(rows, keys.inputs, strict=True):
        if key and row.answer:
            groups[key].append(row)
    conflicts = [group for group in groups.values() if len({row.answer for row in group}) > 1]
    if not conflicts:
        return
    plain = sum(any(len(answers) > 1 for answers in _answers_by_text(group)) for group in conflicts)
    like_labels = bool(labels_of(rows))
    severity: Severity = "note" if not plain else "error" if like_labels else "warning"
    count = plural(len(conflicts), "input carries", "inputs carry")
    message = f"{count} different answers"
    message += (
        f", {plain:,} of them equal but for case and blanks."
        if plain
        else "; the inputs differ in punctuation or signs."
    )
    yield finding(
        "conflicting_labels",
        severity,
        (row.line for group in conflicts for row in group),
        message,
        "Decide on one answer for each."
        if like_labels
        else "Decide on one answer for each; keep them all if several good answers are what you want to teach.",
        count=len(conflicts),
    )


def _answers_by_text(group: list[Row]) -> Iterator[set[str]]:
    """Answers of the rows of a group whose inputs are equal but for case and white space."""
    by_text: dict[str, set[str]] = defaultdict(set)
    for row in group:
        by_text[_SPACES.sub(" ", row.input_text.casefold()).strip()].add(row.answer)
    yield from by_text.values()
