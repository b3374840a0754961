"""Nearly the same input under different labels: a slip of whoever labelled, or a word or two that decide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dataset.finding import Finding, finding, plural
from dataset.row import Row

_SHOWN_CHARACTERS = 40


def check_near_labels(
    rows: Sequence[Row], users: Sequence[str], partners: Mapping[str, str], labels: Mapping[str, int]
) -> Iterator[Finding]:
    """near_conflict, a note: rows whose near partner has none of their labels.

    `users` are the near keys of the rows; `partners` maps a key to that of one near partner. Others are not tried, so
    the count is a lower bound. `labels` are those of all rows: empty where the answers are texts, which may differ.
    """
    if not labels:
        return
    answers: dict[str, set[str]] = {key: set() for key in partners}
    first: dict[str, Row] = {}
    for row, key in zip(rows, users, strict=True):
        if key in answers and row.answer.strip():
            answers[key].add(row.answer)
            first.setdefault(key, row)
    apart = {
        key for key, near in partners.items() if key in first and near in first and not answers[key] & answers[near]
    }
    lines = [row.line for row, key in zip(rows, users, strict=True) if key in apart]
    if lines:
        key = next(key for key in first if key in apart)
        one, other = first[key], first[partners[key]]
        yield finding(
            "near_conflict",
            "note",
            lines,
            f"At least {plural(len(lines), 'row has', 'rows have')} a near copy with another label, for instance line "
            f"{one.line} (`{_shown(one)}`) and line {other.line} (`{_shown(other)}`).",
            "Look at both: either one label is a slip, or a word or two decide and more such rows would help.",
        )


def _shown(row: Row) -> str:
    return row.answer[:_SHOWN_CHARACTERS]
