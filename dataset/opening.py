"""Open a file of unknown make: size, hash, encoding, and lines that never run away.

The file is passed once to hash it and to try UTF-8; whatever is not UTF-8 goes to charset-normalizer. Bytes that
cannot be decoded are replaced and their lines reported, so one bad byte costs one line and not the file.
"""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.errors import BadInput, NotFound

MAX_BYTES = 1 << 30
MAX_DOCUMENT_BYTES = 256 << 20
"""A JSON document is read whole and takes some ten times its size in memory; JSON Lines are read line by line."""
MAX_LINE_CHARS = 16 << 20
_CHUNK_BYTES = 1 << 20
_SAMPLE_BYTES = 128 << 10
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_KINDS = (
    (b"BZh", "packed with bzip2", "Unpack it, or pack it as gz or zip."),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "Unpack it, or pack it as gz or zip."),
    (b"Rar!\x1a\x07", "a rar archive", "Unpack it, or pack it as gz or zip."),
    (b"\xfd7zXZ", "packed with xz", "Unpack it, or pack it as gz or zip."),
    (b"\x28\xb5\x2f\xfd", "packed with zstandard", "Unpack it, or pack it as gz or zip."),
    (b"%PDF", "a PDF", "Give a table or JSON Lines: one example a row."),
    (b"\x89PNG", "a picture", "Give a table or JSON Lines: one example a row."),
    (b"SQLite format 3", "a database", "Export the table as CSV."),
    (b"\x7fELF", "a program", "Give a table or JSON Lines: one example a row."),
)
_HIGH_CONTROLS = "".join(map(chr, range(0x7F, 0xA0)))
_LEGACY = [
    *("cp1252", "latin_1", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "mac_roman", "koi8_r"),
    *("cp932", "euc_jp", "gb18030", "big5", "euc_kr"),
]


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A text file whose size, hash and encoding are known."""

    path: Path
    name: str
    """What messages call it."""
    size: int
    sha256: str
    encoding: str
    lossy: bool
    """Some bytes do not fit the encoding; they read as U+FFFD."""

    def lines(self) -> Iterator[tuple[int, str | None]]:
        """(1-based number, line with its newline); None for a line of more than 16 Mi characters."""
        with self.path.open(encoding=self.encoding, errors="replace") as file:
            number = 0
            while line := file.readline(MAX_LINE_CHARS):
                number += 1
                if len(line) < MAX_LINE_CHARS or line.endswith("\n"):
                    yield number, line
                    continue
                while rest := file.readline(_CHUNK_BYTES):
                    if rest.endswith("\n"):
                        break
                yield number, None

    def text(self) -> str:
        """The whole text. Raises `BadInput` above 256 MiB."""
        if self.size > MAX_DOCUMENT_BYTES:
            raise BadInput(
                f"is one JSON document of {gib(self.size)}; documents are read up to {gib(MAX_DOCUMENT_BYTES)}.",
                "Save it as JSON Lines: one record a line.",
                file=self.name,
            )
        return self.path.read_text(encoding=self.encoding, errors="replace")


def sha256_of(path: Path) -> str:
    """Hash of a whole file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def open_text(path: Path, *, name: str | None = None, max_bytes: int = MAX_BYTES) -> OpenedFile:
    """Find out what `path` is. Raises `NotFound`, or `BadInput` for what is too large, empty or not text."""
    shown = name or str(path)
    size = checked_size(path, shown, max_bytes)
    with _plain_errors(shown):
        sha256, utf8_fails_at, head, around = _scan(path)
    if not head.strip(b"\x00 \t\r\n\xef\xbb\xbf"):
        if size <= len(head):
            raise BadInput("is empty.", "Give a file with one example a row.", file=shown)
        raise BadInput("starts with nothing but blanks or null bytes.", "Save it as UTF-8 text.", file=shown)
    for magic, kind, hint in _KINDS:
        if head.startswith(magic):
            raise BadInput(f"is {kind}, not text.", hint, file=shown)
    encoding, lossy = _encoding(head, around, utf8_fails_at)
    unescaped = "" if encoding in ("utf-8", "utf-8-sig") else _HIGH_CONTROLS  # JSON writes them as they are
    if encoding is None or _looks_binary(head.decode(encoding, errors="replace"), unescaped):
        raise BadInput("is not text.", "Give CSV, JSON or JSON Lines, saved as UTF-8.", file=shown)
    return OpenedFile(path=path, name=shown, size=size, sha256=sha256, encoding=encoding, lossy=lossy)


def checked_size(path: Path, shown: str, max_bytes: int) -> int:
    """Bytes of a file that is there, may be read and is not above `max_bytes`. Raises `NotFound` or `BadInput`."""
    with _plain_errors(shown):
        size = path.stat().st_size
        if not path.is_file():
            raise BadInput("is not a file.", "Give the path of one file.", file=shown)
        if size > max_bytes:
            raise BadInput(
                f"has {gib(size)}; files are read up to {gib(max_bytes)}.",
                "Take a sample: a few thousand good rows teach a tune nearly as much.",
                file=shown,
            )
        with path.open("rb") as file:
            file.read(1)
    return size


@contextmanager
def _plain_errors(shown: str) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFound(f"no file at {shown}.", "Check the path.") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "the path is not valid"
        raise BadInput(f"cannot be read ({reason}).", "Check its permissions.", file=shown) from error


def gib(size: int) -> str:
    """`1.5 GiB`, `256 MiB`."""
    if size >= 1 << 30:
        return f"{size / (1 << 30):.3g} GiB"
    return f"{size / (1 << 20):.3g} MiB"


def _scan(path: Path) -> tuple[str, int | None, bytes, bytes]:
    """(sha256, offset where UTF-8 fails or None, first bytes, bytes around the failure)."""
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8")()
    fails_at, head, around, offset = None, b"", b"", 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
            head = head or chunk[:_SAMPLE_BYTES]
            if fails_at is None:
                try:
                    decoder.decode(chunk)
                except UnicodeDecodeError as error:
                    fails_at = offset + error.start
                    start = max(0, error.start - _SAMPLE_BYTES // 2)
                    around = chunk[start : start + _SAMPLE_BYTES]
            offset += len(chunk)
        if fails_at is None:
            try:
                decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                fails_at, around = offset, head
    return digest.hexdigest(), fails_at, head, around


def _encoding(head: bytes, around: bytes, utf8_fails_at: int | None) -> tuple[str | None, bool]:
    for bom, name in _BOMS:
        if head.startswith(bom):
            return name, name == "utf-8-sig" and utf8_fails_at is not None
    wide = _utf16_without_bom(head)
    if wide:
        return wide, False
    if utf8_fails_at is None:
        return "utf-8", False
    text = around.decode("utf-8", errors="replace")
    bad = text.count("\ufffd")
    if sum(char > "\x7f" for char in text) > 3 * bad:
        return "utf-8", True  # UTF-8 with some broken bytes, not another encoding
    from charset_normalizer import from_bytes

    matches = from_bytes(around, cp_isolation=_LEGACY)
    best = matches.best()
    if best is None:
        return None, False
    if best.coherence == 0:  # too little text to know the language: the commonest legacy encoding is the best guess
        best = next((match for match in matches if match.encoding == "cp1252"), best)
    return best.encoding, _fails(around, best.encoding)


def _fails(sample: bytes, encoding: str) -> bool:
    try:
        sample.decode(encoding)
    except UnicodeDecodeError:
        return True
    return False


def _utf16_without_bom(head: bytes) -> str | None:
    half = len(head) // 2
    if half < 4:
        return None
    even, odd = head[0 : 2 * half : 2].count(0), head[1 : 2 * half : 2].count(0)
    if odd > 0.4 * half and even < 0.05 * half:
        return "utf-16-le"
    if even > 0.4 * half and odd < 0.05 * half:
        return "utf-16-be"
    return None


def _looks_binary(text: str, others: str) -> bool:
    controls = sum((char < " " and char not in "\t\n\r\f") or char in others for char in text)
    return controls > 2 and controls > 0.05 * len(text)
