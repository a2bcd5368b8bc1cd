"""The register takes items step by step, each step by the party concerned, and guards signing."""

import csv
import io
from datetime import timedelta

import pytest

from governance.ledger.admission import NotAdmissible
from governance.ledger.events import Event, EventType
from governance.ledger.payloads import RegisterMoved, RegisterOverridden, RegisterWanted
from governance.register.models import Ground, Step, next_steps
from governance.register.registry import RegisterNotReady, not_ready, require_ready
from governance.register.table import as_csv, rows
from tests.governance.world import NOON, Party, World

KEY = ("police", "police_records", "surname")
HELD = (Step.PERMISSION_HELD, Ground.PRIVACY_NOTICE)


def want(world: World, by: Party, party: str = "police", item: str = "surname") -> Event:
    """A party wants an item."""
    payload = RegisterWanted(party=party, item=item)
    return world.write(by, EventType.REGISTER_WANTED, payload)


def move(
    world: World,
    step: Step,
    ground: Ground | None = None,
    author: Party | None = None,
    day: int = 0,
    item: str = "surname",
) -> Event:
    """The police take an item of theirs a step."""
    payload = RegisterMoved(
        party="police", source="police_records", item=item, step=step, ground=ground, document=None
    )
    by = author or world.partners[0]
    return world.write(by, EventType.REGISTER_MOVED, payload, now=NOON + timedelta(days=day))


@pytest.fixture
def world() -> World:
    """A world in which the council wants the surname of the police."""
    found = World()
    want(found, found.council)
    return found


def test_an_item_goes_the_way_of_east_sussex(world: World) -> None:
    """Wanted, located, permitted, assessed, in use: each step with its day, in the ledger."""
    for day, (step, ground) in enumerate(
        [(Step.LOCATED, None), HELD, (Step.ASSESSED, None), (Step.IN_USE, None)]
    ):
        move(world, step, ground, day=day)
    item = world.state.register.items[KEY]
    assert [taken.step for taken in item.steps] == [
        Step.LOCATED, Step.PERMISSION_HELD, Step.ASSESSED, Step.IN_USE,
    ]  # fmt: skip
    assert [taken.time[8:10] for taken in item.steps] == ["22", "23", "24", "25"]
    assert item.usable
    assert world.state.register.wanted["police", "surname"].by == "council"


def test_without_permission_only_a_rewritten_notice_leads_to_use(world: World) -> None:
    """Missing, assessed: not in use, but after the notice was rewritten and covers it."""
    for step in (Step.LOCATED, Step.PERMISSION_MISSING, Step.ASSESSED):
        move(world, step)
    with pytest.raises(NotAdmissible, match="does not follow"):
        move(world, Step.IN_USE)
    assert not world.state.register.items[KEY].usable
    move(world, Step.REWRITE_NOTICE)
    move(world, *HELD)
    assert world.state.register.items[KEY].usable


@pytest.mark.parametrize("step", [Step.EXCLUDED, Step.REWRITE_CONSENT_FORM])
def test_an_item_that_leaves_use_may_be_listed_no_more(world: World, step: Step) -> None:
    """Excluded, or its form to be rewritten: an agreement may not list it."""
    for earlier, ground in [(Step.LOCATED, None), HELD, (Step.ASSESSED, None), (Step.IN_USE, None)]:
        move(world, earlier, ground)
    move(world, step, Ground.NOT_PROPORTIONATE if step is Step.EXCLUDED else None)
    assert not world.state.register.items[KEY].usable


@pytest.mark.invariant(12, "another party's step in the register", double="lies")
def test_nobody_takes_a_step_for_another_party(world: World) -> None:
    """Neither hub nor another partner moves an item of the police."""
    for author in (world.hub, world.council):
        with pytest.raises(NotAdmissible, match="own systems"):
            move(world, Step.LOCATED, author=author)


def test_every_step_has_its_place_and_its_ground(world: World) -> None:
    """An item nobody wants, a step out of turn, a permission or exclusion without a ground."""
    with pytest.raises(NotAdmissible, match="wanted"):
        move(world, Step.LOCATED, item="phone")
    with pytest.raises(NotAdmissible, match="expected located"):
        move(world, *HELD)
    move(world, Step.LOCATED)
    with pytest.raises(NotAdmissible, match="rests on"):
        move(world, Step.PERMISSION_HELD)
    with pytest.raises(NotAdmissible, match="says why"):
        move(world, Step.EXCLUDED)
    with pytest.raises(NotAdmissible, match="wanted already"):
        want(world, world.hub)


def test_every_step_leads_on() -> None:
    """From each step another follows, and use follows nowhere without permission."""
    for step in (None, *Step):
        assert next_steps(step, permitted=True)
        assert Step.IN_USE not in next_steps(step, permitted=False)


@pytest.mark.invariant(12, "an item that the register does not permit")
def test_a_party_signs_for_what_the_register_permits(world: World) -> None:
    """Each item and indicator of its own sources counts; the message names some, and what next."""
    police = world.partners[0]
    with pytest.raises(RegisterNotReady, match="surname of police_records is not in the register"):
        require_ready(world.state.register, world.agreement, "police")
    source = world.agreement.source("police_records")
    assert source is not None
    for name in (*source.items, *source.indicators):
        if name != "surname":
            want(world, police, item=name)
        move(world, Step.LOCATED, item=name)
        move(world, *HELD, item=name)
    require_ready(world.state.register, world.agreement, "police")
    assert not_ready(world.state.register, world.agreement, "nhs")
    move(world, Step.EXCLUDED, Ground.NOT_NEEDED, item="address")
    assert not_ready(world.state.register, world.agreement, "police") == [
        ("police_records", "address", Step.EXCLUDED)
    ]


def test_an_override_is_a_partys_own_word(world: World) -> None:
    """It is in the ledger, and another party cannot say it."""
    payload = RegisterOverridden(agreement=world.agreement_hash, party="police", items=3)
    world.write(world.partners[0], EventType.REGISTER_OVERRIDDEN, payload)
    with pytest.raises(NotAdmissible):
        world.write(world.council, EventType.REGISTER_OVERRIDDEN, payload)


def test_the_register_is_exported_as_csv(world: World) -> None:
    """A row for each item of each system, and for what is only wanted."""
    move(world, Step.LOCATED)
    move(world, *HELD)
    want(world, world.council, party="nhs", item="phone")
    found = list(csv.DictReader(io.StringIO(as_csv(world.state.register).decode("utf-8-sig"))))
    assert found == rows(world.state.register)
    assert [(row["party"], row["item"], row["step"], row["may_be_listed"]) for row in found] == [
        ("nhs", "phone", "wanted", "no"), ("police", "surname", "permission_held", "yes"),
    ]  # fmt: skip
