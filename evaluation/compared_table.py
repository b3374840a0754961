"""The table of a comparison of methods as text: the same cells for the command line, the page, and a file."""

from __future__ import annotations

import csv
import io

from evaluation.compared import Comparison, MethodRow
from evaluation.kept import points
from evaluation.stats import Interval

UNKNOWN = "unknown"
STATE_WORDS = {
    "queued": "waits",
    "running": "under way",
    "failed": "failed",
    "cancelled": "cancelled",
    "left_out": "left out",
}


def head(comparison: Comparison) -> list[str]:
    """Names of the columns; general knowledge only where it was asked."""
    score = f"{comparison.metric_words or 'task score'} (95 %)"
    known = ["general knowledge"] if _asked_knowledge(comparison) else []
    return ["method", "trained numbers", "peak memory", "training", "saved", "validation loss", score, *known]


def table(comparison: Comparison) -> list[list[str]]:
    """A row a method, the base first where it was asked; who has no score has a word that says so in its place."""
    asked = _asked_knowledge(comparison)
    rows = []
    if comparison.base is not None:
        rows.append(["base, not tuned", "0", "", "", "", "", _score(comparison.base), *([""] if asked else [])])
    return rows + [_cells(row, asked) for row in comparison.methods]


def reasons(comparison: Comparison) -> list[str]:
    """Why methods have no score, a sentence each."""
    return [
        f"{row.words} {'was left out' if row.state == 'left_out' else STATE_WORDS[row.state]}: {row.reason}"
        for row in comparison.methods
        if row.reason
    ]


def markdown(comparison: Comparison) -> str:
    """The table and what is said of it, as Markdown."""
    names = head(comparison)
    lines = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    lines += [f"| {' | '.join(cells)} |" for cells in table(comparison)]
    said = [comparison.words, *reasons(comparison), *comparison.limits]
    return "\n".join([*lines, "", *(f"- {text}" for text in said)]) + "\n"


def as_csv(comparison: Comparison) -> str:
    """The measured numbers as a CSV file: bare values, empty where there is none."""
    fields = [name for name in MethodRow.model_fields if name not in ("task", "knowledge")]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*fields, "score", "low", "high", "judged_rows", "knowledge", "knowledge_loss"])
    for row in comparison.methods:
        task = [row.task.score, row.task.low, row.task.high, row.task.n] if row.task else [""] * 4
        known = [row.knowledge.state, row.knowledge.loss] if row.knowledge else ["", ""]
        own = row.model_dump(mode="json")
        writer.writerow([*("" if own[name] is None else own[name] for name in fields), *task, *known])
    return out.getvalue()


def _cells(row: MethodRow, asked: bool) -> list[str]:
    if row.state == "left_out":
        return [row.words, "", "", "", "", "", STATE_WORDS["left_out"], *([""] if asked else [])]
    count = UNKNOWN if row.trained is None else f"{row.trained:,}"
    share = "" if row.share is None else f" ({row.share:.3%})" if row.share < 1 else " (all)"
    measured = [
        f"{count}{share}",
        UNKNOWN if row.memory_gib is None else f"{row.memory_gib:.1f} GiB",
        UNKNOWN if row.seconds is None else f"{row.seconds:,.0f} s",
        UNKNOWN if row.megabytes is None else f"{row.megabytes:,.3g} MB",
        UNKNOWN if row.validation_loss is None else f"{row.validation_loss:.3f}",
    ]
    score = _score(row.task) if row.task else STATE_WORDS.get(row.state, UNKNOWN)
    return [row.words, *(measured if row.seconds is not None else [""] * 5), score, *([_known(row)] if asked else [])]


def _known(row: MethodRow) -> str:
    if row.knowledge is None:
        return ""
    words = {"kept": "kept", "lost": "lost", "cannot_tell": "cannot tell"}[row.knowledge.state]
    change = -row.knowledge.loss
    return f"{words} ({'+' if change > 0 else ''}{points(change)})"


def _asked_knowledge(comparison: Comparison) -> bool:
    return any(row.knowledge is not None for row in comparison.methods)


def _score(interval: Interval) -> str:
    return f"{interval.score:.3f} ({interval.low:.3f} to {interval.high:.3f})"
