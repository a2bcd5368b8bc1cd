"""The log's store, on SQLite and on PostgreSQL."""

import multiprocessing
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from governance.identity.keys import SigningKey
from governance.ledger.database import Database
from governance.ledger.errors import DuplicateEventError, OutOfRangeError, StoreError
from governance.ledger.events import Author, Event, EventType, read_event
from governance.ledger.merkle import (
    EMPTY_ROOT,
    Frontier,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from governance.ledger.payloads import Refused
from governance.ledger.store import LedgerStore, StoredCosignature

ORIGIN = "ledger.example/county"
AUTHOR = Author(
    "sha256:" + "0" * 64,
    SigningKey(b"\x05" * 32),
    lambda: datetime(2026, 11, 22, 9, 30, tzinfo=UTC),
    ORIGIN,
)


def make_event(reason: str = "test.reason") -> Event:
    """A signed event of a small payload."""
    payload = Refused(party="police", action="prepare", reason=reason, about=None)
    return AUTHOR.write(EventType.REFUSED, payload)


def root_of(events: list[Event]) -> bytes:
    """The root over events, from their bytes alone."""
    frontier = Frontier()
    for event in events:
        frontier.append(leaf_hash(event.leaf_bytes))
    return frontier.root()


@pytest.fixture
def store(database_url: str) -> Iterator[LedgerStore]:
    """An empty log."""
    opened = LedgerStore(Database(database_url, "log"), ORIGIN)
    yield opened
    opened.close()


def test_an_empty_log_has_the_empty_root(store: LedgerStore) -> None:
    """A new log has size 0 and the hash of nothing as its root."""
    head = store.head()
    assert (head.size, head.root) == (0, EMPTY_ROOT)
    assert store.entries(0, 0) == []


def test_appended_events_are_read_and_proved(store: LedgerStore) -> None:
    """Every entry is returned as given, and every proof of every size verifies."""
    events = [make_event() for _ in range(21)]
    assert [store.append(event) for event in events] == list(range(21))
    assert store.entries(0, 21) == events
    assert store.entries(5, 9) == events[5:9]
    roots = [root_of(events[:size]) for size in range(22)]
    assert store.head().root == roots[21]
    for size in range(1, 22):
        assert store.root(size) == roots[size]
        for index in range(size):
            proof = store.inclusion_proof(index, size)
            verify_inclusion(leaf_hash(events[index].leaf_bytes), index, size, proof, roots[size])
        for first in range(size + 1):
            proof = store.consistency_proof(first, size)
            verify_consistency(first, size, proof, roots[first], roots[size])


def test_the_same_event_again_gives_its_index(store: LedgerStore) -> None:
    """An append repeated after a lost answer changes nothing."""
    events = [make_event() for _ in range(3)]
    for event in events:
        store.append(event)
    assert store.append(events[1]) == 1
    assert store.head().size == 3


def test_an_id_with_other_bytes_is_refused(store: LedgerStore) -> None:
    """An id is used once: another event under it is refused and nothing is stored."""
    event = make_event()
    store.append(event)
    payload = Refused(party="police", action="prepare", reason="another", about=None)
    other = AUTHOR.write(EventType.REFUSED, payload, id_=event.leaf.id)
    with pytest.raises(DuplicateEventError):
        store.append(other)
    assert store.head().size == 1


def test_ranges_outside_the_log_are_refused(store: LedgerStore) -> None:
    """Reading or proving past the end names the size that there is."""
    store.append(make_event())
    for call in (
        lambda: store.entries(0, 2),
        lambda: store.entries(1, 0),
        lambda: store.entries(-1, 1),
        lambda: store.root(2),
        lambda: store.inclusion_proof(1, 1),
        lambda: store.inclusion_proof(0, 2),
        lambda: store.consistency_proof(2, 1),
        lambda: store.consistency_proof(0, 2),
        lambda: store.erase(1),
    ):
        with pytest.raises(OutOfRangeError):
            call()


def test_a_failed_transaction_leaves_nothing(store: LedgerStore) -> None:
    """When the block of a writer raises, neither leaf nor head has changed."""
    store.append(make_event())
    before = store.head()
    event = make_event()

    def append_and_fail() -> None:
        with store.writing() as writer:
            writer.append([event])
            assert writer.size == 2
            raise LookupError

    with pytest.raises(LookupError):
        append_and_fail()
    assert store.head() == before
    assert store.append(event) == 1


@pytest.mark.invariant(18, "an erased entry")
def test_erasure_removes_the_payload_and_keeps_every_proof(
    store: LedgerStore,
) -> None:
    """Invariant 18: an erased entry keeps its leaf and its proofs and cannot be opened."""
    events = [make_event() for _ in range(5)]
    for event in events:
        store.append(event)
    head = store.head()
    store.erase(2)
    erased = store.entries(2, 3)[0]
    assert (erased.salt, erased.payload) == (None, None)
    assert erased.leaf_bytes == events[2].leaf_bytes
    assert store.head() == head
    verify_inclusion(leaf_hash(erased.leaf_bytes), 2, 5, store.inclusion_proof(2, 5), head.root)
    store.erase(2)
    assert store.append(events[2]) == 2
    assert store.entries(2, 3)[0].payload is None


@pytest.mark.invariant(18, "a search of every file")
def test_what_was_erased_is_in_no_file(tmp_path: Path) -> None:
    """After erasure the payload's and the salt's bytes are in no file of a SQLite ledger."""
    store = LedgerStore(Database(f"sqlite:///{tmp_path / 'log.db'}", "log"), ORIGIN)
    canary = f"canary.{secrets.token_hex(8)}"
    event = make_event(canary)
    for other in (make_event(), event, make_event()):
        store.append(other)
    assert event.salt is not None
    files = list(tmp_path.iterdir())
    assert any(canary.encode() in path.read_bytes() for path in files)
    store.erase(1)
    for path in files:
        data = path.read_bytes()
        assert canary.encode() not in data
        assert event.salt not in data
    store.close()


def test_many_threads_append_to_one_log(store: LedgerStore) -> None:
    """Eight threads at once: every event stands once, in an order that the root covers."""
    batches = [[make_event() for _ in range(6)] for _ in range(8)]
    failures: list[Exception] = []

    def run(batch: list[Event]) -> None:
        try:
            for event in batch:
                store.append(event)
        except Exception as error:  # noqa: BLE001 - reported by the assertion
            failures.append(error)

    threads = [threading.Thread(target=run, args=(batch,)) for batch in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    entries = store.entries(0, 48)
    assert {entry.leaf.id for entry in entries} == {
        event.leaf.id for batch in batches for event in batch
    }
    assert store.head().root == root_of(entries)


def append_wire(url: str, wire: list[tuple[bytes, bytes | None, bytes | None]]) -> None:
    """Append from a process of its own."""
    store = LedgerStore(Database(url, "log"), ORIGIN)
    for parts in wire:
        store.append(read_event(*parts))
    store.close()


def test_many_processes_append_to_one_log(store: LedgerStore, database_url: str) -> None:
    """Three processes at once: one writer at a time, nothing lost and nothing twice."""
    batches = [[make_event() for _ in range(10)] for _ in range(3)]
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(
            target=append_wire,
            args=(database_url, [(e.leaf_bytes, e.salt, e.payload) for e in batch]),
        )
        for batch in batches
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    entries = store.entries(0, 30)
    assert store.head().root == root_of(entries)
    assert len({entry.leaf.id for entry in entries}) == 30


def append_for_ever(url: str, acknowledged: Path) -> None:
    """Append until killed; each id is written down once the append has returned."""
    store = LedgerStore(Database(url, "log"), ORIGIN)
    with acknowledged.open("a", buffering=1) as output:
        while True:
            event = make_event()
            index = store.append(event)
            output.write(f"{index} {event.leaf.id}\n")


@pytest.mark.invariant(17, "a ledger killed under load")
def test_kill_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """Killed at random moments, a ledger keeps every acknowledged event and a right root."""
    url, acknowledged = f"sqlite:///{tmp_path / 'log.db'}", tmp_path / "acknowledged"
    context = multiprocessing.get_context("spawn")
    for round_ in range(3):
        process = context.Process(target=append_for_ever, args=(url, acknowledged))
        process.start()
        for _ in range(600):
            lines = acknowledged.read_text().splitlines() if acknowledged.exists() else []
            if len(lines) > 20 * (round_ + 1):
                break
            process.join(0.05 + secrets.randbelow(20) / 1000)
        process.kill()
        process.join()
    store = LedgerStore(Database(url, "log"), ORIGIN)
    entries = store.entries(0, store.head().size)
    assert store.head().root == root_of(entries)
    answers = [line.split() for line in acknowledged.read_text().splitlines() if " " in line]
    assert len(answers) > 60
    assert all(entries[int(index)].leaf.id == id_ for index, id_ in answers)
    store.close()


def test_a_database_belongs_to_one_log(store: LedgerStore, database_url: str) -> None:
    """Opening a ledger's database under another origin is refused."""
    assert store.head().size == 0
    database = Database(database_url, "log")
    with pytest.raises(StoreError):
        LedgerStore(database, "other.example/log")
    database.close()


def test_a_damaged_tree_is_noticed(store: LedgerStore) -> None:
    """A missing node is reported instead of a wrong proof."""
    for _ in range(4):
        store.append(make_event())
    with store._database.writing() as connection:
        connection.execute(text("DELETE FROM log_node WHERE number = 1"))
    with pytest.raises(StoreError, match="lacks a node"):
        store.inclusion_proof(3, 4)


def test_a_database_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    """A missing folder gives a reason and a next step, and no parser's or driver's text."""
    with pytest.raises(StoreError) as caught:
        Database(f"sqlite:///{tmp_path / 'missing' / 'log.db'}", "log")
    assert caught.value.next_step
    assert str(tmp_path) not in caught.value.message


def test_the_newest_cosignature_of_a_witness_is_kept(store: LedgerStore) -> None:
    """One line for each witness and size: newer replaces older, never the reverse."""
    for time, line in [(10, "first"), (30, "third"), (20, "second")]:
        store.keep_cosignature(StoredCosignature(4, "log/witness/a", time, line))
    store.keep_cosignature(StoredCosignature(4, "log/witness/b", 5, "b"))
    store.keep_cosignature(StoredCosignature(6, "log/witness/b", 5, "b"))
    assert [(found.witness, found.line) for found in store.cosignatures(4)] == [
        ("log/witness/a", "third"),
        ("log/witness/b", "b"),
    ]
    assert store.largest_cosigned(1) == 6
    assert store.largest_cosigned(2) == 4
    assert store.largest_cosigned(3) is None


def test_the_largest_cosigned_size_may_have_to_name_witnesses(store: LedgerStore) -> None:
    """A larger size that others cosigned does not stand for one that a named witness did."""
    for size, names in ((3, "abc"), (5, "bc"), (6, "c")):
        for name in names:
            store.keep_cosignature(StoredCosignature(size, f"log/witness/{name}", 1, name))
    a, b = "log/witness/a", "log/witness/b"
    assert [store.largest_cosigned(2, by) for by in ((), (b,), (a,), (a, b))] == [5, 5, 3, 3]
    assert store.largest_cosigned(4) is None
    assert store.largest_cosigned(1, ("log/witness/d",)) is None


def test_sqlite_is_set_for_durability(tmp_path: Path) -> None:
    """Write-ahead log, full synchronisation, foreign keys and overwriting are on."""
    database = Database(f"sqlite:///{tmp_path / 'log.db'}", "log")
    with database.reading() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
    database.close()
    with sqlite3.connect(tmp_path / "log.db") as raw:
        assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    raw.close()
