"""Classes that stand on one side of a split only: not learned, or not measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from dataset.checks.spelling import form_key, spelled
from dataset.finding import Finding, finding, plural
from dataset.row import Row

EXPECTED_ROWS = 5
"""A class that should have had this many validation rows and has none was not left out by chance."""
_SHOWN = 5


def check_split_classes(labels: Mapping[str, int], held_out: Sequence[Row]) -> Iterator[Finding]:
    """split_class_missing: once for classes that only validation has (its lines), once for those it lacks (no lines).

    `labels` are those of training, most frequent first; empty where its answers are texts.
    """
    there = Counter(row.answer for row in held_out if row.answer.strip())
    if not labels or not there:
        return
    yield from _not_learned(labels, there, held_out)
    absent = [label for label in labels if label not in there]
    if absent:
        rows = sum(there.values())
        expected = labels[absent[0]] / sum(labels.values()) * rows
        verb = "has" if len(absent) == 1 else "have"
        yield finding(
            "split_class_missing",
            "warning" if expected >= EXPECTED_ROWS else "note",
            [],
            f"{len(absent):,} of {plural(len(labels), 'class', 'classes')} {verb} no validation row: "
            f"{_names(absent)}. Nothing is measured about {'it' if len(absent) == 1 else 'them'}.",
            "Split with labels spread evenly (it is done by default here), or add validation rows of these classes.",
            count=len(absent),
        )


def _not_learned(labels: Mapping[str, int], there: Counter[str], held_out: Sequence[Row]) -> Iterator[Finding]:
    unknown = [label for label, _ in there.most_common() if label not in labels]
    if not unknown:
        return
    other = spelled(labels)
    respelled = {label: other[key] for label in unknown if (key := form_key(label)) in other and key is not None}
    words = (
        f" `{next(iter(respelled))[:40]}` is written `{next(iter(respelled.values()))[:40]}` there."
        if respelled
        else ""
    )
    yield finding(
        "split_class_missing",
        "warning",
        (row.line for row in held_out if row.answer in set(unknown)),
        f"{plural(len(unknown), 'class stands', 'classes stand')} in validation and never in training: "
        f"{_names(unknown)}.{words} Answers that were never shown cannot be learned.",
        "Add training rows of these classes, write them as training does, or leave the validation rows out.",
        count=len(unknown),
    )


def _names(labels: Sequence[str]) -> str:
    return ", ".join(f"`{label[:40]}`" for label in labels[:_SHOWN]) + (" ..." if len(labels) > _SHOWN else "")
