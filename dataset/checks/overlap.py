"""Validation rows that training has seen: scores on them say nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from core.errors import BadInput
from dataset.finding import Finding, finding, plural
from dataset.normalise import Keys, keys_of
from dataset.row import Row


def check_overlap(train: Sequence[Row], train_keys: Keys, held_out: Sequence[Row]) -> Iterator[Finding]:
    """split_overlap and split_near_overlap. The line numbers are those of the validation file."""
    from dataset.near import near_between

    keys = keys_of(held_out)
    seen = {key for key in train_keys.inputs if key}
    same = [row.line for row, key in zip(held_out, keys.inputs, strict=True) if key in seen]
    if same:
        yield finding(
            "split_overlap",
            "error",
            same,
            f"{plural(len(same), 'validation row has its', 'validation rows have their')} input in training.",
            "Take these rows out of one of the two files, or let the split be made here.",
        )
    others = [
        (row.line, user)
        for row, key, user in zip(held_out, keys.inputs, keys.users, strict=True)
        if user and key not in seen
    ]
    partners = near_between([user for _, user in others], train_keys.sketched_users)
    near = [line for (line, _), partner in zip(others, partners, strict=True) if partner >= 0]
    if near:
        yield finding(
            "split_near_overlap",
            "warning",
            near,
            f"{plural(len(near), 'validation row has', 'validation rows have')} a near copy in training.",
            "The score on them flatters: split again with near copies on one side.",
        )


def check_groups(train: Sequence[Row], held_out: Sequence[Row], group: str) -> Iterator[Finding]:
    """split_group_overlap: a customer or document on both sides. Raises `BadInput` where no row has that column."""
    if not any(group in row.extra for row in (*train, *held_out)):
        known = ", ".join(dict.fromkeys(name for row in train[:100] for name in row.extra)) or "none"
        raise BadInput(f"has no column `{group[:80]}` to group by.", f"Left to choose from: {known}.")
    seen = {str(row.extra[group]) for row in train if group in row.extra}
    shared = [row.line for row in held_out if group in row.extra and str(row.extra[group]) in seen]
    if shared:
        have = plural(len(shared), "validation row has its", "validation rows have their")
        yield finding(
            "split_group_overlap",
            "warning",
            shared,
            f"{have} `{group[:80]}` in training.",
            "The score on them flatters: split again with this column as the group.",
        )
