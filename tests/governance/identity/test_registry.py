"""Who is known, and who may make others known, by replay of the ledger."""

from dataclasses import replace

import pytest

from governance.identity.models import Role, publish_party_keys
from governance.identity.passkeys import CounterNotRisen
from governance.ledger.admission import NotAdmissible
from governance.ledger.events import EventType
from governance.ledger.payloads import Genesis, PartyAdmitted, Requested
from governance.ledger.state import LedgerState
from governance.release.models import REQUEST
from tests.governance.passkey_world import PasskeyWorld
from tests.governance.world import ORIGIN, Party, Staff, World


@pytest.fixture
def world() -> World:
    """A council with staff, and two parties without."""
    return World()


def test_names_of_first_parties_are_taken_once() -> None:
    """Two parties of one name at the beginning are no beginning."""
    first, twin = Party("ledger"), Party("ledger")
    genesis = Genesis(
        origin=ORIGIN, parties=tuple(publish_party_keys(p.keys, p.signing) for p in (first, twin))
    )
    with pytest.raises(NotAdmissible, match="first parties"):
        LedgerState().check(first.author().write(EventType.GENESIS, genesis))


def test_an_admitted_party_is_known(world: World) -> None:
    """Whom the operator admits may write, and enrols its own first lead and no second one."""
    fire = Party("fire")
    admitted = PartyAdmitted(keys=publish_party_keys(fire.keys, fire.signing))
    world.write(world.operator, EventType.PARTY_ADMITTED, admitted)
    world.partners.append(fire)
    world.enrol(Staff("fire", Role.IG_LEAD, "c" * 32), fire.signing, fire.keys.thumbprint)
    second = Staff("fire", Role.IG_LEAD, "d" * 32)
    with pytest.raises(NotAdmissible, match="countersigned"):
        world.enrol(second, fire.signing, fire.keys.thumbprint)


def test_a_key_belongs_to_one(world: World) -> None:
    """No party takes a person's key, and no person a party's, whatever it is used for."""
    thief = Party("fire", sealing=world.manager.sealing)
    admitted = PartyAdmitted(keys=publish_party_keys(thief.keys, thief.signing))
    with pytest.raises(NotAdmissible, match="no person's"):
        world.write(world.operator, EventType.PARTY_ADMITTED, admitted)
    guest = Staff("council", Role.ANALYST, "c" * 32, sealing=world.council.sealing)
    with pytest.raises(NotAdmissible, match="a party's"):
        world.enrol(guest, world.lead.signing, world.lead.keys.thumbprint)


def test_a_passkey_counts_from_its_enrolment() -> None:
    """A copy made before the enrolment is behind from the first request on."""
    world = PasskeyWorld(counts=True, counter=7)
    authenticator = world.manager.authenticator
    assert authenticator is not None
    copy = replace(authenticator, counter=7)
    request = world.request(world.family())
    lagging = copy.sign(REQUEST, request.payload_bytes, world.manager.keys.thumbprint)
    with pytest.raises(CounterNotRisen):
        world.write(world.hub, EventType.RELEASE_REQUESTED, Requested(request=lagging))
    world.write(world.hub, EventType.RELEASE_REQUESTED, Requested(request=request))
