"""Rows by the hundred thousand: SQLite's own ``executemany``, PostgreSQL's ``COPY``.

Statements that SQLAlchemy builds for each batch take twice the time on SQLite. Rows go in within
the caller's transaction, so that all of them appear or none.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, Final

import psycopg
from sqlalchemy import Connection, Table

from linkage_hub.store.database import HubStoreError

_BATCH: Final = 50_000  # rows handed to SQLite at once


def insert_rows(
    connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Insert rows of plain values.

    Args:
        connection: in a write transaction, of SQLite or PostgreSQL.
        table: where they go.
        columns: names, in the order of each row's values.
        rows: one sequence of values each: text, bytes, numbers, booleans, None.

    Raises:
        HubStoreError: PostgreSQL refuses a row.
        sqlalchemy.exc.DBAPIError: SQLite does.
    """
    quote = connection.dialect.identifier_preparer.quote  # ``left`` and ``right`` are reserved
    into = f"{quote(table.name)} ({', '.join(quote(table.c[name].name) for name in columns)})"
    if connection.dialect.name == "postgresql":
        _copy(connection, f"COPY {into} FROM STDIN", rows)
        return
    marks = ", ".join("?" * len(columns))
    statement = f"INSERT INTO {into} VALUES ({marks})"  # noqa: S608 - our own names
    every = iter(rows)
    while batch := [tuple(row) for row in islice(every, _BATCH)]:
        connection.exec_driver_sql(statement, batch)


def _copy(connection: Connection, statement: str, rows: Iterable[Sequence[Any]]) -> None:
    raw: Any = connection.connection.driver_connection
    try:
        with raw.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except psycopg.Error as error:  # SQLAlchemy does not see it: no value of a row may get out
        raise HubStoreError(f"the database refused rows ({type(error).__name__})") from None
