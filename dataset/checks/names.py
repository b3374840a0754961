"""Names of people, on a sample of the rows: a language model reads some hundred rows a second. Made on request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import sqrt

from dataset.checks.privacy import mask
from dataset.finding import Finding, finding, plural
from dataset.person_names import Finder
from dataset.row import Row

MAX_ROWS = 2000
"""Rows that are looked at, evenly spaced."""
_MAX_CHARS = 4000
_Z = 1.959963984540054
"""Standard normal quantile of 0.975."""


def check_names(rows: Sequence[Row], find: Finder, *, most_rows: int = MAX_ROWS) -> Iterator[Finding]:
    """pii_name; `count` is the number of rows, of those looked at, with a name. One name is shown, masked."""
    step = max(1, -(-len(rows) // most_rows))
    looked_at = rows[::step]
    lines: list[int] = []
    example = ""
    for row in looked_at:
        names = find(row.text[:_MAX_CHARS])
        if names:
            example = example or f"{mask(names[0])} in line {row.line}"
            lines.append(row.line)
    if not lines:
        return
    part = ""
    if step > 1:
        low, high = share_interval(len(lines), len(looked_at))
        part = f" {len(looked_at):,} of {len(rows):,} rows were looked at: {low:.1%} to {high:.1%} of all have one."
    yield finding(
        "pii_name",
        "warning",
        lines,
        f"{plural(len(lines), 'row holds', 'rows hold')} a person's name by the model's word: {example}.{part}",
        "Replace names by made-up ones, unless they are public. The model misses some, and finds some that are none.",
    )


def share_interval(found: int, of: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share (Wilson 1927, J. Am. Stat. Assoc. 22)."""
    share, z2 = found / of, _Z**2
    centre = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = _Z / (1 + z2 / of) * sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    return max(0.0, centre - half), min(1.0, centre + half)
