"""Databases of a test: the newest schema is made once in a session, and copied.

A test opens up to ten new databases and would wait for twelve migrations of each. The real
migrations make the first database of each kind; later ones that are empty get what is in that one
then, statement by statement, and share nothing with it. Databases that hold something are migrated
as always, and so are those of PostgreSQL where it has no ``pg_dump`` of the server's version.
"""

import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from benchmarks.postgresql import libpq, programs
from governance.storage import database

migrated = database._upgrade
_made: dict[tuple[Path, str], list[str]] = {}
_dumped: dict[tuple[Path, str], str] = {}


def upgrade(engine: Engine, versions: Path, label: str) -> None:
    """What ``governance.storage.database`` calls in tests."""
    if engine.dialect.name != "sqlite":
        _upgrade_postgresql(engine, versions, label)
        return
    with _connection(engine) as connection:
        empty = not connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        if empty and (made := _made.get((versions, label))):
            _copy(connection, made)
            return
        migrated(engine, versions, label)
        if empty:
            _made[versions, label] = list(connection.iterdump())[1:-1]  # all but BEGIN and COMMIT


def _upgrade_postgresql(engine: Engine, versions: Path, label: str) -> None:
    with _connection(engine) as connection:
        tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        empty = connection.execute(tables).fetchone() == (0,)
        connection.commit()
        if empty and (made := _dumped.get((versions, label))):
            connection.execute(made)
            connection.commit()
            return
    migrated(engine, versions, label)
    if empty and (dump := _dump(engine)) is not None:
        _dumped[versions, label] = dump


def _dump(engine: Engine) -> str | None:
    """What is in a database, as statements; None where it cannot be told."""
    folder = programs()
    program = None if folder is None else (folder / "initdb").resolve().with_name("pg_dump")
    if program is None or not program.exists():
        return None
    url = libpq(engine.url.render_as_string(hide_password=False))
    words = ["--no-owner", "--no-privileges", "--inserts", f"--dbname={url}"]
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return None
    lines = (
        line
        for line in done.stdout.splitlines()
        if not line.startswith(("\\", "--", "SET ", "SELECT pg_catalog.set_config"))
    )
    return "\n".join(lines)


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
