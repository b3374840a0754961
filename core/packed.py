"""Texts kept so that nobody reads them by chance: base64 of zlib, as the questions of the safety axes are stored.

That hides nothing from whoever wants to read them; it keeps them out of searches, diffs, logs and error messages.
"""

from __future__ import annotations

import base64
import binascii
import zlib

MAX_BYTES = 4 * 1024 * 1024
"""Of an unpacked text: a broken file must not fill the memory."""
MARK = "packed:"
"""Stands before a packed text where plain ones may stand too."""


def pack_text(text: str) -> str:
    """A text of one line, ASCII only."""
    return base64.b64encode(zlib.compress(text.encode("utf-8", "surrogatepass"), 9)).decode("ascii")


def unpack_text(packed: str | bytes) -> str:
    """What `pack_text` was given; white space in it counts for nothing.

    Raises `ValueError` for anything else, and for a text that is cut short or longer than `MAX_BYTES`.
    """
    data = packed.encode("ascii", "replace") if isinstance(packed, str) else packed
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(base64.b64decode(b"".join(data.split()), validate=True), MAX_BYTES)
    except (binascii.Error, zlib.error) as error:
        raise ValueError("not a packed text") from error
    if not inflater.eof or inflater.unused_data:
        raise ValueError("cut short, too long, or with something behind it")
    return text.decode("utf-8", "surrogatepass")


def marked(text: str) -> str:
    """A packed text with the mark before it."""
    return MARK + pack_text(text)


def unmarked(text: str) -> str:
    """What `marked` was given; a text that only looks like it stays as it is."""
    if not text.startswith(MARK):
        return text
    try:
        return unpack_text(text.removeprefix(MARK))
    except ValueError:
        return text
