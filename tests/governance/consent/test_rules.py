"""A permission counts for what it names, until it ends, and for a family that is named whole."""

from datetime import timedelta
from typing import Any

import pytest

from governance.agreements.errors import AgreementSuspended
from governance.agreements.models import Agreement
from governance.canonical import sha256, write_time
from governance.consent.errors import (
    ConsentExpired,
    ConsentInvalidated,
    ConsentMissing,
    ConsentWithdrawn,
    SubsetNotAllowed,
)
from governance.consent.models import ConsentKind, ConsentState
from governance.consent.registry import Grant
from governance.consent.rules import Approach, covers, require_family_permission
from governance.ledger.admission import NotAdmissible
from governance.ledger.events import EventType
from governance.ledger.payloads import AgreementStopped, ConsentChange
from tests.governance.world import NOON, World

MOTHER, CHILD = "1" * 32, "2" * 32
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


@pytest.fixture
def world() -> World:
    """A world in which nobody was asked yet."""
    return World()


def approach(world: World, **changes: Any) -> Approach:
    """What the council's manager asks for at noon."""
    wanted: dict[str, Any] = {
        "agreement": world.agreement,
        "purpose": "offer-help",
        "items": ("first_name", "address"),
        "recipient": "council",
        "now": NOON,
    }
    return Approach(**(wanted | changes))


def grant_of(world: World, **changes: Any) -> Grant:
    """A mother's permission, as replay knows it."""
    event = world.consent(world.council, MOTHER, **changes)
    return world.state.consents.grants[event.leaf.id]


def family(world: World, without: tuple[str, ...] = (), agreement: Agreement | None = None) -> int:
    """Ask for a mother and her child; how many records the permission covers."""
    people = world.members(
        ("1", True, [(world.council, MOTHER)]), ("2", False, [(world.council, CHILD)])
    )
    leaves_out = ["p-" + name * 32 for name in without]
    wanted = approach(world, agreement=agreement or world.agreement)
    return len(require_family_permission(people, leaves_out, world.state.consents, wanted))


@pytest.mark.parametrize("items", [["first_name", "address"], ["address", "first_name", "surname"]])
def test_a_grant_covers_what_it_names(world: World, items: list[str]) -> None:
    """Exactly the items that are asked for are enough, and more do no harm."""
    assert covers(grant_of(world, items=items), approach(world))


@pytest.mark.parametrize(
    "changes",
    [
        {"items": ["first_name"]},
        {"items": []},
        {"recipients": ["nhs"]},
        {"state": "refused"},
        {"state": "requested"},
        {"expires": write_time(NOON), "captured": write_time(NOON - HOUR)},
    ],
)
def test_a_grant_covers_nothing_else(world: World, changes: dict[str, Any]) -> None:
    """Any one thing that a permission does not name, or its end, is enough to refuse."""
    assert not covers(grant_of(world, **changes), approach(world))


def test_a_grant_is_of_one_agreement_and_purpose(world: World) -> None:
    """The same words under another agreement, or for another purpose, permit nothing."""
    data = world.agreement.model_dump(mode="json") | {"version": 2}
    grant = grant_of(world)
    assert covers(grant, approach(world))
    assert not covers(grant, approach(world, agreement=Agreement.model_validate(data)))
    assert not covers(grant, approach(world, purpose="find-families"))


def test_a_yes_ends_on_the_second(world: World) -> None:
    """Until the second before it expires it permits; a refusal never expires."""
    grant = grant_of(world, expires=write_time(NOON + HOUR))
    assert grant.state(NOON + HOUR - SECOND) is ConsentState.GIVEN
    assert grant.state(NOON + HOUR) is ConsentState.EXPIRED
    refusal = grant_of(world, state="refused", expires=write_time(NOON + HOUR))
    assert refusal.state(NOON + 2 * HOUR) is ConsentState.REFUSED


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"state": "requested"}, ConsentMissing),
        ({"kind": "confidentiality"}, ConsentMissing),
        ({"captured": write_time(NOON - HOUR), "expires": write_time(NOON)}, ConsentExpired),
    ],
)
def test_what_is_no_answer_permits_nothing(
    world: World, changes: dict[str, Any], refusal: type[Exception]
) -> None:
    """Somebody who was asked only, who agreed to something else, or whose yes ended."""
    world.consent(world.council, CHILD)
    world.consent(world.council, MOTHER, **changes)
    with pytest.raises(refusal):
        family(world)


def test_another_kind_of_yes_is_not_the_newest_word(world: World) -> None:
    """A later duty of confidence neither gives nor takes the permission to approach."""
    world.consent(world.council, MOTHER, state="refused")
    world.consent(world.council, MOTHER, kind="explicit_gdpr")
    found = world.state.consents.current("council", MOTHER, ConsentKind.APPROACH)
    assert found is not None
    assert found.state(NOON) is ConsentState.REFUSED


def test_a_question_that_was_withdrawn_is_a_no(world: World) -> None:
    """Whoever is asked and withdraws from that has answered; one who is asked has not."""
    world.consent(world.council, CHILD)
    world.consent(world.council, MOTHER)
    asked = world.consent(world.council, MOTHER, state="requested")
    assert family(world) == 2
    world.withdraw(world.council, asked)
    with pytest.raises(ConsentWithdrawn):
        family(world)


def test_a_permission_found_invalid_blocks(world: World) -> None:
    """What a partner finds not valid is worth no more than a refusal."""
    world.consent(world.council, CHILD)
    given = world.consent(world.council, MOTHER)
    change = ConsentChange(grant=given.leaf.id)
    world.write(world.council, EventType.CONSENT_INVALIDATED, change, (given.leaf.id,))
    with pytest.raises(ConsentInvalidated):
        family(world)


def test_a_request_leaves_out_some_where_the_agreement_allows_it(world: World) -> None:
    """Neither everybody nor a stranger is left out; without the agreement's leave, nobody is."""
    world.consent(world.council, MOTHER)
    assert family(world, without=("2",)) == 1
    for without in (("1", "2"), ("9",), ("1", "2", "9")):
        with pytest.raises(SubsetNotAllowed):
            family(world, without=without)
    world.consent(world.council, CHILD)
    assert family(world) == 2
    data = world.agreement.model_dump(mode="json")
    strict = Agreement.model_validate(
        data | {"family_rule": data["family_rule"] | {"subset_allowed": False}}
    )
    with pytest.raises(SubsetNotAllowed, match="does not let"):
        family(world, without=("2",), agreement=strict)


def test_a_family_that_nobody_is_left_out_of_needs_no_leave(world: World) -> None:
    """Where no subset is allowed, what a whole family lacks is the permission alone."""
    data = world.agreement.model_dump(mode="json")
    data["family_rule"]["subset_allowed"] = False
    world.agreement = Agreement.model_validate(data)
    with pytest.raises(ConsentMissing):
        family(world)


def test_a_yes_needs_an_agreement_in_force_and_a_no_does_not(world: World) -> None:
    """A suspended agreement takes no permission and every refusal."""
    stopped = AgreementStopped(agreement=world.agreement.hash, reason="review")
    world.write(world.council, EventType.AGREEMENT_SUSPENDED, stopped)
    with pytest.raises(AgreementSuspended):
        world.consent(world.council, MOTHER)
    world.consent(world.council, MOTHER, state="refused")
    world.consent(world.council, MOTHER, state="requested")


def test_consent_is_written_down_by_the_party_that_met_the_person(world: World) -> None:
    """Neither in another's name, nor for a source that nobody has."""
    with pytest.raises(NotAdmissible, match="own sources"):
        world.consent(world.council, MOTHER, party="police")
    with pytest.raises(NotAdmissible, match="own sources"):
        world.consent(world.council, MOTHER, source="nobodys_records")


def test_consent_is_captured_at_most_a_day_after_it_is_written(world: World) -> None:
    """Bulk imports know the day only; later than that is not believed."""
    day = timedelta(days=1)
    world.consent(world.council, MOTHER, captured=write_time(NOON + day))
    with pytest.raises(NotAdmissible, match="captured"):
        world.consent(world.council, MOTHER, captured=write_time(NOON + day + SECOND))


@pytest.mark.parametrize("count", [0, 2])
def test_a_change_names_one_grant(world: World, count: int) -> None:
    """A withdrawal of several, or of none, is not admitted: each is written down by itself."""
    given = world.consent(world.council, MOTHER)
    other = world.consent(world.council, CHILD)
    refs = (given.leaf.id, other.leaf.id)[:count]
    change = ConsentChange(grant=given.leaf.id)
    with pytest.raises(NotAdmissible, match="party that recorded"):
        world.write(world.council, EventType.CONSENT_WITHDRAWN, change, refs)


def test_a_change_of_an_unknown_grant_is_refused(world: World) -> None:
    """What was never recorded cannot be withdrawn."""
    change = ConsentChange(grant="9" * 32)
    with pytest.raises(NotAdmissible, match="party that recorded"):
        world.write(world.council, EventType.CONSENT_WITHDRAWN, change, (sha256(b"")[7:39],))
