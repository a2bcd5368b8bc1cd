"""Orders and documents of a hub, or events of a ledger, that are true in every part but one."""

import pytest

from governance.canonical import b64
from governance.consent.errors import ConsentMissing, ConsentWithdrawn
from governance.errors import SignatureError
from governance.ledger.events import EventType
from governance.ledger.payloads import AgreementStopped, PersonRevoked
from governance.ledger.state import LedgerState
from governance.release.errors import NothingToRelease
from governance.release.models import CheckpointRef, Members
from governance.release.verify import Witnessed, verify_order
from tests.governance.release.test_verify import order_for, verify
from tests.governance.world import NOON, World

MOTHER, FATHER = "1" * 32, "2" * 32


@pytest.fixture
def world() -> World:
    """A mother has agreed, met by the council; a father has agreed, met by the police."""
    world = World()
    world.consent(world.council, MOTHER)
    world.consent(world.partners[0], FATHER)
    return world


def both(world: World) -> Members:
    """The family as it is."""
    return world.members(
        ("1", True, [(world.council, MOTHER)]), ("2", True, [(world.partners[0], FATHER)])
    )


@pytest.mark.invariant(10, "another partner's record called this partner's", double="lies")
def test_a_record_that_another_partner_holds_is_not_ones_own(world: World) -> None:
    """The hub shows lead and partner a document in which the council's record is the police's."""
    police = world.partners[0]
    beside = world.members(("1", True, [(world.council, MOTHER), (police, MOTHER)]))
    order = order_for(world, beside)
    with pytest.raises(NothingToRelease):
        verify(world, order, police)
    assert {ref.party for ref in verify(world, order, world.council).records} == {"council"}


@pytest.mark.invariant(10, "two partners' records under each other's name", double="swaps keys")
def test_swapped_owners_open_nothing(world: World) -> None:
    """Each partner is asked for the handle that the other captured a consent for."""
    police = world.partners[0]
    swapped = world.members(("1", True, [(police, MOTHER)]), ("2", True, [(world.council, FATHER)]))
    order = order_for(world, swapped)
    for party in (police, world.council):
        with pytest.raises(ConsentMissing):
            verify(world, order, party)


@pytest.mark.invariant(2, "somebody who withdrew, called a record of one who agreed", double="lies")
def test_a_withdrawal_is_not_hidden_in_another_person(world: World) -> None:
    """A person is asked for by every record that the hub gives them."""
    police = world.partners[0]
    grant = next(e for e in world.events if e.leaf.author == police.keys.thumbprint
                 and e.leaf.type is EventType.CONSENT_RECORDED)  # fmt: skip
    world.withdraw(police, grant)
    merged = world.members(("1", True, [(world.council, MOTHER), (police, FATHER)]))
    order = order_for(world, merged)
    for party in (police, world.council):
        with pytest.raises(ConsentWithdrawn):
            verify(world, order, party)


@pytest.mark.invariant(2, "a checkpoint from before a withdrawal", double="rolls back")
def test_an_older_checkpoint_brings_no_consent_back(world: World) -> None:
    """It is cosigned and covers the approval; what the partner's own mirror holds decides."""
    order = order_for(world, both(world))
    before = CheckpointRef(size=len(world.events), root=b64(bytes(32)))
    older = Witnessed(before, lambda _size: bytes(32))
    found = verify_order(order, party="council", state=world.state, witnessed=older, now=NOON)
    assert found.checkpoint == before
    grant = next(e for e in world.events if e.leaf.type is EventType.CONSENT_RECORDED)
    world.withdraw(world.council, grant)
    with pytest.raises(ConsentWithdrawn):
        verify_order(order, party="council", state=world.state, witnessed=older, now=NOON)


@pytest.mark.invariant(8, "a request to keys that were revoked since", double="replays")
def test_nothing_is_sealed_to_keys_that_were_revoked(world: World) -> None:
    """Approved and logged while they were good: a thief of the old keys opens nothing."""
    order = order_for(world, both(world))
    assert verify(world, order, world.council).recipient == world.manager.keys
    payload = PersonRevoked(keys=world.manager.keys.thumbprint, reason="lost_key")
    world.write(world.council, EventType.PERSON_REVOKED, payload)
    with pytest.raises(SignatureError):
        verify(world, order, world.council)


@pytest.mark.invariant(13, "an older resumption after a second suspension", double="replays")
def test_a_resumption_counts_once(world: World) -> None:
    """A ledger that puts the same signed event in again takes no suspension back."""
    stopped = AgreementStopped(agreement=world.agreement_hash, reason="dpia-review")
    police = world.partners[0]
    world.write(police, EventType.AGREEMENT_SUSPENDED, stopped)
    resumed = world.write(police, EventType.AGREEMENT_RESUMED, stopped)
    world.write(police, EventType.AGREEMENT_SUSPENDED, stopped)
    state = LedgerState().replay([*world.events, resumed])
    assert len(state.rejected) == 1
    assert state.agreements.standing(world.agreement_hash).suspended_by == {"police"}


@pytest.mark.invariant(13, "a resumption before its suspension", double="reorders")
def test_a_resumption_before_its_suspension_counts_for_nothing(world: World) -> None:
    """A ledger that changes the order of two events of a party leaves the agreement suspended."""
    stopped = AgreementStopped(agreement=world.agreement_hash, reason="dpia-review")
    police = world.partners[0]
    suspended = world.write(police, EventType.AGREEMENT_SUSPENDED, stopped)
    resumed = world.write(police, EventType.AGREEMENT_RESUMED, stopped)
    state = LedgerState().replay([*world.events[:-2], resumed, suspended])
    assert state.agreements.standing(world.agreement_hash).suspended_by == {"police"}


@pytest.mark.invariant(7, "an approval by a lead who was revoked since", double="replays")
def test_an_approval_of_a_revoked_lead_opens_nothing(world: World) -> None:
    """Approved and logged while the lead was one: a hub that held the order back comes too late."""
    order = order_for(world, both(world))
    assert verify(world, order, world.council).request_hash == order.request.payload_hash
    payload = PersonRevoked(keys=world.lead.keys.thumbprint, reason="misuse")
    world.write(world.council, EventType.PERSON_REVOKED, payload)
    with pytest.raises(SignatureError):
        verify(world, order, world.council)
