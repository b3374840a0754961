"""Facts in answers that will not stay true: prices, recent dates, versions, "currently".

A tuned model cannot be told that a price has changed; a document that is looked up can. Only answers are looked at,
and only what the answer brings from memory: where the input itself has prices, years or versions (a sum to work out, a
text to shorten), the answer takes them from there. Code, JSON, SQL, links and labels are passed over. Dates of the past
are history; dates from last year on are news.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from dataset.checks.phrases import phrases
from dataset.finding import Finding, finding, plural
from dataset.row import Row

MAX_ROWS = 20_000
"""Rows that are looked at, evenly spaced: half a second of patterns."""
MIN_ROWS = 3
MIN_SHARE = 0.01
"""A kind is reported from 3 rows on, or where it is one row in a hundred."""
_MIN_CHARS = 20
_MAX_CHARS = 8000
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|https?://\S+", re.DOTALL)
_QUERY = re.compile(r"\s*(?:[{\[<]|(?:SELECT|INSERT|UPDATE|DELETE|CREATE|WITH|def|import|class)\s)")
_MONTH = r"(?:Jan|Febr?|Mar|Apr|May|June?|July?|Aug|Sept?|Oct|Nov|Dec)(?:uary|ch|il|ust|ember|ober)?\.?"
_MONEY = r"(?:[$€£]\s?\d[\d,]*(?:\.\d+)?|\d[\d,]*(?:\.\d+)?\s?(?:€|£|USD|EUR|GBP|dollars|euros|pounds)\b)"
_PERIOD = r"(?:month|year|week|day|night|hour|user|seat|person|annum|licen[cs]e|minute)"


class _Kind(NamedTuple):
    name: str
    signs: tuple[str, ...]
    """Lower-case pieces of text, one of which stands in whatever the pattern matches."""
    pattern: re.Pattern[str]
    given: re.Pattern[str]
    """Where the input has this, it has supplied the fact."""


_KINDS = (
    _Kind(
        "prices",
        ("$", "€", "£", " usd", " eur", " gbp", " dollars", " pounds"),
        re.compile(
            rf"\b(?:costs?|priced? (?:is|at)|pricing (?:starts|begins) (?:at|from)|starts? (?:at|from)|fee (?:of|is)|"
            rf"for (?:only|just))\s+(?:only |just |about |around )?{_MONEY}"
            rf"|{_MONEY}\s?(?:/|per |a |each )\s?{_PERIOD}\b",
            re.IGNORECASE,
        ),
        re.compile(r"[$€£%]|\d|\b(?:USD|EUR|GBP|dollars?|euros?|pounds|cents?)\b", re.IGNORECASE),
    ),
    _Kind(
        "recent dates",
        ("20",),
        re.compile(
            rf"\b(?:\d{{1,2}}(?:st|nd|rd|th)? (?:of )?)?{_MONTH} (?:\d{{1,2}}(?:st|nd|rd|th)?,? )?(20\d\d)\b"
            r"|(?<![\w/-])(20\d\d)-(?:0\d|1[0-2])-[0-3]\d(?![\w/-])"
            r"|\b(?:until|since|by|in|from|for) (20\d\d)\b(?![-,.]?\d)"
        ),
        re.compile(r"\b20\d\d\b"),
    ),
    _Kind(
        "versions",
        ("version ", "release ", " v", "firmware ", "python ", "android ", "ios ", "windows ", "ubuntu ", "macos ",
         "node", "java ", "php "),
        re.compile(
            r"\b(?:version|release|firmware) v?\d+(?:\.\d+)+\b|(?<=\s)v\d+\.\d+(?:\.\d+)?\b"
            r"|\b(?:Python|Android|iOS|Windows|Ubuntu|macOS|Node(?:\.js)?|Java|PHP) \d{1,2}(?:\.\d+)*\b",
        ),
        re.compile(r"\bversions?\b|\bv?\d+\.\d+", re.IGNORECASE),
    ),
    _Kind(
        "words of today",
        ("as of ", "current", "latest ", "this year", "time of writing"),
        re.compile(
            rf"\bas of (?:today|now|this writing|my last|(?:early |mid-?|late )?(?:{_MONTH} )?20\d\d)\b"
            r"|\bat the time of writing\b|\bthis year(?:'s)?\b"
            r"|\bthe latest (?:version|release|model|update|figures|edition|price|statistics|data)\b"
            r"|\bcurrently (?:the (?:largest|biggest|tallest|fastest|richest|only|most)|costs?|priced|led by|headed by|"
            r"available (?:in|for|on)|in version|supports?|offers?)\b"
            r"|\bcurrent (?:version|prices?|pricing|rates?|CEO|president|prime minister|population|record holder)\b"
            r"(?! (?:of|in|for) (?:your|the (?:patient|user|customer)))",
            re.IGNORECASE,
        ),
        re.compile(r"\bas of\b|\bcurrent(?:ly)?\b|\blatest\b|\bthis year\b", re.IGNORECASE),
    ),
)  # fmt: skip


def check_stale(rows: Sequence[Row], *, today: date) -> Iterator[Finding]:
    """stale_fact, a note; `count` is the number of rows, of those looked at.

    `today` decides which dates are recent: those from last year on.
    """
    lines: dict[str, list[int]] = {kind.name: [] for kind in _KINDS}
    shown: dict[str, str] = {}
    step = max(1, -(-len(rows) // MAX_ROWS))
    looked_at = rows[::step]
    for row in looked_at:
        for kind, words in stale_facts(row, today=today):
            lines[kind].append(row.line)
            shown.setdefault(kind, words)
    least = max(1, min(MIN_ROWS, round(MIN_SHARE * len(looked_at))))
    counts = Counter({kind: len(found) for kind, found in lines.items() if len(found) >= least})
    if not counts:
        return
    where = {line for kind in counts for line in lines[kind]}
    said = ", ".join(f"{kind} {count:,} (`{shown[kind]}` in line {lines[kind][0]})" for kind, count in counts.items())
    yield finding(
        "stale_fact",
        "note",
        where,
        f"{plural(len(where), 'answer states', 'answers state')} facts that may go stale: {said}."
        + (f" Of {len(rows):,} rows {len(looked_at):,} were looked at." if step > 1 else ""),
        "Keep facts that change in documents that are looked up (RAG); teach the form of the answer, not the figure.",
    )


def stale_facts(row: Row, *, today: date) -> Iterator[tuple[str, str]]:
    """(kind, the words) for each kind that the answer of a row brings from memory."""
    answer = row.answer[:_MAX_CHARS]
    if len(answer) < _MIN_CHARS or " " not in answer or _QUERY.match(answer):
        return
    plain = _CODE.sub(" ", answer) if "`" in answer or "://" in answer else answer
    lower = plain.lower()
    asked = ""
    for kind in _KINDS:
        found = next(
            (each for each in phrases(kind.pattern, kind.signs, plain, lower) if _is_recent(each, today)), None
        )
        if found is None:
            continue
        asked = asked or row.input_text
        if not kind.given.search(asked):
            yield kind.name, " ".join(found.group().replace("`", "'").split())[:60]


def _is_recent(found: re.Match[str], today: date) -> bool:
    """True for words without a year of their own, and for years from last year to twenty years on."""
    years = [int(year) for year in found.groups() if year]
    return not years or today.year - 1 <= years[0] <= today.year + 20
