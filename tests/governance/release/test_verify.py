"""Orders are verified by each partner against its own mirror, and refused by the first rule."""

from datetime import timedelta

import pytest

from governance.canonical import b64, hash_of, parse_json, write_time
from governance.consent.errors import ConsentMissing, ConsentRefused, ConsentWithdrawn
from governance.errors import SignatureError
from governance.identity.models import Role
from governance.ledger.admission import NotAdmissible
from governance.ledger.events import EventType
from governance.ledger.payloads import Decided, Outcome, ReleaseRefused, Requested, Sealed
from governance.release.errors import (
    AlreadyReleased,
    CheckpointMismatch,
    MembersChanged,
    NotApproved,
    NothingToRelease,
    RequestExpired,
    RequestNotLogged,
)
from governance.release.models import CheckpointRef, Members, Order
from governance.release.verify import VerifiedOrder, Witnessed, verify_order
from tests.governance.world import NOON, NOTICE, Party, Staff, World

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
    assert (verified.order, verified.agreement) == (order, world.agreement)
    assert verified.request_hash == order.request.payload_hash
    assert hash_of(verified.request) == verified.request_hash


@pytest.mark.invariant(10, "an order to a partner that captured none")
def test_a_partner_without_captured_consent_releases_nothing(world: World) -> None:
    """Invariant 10: consent captured elsewhere does not open this partner's records."""
    order = order_for(world, family(world))
    with pytest.raises(NothingToRelease):
        verify(world, order, world.partners[0])


@pytest.mark.invariant(2, "a withdrawal after approval", double="replays")
@pytest.mark.invariant(3, "a withdrawal after approval", double="replays")
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


@pytest.mark.invariant(11, "a hub that adds a member", double="lies")
def test_another_member_voids_the_approval(world: World) -> None:
    """Invariant 11: the order's members are those that were requested."""
    order = order_for(world, family(world))
    more = world.members(
        ("1", True, [(world.council, MOTHER)]), ("5", False, [(world.council, "5" * 32)])
    )
    with pytest.raises(MembersChanged):
        verify(world, order.model_copy(update={"members": more}), world.council)


@pytest.mark.invariant(9, "a hub that replays, early and late", double="replays")
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


@pytest.mark.invariant(4, "an approval of another ledger", double="forks")
@pytest.mark.invariant(6, "an approval that is not logged", double="withholds")
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


@pytest.mark.invariant(9, "an approval of another request", double="replays")
def test_an_approval_counts_for_its_own_request_and_when_it_approves(world: World) -> None:
    """Neither the approval of another request nor a decision to decline opens anything."""
    members = family(world)
    order, other = order_for(world, members), world.request(members, items=["surname"])
    approval = world.approval(other)
    world.log_release(other, approval)
    with pytest.raises(NotApproved, match="another request"):
        verify(world, order.model_copy(update={"approval": approval}), world.council)
    third = world.request(members, id="7" * 32)
    declined = world.approval(third, decision="decline")
    world.write(world.hub, EventType.RELEASE_REQUESTED, Requested(request=third))
    world.write(world.hub, EventType.RELEASE_DECLINED, Decided(approval=declined))
    refused = Order(request=third, approval=declined, members=members, checkpoint="note")
    with pytest.raises(NotApproved, match="declines"):
        verify(world, refused, world.council)


@pytest.mark.invariant(9, "an approval beside the one that is logged", double="lies")
def test_an_approval_that_the_ledger_does_not_hold_counts_for_nothing(world: World) -> None:
    """A second signature of the lead over the same request is not the one that was logged."""
    order = order_for(world, family(world))
    again = world.approval(order.request, reason="another-one")
    with pytest.raises(RequestNotLogged, match="not both"):
        verify(world, order.model_copy(update={"approval": again}), world.council)


@pytest.mark.invariant(6, "an approval newer than the checkpoint", double="rolls back")
def test_an_approval_lies_inside_the_orders_checkpoint(world: World) -> None:
    """The last entry of the witnessed tree counts; the one after it does not."""
    order = order_for(world, family(world))
    decided = len(world.events) - 1  # index of the approval
    for size, inside in ((decided + 1, True), (decided, False)):
        reference = CheckpointRef(size=size, root=b64(bytes(32)))
        checked = Witnessed(reference, lambda _size: bytes(32))
        if inside:
            found = verify_order(
                order, party="council", state=world.state, witnessed=checked, now=NOON
            )
            assert found.checkpoint == reference
        else:
            with pytest.raises(RequestNotLogged, match="newer"):
                verify_order(order, party="council", state=world.state, witnessed=checked, now=NOON)


def test_the_approvers_checkpoint_is_looked_up_by_its_size(world: World) -> None:
    """The root that the approver saw is compared with the mirror's at that very size."""
    members = family(world)
    request = world.request(members)
    approval = world.approval(request, checkpoint=CheckpointRef(size=3, root=b64(b"\3" * 32)))
    world.log_release(request, approval)
    order = Order(request=request, approval=approval, members=members, checkpoint="note")
    checked = Witnessed(witnessed(world).checkpoint, lambda size: bytes([size]) * 32)
    assert verify_order(order, party="council", state=world.state, witnessed=checked, now=NOON)


@pytest.mark.invariant(13, "an approver whom no party employs", double="lies")
def test_an_approver_works_for_a_party_of_the_agreement(world: World) -> None:
    """A lead of the hub's own decides nothing about a partner's people."""
    outsider = Staff("hub", Role.IG_LEAD, "e" * 32)
    world.enrol(outsider, world.hub.signing, world.hub.keys.thumbprint)
    members = family(world)
    request = world.request(members)
    approval = world.approval(request, signer=outsider)
    world.write(world.hub, EventType.RELEASE_REQUESTED, Requested(request=request))
    decided = Decided(approval=approval)
    world.state.apply(world.hub.author().write(EventType.RELEASE_APPROVED, decided))
    assert [each.reason for each in world.state.rejected] == [NotApproved.reason]
    order = Order(request=request, approval=approval, members=members, checkpoint="note")
    with pytest.raises(RequestNotLogged):
        verify(world, order, world.council)


@pytest.mark.parametrize(
    ("hours", "seconds", "allowed"), [(24, 0, True), (24, 1, False), (0, 0, False), (0, 1, True)]
)
def test_a_request_lives_for_a_day_at_most(
    world: World, hours: int, seconds: int, allowed: bool
) -> None:
    """Neither longer than agreed nor for no time at all; it may start and end on the second."""
    ends = NOON + timedelta(hours=hours, seconds=seconds)
    request = world.request(family(world), expires=write_time(ends))
    if allowed:
        world.write(world.hub, EventType.RELEASE_REQUESTED, Requested(request=request))
    else:
        with pytest.raises(RequestExpired):
            world.write(world.hub, EventType.RELEASE_REQUESTED, Requested(request=request))


def test_a_request_is_decided_while_it_lives(world: World) -> None:
    """A decision of the second at which the request ends comes too late."""
    request = world.request(family(world))
    world.write(world.hub, EventType.RELEASE_REQUESTED, Requested(request=request))
    end = NOON + timedelta(hours=12)
    late = world.approval(request, created=write_time(end))
    with pytest.raises(NotAdmissible, match="while it lives"):
        world.write(world.hub, EventType.RELEASE_APPROVED, Decided(approval=late))
    last = world.approval(request, created=write_time(end - timedelta(seconds=1)))
    world.write(world.hub, EventType.RELEASE_APPROVED, Decided(approval=last))


def test_a_request_is_logged_once(world: World) -> None:
    """Its number is used up, whatever else is asked for under it."""
    members = family(world)
    first = world.request(members, id="7" * 32)
    world.write(world.hub, EventType.RELEASE_REQUESTED, Requested(request=first))
    again = world.request(members, id="7" * 32, items=["surname"])
    with pytest.raises(NotAdmissible, match="logged once"):
        world.write(world.hub, EventType.RELEASE_REQUESTED, Requested(request=again))


def test_a_decision_bears_one_signature_of_a_lead(world: World) -> None:
    """A manager of another partner decides nothing, and nobody lends a name to a lead."""
    other = Staff("council", Role.SERVICE_MANAGER, "f" * 32)
    world.enrol(other, world.lead.signing, world.lead.keys.thumbprint)
    request = world.request(family(world))
    world.write(world.hub, EventType.RELEASE_REQUESTED, Requested(request=request))
    alone = world.approval(request, signer=other)
    by_lead = world.approval(request)
    both = by_lead.model_copy(update={"signatures": (*by_lead.signatures, *alone.signatures)})
    for approval in (alone, both):
        with pytest.raises(NotApproved):
            world.write(world.hub, EventType.RELEASE_APPROVED, Decided(approval=approval))


def test_what_became_of_a_request_is_kept(world: World) -> None:
    """Refusals are written by whom they name; an outcome by a party, of a known request."""
    order = order_for(world, family(world))
    hash_ = order.request.payload_hash
    refusal = ReleaseRefused(request=hash_, party="police", reason="consent.missing")
    with pytest.raises(NotAdmissible, match="refused"):
        world.write(world.council, EventType.RELEASE_REFUSED, refusal)
    world.write(world.partners[0], EventType.RELEASE_REFUSED, refusal)
    world.write(world.hub, EventType.RELEASE_OUTCOME, Outcome(request=hash_, outcome="helped"))
    record = world.state.releases.requests[hash_]
    assert record.refused_by == {"police": "consent.missing"}
    assert record.outcome == "helped"
    assert record.sealed_by == set()
    unknown = ReleaseRefused(request=NOTICE, party="police", reason="release.not_logged")
    world.write(world.partners[0], EventType.RELEASE_REFUSED, unknown)
    with pytest.raises(NotAdmissible, match="no request"):
        world.write(world.hub, EventType.RELEASE_OUTCOME, Outcome(request=NOTICE, outcome="helped"))


def test_what_came_of_an_approach_is_told_by_who_logged_the_request(world: World) -> None:
    """A partner does not say in its place that a family was helped."""
    hash_ = order_for(world, family(world)).request.payload_hash
    helped = Outcome(request=hash_, outcome="helped")
    for author in (world.council, world.operator):
        with pytest.raises(NotAdmissible, match="logged"):
            world.write(author, EventType.RELEASE_OUTCOME, helped)
    record = world.state.releases.requests[hash_]
    assert (record.outcome, record.outcomes) == (None, 0)
    world.write(world.hub, EventType.RELEASE_OUTCOME, helped)
    declined = Outcome(request=hash_, outcome="declined")
    world.write(world.hub, EventType.RELEASE_OUTCOME, declined)
    assert (record.outcome, record.outcomes) == ("declined", 2)


@pytest.mark.invariant(13, "a receipt of a state that was not there yet", double="lies")
def test_a_receipt_names_a_state_that_was_there_before_it(world: World) -> None:
    """The whole log before it at most."""
    order = order_for(world, family(world))

    def receipt(size: int) -> Sealed:
        return Sealed(
            request=order.request.payload_hash, order=order.hash, party="council", records=1,
            ciphertext_sha256=order.hash, checkpoint=CheckpointRef(size=size, root=b64(bytes(32))),
        )  # fmt: skip

    before = len(world.events)
    with pytest.raises(NotAdmissible, match="before it"):
        world.write(world.council, EventType.RELEASE_SEALED, receipt(before + 1))
    world.write(world.council, EventType.RELEASE_SEALED, receipt(before))


@pytest.mark.parametrize("decision", ["approve", "decline"])
def test_a_lead_of_no_party_of_the_agreement_decides_nothing(world: World, decision: str) -> None:
    """A request is decided once: a stranger's word would use that up for those who may decide."""
    stranger = Staff("hub", Role.IG_LEAD, "d" * 32)
    world.enrol(stranger, world.hub.signing, world.hub.keys.thumbprint)
    request = world.request(family(world))
    world.write(world.hub, EventType.RELEASE_REQUESTED, Requested(request=request))
    approves = decision == "approve"
    kind = EventType.RELEASE_APPROVED if approves else EventType.RELEASE_DECLINED
    approval = world.approval(request, stranger, decision=decision)
    with pytest.raises(NotApproved, match="no partner"):
        world.write(world.hub, kind, Decided(approval=approval))
    honest = world.approval(request)
    world.write(world.hub, EventType.RELEASE_APPROVED, Decided(approval=honest))


def test_a_receipt_is_by_a_party_of_the_agreement(world: World) -> None:
    """Or a stranger could say that it released something."""
    order = order_for(world, family(world))
    receipt = Sealed(
        request=order.request.payload_hash, order=order.hash, party="ledger", records=1,
        ciphertext_sha256=order.hash,
    )  # fmt: skip
    with pytest.raises(NotAdmissible, match="partner of the agreement"):
        world.write(world.operator, EventType.RELEASE_SEALED, receipt)


@pytest.mark.invariant(9, "a changed request", double="lies")
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
