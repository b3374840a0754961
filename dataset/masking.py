"""Personal data and secrets taken out of a text: `[email]`, `[phone]`, `[secret]` in their place.

What is found is what `checks.privacy` finds, so that a masked row passes its checks. Names and street addresses stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from dataset.checks import privacy

_TAGS = {
    "e-mail address": "[email]",
    "IBAN": "[iban]",
    "IP address": "[ip address]",
    "card number": "[card number]",
    "phone number": "[phone]",
}
_SECRET = "[secret]"
_WHOLE_KEY = re.compile(
    r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----.*?(?:-----END (?:[A-Z]+ )*PRIVATE KEY-----|\Z)", re.DOTALL
)
Span = tuple[int, int, str]
"""Where it begins, where it ends, and its kind."""


def mask_personal(text: str) -> tuple[str, list[str]]:
    """(the text with personal data replaced, the kinds that were found)."""
    return _replaced(text, _personal(text), lambda kind, _: _TAGS.get(kind, f"[{kind}]"))


def mask_secrets(text: str) -> tuple[str, list[str]]:
    """(the text with keys, tokens and passwords replaced, the kinds that were found). A private key goes whole."""
    return _replaced(text, _secrets(text), lambda _kind, _value: _SECRET)


def veiled(text: str) -> str:
    """The text with both kept to their first two characters: fit to be shown beside the mended one."""
    spans = [*_secrets(text), *_personal(text)]
    return _replaced(text, spans, lambda _, value: privacy.mask(value))[0]


def _personal(text: str) -> Iterator[Span]:
    if "@" in text:
        for match in privacy._EMAIL.finditer(text):
            if not match.group().lower().endswith(privacy._EXAMPLE_DOMAINS):
                yield (*match.span(), "e-mail address")
    if not any(map(str.isdigit, text)):
        return
    for match in privacy._IBAN.finditer(text):
        if privacy.is_iban(match.group()):
            yield (*match.span(), "IBAN")
    for match in privacy._IP.finditer(text):
        if privacy._is_public_address(match.group()):
            yield (*match.span(), "IP address")
    for match in privacy._DIGITS.finditer(text):
        kind = privacy._number_kind(match.group())
        if kind:
            yield (*match.span(), kind)


def _secrets(text: str) -> Iterator[Span]:
    for kind, starts, pattern in privacy._SECRETS:
        if any(start in text for start in starts):
            whole = _WHOLE_KEY if kind == "private key" else pattern
            for match in whole.finditer(text):
                # The pattern of an address reads one character of the host as well: that stays.
                end = match.end() - 1 if kind == "password in an address" else match.end()
                yield match.start(), end, kind


def _replaced(text: str, spans: Iterator[Span] | list[Span], word: Callable[[str, str], str]) -> tuple[str, list[str]]:
    """The longest of those that begin first wins; what overlaps it goes with it."""
    pieces, kinds, position = [], [], 0
    for start, end, kind in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start < position:
            continue
        pieces += [text[position:start], word(kind, text[start:end])]
        kinds.append(kind)
        position = end
    return ("".join([*pieces, text[position:]]), kinds) if kinds else (text, kinds)
