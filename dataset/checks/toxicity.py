"""Slurs and coarse insults in answers: a model that learns them says them.

A short English list of our own, stored as salted hashes (`toxic_words.toml`), so that the words stand nowhere in this
project and in no finding. Only the assistant's turns count: what users write is there to be answered or sorted. The
list sees words and no meaning. Threats, cruelty in polite words, other languages and most spellings are not seen; a
quotation is. A moderation endpoint sees more, where one is named; then answers leave the machine. Neither proves that a
data set is harmless.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from dataset.finding import Finding, finding, plural
from dataset.masking import mask_personal, mask_secrets
from dataset.row import Row

MAX_ROWS = 20_000
"""Rows that are looked at, evenly spaced."""
MAX_MODERATED = 500
"""Rows of which the answers are sent to a moderation endpoint, evenly spaced."""
HASH_CHARACTERS = 16
_MAX_CHARS = 4_000
_WORDS = re.compile(r"[^\W_][\w@$!*']{2,30}")
_ENDS = "@$!*'"
_LOOKS_LIKE = str.maketrans("013457@$!", "oieastasi")


@dataclass(frozen=True, slots=True)
class HashedWords:
    """Words that are known by their hashes alone."""

    salt: str
    hashes: frozenset[str]

    @classmethod
    def of(cls, words: Sequence[str], salt: str) -> HashedWords:
        """The hashes of words."""
        return cls(salt, frozenset(_hash(_plain(word), salt) for word in words))

    def holds(self, word: str) -> bool:
        """True for a word of the list, its plural, or either with signs for letters (`sc0undrel`)."""
        if word.isascii() and word.isalpha():
            plain = word.lower()
            return any(_hash(form, self.salt) in self.hashes for form in {plain, plain.removesuffix("s")})
        if word.isdecimal():
            return False
        plain = _plain(word)
        forms = {plain.rstrip(_ENDS), plain.translate(_LOOKS_LIKE), plain.rstrip(_ENDS).translate(_LOOKS_LIKE)}
        forms |= {form.removesuffix("'s").removesuffix("s") for form in forms}
        return any(_hash(form, self.salt) in self.hashes for form in forms)


@cache
def own_words() -> HashedWords:
    """The list that is shipped."""
    found = tomllib.loads((Path(__file__).parent / "toxic_words.toml").read_text(encoding="utf-8"))
    return HashedWords(found["salt"], frozenset(found["hashes"]))


def check_toxicity(rows: Sequence[Row], words: HashedWords | None = None) -> Iterator[Finding]:
    """toxicity; `count` is the number of rows, of those looked at, with such a word in an answer. None is shown."""
    words = words or own_words()
    step = max(1, -(-len(rows) // MAX_ROWS))
    known: dict[str, bool] = {}
    lines = []
    for row in rows[::step]:
        said = {word for text in _answers(row) for word in _WORDS.findall(text)}
        for word in said:
            if word not in known:
                known[word] = words.holds(word)
        if any(known[word] for word in said):
            lines.append(row.line)
    if lines:
        part = f" Of {len(rows):,} rows {len(rows[::step]):,} were looked at." if step > 1 else ""
        yield finding(
            "toxicity",
            "note",
            lines,
            f"{plural(len(lines), 'row has', 'rows have')} a slur or a coarse insult in an answer, first in line "
            f"{lines[0]}.{part}",
            "Read them: a model repeats what it learned. A quotation may stay.",
        )


def check_moderated(
    rows: Sequence[Row], judge: Callable[[Sequence[str]], Iterable[bool]], name: str
) -> Iterator[Finding]:
    """toxicity, by a judge that may be elsewhere: it gets each answer once, with personal data and secrets masked.

    `count` is the number of rows, of those looked at, with an answer that it flags. Raises what the judge raises.
    """
    step = max(1, -(-len(rows) // MAX_MODERATED))
    texts = {row.line: mask_personal(mask_secrets("\n".join(_answers(row)))[0])[0] for row in rows[::step]}
    distinct = [text for text in dict.fromkeys(texts.values()) if text.strip()]
    flagged = {text for text, bad in zip(distinct, judge(distinct), strict=True) if bad}
    lines = [line for line, text in texts.items() if text in flagged]
    if lines:
        part = f" Of {len(rows):,} rows {len(texts):,} were looked at." if step > 1 else ""
        rows_have = plural(len(lines), "row has", "rows have")
        yield finding(
            "toxicity",
            "note",
            lines,
            f"{rows_have} an answer that {name} flags, first in line {lines[0]}.{part}",
            "Read them: a model repeats what it learned. The endpoint errs both ways.",
        )


def _answers(row: Row) -> Iterator[str]:
    return (message.content[:_MAX_CHARS] for message in row.messages if message.role == "assistant" and message.learned)


def _plain(word: str) -> str:
    return unicodedata.normalize("NFKC", word).casefold()


def _hash(word: str, salt: str) -> str:
    return sha256(f"{salt}:{word}".encode("utf-8", "replace")).hexdigest()[:HASH_CHARACTERS]
