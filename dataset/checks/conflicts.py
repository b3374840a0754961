"""One input, several outputs: a mistake to mend, or several good answers that were wanted?

What speaks for which is counted and said. Labels can only contradict each other. So do texts that differ in their
figures, code, records, and answers of a word or two. Sentences that say the same in other words, for many of the
inputs, are what data-to-text and paraphrase sets look like.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import median

from dataset.finding import Finding, Severity, finding, plural
from dataset.normalise import Keys
from dataset.row import Row

MANY_SHARE = 0.05
"""From this share of the distinct inputs on, several answers are a habit of the data and no slip."""
MANY_INPUTS = 5
SENTENCE_WORDS = 4
_SPACES = re.compile(r"\s+")
_FIGURES = re.compile(r"\d+(?:[.,]\d+)*")
_EXACT = re.compile(
    r"\s*(?:[{\[<]|```|select\s.*\sfrom\s|insert into\s|update \S+ set\s|delete from\s|create (?:table|view)\s|"
    r"with \w+ as \(|(?:async )?def \w+\(|import \w+\s*\n|class \w+[:(])",
    re.IGNORECASE | re.DOTALL,
)


def check_conflicts(rows: Sequence[Row], keys: Keys, labels: Mapping[str, int]) -> Iterator[Finding]:
    """conflicting_labels; `count` is the number of inputs with outputs that differ byte for byte.

    `labels` are those of all rows: empty where the answers are texts.
    """
    first: dict[str, Row] = {}
    groups: dict[str, list[Row]] = {}
    for row, key in zip(rows, keys.inputs, strict=True):
        if key and row.answer and first.setdefault(key, row) is not row:
            groups.setdefault(key, [first[key]]).append(row)
    conflicts = [group for group in groups.values() if len({row.answer for row in group}) > 1]
    if not conflicts:
        return
    plain = [group for group in conflicts if any(len(answers) > 1 for answers in _answers_by_text(group))]
    severity, why, fix = _verdict(plain, len(first), bool(labels))
    shown = (plain or conflicts)[0]
    message = f"{plural(len(conflicts), 'input carries', 'inputs carry')} different answers"
    message += f", {len(plain):,} of them equal but for case and blanks." if plain else "; the inputs differ in signs."
    yield finding(
        "conflicting_labels",
        severity,
        (row.line for group in conflicts for row in group),
        f"{message} {why} See lines {shown[0].line} and {_other(shown).line}.",
        fix,
        count=len(conflicts),
    )


def _verdict(plain: Sequence[Sequence[Row]], inputs: int, like_labels: bool) -> tuple[Severity, str, str]:
    """(severity, what speaks for it, what to do)."""
    if not plain:
        return "note", "Inputs such as `C++` and `C#` only look alike here.", "Look at them once; all may be right."
    mistake = _mistake(plain)
    if like_labels:
        column = any(row.extra for row in plain[0])
        fix = "Decide on one answer for each" + (
            ", or add the column that tells them apart to the input." if column else "."
        )
        return "error", "Answers are labels here: at most one of each is right.", fix
    if mistake:
        return "warning", mistake, "Decide on one answer for each."
    share = f"{len(plain):,} of {inputs:,} inputs have several"
    if len(plain) >= MANY_INPUTS and len(plain) >= MANY_SHARE * inputs:
        why = f"The answers are sentences and {share}: that speaks for several good answers, kept on purpose."
        return "note", why, "Keep them if that is meant; the split keeps them on one side."
    return (
        "warning",
        f"The answers are sentences, which speaks for several good ones, but only {share}, which speaks for a slip.",
        "Decide on one answer for each; keep them all if several good answers are what you want to teach.",
    )


def _mistake(plain: Sequence[Sequence[Row]]) -> str:
    """What in the answers themselves speaks for a mistake; empty where nothing does."""
    answers = [answer for group in plain for answer in {row.answer for row in group}]
    if sum(bool(_EXACT.match(answer)) for answer in answers) * 2 > len(answers):
        return "The answers are code or records, where two are seldom both right."
    figures = sum(len({frozenset(_FIGURES.findall(row.answer)) for row in group}) > 1 for group in plain)
    if figures * 2 > len(plain):
        return f"In {figures:,} of them the answers differ in figures: that speaks for a mistake."
    if all(_is_unspaced(answer) for answer in answers):
        return ""
    words = median(len(answer.split()) for answer in answers)
    return f"The answers are short ({words:g} words): that speaks for a mistake." if words < SENTENCE_WORDS else ""


def _is_unspaced(answer: str) -> bool:
    """A sentence of a script without blanks between words, such as Chinese."""
    return len(answer) >= 8 and not answer.isascii() and len(answer.split()) < len(answer) / 8


def _answers_by_text(group: Iterable[Row]) -> Iterator[set[str]]:
    """Answers of the rows of a group whose inputs are equal but for case and white space."""
    by_text: dict[str, set[str]] = defaultdict(set)
    for row in group:
        by_text[_SPACES.sub(" ", row.input_text.casefold()).strip()].add(row.answer)
    yield from by_text.values()


def _other(group: Sequence[Row]) -> Row:
    """The first row of the group that answers otherwise than its first row."""
    return next(row for row in group if row.answer != group[0].answer)
