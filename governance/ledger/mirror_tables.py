"""What a mirror keeps in its database: the copy, what it cosigned, and evidence."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from governance.ledger.errors import ForkError, MirrorError, OutOfRangeError
from governance.ledger.events import Event
from governance.ledger.merkle import Frontier, read_frontier
from governance.ledger.note import (
    Checkpoint,
    NoteSignature,
    VerifierKey,
    parse_signature_line,
)
from governance.ledger.tables import TreeTables, parse_frontier, write_frontier

_TABLES: Final = MetaData()
TREE: Final = TreeTables(_TABLES, "mirror")
_HEAD: Final = Table(
    "mirror_head",
    _TABLES,
    Column("id", Integer, primary_key=True),
    Column("vkey", Text),
    Column("size", BigInteger),
    Column("frontier", LargeBinary),
    Column("note", Text),
)
_COSIGNED: Final = Table(
    "mirror_cosigned",
    _TABLES,
    Column("size", BigInteger, primary_key=True),
    Column("witness", String(255), primary_key=True),
    Column("root", LargeBinary),
    Column("time", BigInteger),
    Column("line", Text),
)
_EVIDENCE: Final = Table(
    "mirror_evidence",
    _TABLES,
    Column("id", Integer, primary_key=True),
    Column("time", String(20)),
    Column("reason", String(80)),
    Column("detail", Text),
    Column("ours", Text),
    Column("theirs", Text),
)


@dataclass(frozen=True)
class Evidence:
    """Something that the log signed and should not have: two notes, and what is wrong."""

    time: str
    reason: str
    detail: str
    ours: str | None
    theirs: str


@dataclass(frozen=True)
class Held:
    """The tree that the copy holds, and the log's signed checkpoint of it."""

    frontier: Frontier
    note: str | None

    @property
    def size(self) -> int:
        """Leaves."""
        return self.frontier.size


def begin(connection: Connection, log_key: VerifierKey) -> None:
    """Make the database this log's mirror, or check that it is.

    Raises:
        MirrorError: it mirrors a log of another key.
    """
    found = connection.execute(select(_HEAD.c.vkey)).scalar_one_or_none()
    if found is None:
        head = {"id": 1, "vkey": str(log_key), "size": 0, "frontier": b"", "note": None}
        connection.execute(insert(_HEAD).values(**head))
    elif found != str(log_key):
        raise MirrorError(
            "this mirror holds a log of another key",
            next_step="check the pinned verifier key; a new log needs a new mirror",
        )


def read_held(connection: Connection, *, lock: bool = False) -> Held:
    """What the copy holds; with ``lock``, nobody else changes it until the transaction ends."""
    query = select(_HEAD).with_for_update() if lock else select(_HEAD)
    row = connection.execute(query).one()
    return Held(parse_frontier(int(row.size), bytes(row.frontier)), row.note)


def read_tree(connection: Connection, size: int) -> Frontier:
    """The right edge of the tree over the first ``size`` leaves of the copy.

    Raises:
        OutOfRangeError: the copy is smaller.
    """
    if not 0 <= size <= read_held(connection).size:
        raise OutOfRangeError(f"the mirror does not hold {size} entries")
    return read_frontier(TREE.nodes(connection), size)


def extend(connection: Connection, held: Held, events: list[Event], note: str) -> None:
    """Add verified events and the checkpoint that they lead to."""
    frontier = Frontier(held.size, held.frontier.hashes)
    TREE.append(connection, frontier, events)
    connection.execute(
        update(_HEAD).values(size=frontier.size, frontier=write_frontier(frontier), note=note)
    )


def store_cosigned(
    connection: Connection, checkpoint: Checkpoint, line: NoteSignature, time: int
) -> None:
    """Store what is about to be given away.

    Raises:
        ForkError: another root was cosigned for this size before.
    """
    before = connection.execute(
        select(_COSIGNED.c.root).where(_COSIGNED.c.size == checkpoint.size)
    ).scalars()
    if any(bytes(root) != checkpoint.root for root in before):
        raise ForkError(
            f"another root was cosigned for {checkpoint.size} entries before",
            next_step="this mirror's database was altered: restore it or begin a new mirror",
        )
    row = {
        "size": checkpoint.size,
        "witness": line.name,
        "root": checkpoint.root,
        "time": time,
        "line": line.line,
    }
    key = (_COSIGNED.c.size == checkpoint.size) & (_COSIGNED.c.witness == line.name)
    connection.execute(delete(_COSIGNED).where(key))
    connection.execute(insert(_COSIGNED).values(**row))


def read_cosigned(connection: Connection, checkpoint: Checkpoint) -> list[NoteSignature]:
    """The lines that were given away for a checkpoint, by witness."""
    query = (
        select(_COSIGNED.c.line)
        .where(_COSIGNED.c.size == checkpoint.size, _COSIGNED.c.root == checkpoint.root)
        .order_by(_COSIGNED.c.witness)
    )
    return [parse_signature_line(line) for line in connection.execute(query).scalars()]


def keep_evidence(connection: Connection, evidence: Evidence) -> None:
    """Keep two notes that contradict each other, each pair once."""
    known = connection.execute(
        select(_EVIDENCE.c.id).where(
            _EVIDENCE.c.reason == evidence.reason,
            _EVIDENCE.c.ours == evidence.ours,
            _EVIDENCE.c.theirs == evidence.theirs,
        )
    ).first()
    if known is None:
        connection.execute(insert(_EVIDENCE).values(**vars(evidence)))


def read_evidence(connection: Connection) -> list[Evidence]:
    """All evidence, oldest first."""
    rows = connection.execute(select(_EVIDENCE).order_by(_EVIDENCE.c.id)).all()
    return [Evidence(row.time, row.reason, row.detail, row.ours, row.theirs) for row in rows]
