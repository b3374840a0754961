"""Personal data and secrets taken out of a text: `[email]`, `[phone]`, `[secret]` in their place.

What is found is what `checks.privacy` finds, so that a masked row passes its checks. Names and street addresses stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from dataset.checks.privacy import Span, mask, personal_spans, secret_spans

_TAGS = {
    "e-mail address": "[email]",
    "IBAN": "[iban]",
    "IP address": "[ip address]",
    "card number": "[card number]",
    "phone number": "[phone]",
}
_SECRET = "[secret]"


def mask_personal(text: str) -> tuple[str, list[str]]:
    """(the text with personal data replaced, the kinds that were found)."""
    return _replaced(text, personal_spans(text), lambda kind, _: _TAGS.get(kind, f"[{kind}]"))


def mask_secrets(text: str) -> tuple[str, list[str]]:
    """(the text with keys, tokens and passwords replaced, the kinds that were found). A private key goes whole."""
    return _replaced(text, secret_spans(text), lambda _kind, _value: _SECRET)


def veiled(text: str) -> str:
    """The text with both kept to their first two characters: fit to be shown beside the mended one."""
    spans = [*secret_spans(text), *personal_spans(text)]
    return _replaced(text, spans, lambda _, value: mask(value))[0]


def _replaced(text: str, spans: Iterable[Span], word: Callable[[str, str], str]) -> tuple[str, list[str]]:
    """The longest of those that begin first wins; what overlaps it goes with it."""
    pieces, kinds, position = [], [], 0
    for start, end, kind in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start < position:
            continue
        pieces += [text[position:start], word(kind, text[start:end])]
        kinds.append(kind)
        position = end
    return ("".join([*pieces, text[position:]]), kinds) if kinds else (text, kinds)
