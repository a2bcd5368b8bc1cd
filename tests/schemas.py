"""Databases of a test: the newest schema is made once in a session, and copied.

A test opens up to ten new databases and would wait for twelve migrations of each. The real
migrations make the first SQLite database of each kind; later ones that are empty get what is in
that one then, statement by statement, and share nothing with it. Databases that hold something,
and those of PostgreSQL, are migrated as always.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from governance.storage import database

migrated = database._upgrade
_made: dict[tuple[Path, str], list[str]] = {}


def upgrade(engine: Engine, versions: Path, label: str) -> None:
    """What ``governance.storage.database`` calls in tests."""
    if engine.dialect.name != "sqlite":
        migrated(engine, versions, label)
        return
    with _connection(engine) as connection:
        empty = not connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        if empty and (made := _made.get((versions, label))):
            _copy(connection, made)
            return
        migrated(engine, versions, label)
        if empty:
            _made[versions, label] = list(connection.iterdump())[1:-1]  # all but BEGIN and COMMIT


def _copy(connection: sqlite3.Connection, statements: list[str]) -> None:
    """Fill a database, unless another thread or process has done it by now."""
    connection.execute("BEGIN IMMEDIATE")
    if not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
        for statement in statements:
            connection.execute(statement)
    connection.execute("COMMIT")


@contextmanager
def _connection(engine: Engine) -> Iterator[Any]:
    raw = engine.raw_connection()
    try:
        yield raw.driver_connection
    finally:
        raw.close()
