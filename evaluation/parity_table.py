"""The table of a parity as text: the same cells for the command line and the page."""

from __future__ import annotations

from evaluation.parity import Parity, Side

HEAD = ["model", "quality (95 %)", "1,000 calls", "an answer", "lock-in", "days left"]
NOT_PRICED = "not priced"


def table(found: Parity) -> list[list[str]]:
    """The old model and the new one, a row each."""
    return [_cells(side, found) for side in (found.old, found.new)]


def _cells(side: Side, found: Parity) -> list[str]:
    usd, seconds, quality = side.usd_per_1000_calls, side.seconds_per_answer, side.quality
    if quality is not None:
        score = f"{quality.score:.3f} ({quality.low:.3f} to {quality.high:.3f})"
    elif side is found.old:
        score = "not known"
    else:
        agreed = found.agreement
        score = f"not known; agrees {agreed.score:.3f} ({agreed.low:.3f} to {agreed.high:.3f})"
    return [
        side.words,
        score,
        NOT_PRICED if usd is None else f"${usd:,.3f}",
        "unknown" if seconds is None else f"{seconds:.2f} s, {side.where}",
        side.lock_in,
        side.days_left,
    ]
