"""Filling a log's database with so many leaves, and copying it: rows in bulk, past the store.

Events are made and hashed by several processes; one writes rows and the tree over them. A second
database gets the very same rows: SQLite as a file, PostgreSQL by ``COPY``.
"""

import multiprocessing
import os
import sqlite3
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Final, NamedTuple

import psycopg

from benchmarks.ledger.county import County
from benchmarks.ledger.mix import Mix
from benchmarks.postgresql import libpq
from governance.ledger.merkle import Frontier, leaf_hash
from governance.ledger.tables import parse_frontier, write_frontier

BATCH: Final = 5_000  # events in one transaction
_AHEAD: Final = 4  # batches made before they are wanted
_TABLES: Final = {
    "log_leaf": "position, event_id, leaf, salt, payload",
    "log_node": "number, hash",
}
_county: list[County] = []  # of a process that makes events


class Made(NamedTuple):
    """A row that a process made, and its leaf's hash."""

    event_id: str
    leaf: bytes
    salt: bytes | None
    payload: bytes | None
    digest: bytes


def fill(path: Path, county: County, leaves: int) -> None:
    """Append stories until the log has so many leaves; the last stories may be cut short."""
    spawn = multiprocessing.get_context("spawn")
    with (
        closing(sqlite3.connect(path)) as database,
        ProcessPoolExecutor(os.cpu_count(), spawn, _remember, (county,)) as pool,
    ):
        database.execute("PRAGMA synchronous=OFF")  # a fill that is cut off is begun anew
        frontier = _frontier(database)
        seeds, waiting = count(frontier.size), deque[Future[list[Made]]]()
        while (missing := leaves - frontier.size) > 0:
            while len(waiting) < _AHEAD:
                waiting.append(pool.submit(_make, next(seeds)))
            _append(database, frontier, waiting.popleft().result()[:missing])
        pool.shutdown(cancel_futures=True)
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def copy(source: Path, target: str) -> None:
    """Put the very same rows into another database, which was begun with the same genesis."""
    if target.startswith("sqlite"):
        with (
            closing(sqlite3.connect(source)) as theirs,
            closing(sqlite3.connect(target.removeprefix("sqlite:///"))) as ours,
        ):
            theirs.backup(ours)
        return
    with (
        closing(sqlite3.connect(source)) as theirs,
        psycopg.connect(libpq(target)) as connection,
        connection.cursor() as cursor,
    ):
        for table, columns in _TABLES.items():
            cursor.execute(f"DELETE FROM {table}".encode())  # noqa: S608 - ours
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN".encode()) as rows:
                for row in theirs.execute(f"SELECT {columns} FROM {table}"):  # noqa: S608 - ours
                    rows.write_row(row)
        (head,) = theirs.execute("SELECT size, frontier FROM log_head")
        cursor.execute("UPDATE log_head SET size = %s, frontier = %s", head)
        connection.commit()
        connection.autocommit = True
        cursor.execute("VACUUM ANALYZE")


def leaves_of(path: Path) -> Iterator[bytes]:
    """The bytes of every leaf, in order."""
    with closing(sqlite3.connect(path)) as database:
        for (leaf,) in database.execute("SELECT leaf FROM log_leaf ORDER BY position"):
            yield bytes(leaf)


def _frontier(database: sqlite3.Connection) -> Frontier:
    ((size, data),) = database.execute("SELECT size, frontier FROM log_head")
    return parse_frontier(size, data)


def _append(database: sqlite3.Connection, frontier: Frontier, made: list[Made]) -> None:
    leaves, nodes = [], []
    for row in made:
        leaves.append((frontier.size, row.event_id, row.leaf, row.salt, row.payload))
        nodes += [
            (((2 * node.position + 1) << node.level) - 1, digest)
            for node, digest in frontier.append(row.digest)
        ]
    with database:
        database.executemany("INSERT INTO log_leaf VALUES (?, ?, ?, ?, ?)", leaves)
        database.executemany("INSERT INTO log_node VALUES (?, ?)", nodes)
        head = frontier.size, write_frontier(frontier)
        database.execute("UPDATE log_head SET size = ?, frontier = ?", head)


def _remember(county: County) -> None:
    _county[:] = [county]


def _make(seed: int) -> list[Made]:
    return [
        Made(event.leaf.id, event.leaf_bytes, event.salt, event.payload,
             leaf_hash(event.leaf_bytes))
        for event in Mix(_county[0], seed).events(BATCH)
    ]  # fmt: skip
