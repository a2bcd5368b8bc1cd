"""Invariant 18: an erased payload leaves its leaf unopenable, and every proof valid, for good."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from governance.canonical import canonical_bytes, sha256
from governance.errors import FormatError
from governance.identity.keys import SigningKey
from governance.ledger.database import Database
from governance.ledger.events import SALT_BYTES, Event, EventType, read_event
from governance.ledger.merkle import leaf_hash, verify_consistency, verify_inclusion
from governance.ledger.mirror import Mirror
from governance.ledger.payloads import ConsentChange, Refused
from governance.ledger.service import LedgerService
from governance.ledger.store import LedgerStore
from tests.governance.world import NOON, ORIGIN, Party

LOG = SigningKey(b"\x21" * 32)
POLICE = Party("police")
ERASED, SIZE = 3, 9


def events() -> list[Event]:
    """Nine events; the fourth is a withdrawal, whose payload anybody can guess from its leaf."""
    author = POLICE.author()
    grant = secrets.token_hex(16)
    found = [
        author.write(
            EventType.REFUSED,
            Refused(party="police", action="prepare", reason="test.reason", about=None),
        )
        for _ in range(SIZE)
    ]
    withdrawal = ConsentChange(grant=grant)
    found[ERASED] = author.write(EventType.CONSENT_WITHDRAWN, withdrawal, (grant,))
    return found


class Reader:
    """The log as a mirror reads it."""

    def __init__(self, service: LedgerService) -> None:
        self.checkpoint = service.checkpoint
        self.consistency_proof = service.consistency_proof
        self._stored = service.entries

    def entries(self, start: int, end: int) -> list[Event]:
        """Entries from ``start`` on."""
        return [read_event(*stored) for stored in self._stored(start, end)]


class Log:
    """A log, a mirror of it, and what was written."""

    def __init__(self, folder: Path) -> None:
        self.events = events()
        self.store = LedgerStore(Database(f"sqlite:///{folder / 'log.db'}", "log"), ORIGIN)
        with self.store.writing() as writer:
            for event in self.events:
                writer.append([event])
        self.service = LedgerService(self.store, LOG, ORIGIN, lambda: NOON)
        self.mirror = Mirror(
            Database(f"sqlite:///{folder / 'mirror.db'}", "mirror"), self.service.log_key
        )
        self.mirror.sync(Reader(self.service))


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    """The withdrawal's payload is erased in the log and in the mirror."""
    found = Log(tmp_path)
    found.store.erase(ERASED)
    found.mirror.erase(ERASED)
    yield found
    found.mirror.close()
    found.store.close()


@pytest.mark.invariant(18, "every proof before and after an erasure")
def test_every_proof_of_every_size_holds(log: Log) -> None:
    """Inclusion and consistency for all pairs of sizes, from log and mirror, to the same roots."""
    leaves = [leaf_hash(event.leaf_bytes) for event in log.events]
    for size in range(1, SIZE + 1):
        root = log.mirror.root(size)
        for index in range(size):
            for copy in (log.service, log.mirror):
                proof = copy.inclusion_proof(index, size)
                verify_inclusion(leaves[index], index, size, proof, root)
        for first in range(1, size + 1):
            proof = log.service.consistency_proof(first, size)
            verify_consistency(first, size, proof, log.mirror.root(first), root)
    assert log.mirror.verify().size == SIZE


@pytest.mark.invariant(18, "the right payload under guessed salts", double="lies")
def test_who_knows_the_payload_cannot_show_that_it_was_this(log: Log) -> None:
    """Of a withdrawal the leaf tells the grant, so the payload is known; without salt it is air."""
    (erased,) = log.mirror.entries(ERASED, ERASED + 1)
    known = canonical_bytes(ConsentChange(grant=erased.leaf.refs[0]))
    assert known == log.events[ERASED].payload
    assert sha256(known) != erased.leaf.payload_sha256
    for _ in range(200):
        with pytest.raises(FormatError):
            read_event(erased.leaf_bytes, secrets.token_bytes(SALT_BYTES), known)


@pytest.mark.invariant(18, "another entry's salt and payload", double="swaps keys")
def test_no_other_entry_opens_the_leaf(log: Log) -> None:
    """Salts and payloads of all other entries, in every combination, and of no salt."""
    (erased,) = log.mirror.entries(ERASED, ERASED + 1)
    others = [event for at, event in enumerate(log.events) if at != ERASED]
    for one in others:
        for other in others:
            with pytest.raises(FormatError):
                read_event(erased.leaf_bytes, one.salt, other.payload)
    with pytest.raises(FormatError):
        read_event(erased.leaf_bytes, None, log.events[ERASED].payload)


@pytest.mark.invariant(18, "a ledger that puts an erased payload back", double="rolls back")
def test_a_mirror_takes_back_nothing_that_it_has_erased(log: Log, tmp_path: Path) -> None:
    """A ledger restored from a backup shows the payload again; the mirror asks for new entries."""
    folder = tmp_path / "backup"
    folder.mkdir()
    restored = LedgerStore(Database(f"sqlite:///{folder / 'log.db'}", "log"), ORIGIN)
    more = POLICE.author().write(
        EventType.REFUSED, Refused(party="police", action="link", reason="test", about=None)
    )
    with restored.writing() as writer:
        for event in (*log.events, more):
            writer.append([event])
    service = LedgerService(restored, LOG, ORIGIN, lambda: NOON)
    assert log.mirror.sync(Reader(service)).size == SIZE + 1
    (erased,) = log.mirror.entries(ERASED, ERASED + 1)
    assert (erased.salt, erased.payload) == (None, None)
    secret = log.events[ERASED].salt
    assert secret is not None
    for path in tmp_path.glob("mirror.db*"):
        assert secret not in path.read_bytes()
    restored.close()


@pytest.mark.invariant(
    18, "the event handed in again after its payload was erased", double="replays"
)
def test_handing_the_event_in_again_brings_nothing_back(log: Log) -> None:
    """Who kept a copy can append it again: it is the same entry, and stays erased."""
    assert log.store.append(log.events[ERASED]) == ERASED
    assert log.store.entries(ERASED, ERASED + 1)[0].payload is None
    assert log.store.head().size == SIZE
