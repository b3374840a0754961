"""Personal data and secrets by their shapes. What is found is never kept or shown in clear.

Patterns see e-mail addresses, phone numbers, payment cards (Luhn), IBANs (ISO 7064 mod 97) and public IP addresses;
they do not see names or street addresses, and no check proves that there is nothing.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from dataset.finding import Finding, finding, plural
from dataset.row import Row

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,4}[A-Za-z]{2,24}\b")
_DIGIT = re.compile(r"\d")
_DIGITS = re.compile(r"(?<![\w.,/=#-])\+?\(?\d(?:[ .()/-]{0,2}\d){6,18}(?![\w/]|[.,-]\d)")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_IP = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\d)")
# What a text must hold for the three patterns above to be worth their time. These start with a class of characters,
# which the engine skips to quickly.
_LIKE_DIGITS = re.compile(r"\d(?:[ .()/-]{0,2}\d){6}")
_LIKE_IBAN = re.compile(r"[A-Z]{2}\d{2}[ A-Z0-9]")
_LIKE_IP = re.compile(r"\d\.\d{1,3}\.\d{1,3}\.\d")
_INTERNATIONAL = re.compile(r"(?:\+|00)[1-9]\d{0,2}[ .()/-]*\d[\d .()/-]{5,16}")
_NATIONAL = re.compile(
    r"\(0?\d{1,4}\) ?\d{3,4}[ .-]?\d{3,4}|(?:1[ -])?[0-9]{3}([ .-])\d{3}\1\d{4}|1[38]00[ -]\d{3}[ -]\d{3}"
)
_UK_LIKE = re.compile(r"0\d{2,4} \d{3,4} ?\d{3,4}")
_CARD_STARTS = ("4", "51", "52", "53", "54", "55", "34", "37", "2", "6011", "65", "35", "30", "36", "38")
_EXAMPLE_DOMAINS = ("example.com", "example.org", "example.net", ".example", ".test", ".invalid")

_SECRETS = (
    (
        "private key",
        ("-----BEGIN",),
        re.compile(
            r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----.*?(?:-----END (?:[A-Z]+ )*PRIVATE KEY-----|\Z)", re.DOTALL
        ),
    ),
    ("OpenAI key", ("sk-",), re.compile(r"\bsk-(?!ant-)[A-Za-z0-9_-]{20,200}")),
    ("Anthropic key", ("sk-ant-",), re.compile(r"\bsk-ant-[A-Za-z0-9_-]{20,200}")),
    ("Hugging Face token", ("hf_",), re.compile(r"\bhf_[A-Za-z0-9]{30,60}\b")),
    ("GitHub token", ("ghp_", "gho_", "ghs_", "github_pat_"), re.compile(r"\b(?:gh[pousr]_|github_pat_)\w{30,90}\b")),
    ("AWS key id", ("AKIA", "ASIA"), re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")),
    ("Google key", ("AIza",), re.compile(r"\bAIza[A-Za-z0-9_-]{35}")),
    ("Slack token", ("xox",), re.compile(r"\bxox[abposr]-[A-Za-z0-9-]{10,80}")),
    ("Stripe key", ("_live_",), re.compile(r"\b[sr]k_live_[A-Za-z0-9]{16,120}\b")),
    ("signed token", ("eyJ",), re.compile(r"\beyJ[\w-]{10,2000}\.eyJ[\w-]{10,4000}\.[\w-]{10,1000}")),
    (
        "password in an address",
        ("://",),
        re.compile(r"\b[a-z][a-z0-9+]{1,20}://[^\s:/@]{1,100}:[^\s:/@]{3,100}@(?=\w)"),
    ),
)


class Span(NamedTuple):
    """Where something begins and ends in a text, and its kind."""

    start: int
    end: int
    kind: str


def check_privacy(rows: Sequence[Row]) -> Iterator[Finding]:
    """pii and secret. One line of each kind is shown masked."""
    personal, secrets = _Found(), _Found()
    for row in rows:
        text = row.text
        personal.add(row.line, personal_data(text))
        secrets.add(row.line, secret_kinds(text))
    if personal.lines:
        yield finding(
            "pii",
            "warning",
            personal.lines,
            f"{plural(len(personal.lines), 'row holds', 'rows hold')} personal data by its looks: {personal.shown()}.",
            "Replace it by made-up values. Names and street addresses are not looked for.",
        )
    if secrets.lines:
        yield finding(
            "secret",
            "error",
            secrets.lines,
            f"{plural(len(secrets.lines), 'row holds', 'rows hold')} a secret by its looks: {secrets.shown()}.",
            "Revoke it where it was issued, and take it out: a tuned model can repeat it.",
        )


def personal_data(text: str) -> Iterator[tuple[str, str]]:
    """(kind, masked value) of what looks like personal data."""
    return ((kind, mask(text[start:end])) for start, end, kind in personal_spans(text))


def secret_kinds(text: str) -> Iterator[tuple[str, str]]:
    """(kind, masked value) of what looks like a key, token or password."""
    return ((kind, mask(text[start:end])) for start, end, kind in secret_spans(text))


def personal_spans(text: str) -> Iterator[Span]:
    """Where personal data stands, kind by kind; two of them may overlap."""
    if "@" in text:
        for match in _EMAIL.finditer(text):
            if not match.group().lower().endswith(_EXAMPLE_DOMAINS):
                yield Span(*match.span(), "e-mail address")
    digit = _DIGIT.search(text)
    if digit:
        yield from _numbers(text, digit.start())


def secret_spans(text: str) -> Iterator[Span]:
    """Where keys, tokens and passwords stand, kind by kind. A private key goes to its last line."""
    for kind, starts, pattern in _SECRETS:
        for start in starts:
            if start in text:
                for match in pattern.finditer(text):
                    yield Span(*match.span(), kind)
                break


def _numbers(text: str, start: int) -> Iterator[Span]:
    """What is made of digits, the first of which stands at `start`."""
    if _LIKE_IBAN.search(text, max(0, start - 2)):
        for match in _IBAN.finditer(text):
            if is_iban(match.group()):
                yield Span(*match.span(), "IBAN")
    if _LIKE_IP.search(text, start):
        for match in _IP.finditer(text):
            if _is_public_address(match.group()):
                yield Span(*match.span(), "IP address")
    if _LIKE_DIGITS.search(text, start):
        for match in _DIGITS.finditer(text):
            kind = _number_kind(match.group())
            if kind:
                yield Span(*match.span(), kind)


def mask(value: str) -> str:
    """The first two characters and stars: enough to find it, too little to use it."""
    return f"{value[:2]}{'*' * 6}"


def passes_luhn(digits: str) -> bool:
    """The check digit of payment cards (ISO/IEC 7812-1, Luhn)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def is_iban(value: str) -> bool:
    """The checksum of ISO 13616: country and check digits moved to the end, letters as numbers, remainder 1."""
    text = value.replace(" ", "")
    if not 15 <= len(text) <= 34 or not text.isascii() or not text.isalnum():
        return False
    return int("".join(str(int(char, 36)) for char in text[4:] + text[:4])) % 97 == 1


class _Found:
    """Kinds and lines of what was found, with one masked example of each kind."""

    def __init__(self) -> None:
        self.lines: list[int] = []
        self.kinds: Counter[str] = Counter()
        self.examples: dict[str, str] = {}

    def add(self, line: int, found: Iterable[tuple[str, str]]) -> None:
        any_found = False
        for kind, masked in found:
            self.kinds[kind] += 1
            self.examples.setdefault(kind, f"{masked} in line {line}")
            any_found = True
        if any_found:
            self.lines.append(line)

    def shown(self) -> str:
        return ", ".join(f"{kind} {count:,} ({self.examples[kind]})" for kind, count in self.kinds.most_common())


def _number_kind(found: str) -> str | None:
    digits = "".join(char for char in found if char.isdigit() and char.isascii())
    cardlike = 13 <= len(digits) <= 19 and digits.startswith(_CARD_STARTS) and len(set(digits)) > 1
    if cardlike and not found.startswith("+") and passes_luhn(digits):
        return "card number"
    is_phone = any(pattern.fullmatch(found) for pattern in (_INTERNATIONAL, _NATIONAL, _UK_LIKE))
    return "phone number" if is_phone and 7 <= len(digits) <= 15 else None


def _is_public_address(text: str) -> bool:
    try:
        return ipaddress.IPv4Address(text).is_global
    except ValueError:
        return False
