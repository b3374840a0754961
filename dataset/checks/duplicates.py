"""The same input again, exactly or nearly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dataset.checks.near_labels import check_near_labels
from dataset.finding import Finding, finding, plural
from dataset.normalise import Keys
from dataset.row import Row


def check_duplicates(rows: Sequence[Row], keys: Keys, labels: Mapping[str, int]) -> Iterator[Finding]:
    """exact_duplicate, near_duplicate and near_conflict."""
    yield from check_exact(rows, keys)
    yield from check_near(rows, keys, labels)


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


def check_near(rows: Sequence[Row], keys: Keys, labels: Mapping[str, int]) -> Iterator[Finding]:
    """near_duplicate, and near_conflict where there are labels."""
    from dataset.near import near_duplicates

    near = near_duplicates(keys.sketched_users)
    texts = keys.sketched_users.texts
    partners = {text: texts[partner] for text, partner in zip(texts, near.partner, strict=True) if partner >= 0}
    lines = [row.line for row, key in zip(rows, keys.users, strict=True) if key in partners]
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
        yield from check_near_labels(rows, keys.users, partners, labels)
