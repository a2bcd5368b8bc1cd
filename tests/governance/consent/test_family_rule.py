"""DESIGN 8: one member's no blocks the family, unless the request leaves that member out."""

from datetime import timedelta
from typing import Any

import pytest

from governance.canonical import write_time
from governance.consent.errors import (
    ConsentExpired,
    ConsentInvalidated,
    ConsentMissing,
    ConsentRefusal,
    ConsentRefused,
    ConsentWithdrawn,
)
from governance.consent.models import ConsentState
from governance.consent.rules import Approach, require_family_permission
from governance.ledger.events import EventType
from governance.ledger.payloads import ConsentChange
from tests.governance.world import NOON, World

YES, OTHER, SECOND = "1" * 32, "2" * 32, "3" * 32
BLOCKS: dict[str, type[ConsentRefusal]] = {
    "never asked": ConsentMissing,
    "requested": ConsentMissing,
    "refused": ConsentRefused,
    "withdrawn": ConsentWithdrawn,
    "expired": ConsentExpired,
    "invalidated": ConsentInvalidated,
    "terminated": ConsentMissing,
    "a parent's word for an adult": ConsentMissing,
}
_CHANGES = {
    "withdrawn": EventType.CONSENT_WITHDRAWN,
    "invalidated": EventType.CONSENT_INVALIDATED,
    "terminated": EventType.CONSENT_TERMINATED,
}


def say(world: World, handle: str, word: str) -> None:
    """Let somebody's newest word be one of ``BLOCKS``."""
    if word == "never asked":
        return
    fields: dict[str, Any] = {}
    if word in {"requested", "refused"}:
        fields["state"] = word
    elif word == "expired":
        fields |= {
            "captured": write_time(NOON - timedelta(days=2)),
            "expires": write_time(NOON - timedelta(days=1)),
        }
    elif word not in _CHANGES:
        fields |= {"capacity": "parental_responsibility", "parental_basis": "court_order"}
    given = world.consent(world.council, handle, **fields)
    if word in _CHANGES:
        change = ConsentChange(grant=given.leaf.id)
        world.write(world.council, _CHANGES[word], change, (given.leaf.id,))


def ask(world: World, *without: str) -> set[str]:
    """Ask for the family; handles of the records that may leave."""
    members = world.members(
        ("1", True, [(world.council, YES)]),
        ("2", True, [(world.council, OTHER), (world.partners[1], SECOND)]),
    )
    approach = Approach(world.agreement, "offer-help", ("first_name",), "council", NOON)
    left_out = tuple("p-" + letter * 32 for letter in without)
    found = require_family_permission(members, left_out, world.state.consents, approach)
    return {record.handle for record in found}


@pytest.mark.invariant(2, "each word that is no yes, and subsets around it")
@pytest.mark.parametrize("word", BLOCKS)
def test_one_members_no_blocks_the_family_unless_that_member_is_left_out(word: str) -> None:
    """The whole family is refused; so is a subset without the other; one without them is not."""
    world = World()
    world.consent(world.council, YES)
    say(world, OTHER, word)
    with pytest.raises(BLOCKS[word]):
        ask(world)
    with pytest.raises(BLOCKS[word]):
        ask(world, "1")
    assert ask(world, "2") == {YES}


@pytest.mark.invariant(10, "a yes at another partner beside each word here")
@pytest.mark.parametrize("word", BLOCKS)
def test_a_yes_elsewhere_does_not_outweigh_a_no(word: str) -> None:
    """A no, a withdrawal or an invalid yes blocks whatever another partner holds."""
    world = World()
    world.consent(world.council, YES)
    say(world, OTHER, word)
    world.consent(world.partners[1], SECOND)
    if word in {"refused", "withdrawn", "invalidated"}:
        with pytest.raises(BLOCKS[word]):
            ask(world)
    else:
        assert ask(world) == {YES, SECOND}  # never the record whose own subject did not agree
    assert ask(world, "2") == {YES}


def test_the_words_are_all_the_states_that_do_not_permit() -> None:
    """A state that comes to the code comes to this table as well."""
    others = {"never asked", "a parent's word for an adult"}
    permitting = {ConsentState.GIVEN.value, ConsentState.REAFFIRMED.value}
    assert set(BLOCKS) - others == {state.value for state in ConsentState} - permitting
