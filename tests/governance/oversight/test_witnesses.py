"""Who has witnessed the ledger, how lately, and what should not have been signed."""

from datetime import timedelta
from pathlib import Path

import pytest

from governance.agreements.models import Agreement
from governance.ledger.errors import ForkError, NoteSignatureError
from governance.ledger.events import EventType
from governance.ledger.note import Checkpoint, Note, cosign, sign_checkpoint, witness_key
from governance.ledger.payloads import AgreementProposed
from governance.oversight.witnesses import Health, Notes, Seen, health
from tests.governance.oversight.copied import Copied
from tests.governance.world import NOON, ORIGIN, Party, World


@pytest.fixture
def copied(tmp_path: Path) -> Copied:
    """A world, in which the agreement takes cosignatures of the last 15 minutes, two of three."""
    return Copied(World(), tmp_path)


def alone(**parties: Note | None) -> Notes:
    """What parties cosigned each by itself, so that no checkpoint has two cosignatures."""
    return Notes({}, parties)


def refused(found: Health) -> dict[str, str]:
    """Why releases would be refused, by agreement."""
    return {each.id: each.reason for each in found.quorums}


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
    notes = alone(
        police=signed(copied.checkpoint(), police, 3),
        nhs=signed(copied.checkpoint(5), nhs, 14),
        council=signed(copied.checkpoint(), council, 16),
        hub=None,
    )
    found = health(copied.state, copied.mirror, notes, NOON)
    assert told(found) == {
        "police": Seen.FRESH, "nhs": Seen.FRESH, "council": Seen.LATE, "hub": Seen.NEVER,
        "ledger": Seen.NEVER,
    }  # fmt: skip
    behind = {each.party: each.behind for each in found.witnesses}
    assert (behind["police"], behind["nhs"]) == (0, len(copied.world.events) - 5)
    assert {each.party for each in found.witnesses if each.partner} == {"police", "nhs", "council"}
    later = health(copied.state, copied.mirror, notes, NOON + timedelta(minutes=2))
    assert told(later)["nhs"] == Seen.LATE


@pytest.mark.invariant(6, "two fresh cosignatures of two checkpoints, counted as a quorum")
def test_a_quorum_is_found_over_one_checkpoint(copied: Copied) -> None:
    """As agents count: not by adding up what witnesses signed of different trees."""
    police, nhs, council = copied.world.partners
    apart = alone(
        police=signed(copied.checkpoint(), police, 1), nhs=signed(copied.checkpoint(5), nhs, 1)
    )
    found = health(copied.state, copied.mirror, apart, NOON)
    assert (refused(found), found.well) == ({"county-families": "ledger.quorum"}, False)
    both = signed(signed(copied.checkpoint(), police, 1), council, 14)
    together = Notes({2: both}, apart.parties)
    found = health(copied.state, copied.mirror, together, NOON)
    assert (refused(found), found.well) == ({"county-families": ""}, True)
    later = health(copied.state, copied.mirror, together, NOON + timedelta(minutes=2))
    assert refused(later) == {"county-families": "ledger.checkpoint.stale"}


def test_each_agreement_is_held_to_its_own_number_and_age(tmp_path: Path) -> None:
    """One that takes a single cosignature of the last hour beside one that takes two of 15 min."""
    world = World()
    data = world.agreement.model_dump(mode="json")
    data |= {"id": "calm", "witnessing": data["witnessing"] | {"quorum": 1, "max_age_minutes": 60}}
    world.agreement = Agreement.model_validate(data)
    proposed = AgreementProposed(agreement=world.agreement)
    world.write(world.council, EventType.AGREEMENT_PROPOSED, proposed)
    for party in world.partners:
        world.sign_agreement(party)
    copied = Copied(world, tmp_path)
    note = signed(copied.checkpoint(), world.partners[0], 30)
    found = health(copied.state, copied.mirror, Notes({1: note, 2: None}, {"police": note}), NOON)
    assert refused(found) == {"calm": "", "county-families": "ledger.quorum"}
    assert [(each.needed, each.max_age_minutes) for each in found.quorums] == [(2, 15), (1, 60)]
    assert (told(found)["police"], found.well) == (Seen.LATE, False)


@pytest.mark.invariant(6, "a cosignature from the future, and one of another's key", double="lies")
def test_what_does_not_count_is_not_in_time(copied: Copied) -> None:
    """A time that has not come, and a line in a party's name by another key."""
    police, nhs, council = copied.world.partners
    ahead = signed(copied.checkpoint(), police, -10)
    false = signed(copied.checkpoint(), nhs, 1, by=police)
    notes = Notes({2: signed(ahead, nhs, 1)}, {"police": ahead, "nhs": false})
    found = health(copied.state, copied.mirror, notes, NOON)
    assert (told(found)["police"], told(found)["nhs"]) == (Seen.AHEAD, Seen.FALSE)
    assert (refused(found), found.well) == ({"county-families": "ledger.quorum"}, False)
    lied = Notes({2: signed(false, council, 1)}, {})
    assert refused(health(copied.state, copied.mirror, lied, NOON)) == {
        "county-families": "ledger.note.signature"
    }


@pytest.mark.invariant(4, "a second tree that a witness cosigned, shown to a lead", double="forks")
def test_a_witness_of_another_tree_is_noticed(copied: Copied) -> None:
    """The log signed two trees of one size: the one that is not the copy's is a fork."""
    police, nhs, _ = copied.world.partners
    other = Checkpoint(ORIGIN, len(copied.world.events), b"f" * 32)
    forked = sign_checkpoint(other, copied.key, copied.world.operator.signing)
    both = signed(signed(forked, police, 1), nhs, 1)
    notes = Notes({2: both}, {"police": signed(copied.checkpoint(), police, 1), "nhs": both})
    found = health(copied.state, copied.mirror, notes, NOON)
    assert told(found)["nhs"] == Seen.FORK
    assert (refused(found), found.well) == ({"county-families": ForkError.reason}, False)


def test_a_checkpoint_that_the_log_did_not_sign_is_refused(copied: Copied) -> None:
    """Nothing is shown of it."""
    police = copied.world.partners[0]
    head = Checkpoint(ORIGIN, 3, b"x" * 32)
    forged = sign_checkpoint(head, copied.key, police.signing)
    with pytest.raises(NoteSignatureError):
        health(copied.state, copied.mirror, alone(police=signed(forged, police, 1)), NOON)
    with pytest.raises(NoteSignatureError):
        health(copied.state, copied.mirror, Notes({2: signed(forged, police, 1)}, {}), NOON)
