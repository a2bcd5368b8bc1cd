"""The newest word of a person counts, whichever record it is about."""

from datetime import timedelta

from governance.canonical import write_time
from governance.consent.models import ConsentKind, ConsentState
from governance.consent.registry import Grant
from governance.ledger.events import EventType
from governance.ledger.payloads import ConsentChange
from tests.governance.world import NOON, World

HANDLE = "1" * 32


def state_of(world: World) -> ConsentState:
    """The newest decision about the record at the council."""
    found = world.state.consents.current("council", HANDLE, ConsentKind.APPROACH)
    assert found is not None
    return found.state(NOON)


def test_a_withdrawal_of_an_older_grant_outweighs_a_newer_grant() -> None:
    """A person who withdraws by an old receipt has withdrawn."""
    world = World()
    older = world.consent(world.council, HANDLE)
    world.consent(world.council, HANDLE)
    world.withdraw(world.council, older)
    assert state_of(world) is ConsentState.WITHDRAWN


def test_a_withdrawal_said_twice_counts_the_second_time_too() -> None:
    """Whoever withdrew, agreed again and withdraws the first receipt once more has withdrawn."""
    world = World()
    older = world.consent(world.council, HANDLE)
    world.withdraw(world.council, older)
    world.consent(world.council, HANDLE)
    assert state_of(world) is ConsentState.GIVEN
    world.withdraw(world.council, older)
    assert state_of(world) is ConsentState.WITHDRAWN


def test_what_was_erased_since_an_entry() -> None:
    """By that entry or a later one; a copy forgets just that."""
    world, handles = World(), ("1" * 32, "2" * 32)
    grants = [world.consent(world.council, handle) for handle in handles for _ in range(2)]
    index = {grant.leaf.id: number for number, grant in enumerate(world.events)}
    first = len(world.events)
    world.erase(world.council, handles[0], *grants[:2])
    world.erase(world.council, handles[1], grants[2])
    places = [index[grant.leaf.id] for grant in grants]
    since = world.state.consents.erased_since
    assert sorted(since(first)) == places[:3]
    assert since(first + 1) == [places[2]]
    assert since(first + 2) == []


def test_what_changed_is_told_in_order_until_a_withdrawal() -> None:
    """A receipt lists it; a withdrawal is final, and said again it is the same one."""
    world = World()
    given = world.consent(world.council, HANDLE)
    change, refs = ConsentChange(grant=given.leaf.id), (given.leaf.id,)
    later = NOON + timedelta(minutes=1)
    world.write(world.council, EventType.CONSENT_REAFFIRMED, change, refs)
    for _ in range(2):
        world.write(world.council, EventType.CONSENT_WITHDRAWN, change, refs, later)
    assert world.state.consents.grants[given.leaf.id].changes == (
        (write_time(NOON), ConsentState.REAFFIRMED),
        (write_time(later), ConsentState.WITHDRAWN),
    )


def test_a_place_that_was_erased_closes_no_other() -> None:
    """Consent about another record is taken as before, and permits."""
    world, other = World(), "2" * 32
    world.erase(world.council, HANDLE, world.consent(world.council, HANDLE))
    world.consent(world.council, other)
    found = world.state.consents.current("council", other, ConsentKind.APPROACH)
    assert isinstance(found, Grant)
    assert found.permits(NOON)
