"""A party's state is what the log signed, whatever somebody wrote into the mirror's own file."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, update

from governance.consent.models import ConsentState
from governance.identity.keys import SigningKey
from governance.ledger import replayed
from governance.ledger.database import Database
from governance.ledger.errors import AlteredEntryError, NoteSignatureError
from governance.ledger.events import Event, EventType, read_event
from governance.ledger.merkle import Frontier
from governance.ledger.mirror_tables import TREE
from governance.ledger.note import Checkpoint, Note, sign_checkpoint
from governance.ledger.party import PartyLedger
from governance.ledger.payloads import AgreementStopped, ConsentChange, Refused
from governance.ledger.service import LedgerService
from governance.ledger.store import LedgerStore
from tests.governance.world import NOON, ORIGIN, World

LOG = SigningKey(b"\x21" * 32)
SUBJECT = "c" * 32


class Log:
    """A log that ends with a suspension and a withdrawal, which somebody would like to hide."""

    def __init__(self, folder: Path) -> None:
        self.world = World()
        council = self.world.council
        self.grant = self.world.consent(council, SUBJECT)
        self.before = len(self.world.events)
        stopped = AgreementStopped(agreement=self.world.agreement.hash, reason="incident")
        self.world.write(council, EventType.AGREEMENT_SUSPENDED, stopped)
        self.world.withdraw(council, self.grant)
        self.size = len(self.world.events)
        self.store = LedgerStore(Database(f"sqlite:///{folder / 'log.db'}", "log"), ORIGIN)
        with self.store.writing() as writer:
            for event in self.world.events:
                writer.append([event])
        self.service = LedgerService(self.store, LOG, ORIGIN, lambda: NOON)

    def reader(self, size: int) -> "Reader":
        """As it was when it had so many entries."""
        return Reader(self.service, size)


class Reader:
    """The log as a mirror reads it, up to a size."""

    def __init__(self, service: LedgerService, size: int) -> None:
        self._service, self._size = service, size
        self.consistency_proof = service.consistency_proof

    def checkpoint(self, size: int | None = None) -> Note:
        """The newest checkpoint, or that of a size."""
        return self._service.checkpoint(size or self._size)

    def entries(self, start: int, end: int) -> list[Event]:
        """Entries from ``start`` on."""
        return [read_event(*stored) for stored in self._service.entries(start, end)]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Log]:
    """A log."""
    found = Log(tmp_path_factory.mktemp("log"))
    yield found
    found.store.close()


@pytest.fixture
def opened(log: Log, tmp_path: Path) -> Iterator[Callable[[], PartyLedger]]:
    """Starts of one party, all with the same files."""
    found: list[PartyLedger] = []

    def start() -> PartyLedger:
        council = log.world.council
        ledger = PartyLedger(
            tmp_path / "mirror.db", "http://127.0.0.1:9", str(log.service.log_key),
            council.keys.thumbprint, council.signing, lambda: NOON,
        )  # fmt: skip
        found.append(ledger)
        return ledger

    yield start
    for each in found:
        each.close()


def another_leaf(connection: Connection, log: Log) -> None:
    """The withdrawal exchanged for another event that its author has signed."""
    refused = Refused(party="council", action="prepare", reason="test.reason", about=None)
    event = log.world.council.author().write(EventType.REFUSED, refused)
    values = {"leaf": event.leaf_bytes, "salt": event.salt, "payload": event.payload}
    connection.execute(
        update(TREE.leaf).where(TREE.leaf.c.position == log.size - 1).values(**values)
    )


def no_payload(connection: Connection, log: Log) -> None:
    """The suspension's payload taken away: its leaf stays, and every hash."""
    TREE.erase(connection, [log.before])


def a_gap(connection: Connection, log: Log) -> None:
    """The suspension taken out."""
    connection.execute(delete(TREE.leaf).where(TREE.leaf.c.position == log.before))


def a_shorter_table(connection: Connection, log: Log) -> None:
    """The newest entry taken out."""
    connection.execute(delete(TREE.leaf).where(TREE.leaf.c.position == log.size - 1))


def another_order(connection: Connection, log: Log) -> None:
    """A reaffirmation's trick without a reaffirmation: the withdrawal before what it withdraws."""
    for old, new in ((log.size - 1, -1), (log.before, log.size - 1), (-1, log.before)):
        connection.execute(
            update(TREE.leaf).where(TREE.leaf.c.position == old).values(position=new)
        )


def a_whole_other_tree(connection: Connection, log: Log) -> None:
    """Leaves, nodes and head of a tree in which nobody withdrew, without the log's key."""
    grant = log.grant.leaf.id
    again = log.world.council.author().write(
        EventType.CONSENT_REAFFIRMED, ConsentChange(grant=grant), (grant,)
    )
    for table in (TREE.leaf, TREE.node):
        connection.execute(delete(table))
    frontier = Frontier()
    TREE.append(connection, frontier, [*log.world.events[:-1], again])
    head = TREE.leaf.metadata.tables["mirror_head"]
    connection.execute(update(head).values(frontier=b"".join(frontier.hashes)))


TRICKS = [
    another_leaf, no_payload, a_gap, a_shorter_table, another_order, a_whole_other_tree,
]  # fmt: skip


def tamper(ledger: PartyLedger, log: Log, trick: Callable[[Connection, Log], None]) -> None:
    """Write into the mirror's file, past the mirror."""
    with ledger.mirror._database.writing() as connection:
        trick(connection, log)


@pytest.mark.invariant(5, "a mirror's own file rewritten before a start")
@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("trick", TRICKS)
def test_a_start_takes_nothing_from_an_altered_file(
    log: Log, opened: Callable[[], PartyLedger], monkeypatch: pytest.MonkeyPatch,
    trick: Callable[[Connection, Log], None], *, kept: bool,
) -> None:  # fmt: skip
    """With and without a kept state; each time it is asked, and in words that say what to do."""
    if kept:
        monkeypatch.setattr(replayed, "WORTH_EVENTS", 1)
    first = opened()
    first.mirror.sync(log.reader(log.before))
    assert first.state.agreements.standing(log.world.agreement.hash).suspended_by == set()
    first.mirror.sync(log.reader(log.size))
    tamper(first, log, trick)
    again = opened()
    for _ in range(2):
        with pytest.raises(AlteredEntryError, match=r"stored entr|root") as caught:
            _ = again.state
    assert "begin a new one" in caught.value.next_step
    assert again._kept._path.exists() is kept


@pytest.mark.invariant(5, "a mirror's own file rewritten beneath a running agent")
@pytest.mark.parametrize("trick", TRICKS)
def test_an_altered_file_changes_no_state_that_is_held(
    log: Log, opened: Callable[[], PartyLedger], trick: Callable[[Connection, Log], None]
) -> None:
    """Who holds the state of before goes on with it; nobody is given another."""
    ledger = opened()
    ledger.mirror.sync(log.reader(log.before))
    held = ledger.state
    ledger.mirror.sync(log.reader(log.size))
    tamper(ledger, log, trick)
    for _ in range(2):
        with pytest.raises(AlteredEntryError):
            _ = ledger.state
    assert held.size == log.before
    assert held.consents.grants[log.grant.leaf.id].state(NOON) is ConsentState.GIVEN


@pytest.mark.invariant(5, "a mirror's own file with another checkpoint in it")
def test_a_checkpoint_that_the_log_did_not_sign_is_none(
    log: Log, opened: Callable[[], PartyLedger]
) -> None:
    """A whole other tree with a note of its own needs the log's key."""
    ledger = opened()
    ledger.mirror.sync(log.reader(log.size))
    tamper(ledger, log, a_whole_other_tree)
    frontier = ledger.mirror.frontier(log.size)
    checkpoint = Checkpoint(ORIGIN, log.size, frontier.root())
    note = sign_checkpoint(checkpoint, log.service.log_key, SigningKey(b"\x22" * 32))
    head = TREE.leaf.metadata.tables["mirror_head"]
    with ledger.mirror._database.writing() as connection:
        connection.execute(update(head).values(note=str(note)))
    with pytest.raises(NoteSignatureError):
        _ = opened().state


def test_a_file_that_was_restored_serves_again(
    log: Log, opened: Callable[[], PartyLedger], tmp_path: Path
) -> None:
    """And so does a new one in its place."""
    ledger = opened()
    ledger.mirror.sync(log.reader(log.size))
    whole = ledger.state
    ledger.close()
    path, aside = tmp_path / "mirror.db", tmp_path / "aside.db"
    shutil.copy(path, aside)
    damaged = opened()
    tamper(damaged, log, another_leaf)
    with pytest.raises(AlteredEntryError):
        _ = damaged.state
    damaged.close()
    shutil.copy(aside, path)
    restored = opened()
    assert restored.state.size == whole.size == log.size
    restored.close()
    for each in tmp_path.glob("mirror.db*"):
        each.unlink()
    anew = opened()
    assert anew.state.size == 0
    anew.mirror.sync(log.reader(log.size))
    state = anew.state
    assert state.consents.grants[log.grant.leaf.id].state(NOON) is ConsentState.WITHDRAWN
    assert state.agreements.standing(log.world.agreement.hash).suspended_by


def test_a_long_way_is_replayed_from_the_kept_state_and_not_in_memory(
    log: Log, opened: Callable[[], PartyLedger], monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than is verified at once makes another state: who holds the old one keeps it."""
    monkeypatch.setattr("governance.ledger.party.AT_ONCE", 1)
    ledger = opened()
    ledger.mirror.sync(log.reader(log.before))
    held = ledger.state
    ledger.mirror.sync(log.reader(log.size))
    assert (ledger.state.size, held.size) == (log.size, log.before)
    assert ledger.state.rejected == []
