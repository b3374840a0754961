"""Where answers are labels: are the classes balanced, and large enough to learn?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from dataset.finding import Finding, finding, plural
from dataset.row import Row

RARE_ROWS = 10
IMBALANCE = 10
_MAX_LABEL_CHARS = 80
_MIN_ROWS = 6


def labels_of(rows: Sequence[Row]) -> dict[str, int]:
    """Rows per label, most frequent first; empty where the answers are texts rather than labels.

    Label-like: at least 6 rows, one-line answers of at most 80 characters, three rows or more per distinct answer.
    """
    answers = [row.answer for row in rows if row.answer.strip()]
    if len(answers) < _MIN_ROWS:
        return {}
    counts = Counter(answers)
    if len(counts) < 2 or len(counts) > max(2, len(answers) // 3):
        return {}
    if any(len(label) > _MAX_LABEL_CHARS or "\n" in label.strip() or label[:1] in "{[" for label in counts):
        return {}
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def check_labels(rows: Sequence[Row], labels: Mapping[str, int]) -> Iterator[Finding]:
    """class_imbalance and rare_class for the `labels_of` these rows; `count` is the number of classes."""
    if not labels:
        return
    largest, most = next(iter(labels.items()))
    small = {label for label, count in labels.items() if count * IMBALANCE <= most}
    if small:
        smallest = min(small, key=lambda label: (labels[label], label))
        yield finding(
            "class_imbalance",
            "warning",
            (row.line for row in rows if row.answer in small),
            f"{plural(len(small), 'class has', 'classes have')} a tenth of the rows of `{largest[:40]}` ({most:,}) "
            f"or less, for instance `{smallest[:40]}` ({labels[smallest]:,}).",
            "Add rows of the small classes, and judge each class by itself.",
            count=len(small),
        )
    rare = {label: count for label, count in labels.items() if count < RARE_ROWS}
    if rare:
        shown = ", ".join(f"`{label[:30]}` ({count})" for label, count in list(rare.items())[-5:])
        yield finding(
            "rare_class",
            "warning",
            (row.line for row in rows if row.answer in rare),
            f"{plural(len(rare), 'class has', 'classes have')} fewer than {RARE_ROWS} rows: {shown}.",
            "Add rows, or join these classes with others.",
            count=len(rare),
        )
