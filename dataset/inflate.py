"""Gzip, unpacked in pieces of a known size, whatever its header and its members claim."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import BinaryIO

MAX_MEMBERS = 200_000
"""Of one gzip file; tools that write several put 64 KiB or more into each."""
PIECE_BYTES = 1 << 20
_PACKED_BYTES = 1 << 15


def inflated(source: BinaryIO) -> Iterator[bytes]:
    """What gzip packed, piece by piece, one member after the other; blanks of zeros may fill the end.

    The gzip module would read a name that never ends byte by byte. Raises `EOFError` or `zlib.error`.
    """
    inflater, members, inside, packed = zlib.decompressobj(31), 0, False, b""
    while packed := packed or source.read(_PACKED_BYTES):
        if not inside and members:
            packed = packed.lstrip(b"\0")
            if not packed:
                continue
        inside = True
        if piece := inflater.decompress(packed, PIECE_BYTES):
            yield piece
        packed = inflater.unconsumed_tail
        if inflater.eof:
            packed, inside, members = inflater.unused_data, False, members + 1
            inflater = zlib.decompressobj(31)
            if members > MAX_MEMBERS:
                raise EOFError
    if inside:
        raise EOFError
