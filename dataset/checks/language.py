"""Which languages the rows are in, and which rows stand out from the others.

py3langid (naive Bayes over byte n-grams, the same on every machine) tells the language of a text. It is believed only
where it is 95 % sure and the text is long enough: below some 60 letters it takes one short English question in twenty
for Dutch or Polish. Inputs and answers are looked at apart, so that rows of a translation are no mix.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

from dataset.finding import Finding, Severity, finding, plural
from dataset.row import Row

MAX_ROWS = 2000
"""Rows that are looked at, evenly spaced: the identifier reads one to three thousand texts a second."""
MIN_BYTES = 60
"""UTF-8 bytes of letters: 60 letters of English, 20 signs of Chinese."""
SURE = 0.95
MIN_SHARE = 0.005
"""Smaller shares are as likely slips of the identifier as another language."""
FEW_SHARE = 0.2
"""Below it a language among the inputs is a stray and a warning; above it both are probably meant. Answers in another
language are a note: the input may have asked for a translation."""
_MAX_CHARS = 240
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|https?://\S+|\{\{[^{}]{0,100}\}\}", re.DOTALL)
_NOT_PROSE = re.compile(r"[{}\[\]<>=;_|\\]|\w\(|\b[A-Z]{2,}\b")
_NAMES = {
    "ar": "Arabic", "bg": "Bulgarian", "bn": "Bengali", "ca": "Catalan", "cs": "Czech", "da": "Danish", "de": "German",
    "el": "Greek", "en": "English", "es": "Spanish", "et": "Estonian", "fa": "Persian", "fi": "Finnish",
    "fr": "French", "ga": "Irish", "gu": "Gujarati", "he": "Hebrew", "hi": "Hindi", "hr": "Croatian",
    "hu": "Hungarian", "id": "Indonesian", "is": "Icelandic", "it": "Italian", "ja": "Japanese", "ka": "Georgian",
    "ko": "Korean", "lt": "Lithuanian", "lv": "Latvian", "ml": "Malayalam", "mr": "Marathi", "nb": "Norwegian",
    "nl": "Dutch", "pa": "Punjabi", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian",
    "sk": "Slovak", "sl": "Slovenian", "sq": "Albanian", "sr": "Serbian", "sv": "Swedish", "ta": "Tamil",
    "te": "Telugu", "th": "Thai", "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu", "vi": "Vietnamese",
    "zh": "Chinese",
}  # fmt: skip
_KIN = ({"da", "nb", "sv"}, {"hr", "sr", "sl"}, {"cs", "sk"}, {"hi", "mr"}, {"ru", "uk", "bg"}, {"es", "ca"})
"""Languages that even long texts are mistaken between: one beside the other is no finding."""


class _Told(NamedTuple):
    line: int
    language: str


def check_languages(rows: Sequence[Row]) -> Iterator[Finding]:
    """language_mix; `count` is the number of rows, of those looked at, that are not in the main language."""
    step = max(1, -(-len(rows) // MAX_ROWS))
    looked_at = rows[::step]
    sides = {
        "inputs": _told((row.line, row.user_text) for row in looked_at),
        "answers": _told((row.line, row.answer) for row in looked_at),
    }
    lines: set[int] = set()
    severity: Severity = "note"
    said = []
    for side, told in sides.items():
        others = _others(told)
        if not others:
            continue
        lines.update(line for line, _ in others)
        if side == "inputs" and len(others) < FEW_SHARE * len(told):
            severity = "warning"
        first = others[0]
        said.append(f"{side} {_shares(told, others)}, for instance {_NAMES[first.language]} in line {first.line}")
    if said:
        part = f" Of {len(rows):,} rows {len(looked_at):,} were looked at." if step > 1 else ""
        yield finding(
            "language_mix",
            severity,
            lines,
            f"{plural(len(lines), 'row is', 'rows are')} in another language than most: {'; '.join(said)}.{part}",
            "Leave strays out. Where several languages are meant, give each enough rows and judge each by itself.",
        )


def prose(text: str) -> str:
    """The beginning of the text without code, addresses and placeholders; empty where little of it is plain words."""
    if "`" in text or "://" in text or "{{" in text:
        text = _CODE.sub(" ", text)
    text = " ".join(text[:_MAX_CHARS].split())
    if len(_NOT_PROSE.findall(text)) * 25 > len(text):
        return ""
    letters = "".join(char for char in text if char.isalpha())
    return text if len(letters.encode("utf-8", "replace")) >= MIN_BYTES and len(letters) > len(text) / 2 else ""


def _told(texts: Iterator[tuple[int, str]]) -> list[_Told]:
    """Lines whose language is sure. A text that stands in many rows is read once."""
    known: dict[str, str] = {}
    told = []
    for line, text in texts:
        if len(text) < MIN_BYTES // 3:
            continue
        plain = prose(text)
        if not plain:
            continue
        if plain not in known:
            known[plain] = _identifier()(plain)
        if known[plain]:
            told.append(_Told(line, known[plain]))
    return told


def _others(told: list[_Told]) -> list[_Told]:
    """Those that are neither in the most frequent language nor in one that is easily taken for it."""
    counts = Counter(language for _, language in told)
    if len(counts) < 2:
        return []
    main = counts.most_common(1)[0][0]
    near = {main}.union(*(kin for kin in _KIN if main in kin))
    enough = {language for language, count in counts.items() if count >= MIN_SHARE * len(told)}
    return [each for each in told if each.language in enough - near]


def _shares(told: list[_Told], others: list[_Told]) -> str:
    counts = Counter(language for _, language in told)
    shown = {language for _, language in others} | {counts.most_common(1)[0][0]}
    parts = [f"{_NAMES[language]} {_percent(count, len(told))}" for language, count in counts.most_common(6)
             if language in shown]  # fmt: skip
    return ", ".join(parts)


def _percent(part: int, whole: int) -> str:
    share = 100 * part / whole
    return f"{share:.0f} %" if share >= 1 else "under 1 %"


@cache
def _identifier() -> Callable[[str], str]:
    """Text to language code; empty where it is not sure. Loading the model takes 0.2 seconds, once."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_pickled_model(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(_NAMES))

    def told(text: str) -> str:
        language, probability = identifier.classify(text)
        return str(language) if probability >= SURE else ""

    return told
