"""Rows in bulk are the rows that go in one by one, on both databases, or none at all."""

from typing import Any, Final

import pytest
from sqlalchemy import Column, func, insert, select

from linkage_hub.store.bulk import insert_rows
from linkage_hub.store.database import HubDatabase, HubStoreError
from linkage_hub.store.tables import family_addresses, family_members, metadata

MEMBER = ("run", "family", "person", "role", "age_band", "adult", "confidence", "is_primary")
ROWS = [
    ("r1", "f-1", "p-1", "child", "5_10", False, 0.25, True),
    ("r1", "f-1", "p-2", 'a\tb\\"n\n', None, True, 1.0, False),
]

VALUES: Final = {str: "w", bytes: b"w", int: 7, float: 0.5, bool: True}


def value(column: Column[Any]) -> Any:
    """Something that a column takes."""
    return VALUES[column.type.python_type]


def test_bulk_rows_are_plain_rows(database_url: str) -> None:
    """Text with tabs, quotes and line breaks, nothing, booleans and numbers come back as given."""
    database = HubDatabase(database_url)
    with database.writing() as connection:
        insert_rows(connection, family_members, MEMBER, iter(ROWS))
        connection.execute(
            insert(family_members),
            [dict(zip(MEMBER, ("r2", *row[1:]), strict=True)) for row in ROWS],
        )
    with database.reading() as connection:
        found = [
            [tuple(row)[1:] for row in connection.execute(
                select(*(family_members.c[name] for name in MEMBER))
                .where(family_members.c.run == run)
                .order_by(family_members.c.person))]
            for run in ("r1", "r2")
        ]  # fmt: skip
    assert found[0] == found[1] == [row[1:] for row in ROWS]
    database.close()


def test_a_refused_row_leaves_none_and_names_no_value(database_url: str) -> None:
    """A row that the database refuses undoes the transaction; the error holds nothing of it."""
    database = HubDatabase(database_url)
    with pytest.raises(HubStoreError) as caught, database.writing() as connection:
        insert_rows(connection, family_members, MEMBER, [ROWS[0], ROWS[0]])
    assert "f-1" not in str(caught.value)
    with database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(family_members)) == 0
    database.close()


def test_no_row_is_no_statement(database_url: str) -> None:
    """Nothing to insert is nothing done."""
    database = HubDatabase(database_url)
    with database.writing() as connection:
        insert_rows(connection, family_addresses, ("run",), [])
    database.close()


def test_every_table_takes_bulk_rows(database_url: str) -> None:
    """Whatever its columns are called: ``left`` and ``right`` are reserved words."""
    database = HubDatabase(database_url)
    for table in metadata.sorted_tables:
        row = tuple(value(column) for column in table.columns)
        with database.writing() as connection:
            connection.execute(table.delete())  # what a new database holds
            insert_rows(connection, table, [column.name for column in table.columns], [row])
        with database.reading() as connection:
            assert tuple(connection.execute(select(table)).one()) == row
    database.close()
