"""The log's own store: leaves, perfect subtrees and head, appended in one transaction.

Rules, in order: one writer at a time; an event id stands once in the log (the same bytes again are
answered with their index, other bytes are refused); leaf, nodes and head are committed together;
a leaf never changes; erasure removes salt and payload only.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    String,
    Table,
    Text,
    and_,
    delete,
    func,
    insert,
    select,
    update,
)

from governance.ledger.database import Database
from governance.ledger.errors import DuplicateEventError, OutOfRangeError, StoreError
from governance.ledger.events import Event
from governance.ledger.merkle import Frontier, consistency_proof, inclusion_proofs, read_frontier
from governance.ledger.tables import StoredEntry, TreeTables, parse_frontier, write_frontier

_TABLES: Final = MetaData()
_TREE: Final = TreeTables(_TABLES, "log")
_LEAF: Final = _TREE.leaf
_HEAD: Final = Table(
    "log_head",
    _TABLES,
    Column("id", Integer, primary_key=True),
    Column("origin", String(255)),
    Column("size", BigInteger),
    Column("frontier", LargeBinary),
)
_COSIGNATURE: Final = Table(
    "log_cosignature",
    _TABLES,
    Column("size", BigInteger, primary_key=True),
    Column("witness", String(255), primary_key=True),
    Column("time", BigInteger),
    Column("line", Text),
)


@dataclass(frozen=True)
class Head:
    """How many leaves the log has, and their root."""

    size: int
    root: bytes


@dataclass(frozen=True)
class StoredCosignature:
    """A witness's line on the checkpoint of one size; time in seconds since the epoch."""

    size: int
    witness: str
    time: int
    line: str


class Writer:
    """The log while this transaction alone may write to it."""

    def __init__(self, connection: Connection, frontier: Frontier) -> None:
        self._connection = connection
        self._frontier = frontier

    @property
    def size(self) -> int:
        """Leaves, with those appended in this transaction."""
        return self._frontier.size

    def entries(self, start: int, end: int) -> list[Event]:
        """The events ``[start, end)``."""
        return _TREE.entries(self._connection, start, end)

    def taken(self, events: Iterable[Event]) -> "Taken":
        """Which of their ids stand in the log."""
        ids = {event.leaf.id for event in events}
        rows = self._connection.execute(
            select(_LEAF.c.event_id, _LEAF.c.position, _LEAF.c.leaf).where(
                _LEAF.c.event_id.in_(ids)
            )
        )
        return Taken({row.event_id: (int(row.position), bytes(row.leaf)) for row in rows})

    def append(self, events: Sequence[Event]) -> None:
        """Add events whose ids are not taken."""
        _TREE.append(self._connection, self._frontier, events)
        self._connection.execute(
            update(_HEAD).values(size=self._frontier.size, frontier=write_frontier(self._frontier))
        )

    def erase(self, indexes: Iterable[int]) -> None:
        """Remove salts and payloads of entries; follow it with ``LedgerStore.overwrite``."""
        _TREE.erase(self._connection, indexes)


class Taken:
    """Event ids that stand in the log, or are about to."""

    def __init__(self, places: dict[str, tuple[int, bytes]]) -> None:
        self._places = places

    def find(self, event: Event) -> int | None:
        """The index of the very same leaf, or None.

        Raises:
            DuplicateEventError: its id is taken by another leaf.
        """
        index, leaf = self._places.get(event.leaf.id, (None, None))
        if index is not None and leaf != event.leaf_bytes:
            raise DuplicateEventError(
                "this event id is already in the ledger with other contents",
                next_step="make the event again, with a new id",
            )
        return index

    def take(self, event: Event, index: int) -> None:
        """Note that an event will stand at an index."""
        self._places[event.leaf.id] = (index, event.leaf_bytes)


class LedgerStore:
    """The log in its database.

    Args:
        database: with the ``log`` schema.
        origin: the log's name; a database belongs to one log for good.

    Raises:
        StoreError: the database belongs to another log.
    """

    def __init__(self, database: Database, origin: str) -> None:
        self._database = database
        try:
            with database.writing() as connection:
                _begin(connection, origin)
        except BaseException:
            database.close()
            raise

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        """The only writer, until the end of the block; committed there, or undone on any error."""
        with self._database.writing() as connection:
            # the row lock is PostgreSQL's; SQLite has locked the file by now
            head = connection.execute(select(_HEAD).with_for_update()).one()
            yield Writer(connection, _frontier(head))

    def append(self, event: Event) -> int:
        """Append one event in one transaction; the same bytes again give the same index.

        Raises:
            DuplicateEventError: its id is taken by another leaf.
        """
        with self.writing() as writer:
            known = writer.taken([event]).find(event)
            if known is not None:
                return known
            writer.append([event])
            return writer.size - 1

    def head(self) -> Head:
        """The newest size and root."""
        with self._database.reading() as connection:
            frontier = _frontier(connection.execute(select(_HEAD)).one())
        return Head(frontier.size, frontier.root())

    def root(self, size: int) -> bytes:
        """The root at an earlier size.

        Raises:
            OutOfRangeError: the log is smaller.
        """
        with self._reading_up_to(size) as connection:
            return read_frontier(_TREE.nodes(connection), size).root()

    def entries(self, start: int, end: int) -> list[Event]:
        """The events ``[start, end)``.

        Raises:
            OutOfRangeError: not ``0 <= start <= end <= size``.
        """
        if not 0 <= start <= end:
            raise OutOfRangeError(f"[{start}, {end}) is no range of entries")
        with self._reading_up_to(end) as connection:
            return _TREE.entries(connection, start, end)

    def stored(self, start: int, end: int, *, max_bytes: int) -> list[StoredEntry]:
        """The same as they are stored, for a reader who checks them: nothing is checked here.

        Raises:
            OutOfRangeError: not ``0 <= start <= end <= size``.
        """
        if not 0 <= start <= end:
            raise OutOfRangeError(f"[{start}, {end}) is no range of entries")
        with self._reading_up_to(end) as connection:
            return _TREE.stored(connection, start, end, max_bytes)

    def inclusion_proof(self, index: int, size: int) -> list[bytes]:
        """RFC 9162 2.1.3.1.

        Raises:
            OutOfRangeError: not ``0 <= index < size <=`` the log's size.
        """
        return self.inclusion_proofs([index], size)[0]

    def inclusion_proofs(self, indexes: Sequence[int], size: int) -> list[list[bytes]]:
        """The same for several leaves, in one read.

        Raises:
            OutOfRangeError: not ``0 <= index < size <=`` the log's size.
        """
        with self._reading_up_to(size) as connection:
            return inclusion_proofs(_TREE.nodes(connection), indexes, size)

    def consistency_proof(self, first: int, second: int) -> list[bytes]:
        """RFC 9162 2.1.4.1.

        Raises:
            OutOfRangeError: not ``0 <= first <= second <=`` the log's size.
        """
        with self._reading_up_to(second) as connection:
            return consistency_proof(_TREE.nodes(connection), first, second)

    def erase(self, *indexes: int) -> None:
        """Remove salts and payloads of entries for good; their leaves and every proof stay.

        Raises:
            OutOfRangeError: there is no such entry; none was changed.
        """
        with self._database.writing() as connection:
            _TREE.erase(connection, indexes)
        self.overwrite()

    def overwrite(self) -> None:
        """See that no file of SQLite holds what was erased; PostgreSQL leaves it to ``VACUUM``."""
        self._database.truncate_wal()

    def keep_cosignature(self, cosignature: StoredCosignature) -> None:
        """Keep a witness's line on one checkpoint unless a newer one is there."""
        key = (_COSIGNATURE.c.size == cosignature.size) & (
            _COSIGNATURE.c.witness == cosignature.witness
        )
        with self._database.writing() as connection:
            connection.execute(select(_HEAD.c.size).with_for_update())
            found = connection.execute(select(_COSIGNATURE.c.time).where(key)).scalar_one_or_none()
            if found is not None and found >= cosignature.time:
                return
            connection.execute(delete(_COSIGNATURE).where(key))
            connection.execute(insert(_COSIGNATURE).values(**vars(cosignature)))

    def cosignatures(self, size: int) -> list[StoredCosignature]:
        """The newest line of each witness on the checkpoint of one size, by witness."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(_COSIGNATURE)
                .where(_COSIGNATURE.c.size == size)
                .order_by(_COSIGNATURE.c.witness)
            ).all()
        return [StoredCosignature(row.size, row.witness, row.time, row.line) for row in rows]

    def largest_cosigned(self, witnesses: int, by: Collection[str] = ()) -> int | None:
        """The largest size that so many witnesses cosigned, all of ``by`` among them, or None."""
        named = func.count().filter(_COSIGNATURE.c.witness.in_(by))
        with self._database.reading() as connection:
            found: int | None = connection.execute(
                select(_COSIGNATURE.c.size)
                .group_by(_COSIGNATURE.c.size)
                .having(and_(func.count() >= witnesses, named == len(by)))
                .order_by(_COSIGNATURE.c.size.desc())
                .limit(1)
            ).scalar_one_or_none()
        return found

    @contextmanager
    def _reading_up_to(self, size: int) -> Iterator[Connection]:
        with self._database.reading() as connection:
            held = connection.execute(select(_HEAD.c.size)).scalar_one()
            if not 0 <= size <= held:
                raise OutOfRangeError(f"the log has {held} entries, not {size}")
            yield connection


def _begin(connection: Connection, origin: str) -> None:
    """Make the database this log's, or check that it is."""
    found = connection.execute(select(_HEAD.c.origin)).scalar_one_or_none()
    if found is None:
        connection.execute(insert(_HEAD).values(id=1, origin=origin, size=0, frontier=b""))
    elif found != origin:
        raise StoreError(
            "the database holds the log of another origin",
            next_step="check the settings for origin and database",
        )


def _frontier(head: Row[*tuple[object, ...]]) -> Frontier:
    return parse_frontier(int(head.size), bytes(head.frontier))
