"""Orders are verified by each partner against its own mirror, and refused by the first rule."""

from datetime import timedelta

import pytest

from governance.canonical import b64, parse_json, write_time
from governance.consent.errors import ConsentMissing, ConsentRefused, ConsentWithdrawn
from governance.errors import SignatureError
from governance.identity.envelope import sign
from governance.ledger.events import EventType
from governance.ledger.payloads import Sealed
from governance.release.errors import (
    AlreadyReleased,
    CheckpointMismatch,
    MembersChanged,
    NothingToRelease,
    RequestExpired,
    RequestNotLogged,
)
from governance.release.models import SEALED, CheckpointRef, Members, Order, ReleasedRecord
from governance.release.seal import open_records, seal_records
from governance.release.verify import VerifiedOrder, Witnessed, verify_order
from tests.governance.world import NOON, Party, World

MOTHER, CHILD = "1" * 32, "2" * 32


@pytest.fixture
def world() -> World:
    """A world in which a mother and her child have agreed, met by the council."""
    world = World()
    world.consent(world.council, MOTHER)
    world.consent(
        world.council,
        CHILD,
        capacity="parental_responsibility",
        parental_basis="birth_registration",
    )
    return world


def family(world: World) -> Members:
    """The mother and child as the hub would present them."""
    return world.members(
        ("1", True, [(world.council, MOTHER), (world.partners[0], "3" * 32)]),
        ("2", False, [(world.council, CHILD)]),
    )


def witnessed(world: World) -> Witnessed:
    """The order's checkpoint as the mirror would have verified it."""
    reference = CheckpointRef(size=len(world.events), root=b64(bytes(32)))
    return Witnessed(reference, lambda _size: bytes(32))


def order_for(world: World, members: Members) -> Order:
    """Request, approve, log, and make the order."""
    request = world.request(members)
    approval = world.approval(request)
    world.log_release(request, approval)
    return Order(request=request, approval=approval, members=members, checkpoint="note")


def verify(world: World, order: Order, party: Party, **changes: object) -> VerifiedOrder:
    """Verify as one party at noon."""
    arguments = {"party": party.name, "state": world.state, "now": NOON} | changes
    return verify_order(order, witnessed=witnessed(world), **arguments)  # type: ignore[arg-type]


def test_an_order_with_every_permission_is_released(world: World) -> None:
    """The capturing partner may release exactly the records whose consent it captured."""
    order = order_for(world, family(world))
    verified = verify(world, order, world.council)
    assert {record.handle for record in verified.records} == {MOTHER, CHILD}
    assert verified.recipient == world.manager.keys


@pytest.mark.invariant(10, "an order to a partner that captured none")
def test_a_partner_without_captured_consent_releases_nothing(world: World) -> None:
    """Invariant 10: consent captured elsewhere does not open this partner's records."""
    order = order_for(world, family(world))
    with pytest.raises(NothingToRelease):
        verify(world, order, world.partners[0])


@pytest.mark.invariant(2, "a withdrawal after approval")
@pytest.mark.invariant(3, "a withdrawal after approval")
def test_a_withdrawal_after_approval_blocks(world: World) -> None:
    """Invariants 2 and 3: state is replayed when the order is answered, not when it was made."""
    order = order_for(world, family(world))
    grant = next(e for e in world.events if e.leaf.type is EventType.CONSENT_RECORDED)
    world.withdraw(world.council, grant)
    with pytest.raises(ConsentWithdrawn):
        verify(world, order, world.council)


@pytest.mark.invariant(2, "a refusal at another partner")
def test_a_refusal_recorded_by_another_partner_blocks(world: World) -> None:
    """A member's newest decision anywhere blocks, whatever another partner holds."""
    world.consent(world.partners[0], "3" * 32, state="refused")
    order = order_for(world, family(world))
    with pytest.raises(ConsentRefused):
        verify(world, order, world.council)


@pytest.mark.invariant(2, "a parent's grant for an adult")
def test_an_adult_is_not_covered_by_parental_responsibility(world: World) -> None:
    """Nobody decides for another adult."""
    world.consent(
        world.council,
        "4" * 32,
        capacity="parental_responsibility",
        parental_basis="court_order",
    )
    members = world.members(("4", True, [(world.council, "4" * 32)]))
    with pytest.raises(ConsentMissing):
        verify(world, order_for(world, members), world.council)


@pytest.mark.invariant(11, "a hub that adds a member")
def test_another_member_voids_the_approval(world: World) -> None:
    """Invariant 11: the order's members are those that were requested."""
    order = order_for(world, family(world))
    more = world.members(
        ("1", True, [(world.council, MOTHER)]), ("5", False, [(world.council, "5" * 32)])
    )
    with pytest.raises(MembersChanged):
        verify(world, order.model_copy(update={"members": more}), world.council)


@pytest.mark.invariant(9, "a hub that replays, early and late")
def test_an_order_is_answered_once_and_in_time(world: World) -> None:
    """Invariant 9: neither a second answer nor one after the request's life."""
    order = order_for(world, family(world))
    late = NOON + timedelta(hours=12)
    with pytest.raises(RequestExpired):
        verify(world, order, world.council, now=late)
    receipt = Sealed(
        request=order.request.payload_hash,
        order=order.hash,
        party="council",
        records=2,
        ciphertext_sha256=order.hash,
    )
    world.write(world.council, EventType.RELEASE_SEALED, receipt)
    with pytest.raises(AlreadyReleased):
        verify(world, order, world.council)


@pytest.mark.invariant(4, "an approval of another ledger")
@pytest.mark.invariant(6, "an approval that is not logged")
def test_an_unlogged_approval_or_another_ledger_is_refused(world: World) -> None:
    """Invariants 4 to 6: what the mirror does not hold does not count."""
    members = family(world)
    request = world.request(members)
    order = Order(
        request=request, approval=world.approval(request), members=members, checkpoint="note"
    )
    with pytest.raises(RequestNotLogged):
        verify(world, order, world.council)
    logged = order_for(world, members)
    other = Witnessed(witnessed(world).checkpoint, lambda _size: b"\1" * 32)
    with pytest.raises(CheckpointMismatch):
        verify_order(logged, party="council", state=world.state, witnessed=other, now=NOON)


@pytest.mark.invariant(9, "a changed request")
def test_one_changed_byte_of_a_request_is_refused(world: World) -> None:
    """Invariant 9: the approval and signature are over the exact bytes."""
    order = order_for(world, family(world))
    data = parse_json(order.request.payload_bytes)
    data["items"] = ["surname"]
    forged = order.request.model_copy(
        update={"payload": b64(repr(data).replace("'", '"').encode())}
    )
    with pytest.raises(SignatureError):
        verify(world, order.model_copy(update={"request": forged}), world.council)


@pytest.mark.invariant(8, "another recipient, request or partner key")
def test_sealed_items_open_for_the_requester_only(world: World) -> None:
    """Invariant 8: another recipient, request or partner key opens nothing."""
    order = order_for(world, family(world))
    verified = verify(world, order, world.council)
    record = ReleasedRecord(
        person="p-" + "1" * 32, source="council_records", items={"first_name": "Ann"}
    )
    sealed = seal_records(
        [record],
        request=verified.request_hash,
        order=order.hash,
        party="council",
        recipient=verified.recipient,
        checkpoint=verified.checkpoint,
        created=write_time(NOON),
    )
    author = world.council
    envelope = sign(SEALED, sealed, author.signing, author.keys.thumbprint)
    arguments = {
        "recipient": world.manager.keys,
        "request": verified.request_hash,
        "party_key": world.state.identities.party_key,
    }
    _, opened = open_records(envelope, key=world.manager.sealing, **arguments)  # type: ignore[arg-type]
    assert opened == [record]
    with pytest.raises(Exception, match="does_not_open"):
        open_records(envelope, key=world.lead.sealing, **arguments)  # type: ignore[arg-type]
