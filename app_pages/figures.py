"""Figures as people say them, and job states as words, icons and colours that are never the only signal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

from core.estimate import Estimate

Color = Literal["red", "orange", "green", "blue", "gray"]


class Look(NamedTuple):
    """How a state or a verdict is shown."""

    label: str
    icon: str
    color: Color


STATES: dict[str, Look] = {
    "queued": Look("Queued", ":material/schedule:", "gray"),
    "running": Look("Running", ":material/play_circle:", "blue"),
    "succeeded": Look("Succeeded", ":material/check_circle:", "green"),
    "failed": Look("Failed", ":material/error:", "red"),
    "cancelled": Look("Cancelled", ":material/cancel:", "orange"),
}
VERDICTS: dict[str | None, Look] = {
    "ship": Look("Worth it", ":material/verified:", "green"),
    "do_not_ship": Look("Not worth it", ":material/block:", "red"),
    "not_enough_evidence": Look("Not enough evidence", ":material/help:", "orange"),
    None: Look("Not judged", ":material/pending:", "gray"),
}
KINDS: dict[str, str] = {
    "prepare": "Prepare the base",
    "train": "Train",
    "probe": "Dry run",
    "evaluate": "Judge",
    "tournament": "Compare prompts",
}


def badge(look: Look) -> str:
    """A state or verdict as a Markdown badge."""
    return f":{look.color}-badge[{look.icon} {look.label}]"


def duration(seconds: float | None) -> str:
    """`45 s`, `3 min 20 s`, `2 h 5 min`; `unknown` for None."""
    if seconds is None:
        return "unknown"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def roughly(seconds: float) -> str:
    """A time still to go, no finer than anybody can know: `a few seconds`, `about 4 min`, `about 2 h 5 min`."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 90:
        return f"about {round(seconds / 5) * 5} s"
    return f"about {duration(round(seconds / 60) * 60)}"


def gib(value: float | None) -> str:
    """`1.6 GiB`; `unknown` for None."""
    return "unknown" if value is None else f"{value:.1f} GiB"


def speed(tokens_per_second: float | None) -> str:
    """`1,234 tokens/s`; `unknown` for None."""
    return "unknown" if tokens_per_second is None else f"{tokens_per_second:,.0f} tokens/s"


def usd(amount: float | None) -> str:
    """`$0.42`, `$1,250`, with the sign escaped for Markdown; `unknown` for None."""
    if amount is None:
        return "unknown"
    return f"\\${amount:,.2f}" if abs(amount) < 100 else f"\\${amount:,.0f}"


def size(bytes_: int) -> str:
    """`12 kB`, `1.4 GiB`: bytes on disk."""
    if bytes_ < 2**20:
        return f"{bytes_ / 2**10:.0f} KiB"
    return f"{bytes_ / 2**20:,.1f} MiB" if bytes_ < 2**30 else f"{bytes_ / 2**30:,.1f} GiB"


def ago(moment: datetime, now: datetime) -> str:
    """`just now`, `5 min ago`, `3 h ago`, or the day."""
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    passed = now - moment
    if passed < timedelta(minutes=1):
        return "just now"
    if passed < timedelta(hours=1):
        return f"{int(passed.total_seconds() // 60)} min ago"
    if passed < timedelta(days=1):
        return f"{int(passed.total_seconds() // 3600)} h ago"
    return f"{moment:%d %b %Y}".lstrip("0")


def compared(predicted: Estimate | None, measured: float | None) -> str:
    """What a measurement says about its prediction, as an ending: `, as predicted`."""
    if predicted is None or measured is None or predicted.low is None or predicted.high is None:
        return ""
    if measured < predicted.low:
        return ", less than predicted"
    return ", more than predicted" if measured > predicted.high else ", as predicted"


def plain(text: str) -> str:
    """Text of people or models inside Markdown, shown as it is."""
    for sign in "\\`*_{}[]<>#$~|:":
        text = text.replace(sign, f"\\{sign}")
    return text
