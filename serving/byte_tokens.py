"""The bytes that each token of a vocabulary stands for."""

from __future__ import annotations

import json
import re
from typing import Any

from tokenizers import Tokenizer

from core.errors import BadInput

_BYTE = re.compile(r"<0x([0-9A-F]{2})>")
_BLANK = "\u2581"
"""How SentencePiece writes a space."""


def byte_tokens(tokenizer: Tokenizer) -> dict[int, bytes]:
    """`{token: bytes}` without marks such as the end of a turn. Raises `BadInput` for a kind that is not known."""
    kinds = set(_kinds(json.loads(tokenizer.to_str()).get("decoder")))
    marks = set(tokenizer.get_added_tokens_decoder())
    plain = {token: text for text, token in tokenizer.get_vocab(with_added_tokens=False).items() if token not in marks}
    if "ByteLevel" in kinds:
        letters = _byte_letters()
        return {
            token: bytes(letters[each] for each in text) for token, text in plain.items() if set(text) <= set(letters)
        }
    if "ByteFallback" in kinds:
        return {token: _of_sentence_piece(text) for token, text in plain.items()}
    raise BadInput("this model's tokenizer is of a kind that cannot be constrained.", "Use another base model.")


def _kinds(decoder: Any) -> list[str]:
    """Names of the decoder and of its parts."""
    if not isinstance(decoder, dict):
        return []
    return [decoder["type"], *(name for part in decoder.get("decoders", []) for name in _kinds(part))]


def _of_sentence_piece(text: str) -> bytes:
    found = _BYTE.fullmatch(text)
    return bytes([int(found[1], 16)]) if found else text.replace(_BLANK, " ").encode()


def _byte_letters() -> dict[str, int]:
    """GPT-2's letters for bytes (Radford et al. 2019): those that can be shown stand for themselves."""
    shown = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return {chr(byte): byte for byte in shown} | {chr(256 + at): byte for at, byte in enumerate(hidden)}
