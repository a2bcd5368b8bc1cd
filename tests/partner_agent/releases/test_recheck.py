"""Sealed items that waited leave while everything still stands, and not a second longer."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from governance.agreements.errors import AgreementRefusal
from governance.consent.errors import ConsentWithdrawn, SubsetNotAllowed
from governance.errors import SignatureError
from governance.ledger.events import EventType
from governance.ledger.payloads import AgreementStopped, PersonRevoked
from governance.release.errors import RequestExpired
from governance.release.models import Order
from partner_agent.ledger import overdue
from partner_agent.releases.errors import WithdrawnHere
from partner_agent.releases.local import own_grants
from partner_agent.releases.recheck import require_still_permitted
from partner_agent.rights.errors import BlockedHere
from tests.governance.world import NOON, World

MOTHER, CHILD, AT_POLICE = "1" * 32, "2" * 32, "3" * 32
END = NOON + timedelta(hours=12)
SECOND = timedelta(seconds=1)
DELAY = timedelta(minutes=5)  # the agreement's merge delay


@pytest.fixture
def world() -> World:
    """A mother whom police and council met, and a child of whom the council knows."""
    world = World()
    world.consent(world.council, MOTHER)
    world.consent(world.partners[0], AT_POLICE)
    world.consent(world.council, CHILD)
    return world


def order_of(world: World, without: tuple[str, ...] = ()) -> Order:
    """An order for both, approved and logged."""
    members = world.members(
        ("1", True, [(world.council, MOTHER), (world.partners[0], AT_POLICE)]),
        ("2", False, [(world.council, CHILD)]),
    )
    request = world.request(members, without=["p-" + name * 32 for name in without])
    approval = world.approval(request)
    world.log_release(request, approval)
    return Order(request=request, approval=approval, members=members, checkpoint="note")


def grant_at(world: World, handle: str) -> str:
    """The id of the newest grant of a record."""
    grants = world.state.consents.grants.values()
    return next(grant.id for grant in grants if grant.record.subject == handle)


def recheck(world: World, order: Order, withdrawn: tuple[str, ...] = (), **changes: object) -> None:
    """Look again, as the council at noon."""
    how = {"party": "council", "state": world.state, "withdrawn": withdrawn, "now": NOON} | changes
    require_still_permitted(order, **how)  # type: ignore[arg-type]


def test_what_still_stands_may_leave_to_the_last_second(world: World) -> None:
    """The request's end is the first moment at which nothing leaves."""
    order = order_of(world)
    recheck(world, order)
    recheck(world, order, now=END - SECOND)
    with pytest.raises(RequestExpired):
        recheck(world, order, now=END)


def suspend(world: World) -> None:
    """The agreement is suspended."""
    stopped = AgreementStopped(agreement=world.agreement.hash, reason="review")
    world.write(world.council, EventType.AGREEMENT_SUSPENDED, stopped)


def revoke_manager(world: World) -> None:
    """The requester leaves."""
    revoked = PersonRevoked(keys=world.manager.keys.thumbprint, reason="left")
    world.write(world.council, EventType.PERSON_REVOKED, revoked)


def revoke_lead(world: World) -> None:
    """The approver leaves."""
    revoked = PersonRevoked(keys=world.lead.keys.thumbprint, reason="left")
    world.write(world.council, EventType.PERSON_REVOKED, revoked)


def withdraw_elsewhere(world: World) -> None:
    """The mother withdraws at the police."""
    grants = (e for e in world.events if e.leaf.type is EventType.CONSENT_RECORDED)
    police = next(e for e in grants if e.leaf.author == world.partners[0].keys.thumbprint)
    world.withdraw(world.partners[0], police)


@pytest.mark.invariant(3, "a hub that asks for what was sealed and changed since", double="replays")
@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (suspend, AgreementRefusal),
        (revoke_manager, SignatureError),
        (revoke_lead, SignatureError),
        (withdraw_elsewhere, ConsentWithdrawn),
    ],
)
def test_what_changed_since_holds_it_back(
    world: World, change: Callable[[World], None], refusal: type[Exception]
) -> None:
    """Any rule that can change is looked at again."""
    order = order_of(world)
    change(world)
    with pytest.raises(refusal):
        recheck(world, order)


def test_what_is_not_agreed_for_the_party_is_held_back(world: World) -> None:
    """A party that is none of the agreement's releases nothing of what waited."""
    with pytest.raises(AgreementRefusal):
        recheck(world, order_of(world), party="hub")


@pytest.mark.invariant(3, "a ledger that is away", double="withholds")
def test_a_withdrawal_here_holds_back_before_the_ledger_knows(world: World) -> None:
    """What this partner's people decided counts at once; what others' did comes by the ledger."""
    order = order_of(world)
    for handle in (MOTHER, CHILD):
        with pytest.raises(WithdrawnHere):
            recheck(world, order, (grant_at(world, handle),))
    recheck(world, order, (grant_at(world, AT_POLICE), "9" * 32))
    with pytest.raises(WithdrawnHere):
        recheck(world, order, (grant_at(world, AT_POLICE),), party="police")


def test_a_record_that_is_blocked_here_holds_the_family_back(world: World) -> None:
    """Its own records only: what another partner blocks, that partner holds back."""
    order = order_of(world)
    for handle in (MOTHER, CHILD):
        with pytest.raises(BlockedHere):
            recheck(world, order, blocked={handle})
    recheck(world, order, blocked={AT_POLICE, "9" * 32})
    recheck(world, order_of(world, without=("2",)), blocked={CHILD})


def test_members_that_are_left_out_decide_nothing(world: World) -> None:
    """Their withdrawal stops nothing that is not about them."""
    order = order_of(world, without=("2",))
    recheck(world, order, (grant_at(world, CHILD),))
    with pytest.raises(WithdrawnHere):
        recheck(world, order, (grant_at(world, MOTHER),))
    everyone = order_of(world, without=("1", "2"))
    with pytest.raises(SubsetNotAllowed):
        recheck(world, everyone)


def test_a_partners_newest_decisions_are_what_it_may_withdraw(world: World) -> None:
    """Own records of named members, refusals included, and nobody else's."""
    order = order_of(world)
    consents = world.state.consents
    expected = {grant_at(world, MOTHER), grant_at(world, CHILD)}
    assert own_grants(order, (), "council", consents) == expected
    assert own_grants(order, ("p-" + "1" * 32,), "council", consents) == {grant_at(world, CHILD)}
    assert own_grants(order, (), "police", consents) == {grant_at(world, AT_POLICE)}
    assert own_grants(order, (), "nhs", consents) == frozenset()
    newer = world.consent(world.council, CHILD, state="refused")
    assert newer.leaf.id in own_grants(order, (), "council", consents)


@pytest.mark.invariant(3, "a ledger that withholds a withdrawal", double="withholds")
def test_a_withdrawal_is_overdue_after_the_merge_delay(world: World) -> None:
    """To the second; one that the ledger has is never overdue, one of an unknown grant always."""
    mother, child = grant_at(world, MOTHER), grant_at(world, CHILD)
    accepted = {mother: NOON, child: NOON}
    assert overdue(world.state, {}, NOON) == 0
    assert overdue(world.state, accepted, NOON + DELAY) == 0
    assert overdue(world.state, accepted, NOON + DELAY + SECOND) == 2
    assert overdue(world.state, {"9" * 32: NOON}, NOON) == 1
    grants = (e for e in world.events if e.leaf.type is EventType.CONSENT_RECORDED)
    world.withdraw(world.council, next(grants))
    assert overdue(world.state, accepted, NOON + DELAY + SECOND) == 1


def test_a_withdrawal_of_what_was_erased_is_not_overdue(world: World) -> None:
    """An erased record counts as withdrawn, or its partner would witness nothing for ever."""
    grant = world.consent(world.council, "8" * 32)
    accepted = {grant.leaf.id: NOON}
    assert overdue(world.state, accepted, NOON + DELAY + SECOND) == 1
    world.erase(world.council, "8" * 32, grant)
    assert overdue(world.state, accepted, NOON + DELAY + SECOND) == 0
