"""Who has witnessed the ledger, how lately, and what should not have been signed."""

from datetime import timedelta
from pathlib import Path

import pytest

from governance.ledger.errors import NoteSignatureError
from governance.ledger.note import Checkpoint, Note, cosign, sign_checkpoint, witness_key
from governance.oversight.witnesses import Health, Seen, health
from tests.governance.oversight.copied import Copied
from tests.governance.world import NOON, ORIGIN, Party, World


@pytest.fixture
def copied(tmp_path: Path) -> Copied:
    """A world, in which the agreement takes cosignatures of the last 15 minutes, two of three."""
    return Copied(World(), tmp_path)


def signed(note: Note, party: Party, minutes: int, by: Party | None = None) -> Note:
    """A checkpoint that a party cosigned so many minutes before noon, or another in its name."""
    key = witness_key(ORIGIN, party.name, party.witness.public)
    time = int((NOON - timedelta(minutes=minutes)).timestamp())
    return note.with_signatures([cosign(note.text, key, (by or party).witness, time)])


def told(found: Health) -> dict[str, Seen]:
    """What is said of each party."""
    return {each.party: each.state for each in found.witnesses}


def test_each_witness_is_held_to_the_agreements_minutes(copied: Copied) -> None:
    """In time, late, never; how far behind; whether a release would find its quorum."""
    police, nhs, council = copied.world.partners
    notes: dict[str, Note | None] = {
        "police": signed(copied.checkpoint(), police, 3),
        "nhs": signed(copied.checkpoint(5), nhs, 14),
        "council": signed(copied.checkpoint(), council, 16),
        "hub": None,
    }
    found = health(copied.state, copied.mirror, notes, NOON)
    assert told(found) == {
        "police": Seen.FRESH, "nhs": Seen.FRESH, "council": Seen.LATE, "hub": Seen.NEVER,
        "ledger": Seen.NEVER,
    }  # fmt: skip
    behind = {each.party: each.behind for each in found.witnesses}
    assert (behind["police"], behind["nhs"]) == (0, len(copied.world.events) - 5)
    assert (found.in_time, found.quorum, found.max_age_minutes, found.well) == (2, 2, 15, True)
    assert {each.party for each in found.witnesses if each.partner} == {"police", "nhs", "council"}
    later = health(copied.state, copied.mirror, notes, NOON + timedelta(minutes=2))
    assert (told(later)["nhs"], later.in_time, later.well) == (Seen.LATE, 1, False)


@pytest.mark.invariant(6, "a cosignature from the future, and one of another's key", double="lies")
def test_what_does_not_count_is_not_in_time(copied: Copied) -> None:
    """A time that has not come, and a line in a party's name by another key."""
    police, nhs, _ = copied.world.partners
    notes = {
        "police": signed(copied.checkpoint(), police, -10),
        "nhs": signed(copied.checkpoint(), nhs, 1, by=police),
    }
    found = health(copied.state, copied.mirror, notes, NOON)
    assert (told(found)["police"], told(found)["nhs"]) == (Seen.AHEAD, Seen.FALSE)
    assert (found.in_time, found.well) == (0, False)


@pytest.mark.invariant(4, "a second tree that a witness cosigned, shown to a lead", double="forks")
def test_a_witness_of_another_tree_is_noticed(copied: Copied) -> None:
    """The log signed two trees of one size: the one that is not the copy's is a fork."""
    police, nhs, _ = copied.world.partners
    other = Checkpoint(ORIGIN, len(copied.world.events), b"f" * 32)
    forked = sign_checkpoint(other, copied.key, copied.world.operator.signing)
    notes = {
        "police": signed(copied.checkpoint(), police, 1),
        "nhs": signed(forked, nhs, 1),
    }
    found = health(copied.state, copied.mirror, notes, NOON)
    assert told(found)["nhs"] == Seen.FORK
    assert not found.well


def test_a_checkpoint_that_the_log_did_not_sign_is_refused(copied: Copied) -> None:
    """Nothing is shown of it."""
    police = copied.world.partners[0]
    head = Checkpoint(ORIGIN, 3, b"x" * 32)
    forged = sign_checkpoint(head, copied.key, police.signing)
    with pytest.raises(NoteSignatureError):
        health(copied.state, copied.mirror, {"police": signed(forged, police, 1)}, NOON)
