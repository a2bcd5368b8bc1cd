"""A mirror before an honest ledger and before every kind of lying one, over real HTTP."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text

from governance.canonical import b64
from governance.errors import ReasonedError
from governance.exchange.http import RequestSigner
from governance.identity.keys import SigningKey
from governance.ledger.client import LedgerClient
from governance.ledger.database import Database
from governance.ledger.errors import (
    AlteredEntryError,
    AnswerError,
    ForkError,
    InconsistentError,
    LedgerRefusedError,
    LedgerUnavailableError,
    MirrorEmptyError,
    MirrorError,
    NoteSignatureError,
    OutOfRangeError,
    RollbackError,
    StaleCheckpointError,
    WithheldPayloadError,
)
from governance.ledger.events import Event, EventType, WireEvent
from governance.ledger.merkle import leaf_hash, verify_inclusion
from governance.ledger.mirror import Mirror
from governance.ledger.note import (
    Note,
    open_checkpoint,
    parse_note,
    verify_cosignature,
    witness_key,
)
from governance.ledger.payloads import Refused
from governance.ledger.quorum import WitnessPolicy
from governance.ledger.service import LedgerService
from governance.ledger.state import LedgerState
from governance.ledger.store import LedgerStore
from tests.governance.ledger.serving import Front, honest, serving
from tests.governance.world import NOON, Party, World

ORIGIN = "ledger.example.org/county"
LOG = SigningKey(b"\x21" * 32)
POLICE = Party("police", witness=SigningKey(b"\x22" * 32))
WITNESS = witness_key(ORIGIN, "police", POLICE.witness.public)


def make_event(reason: str = "test.reason") -> Event:
    """A signed event; mirrors take whatever the log holds, and replay judges it."""
    payload = Refused(party="police", action="prepare", reason=reason, about=None)
    return POLICE.author().write(EventType.REFUSED, payload)


EVENTS = [make_event() for _ in range(24)]


@dataclass
class Ledger:
    """A lying server with honest logs behind it, all of one key."""

    front: Front
    url: str
    make: Callable[[list[Event]], LedgerService]

    def show(self, events: list[Event]) -> None:
        """Show the log of these events from now on."""
        self.front.show(self.make(events))

    def client(self, within: float = 10.0) -> LedgerClient:
        """A client that does not wait between attempts."""
        key = self.make([]).log_key
        auth = RequestSigner(POLICE.keys.thumbprint, POLICE.signing)
        return LedgerClient(self.url, key, auth, wait=lambda _seconds: None, within=within)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A server that shows the first ten events."""
    stores: list[LedgerStore] = []

    def make(events: list[Event]) -> LedgerService:
        url = f"sqlite:///{tmp_path / f'log{len(stores)}.db'}"
        store = LedgerStore(Database(url, "log"), ORIGIN)
        stores.append(store)
        with store.writing() as writer:
            for event in events:
                writer.append([event])
        return LedgerService(store, LOG, ORIGIN, lambda: NOON)

    front = Front(make(EVENTS[:10]))
    with serving(front) as url:
        yield Ledger(front, url, make)
    for store in stores:
        store.close()


@pytest.fixture
def client(ledger: Ledger) -> Iterator[LedgerClient]:
    """The mirror's client."""
    with ledger.client() as opened:
        yield opened


@pytest.fixture
def mirror(tmp_path: Path, client: LedgerClient) -> Iterator[Mirror]:
    """An empty mirror."""
    database = Database(f"sqlite:///{tmp_path / 'mirror.db'}", "mirror")
    opened = Mirror(database, client.log_key, lambda: NOON)
    yield opened
    opened.close()


def test_a_mirror_follows_an_honest_log(
    ledger: Ledger, client: LedgerClient, mirror: Mirror
) -> None:
    """The copy equals the log at each synchronisation, and proves its entries by itself."""
    for size in (10, 10, 11, 24):
        ledger.show(EVENTS[:size])
        checkpoint = mirror.sync(client)
        assert checkpoint.size == mirror.size() == size
        assert list(mirror.entries()) == EVENTS[:size]
        assert mirror.verify() == mirror.checkpoint()[1] == checkpoint
    for index in range(24):
        proof = mirror.inclusion_proof(index, 24)
        verify_inclusion(leaf_hash(EVENTS[index].leaf_bytes), index, 24, proof, mirror.root(24))
    assert list(mirror.entries(5, 7)) == EVENTS[5:7]
    assert mirror.evidence() == []


def test_a_mirror_works_on_both_databases(database_url: str, ledger: Ledger) -> None:
    """A mirror synchronises, cosigns, verifies and keeps evidence on either database."""
    with ledger.client() as client:
        mirror = Mirror(Database(database_url, "mirror"), client.log_key, lambda: NOON)
        mirror.sync(client)
        ledger.show(EVENTS)
        assert mirror.sync(client).size == 24
        assert mirror.cosign(WITNESS, POLICE.witness, NOON).signatures[1].by(WITNESS)
        mirror.cosign(WITNESS, POLICE.witness, NOON + timedelta(seconds=1))
        ledger.show([*EVENTS[:23], make_event()])
        with pytest.raises(ForkError):
            mirror.sync(client)
        assert len(mirror.evidence()) == 1
        mirror.erase(3)
        assert mirror.verify().size == 24
        mirror.close()
        again = Mirror(Database(database_url, "mirror"), client.log_key)
        assert again.size() == 24
        again.close()


def test_a_long_log_is_taken_in_steps(
    ledger: Ledger, client: LedgerClient, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A synchronisation that is interrupted goes on from the last signed step."""
    monkeypatch.setattr("governance.ledger.mirror_sync.STEP", 7)
    ledger.show(EVENTS)
    answered = 0

    def fail_after_two(path: str, status: int, body: bytes) -> tuple[int, bytes]:
        nonlocal answered
        if path == "/v1/entries":
            answered += 1
            if answered > 2:
                return 404, b"{}"
        return status, body

    ledger.front.twist = fail_after_two
    with pytest.raises(LedgerRefusedError):
        mirror.sync(client)
    assert mirror.verify().size == mirror.size() == 14
    ledger.front.twist = honest
    assert mirror.sync(client).size == 24
    assert list(mirror.entries()) == EVENTS


def test_an_empty_log_can_be_mirrored_and_an_unused_mirror_says_so(
    ledger: Ledger, client: LedgerClient, mirror: Mirror
) -> None:
    """Before the first synchronisation there is nothing to show or to cosign."""
    for call in (
        mirror.checkpoint,
        mirror.verify,
        lambda: mirror.cosign(WITNESS, POLICE.witness, NOON),
    ):
        with pytest.raises(MirrorEmptyError):
            call()
    ledger.show([])
    assert mirror.sync(client).size == 0
    assert mirror.verify().size == 0
    for wrong in (
        lambda: mirror.root(1),
        lambda: mirror.inclusion_proof(0, 1),
        lambda: mirror.erase(0),
    ):
        with pytest.raises(OutOfRangeError):
            wrong()


def test_a_mirror_replays_to_the_ledgers_state(
    ledger: Ledger, client: LedgerClient, mirror: Mirror
) -> None:
    """What a partner replays from its own copy is what the ledger knows, withdrawals included."""
    world = World()
    grant = world.consent(world.council, "c" * 32)
    world.withdraw(world.council, grant)
    ledger.show(world.events)
    mirror.sync(client)
    state = LedgerState().replay(mirror.entries())
    assert state.rejected == []
    assert state.consents.grants[grant.leaf.id].permits(NOON) is False
    assert set(state.identities.parties) == set(world.state.identities.parties)


# Lies. After each of them the copy must be what it was, and go on once the ledger is honest again.


def alter_payload(entries: list[dict[str, str]]) -> None:
    """One payload is exchanged beneath its leaf."""
    entries[1]["payload"] = b64(b'{"forged":true}')


def alter_leaf(entries: list[dict[str, str]]) -> None:
    """One event is exchanged for another valid one."""
    entries[1].update(WireEvent.of(make_event("forged")).model_dump(mode="json"))


def drop(entries: list[dict[str, str]]) -> None:
    """One event is left out, and the next ones moved up."""
    del entries[1]
    entries.append(WireEvent.of(make_event("filler")).model_dump(mode="json"))


def reorder(entries: list[dict[str, str]]) -> None:
    """Two events change places."""
    entries[1], entries[2] = entries[2], entries[1]


def strip_salt(entries: list[dict[str, str]]) -> None:
    """A salt is withheld while its payload is given."""
    entries[1]["salt"] = None  # type: ignore[assignment]


def garble(entries: list[dict[str, str]]) -> None:
    """A leaf is no canonical JSON any more."""
    entries[1]["leaf"] = b64(b"{ }")


@pytest.mark.parametrize("lie", [alter_payload, alter_leaf, drop, reorder, strip_salt, garble])
@pytest.mark.parametrize("held", [0, 10])
@pytest.mark.invariant(5, "a log that alters, drops or reorders", double="reorders")
def test_altered_entries_are_refused(
    ledger: Ledger,
    client: LedgerClient,
    mirror: Mirror,
    lie: Callable[[list[dict[str, str]]], None],
    held: int,
) -> None:
    """Invariant 5: an altered, dropped or moved entry is noticed, and nothing of it is stored."""
    if held:
        mirror.sync(client)
    ledger.show(EVENTS)

    def twist(path: str, status: int, body: bytes) -> tuple[int, bytes]:
        if path != "/v1/entries":
            return status, body
        entries = json.loads(body)["entries"]
        first = entries[0]["index"]
        lie(entries)
        for at, entry in enumerate(entries):
            entry["index"] = first + at
        return status, json.dumps({"entries": entries}).encode()

    ledger.front.twist = twist
    with pytest.raises(AlteredEntryError):
        mirror.sync(client)
    assert mirror.size() == held
    assert [found.reason for found in mirror.evidence()] == ["mirror.altered"]
    ledger.front.twist = honest
    assert mirror.sync(client).size == 24
    assert mirror.verify().size == 24


@pytest.mark.invariant(5, "a log that withholds", double="withholds")
def test_a_withheld_payload_is_refused(
    ledger: Ledger, client: LedgerClient, mirror: Mirror
) -> None:
    """A payload that is not shown is not taken for erased: a refusal could hide there."""

    def twist(path: str, status: int, body: bytes) -> tuple[int, bytes]:
        if path != "/v1/entries":
            return status, body
        answer = json.loads(body)
        answer["entries"][3].update(salt=None, payload=None)
        return status, json.dumps(answer).encode()

    ledger.front.twist = twist
    with pytest.raises(WithheldPayloadError):
        mirror.sync(client)
    assert mirror.size() == 0
    ledger.front.twist = honest
    assert mirror.sync(client).size == 10


@pytest.mark.invariant(4, "a log that forks", double="forks")
def test_a_second_tree_of_one_size_is_provable(
    ledger: Ledger, client: LedgerClient, mirror: Mirror
) -> None:
    """Invariant 4: a fork is refused, and both signed notes are kept to prove it to anyone."""
    mirror.sync(client)
    ledger.show([*EVENTS[:9], make_event()])
    for _ in range(2):
        with pytest.raises(ForkError):
            mirror.sync(client)
    (evidence,) = mirror.evidence()
    assert evidence.ours is not None
    ours = open_checkpoint(parse_note(evidence.ours.encode()), client.log_key)
    theirs = open_checkpoint(parse_note(evidence.theirs.encode()), client.log_key)
    assert ours.size == theirs.size
    assert ours.root != theirs.root
    assert mirror.verify() == ours


def _with_forged_proof(forged: bytes, path: str, status: int, body: bytes) -> tuple[int, bytes]:
    return (status, forged) if "consistency" in path else (status, body)


@pytest.mark.invariant(4, "a log that forks and grows", double="forks")
def test_a_longer_tree_with_another_past_is_refused(
    ledger: Ledger, client: LedgerClient, mirror: Mirror
) -> None:
    """A tree that rewrites what is held cannot be proved to continue it, whatever the proof."""
    mirror.sync(client)
    ledger.show([*EVENTS[:4], make_event(), *EVENTS[5:20]])
    with pytest.raises(InconsistentError):
        mirror.sync(client)
    for forged in (b'{"hashes":[]}', json.dumps({"hashes": [b64(bytes(32))] * 4}).encode()):
        ledger.front.twist = partial(_with_forged_proof, forged)
        with pytest.raises(InconsistentError):
            mirror.sync(client)
    assert mirror.size() == 10
    assert {found.reason for found in mirror.evidence()} == {"mirror.inconsistent"}


@pytest.mark.invariant(6, "a log that rolls back", double="rolls back")
def test_a_smaller_tree_is_refused(ledger: Ledger, client: LedgerClient, mirror: Mirror) -> None:
    """Invariant 6: an old tree is a rollback; a smaller one with another past is a fork."""
    ledger.show(EVENTS)
    mirror.sync(client)
    ledger.show(EVENTS[:12])
    with pytest.raises(RollbackError):
        mirror.sync(client)
    ledger.show([])
    with pytest.raises(RollbackError):
        mirror.sync(client)
    ledger.show([*EVENTS[:11], make_event()])
    with pytest.raises(ForkError):
        mirror.sync(client)
    assert mirror.verify().size == 24
    assert [found.reason for found in mirror.evidence()] == [
        "mirror.rollback",
        "mirror.rollback",
        "mirror.fork",
    ]


def flip_signature(body: bytes) -> bytes:
    """The log's line is of other bytes."""
    note = parse_note(body)
    line = note.signatures[0]
    return Note(note.text, (type(line)(line.name, line.key_id, bytes(64)),)).encode()


def other_key(body: bytes) -> bytes:
    """The checkpoint is signed by another key of the same name."""
    note = parse_note(body)
    line = note.signatures[0]
    return Note(note.text, (type(line)(line.name, b"\0\0\0\1", line.value),)).encode()


@pytest.mark.parametrize("lie", [flip_signature, other_key])
def test_a_checkpoint_by_another_key_is_refused(
    ledger: Ledger, client: LedgerClient, mirror: Mirror, lie: Callable[[bytes], bytes]
) -> None:
    """Without the pinned key's signature nothing is fetched."""
    ledger.front.twist = lambda path, status, body: (
        (status, lie(body)) if path == "/v1/checkpoint" else (status, body)
    )
    with pytest.raises(NoteSignatureError):
        mirror.sync(client)
    assert mirror.size() == 0
    assert set(ledger.front.asked) == {"/v1/checkpoint"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"entries":[]}',
        b'{"entries":[{"index":0}]}',
        b'{"entries":[{"index":3,"leaf":"e30=","salt":null,"payload":null}]}',
        b'{"entries":1e999}',
        b"[" * 100_000,
        b"\xff" * 100,
    ],
)
def test_answers_of_another_form_are_refused(
    ledger: Ledger, client: LedgerClient, mirror: Mirror, body: bytes
) -> None:
    """Truncated, empty, misnumbered or malformed entries are refused by their form."""
    ledger.front.twist = lambda path, status, given: (
        (status, body) if path == "/v1/entries" else (status, given)
    )
    with pytest.raises(AnswerError):
        mirror.sync(client)
    assert mirror.size() == 0


def test_truncated_answers_are_refused_at_every_length(
    ledger: Ledger, client: LedgerClient, mirror: Mirror
) -> None:
    """An answer that was cut off anywhere is never taken for a whole one."""
    cut = 0
    ledger.front.twist = lambda _path, status, body: (status, body[: len(body) * cut // 8])
    for cut in range(8):  # noqa: B007 - the twist reads it
        with pytest.raises(ReasonedError):
            mirror.sync(client)
    assert mirror.size() == 0


def test_endless_and_compressed_answers_are_refused(
    ledger: Ledger, client: LedgerClient, mirror: Mirror
) -> None:
    """A body without end is cut off at its limit; a compressed one is not unpacked."""
    ledger.front.endless = True
    with pytest.raises(AnswerError, match="larger"):
        mirror.sync(client)
    ledger.front.endless = False
    ledger.front.headers = [(b"content-encoding", b"gzip")]
    with pytest.raises(AnswerError, match="compressed"):
        mirror.sync(client)


@pytest.mark.invariant(6, "a log that answers slowly", double="slow")
def test_a_dripping_answer_is_given_up(ledger: Ledger, mirror: Mirror) -> None:
    """An answer that keeps coming, too slowly, ends at the deadline."""
    ledger.front.pause = 0.02
    with ledger.client(within=0.3) as client, pytest.raises(LedgerUnavailableError):
        mirror.sync(client)


def test_a_redirection_is_not_followed(
    ledger: Ledger, client: LedgerClient, mirror: Mirror
) -> None:
    """A ledger cannot send its readers elsewhere."""
    ledger.front.headers = [(b"location", ledger.url.encode() + b"/elsewhere")]
    ledger.front.twist = lambda _path, _status, _body: (307, b"")
    with pytest.raises(LedgerRefusedError):
        mirror.sync(client)
    assert "/elsewhere" not in ledger.front.asked


def test_a_mirror_belongs_to_one_key(mirror: Mirror, tmp_path: Path) -> None:
    """Opening a mirror with another pinned key is refused."""
    assert mirror.size() == 0
    database = Database(f"sqlite:///{tmp_path / 'mirror.db'}", "mirror")
    other = type(mirror.log_key)(ORIGIN, mirror.log_key.kind, POLICE.signing.public)
    with pytest.raises(MirrorError):
        Mirror(database, other)
    database.close()


def test_a_cosignature_is_of_what_is_held(client: LedgerClient, mirror: Mirror) -> None:
    """The witness's line covers the held checkpoint and its time, and is stored beforehand."""
    mirror.sync(client)
    note = mirror.cosign(WITNESS, POLICE.witness, NOON)
    checkpoint = open_checkpoint(note, client.log_key)
    assert checkpoint.size == 10
    assert verify_cosignature(note.text, note.signatures[-1], WITNESS) == int(NOON.timestamp())
    with mirror._database.reading() as connection:
        stored = connection.execute(text("SELECT line FROM mirror_cosigned")).scalar_one()
    assert stored == note.signatures[-1].line


@pytest.mark.invariant(4, "a witness asked for two roots", double="forks")
def test_never_two_roots_for_one_size(client: LedgerClient, mirror: Mirror) -> None:
    """A mirror whose database was exchanged beneath it does not cosign a second root."""
    mirror.sync(client)
    mirror.cosign(WITNESS, POLICE.witness, NOON)
    with mirror._database.writing() as connection:
        connection.execute(text("UPDATE mirror_cosigned SET root = :root"), {"root": bytes(32)})
    with pytest.raises(ForkError):
        mirror.cosign(WITNESS, POLICE.witness, NOON)


def test_a_damaged_mirror_neither_cosigns_nor_verifies(
    client: LedgerClient, mirror: Mirror
) -> None:
    """A tree or an entry changed in the database beneath the mirror is noticed."""
    mirror.sync(client)
    with mirror._database.writing() as connection:
        connection.execute(text("UPDATE mirror_leaf SET payload = :payload"), {"payload": b"{}"})
    with pytest.raises(AlteredEntryError):
        mirror.verify()
    with mirror._database.writing() as connection:
        connection.execute(
            text("UPDATE mirror_head SET frontier = :frontier"), {"frontier": bytes(64)}
        )
    with pytest.raises(AlteredEntryError):
        mirror.cosign(WITNESS, POLICE.witness, NOON)


@pytest.mark.invariant(4, "a cosigned checkpoint of another tree", double="forks")
def test_a_witnessed_checkpoint_is_of_the_held_tree(
    ledger: Ledger, client: LedgerClient, mirror: Mirror
) -> None:
    """A fresh quorum is not enough: the checkpoint must be of the tree that this copy holds."""
    mirror.sync(client)
    note = mirror.cosign(WITNESS, POLICE.witness, NOON)
    policy = WitnessPolicy(client.log_key, (WITNESS,), 1, timedelta(minutes=15))
    assert mirror.verify_witnessed(note, policy, NOON).checkpoint.size == 10
    with pytest.raises(StaleCheckpointError):
        mirror.verify_witnessed(note, policy, NOON + timedelta(minutes=16))
    other = Mirror(
        Database(f"{mirror._database.engine.url}2", "mirror"), client.log_key, lambda: NOON
    )
    ledger.show([*EVENTS[:9], make_event()])
    other.sync(client)
    corrupt = other.cosign(WITNESS, POLICE.witness, NOON)
    other.close()
    with pytest.raises(ForkError):
        mirror.verify_witnessed(corrupt, policy, NOON)
    assert mirror.require_same_tree(note).size == 10
    with pytest.raises(ForkError):
        mirror.require_same_tree(corrupt)
    assert [found.reason for found in mirror.evidence()] == ["mirror.fork"]


def test_two_synchronisations_at_once_end_in_one_copy(
    ledger: Ledger, client: LedgerClient, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An agent that synchronises from several threads stores each entry once."""
    monkeypatch.setattr("governance.ledger.mirror_sync.STEP", 3)
    ledger.show(EVENTS)
    failures: list[Exception] = []

    def run() -> None:
        try:
            mirror.sync(client)
        except Exception as error:  # noqa: BLE001 - reported by the assertion
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert mirror.verify().size == 24
    assert list(mirror.entries()) == EVENTS
