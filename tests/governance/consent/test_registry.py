"""The newest word of a person counts, whichever record it is about."""

from governance.consent.models import ConsentKind, ConsentState
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
