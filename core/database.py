"""The database of the store: opened, brought up to date, and asked in sessions. SQLite (WAL) by default.

Nothing above this file is SQLite only.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core.errors import StoreError
from core.home import home
from core.migrate import migrate


class Database:
    """One database. Cheap to make; safe to use from several threads and processes at once."""

    def __init__(self, url: URL) -> None:
        """Raises `StoreError` where it cannot be opened."""
        try:
            self._engine = create_engine(url)
            if url.get_backend_name() == "sqlite":
                event.listen(self._engine, "connect", _sqlite_settings)
                event.listen(self._engine, "begin", _sqlite_begin)
            migrate(self._engine, home() / "migrate.lock")
        except (SQLAlchemyError, ImportError, OSError, TypeError, ValueError):
            # The address never reaches a message or a log: a password with an `@` in it stands in its host as well.
            name = url.get_backend_name()
            shown = f"the store {url.database} ({name})" if url.drivername == "sqlite" else f"the store ({name})"
            raise StoreError(f"cannot open {shown}.", "Check TUNEWORTHY_DB and that it is up.") from None

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def session(self, write: bool = False) -> Iterator[Session]:
        """A transaction, kept where its block ends well. Raises `StoreError` where the database fails."""
        engine = self._engine.execution_options(write=write)
        try:
            with Session(engine, expire_on_commit=False) as session, session.begin():
                yield session
        except SQLAlchemyError as error:
            kind = type(getattr(error, "orig", error)).__name__
            raise StoreError(
                f"the store could not be read or written ({kind}).", "Is the disk full, or the folder read-only?"
            ) from error


def _sqlite_settings(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by `_sqlite_begin`
    cursor = connection.cursor()
    for setting in ("busy_timeout=10000", "journal_mode=WAL", "foreign_keys=ON", "synchronous=NORMAL"):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


def _sqlite_begin(connection: Connection) -> None:
    # A writer takes SQLite's lock before it reads; else two read-modify-writes at once end in "database is locked".
    write = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
