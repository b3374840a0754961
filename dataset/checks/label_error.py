"""The finding about labels that the other rows speak against. Made on request: the search takes seconds."""

from __future__ import annotations

from collections.abc import Iterator

from dataset.finding import Finding, finding, plural
from dataset.label_errors import LabelSearch

_SHOWN = 3


def check_label_errors(found: LabelSearch) -> Iterator[Finding]:
    """label_error; `count` is the number of suspects, `rows` those of the likeliest mistakes."""
    if not found.suspects:
        return
    shown = "; ".join(
        f"line {each.line} says `{each.given[:40]}`, rather `{each.likely[:40]}` ({each.confidence:.0%} sure)"
        for each in found.suspects[:_SHOWN]
    )
    part = f" {found.searched:,} of {found.of_rows:,} rows were searched." if found.searched < found.of_rows else ""
    yield finding(
        "label_error",
        "note",
        [each.line for each in found.suspects[:50]],
        f"{plural(len(found.suspects), 'label is', 'labels are')} doubtful by the words of the other rows: "
        f"{shown}.{part}",
        "Look at them from the top of the list down: the likeliest mistakes come first, and rare wordings last.",
        count=len(found.suspects),
    )
