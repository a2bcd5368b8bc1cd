"""Search finds what is there, proves it, and shows nothing that is not proved."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from governance.canonical import sha256
from governance.errors import FormatError
from governance.ledger.database import Database, sqlite_url
from governance.ledger.errors import AlteredEntryError, OutOfRangeError, ProofError
from governance.ledger.events import EventType
from governance.ledger.merkle import leaf_hash
from governance.ledger.note import Checkpoint, open_checkpoint, sign_checkpoint
from governance.ledger.payloads import Decided, Refused, ReleaseRefused, Requested
from governance.ledger.proof import parse_proof
from governance.oversight.search import Proven, Query, proven, search
from tests.governance.oversight.copied import Copied
from tests.governance.world import NOON, ORIGIN, World

HANDLE = "d" * 32


@pytest.fixture
def copied(tmp_path: Path) -> Copied:
    """A world with consents, and a request that the police refused; and a copy of its log."""
    world = World()
    police = world.partners[0]
    world.consent(police, HANDLE)
    world.consent(world.partners[1], "e" * 32, now=NOON + timedelta(days=3))
    members = world.members(("1", True, [(police, HANDLE)]))
    request = world.request(members)
    world.write(world.hub, EventType.RELEASE_REQUESTED, Requested(request=request))
    approval = Decided(approval=world.approval(request))
    world.write(world.hub, EventType.RELEASE_APPROVED, approval)
    refusal = ReleaseRefused(request=request.payload_hash, party="police", reason="release.local")
    world.write(police, EventType.RELEASE_REFUSED, refusal)
    return Copied(world, tmp_path)


def found(copied: Copied, **asked: object) -> list[int]:
    """Places that a query finds."""
    query = Query.model_validate(asked)
    page = search(copied.state, copied.mirror, copied.checkpoint(), query)
    assert page.total == len(page.entries)
    return [entry.index for entry in page.entries]


def test_each_condition_finds_its_entries(copied: Copied) -> None:
    """By id, leaf hash in both spellings, party, type, day, request, family, and all together."""
    events = copied.world.events
    last = len(events) - 1
    digest = leaf_hash(events[last].leaf_bytes)
    request = events[last].payload_data()["request"]
    assert found(copied, id=events[last].leaf.id) == [last]
    assert found(copied, leaf=f"sha256:{digest.hex()}") == [last]
    (entry,) = search(
        copied.state, copied.mirror, copied.checkpoint(), Query(id=events[last].leaf.id)
    ).entries
    assert found(copied, leaf=entry.leaf_hash) == [last]
    assert found(copied, request=request) == [last, last - 1, last - 2]
    assert found(copied, family="f-" + "0" * 32) == [last, last - 1, last - 2]
    assert found(copied, kind="consent.recorded") == [last - 3, last - 4]
    assert found(copied, kind="consent.recorded", party="police") == [last - 4]
    assert found(copied, since=date(2026, 11, 24)) == [last - 3]
    assert found(copied, party="police", family="f-" + "0" * 32) == [last]
    assert found(copied) == list(range(last, -1, -1))
    for nothing in ({"id": "0" * 32}, {"family": "f-" + "9" * 32}, {"party": "strangers"},
                    {"request": sha256(b"none")}, {"until": date(2026, 1, 1)}):  # fmt: skip
        assert found(copied, **nothing) == []


def test_pages_follow_each_other(copied: Copied) -> None:
    """The newest first; the total says how many there are."""
    note = copied.checkpoint()
    first = search(copied.state, copied.mirror, note, Query(), 0, 3)
    second = search(copied.state, copied.mirror, note, Query(), 3, 3)
    assert first.total == second.total == len(copied.world.events)
    assert first.entries[-1].index == second.entries[0].index + 1


def test_what_is_shown_says_what_happened_and_not_to_whom(copied: Copied) -> None:
    """Signed documents are opened; no handle, signature or ciphertext is among the fields."""
    (consent,) = shown(copied, party="police", kind="consent.recorded")
    assert consent.fields["state"] == "given"
    assert HANDLE not in consent.model_dump_json()
    (asked,) = shown(copied, kind="release.requested")
    assert asked.fields["request"]["purpose"] == "offer-help"
    assert "signature" not in str(asked.fields)


def shown(copied: Copied, **asked: object) -> list[Proven]:
    """Entries that a query finds."""
    query = Query.model_validate(asked)
    return list(search(copied.state, copied.mirror, copied.checkpoint(), query).entries)


def test_a_proof_stands_by_itself(copied: Copied) -> None:
    """What is shown verifies again from its own text, by the log's key alone."""
    entry = proven(copied.state, copied.mirror, copied.checkpoint(), 2)
    proof = parse_proof(entry.proof.encode())
    assert proof.index == 2
    assert open_checkpoint(proof.note, copied.key).size == entry.size == len(copied.world.events)


@pytest.mark.invariant(5, "an entry of the copy that was rewritten, looked up", double="lies")
def test_nothing_is_shown_that_the_log_did_not_sign(copied: Copied, tmp_path: Path) -> None:
    """An entry that was rewritten in the copy's file is refused, not shown."""
    harmless = Refused(party="police", action="prepare", reason="submission", about=None)
    other = copied.world.partners[0].author().write(EventType.REFUSED, harmless)
    database = Database(sqlite_url(tmp_path / "mirror.db"), "mirror")
    with database.writing() as connection:
        connection.execute(
            text("UPDATE mirror_leaf SET leaf=:l, salt=:s, payload=:p WHERE position=8"),
            {"l": other.leaf_bytes, "s": other.salt, "p": other.payload},
        )
    database.close()
    with pytest.raises(AlteredEntryError):
        proven(copied.state, copied.mirror, copied.checkpoint(), 8)
    head = Checkpoint(ORIGIN, len(copied.world.events), b"x" * 32)
    other_tree = sign_checkpoint(head, copied.key, copied.world.operator.signing)
    with pytest.raises(ProofError):
        proven(copied.state, copied.mirror, other_tree, 7)


def test_a_copy_that_has_grown_meanwhile_is_not_called_altered(copied: Copied) -> None:
    """Entries that came after the replay are found by the next one; those before are proved."""
    world, before = copied.world, len(copied.world.events)
    world.consent(world.partners[0], "f" * 32)
    copied.mirror.sync(copied)
    note = copied.checkpoint()
    assert search(copied.state, copied.mirror, note, Query()).total == before
    with pytest.raises(OutOfRangeError):
        proven(copied.state, copied.mirror, note, before)


def test_a_checkpoint_of_fewer_entries_proves_no_later_one(copied: Copied) -> None:
    """What came after the checkpoint is not found under it."""
    page = search(copied.state, copied.mirror, copied.checkpoint(5), Query())
    assert [entry.index for entry in page.entries] == [4, 3, 2, 1, 0]
    with pytest.raises(OutOfRangeError):
        proven(copied.state, copied.mirror, copied.checkpoint(5), 5)


@pytest.mark.parametrize("text_", ["sha256:12", "zz", "A" * 44, "🙂"])
def test_what_is_no_hash_gets_a_message(copied: Copied, text_: str) -> None:
    """The message says what a hash looks like."""
    with pytest.raises(FormatError, match="64 hex digits"):
        found(copied, leaf=text_)
