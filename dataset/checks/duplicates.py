"""The same input again, exactly or nearly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dataset.finding import Finding, finding, plural
from dataset.normalise import Keys
from dataset.row import Row


def check_duplicates(rows: Sequence[Row], keys: Keys) -> Iterator[Finding]:
    """exact_duplicate and near_duplicate."""
    yield from check_exact(rows, keys)
    yield from check_near(rows, keys)


def check_exact(rows: Sequence[Row], keys: Keys) -> Iterator[Finding]:
    """exact_duplicate."""
    first: dict[str, int] = {}
    repeats: dict[str, list[int]] = {}
    for place, key in enumerate(keys.inputs):
        if key and first.setdefault(key, place) != place:
            repeats.setdefault(key, []).append(place)
    lines: list[int] = []
    same_text = same_row = 0
    for key, places in repeats.items():
        texts: set[str] = set()
        whole: set[tuple[tuple[str, str], ...]] = set()
        for place in (first[key], *places):
            text, turns = rows[place].input_text, tuple((turn.role, turn.content) for turn in rows[place].messages)
            same_text += text in texts
            same_row += turns in whole
            texts.add(text)
            whole.add(turns)
        lines.extend(rows[place].line for place in places)
    if lines:
        yield finding(
            "exact_duplicate",
            "warning",
            lines,
            f"{plural(len(lines), 'row repeats', 'rows repeat')} an input that stands in an earlier row; "
            f"{same_text:,} byte for byte, {same_row:,} with the same answer too.",
            "Keep one of each, unless the repetition is meant as a weight.",
        )


def check_near(rows: Sequence[Row], keys: Keys) -> Iterator[Finding]:
    """near_duplicate."""
    from dataset.near import near_duplicates

    near = near_duplicates(keys.sketched_users)
    texts = keys.sketched_users.texts
    has_partner = {text for text, partner in zip(texts, near.partner, strict=True) if partner >= 0}
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
