"""Leaves and perfect subtrees in a database, as the log and its mirrors both keep them."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    LargeBinary,
    MetaData,
    String,
    Table,
    insert,
    select,
    update,
)

from governance.ledger.errors import OutOfRangeError, StoreError
from governance.ledger.events import Event, Leaf, read_event
from governance.ledger.merkle import HASH_BYTES, Frontier, NodeId, leaf_hash

_FETCH_ROWS: Final = 64  # a row may hold a payload of 1 MiB


class StoredEntry(NamedTuple):
    """A leaf's bytes with salt and payload, which are None once erased."""

    leaf: bytes
    salt: bytes | None
    payload: bytes | None


class TreeTables:
    """The tables ``<prefix>_leaf`` and ``<prefix>_node``."""

    def __init__(self, metadata: MetaData, prefix: str) -> None:
        self.leaf = Table(
            f"{prefix}_leaf",
            metadata,
            Column("position", BigInteger, primary_key=True),
            Column("event_id", String(32)),
            Column("leaf", LargeBinary),
            Column("salt", LargeBinary),
            Column("payload", LargeBinary),
        )
        self.node = Table(
            f"{prefix}_node",
            metadata,
            Column("number", BigInteger, primary_key=True),
            Column("hash", LargeBinary),
        )

    def append(self, connection: Connection, frontier: Frontier, events: Sequence[Event]) -> None:
        """Write events after the frontier's leaves, and move the frontier."""
        leaves, nodes = [], []
        for event in events:
            leaf = event.leaf_bytes
            leaves.append(
                {
                    "position": frontier.size,
                    "event_id": event.leaf.id,
                    "leaf": leaf,
                    "salt": event.salt,
                    "payload": event.payload,
                }
            )
            nodes += [
                {"number": _number(node), "hash": digest}
                for node, digest in frontier.append(leaf_hash(leaf))
            ]
        if leaves:
            connection.execute(insert(self.leaf), leaves)
            connection.execute(insert(self.node), nodes)

    def entries(
        self, connection: Connection, start: int, end: int, max_bytes: int | None = None
    ) -> list[Event]:
        """The events ``[start, end)``, or the first of them, at least one, up to ``max_bytes``."""
        return [read_event(*entry) for entry in self.stored(connection, start, end, max_bytes)]

    def leaves_of(self, connection: Connection, id_: str) -> list[Leaf]:
        """The leaves of events with an id."""
        found = connection.scalars(select(self.leaf.c.leaf).where(self.leaf.c.event_id == id_))
        return [read_event(leaf, None, None).leaf for leaf in found]

    def stored(
        self, connection: Connection, start: int, end: int, max_bytes: int | None = None
    ) -> list[StoredEntry]:
        """The same as they are stored: nothing of them is checked."""
        rows = connection.execute(
            select(self.leaf.c.leaf, self.leaf.c.salt, self.leaf.c.payload)
            .where(self.leaf.c.position >= start, self.leaf.c.position < end)
            .order_by(self.leaf.c.position)
            .execution_options(yield_per=_FETCH_ROWS)
        )
        found: list[StoredEntry] = []
        total = 0
        with closing(rows):
            for row in rows:
                total += len(row.leaf) + len(row.payload or b"")
                if found and max_bytes is not None and total > max_bytes:
                    break
                found.append(StoredEntry(row.leaf, row.salt, row.payload))
        return found

    def erase(self, connection: Connection, indexes: Iterable[int]) -> None:
        """Remove salt and payload of entries.

        Raises:
            OutOfRangeError: there is no such entry.
        """
        gone = update(self.leaf).values(salt=None, payload=None)
        for index in indexes:
            if connection.execute(gone.where(self.leaf.c.position == index)).rowcount != 1:
                raise OutOfRangeError(f"there is no entry {index}")

    def nodes(self, connection: Connection) -> "StoredNodes":
        """The perfect subtrees, as the proofs read them."""
        return StoredNodes(connection, self.node)


class StoredNodes:
    """``NodeReader`` on one connection."""

    def __init__(self, connection: Connection, table: Table) -> None:
        self._connection = connection
        self._table = table

    def read_nodes(self, ids: Sequence[NodeId]) -> list[bytes]:
        """The hashes in the order asked.

        Raises:
            StoreError: a node is missing: the database was damaged.
        """
        rows = self._connection.execute(
            select(self._table).where(self._table.c.number.in_(map(_number, ids)))
        )
        hashes = {row.number: bytes(row.hash) for row in rows}
        try:
            return [hashes[_number(node)] for node in ids]
        except KeyError:
            raise StoreError(
                "the database lacks a node of the tree", next_step="restore it from a mirror"
            ) from None


def write_frontier(frontier: Frontier) -> bytes:
    """A frontier as one value; the size stands beside it."""
    return b"".join(frontier.hashes)


def parse_frontier(size: int, data: bytes) -> Frontier:
    """The frontier that ``write_frontier`` wrote."""
    return Frontier(size, [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)])


def _number(node: NodeId) -> int:
    """A node's place in in-order numbering: leaves are even; nothing moves as the tree grows."""
    return ((2 * node.position + 1) << node.level) - 1
