"""Bring a database to the newest schema, once, under a file lock, however many processes open it at the same time."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from core.errors import StoreError

HEAD = "0002"
"""Newest revision under `core/migrations/versions`; a test holds it equal to Alembic's own answer."""


def migrate(engine: Engine, lock_file: Path) -> None:
    """Upgrade to `HEAD`. Cheap when nothing is to do. Raises `StoreError` for a database of a newer release."""
    if current(engine) == HEAD:
        return
    descriptor = os.open(lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        found = current(engine)
        if found != HEAD:
            _upgrade(engine, found)
    finally:
        os.close(descriptor)


def current(engine: Engine) -> str | None:
    """The revision of the database, None for an empty one."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(engine: Engine, found: str | None) -> None:
    # Alembic is imported only when there is something to do: it costs every start of the command line otherwise.
    from alembic import command
    from alembic.config import Config
    from alembic.util.exc import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except (CommandError, SQLAlchemyError) as error:
        raise StoreError(
            f"the store is at schema {found}, this release knows {HEAD}.",
            "Use the newest release, or move the store aside.",
        ) from error
