"""Answers in SQL, run: do they bring the same rows from a given SQLite file?

A model's query is not trusted. The file is opened to read only, everything but reading is refused while the query is
prepared, and steps, time, rows and size are limited.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from core.errors import BadInput, NotFound
from evaluation.metrics.sql_text import MAX_CHARACTERS, sql_in

MAX_STEPS = 50_000_000
"""Instructions of SQLite's machine: a second or so. A limit in steps is the same on every machine."""
MAX_SECONDS = 10.0
MAX_ROWS = 100_000
MAX_BYTES = 64 << 20
"""Of text and blobs in all rows together."""
_STEPS_A_LOOK = 10_000
_ALLOWED = frozenset((sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE))
_UNSEEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\[[^\]]*\]|--[^\n]*|/\*.*?\*/", re.DOTALL)
_INNER = re.compile(r"\([^()]*\)")
_ORDERED = re.compile(r"\border\s+by\b", re.IGNORECASE)
Value = None | int | float | str | bytes
Rows = list[tuple[Value, ...]]


def sql_rows(expected: str, answer: str, database: Path) -> float:
    """1 when the answer's query brings the rows of the expected one, whatever its columns are called.

    The order of rows counts where the expected query orders them; the order of columns counts always. Numbers are
    equal within 9 digits, and 1 is 1.0. 0 where either query fails or is too large. Raises `NotFound` or `BadInput` for
    the file.
    """
    wanted = run_query(sql_in(expected), database)
    if wanted is None:
        return 0.0
    said = run_query(sql_in(answer), database)
    if said is None:
        return 0.0
    return float(wanted == said if is_ordered(sql_in(expected)) else Counter(wanted) == Counter(said))


def broken_queries(expected: Sequence[str], database: Path) -> list[int]:
    """Places of expected queries that cannot be run here: on those rows nobody can be right."""
    return [at for at, text in enumerate(expected) if run_query(sql_in(text), database) is None]


def run_query(query: str, database: Path) -> Rows | None:
    """The rows of one reading query, or None where it fails, writes, or goes beyond a limit."""
    if not query or len(query) > MAX_CHARACTERS:
        return None
    connection = _open(database)
    started, looks = time.monotonic(), 0

    def too_long() -> int:
        nonlocal looks
        looks += 1
        return int(looks * _STEPS_A_LOOK > MAX_STEPS or time.monotonic() - started > MAX_SECONDS)

    try:
        connection.set_authorizer(_authorise)
        connection.set_progress_handler(too_long, _STEPS_A_LOOK)
        return _fetched(connection.execute(query))
    except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError, MemoryError):
        return None
    finally:
        connection.close()


def is_ordered(query: str) -> bool:
    """True where the query as a whole, not only a part of it in brackets, says ORDER BY."""
    text = _UNSEEN.sub(" x ", query)
    before = ""
    while before != text:
        before, text = text, _INNER.sub(" ", text)
    return _ORDERED.search(text) is not None


def _open(database: Path) -> sqlite3.Connection:
    if not database.is_file():
        raise NotFound(f"no file at {database}.", "Set `sqlite` to a SQLite database.")
    # As a URI it is quoted: a question mark in a name must not become a setting.
    connection = sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_BYTES)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 200)  # long ones take exponential time in one step
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        connection.close()
        raise BadInput("is not a SQLite database.", "Set `sqlite` to one.", file=str(database)) from error
    return connection


def _authorise(action: int, first: str | None, second: str | None, schema: str | None, trigger: str | None) -> int:
    """Reading, and functions other than the one that loads code."""
    if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() == "load_extension":
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY


def _fetched(cursor: sqlite3.Cursor) -> Rows | None:
    if cursor.description is None:
        return None  # a statement that reads nothing, such as BEGIN
    rows: Rows = []
    size = 0
    for row in cursor:
        size += sum(len(value) for value in row if isinstance(value, str | bytes))
        if len(rows) >= MAX_ROWS or size > MAX_BYTES:
            return None
        rows.append(tuple(_rounded(value) for value in row))
    return rows


def _rounded(value: Value) -> Value:
    return float(f"{value:.9g}") if isinstance(value, float) else value
