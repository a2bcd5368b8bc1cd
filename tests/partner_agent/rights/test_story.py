"""From a person's request at one partner to the hub's families, by way of the ledger alone."""

import json
from datetime import date

import pytest
from sqlalchemy import select

from governance.rights.models import RightsKind
from linkage_hub.store.tables import (
    families,
    family_members,
    family_needs,
    person_records,
    requests,
    runs,
)
from linkage_hub.submissions.duplicates import handles_of
from linkage_hub.submissions.reading import read_content
from partner_agent.rights.blocks import Blocks
from partner_agent.rights.errors import NotCorrected, RightsInput
from tests.hub_world import HubWorld
from tests.partner_agent.releases.test_desk import approve, ask, family_of
from tests.refinement_world import start
from tests.rights_world import (
    carried_out,
    council_rows,
    family_agrees,
    handle_of,
    mother,
    opened,
    resubmit,
    seen,
)

TAKES_OUT = [RightsKind.ERASURE, RightsKind.RESTRICTION, RightsKind.OBJECTION]
FIRST_FREE = 8


def in_results(world: HubWorld, handle: bytes) -> bool:
    """Whether any run's results hold a record."""
    with world.hub.database.reading() as connection:
        statement = select(person_records).where(person_records.c.handle == handle.hex())
        return connection.execute(statement).first() is not None


@pytest.mark.parametrize(("family", "kind"), list(enumerate(TAKES_OUT, FIRST_FREE)))
def test_a_record_leaves_the_hub_once_its_subject_has_asked(
    world: HubWorld, family: int, kind: RightsKind
) -> None:
    """Out of files, persons, families and documents; the hub confirms by count."""
    agent = world.agents["council"]
    family_agrees(world, family)
    handle = handle_of(agent, f"M{family}")
    name = family_of(world, f"M{family}")["document"]["family"]
    pending = ask(world, f"M{family}").json()["id"]
    request = carried_out(agent, kind, f"M{family}")
    assert seen(agent, request).unproven == ("hub",)
    assert world.hub.rights.carry_out_all() == 1
    assert not in_results(world, handle)
    with world.hub.database.reading() as connection:
        here = families.c.family == name
        (left,) = connection.execute(select(families).where(here)).all()
        members = connection.execute(
            select(family_members).where(family_members.c.family == name)
        ).all()
        needs = connection.execute(select(family_needs).where(family_needs.c.family == name)).all()
        row = connection.execute(select(requests).where(requests.c.id == pending)).one()
    assert (left.members, left.adults, left.children, len(members)) == (1, 0, 1, 1)
    assert (needs, left.needs_met, left.flagged) == ([], 0, False)
    assert (row.state, row.reason) == ("refused", "release.members_changed")
    assert handle.hex() not in row.document.decode()
    for path in (world.hub.home / "submissions").glob("*.arrow"):
        assert handle not in {each.tobytes() for each in handles_of(read_content(path))}
    view = seen(agent, request)
    assert view.proven == {"hub": {"records": 1, "files": 1, "runs": 1}}
    assert view.unproven == ()
    assert handle not in agent.rights_store.taken_out()
    agent.rights.close(request.id, "done", None, agent.ledger.state)
    assert handle in agent.rights_store.taken_out()
    assert agent.ledger.sync().rights.requests[request.id].closed is not None
    assert agent.ledger.state.rejected == []


def test_a_restriction_keeps_the_row_and_others_destroy_it(world: HubWorld) -> None:
    """Restricted data may be stored and nothing else (Article 18(2))."""
    agent = world.agents["council"]
    before = agent.vault.counts()["council_records"]
    carried_out(agent, RightsKind.RESTRICTION, "C11")
    assert agent.vault.counts()["council_records"] == before
    carried_out(agent, RightsKind.OBJECTION, "M11")
    assert agent.vault.counts()["council_records"] == before - 1
    world.hub.rights.carry_out_all()


@pytest.mark.invariant(3, "a hub that does not hear of an objection", double="withholds")
@pytest.mark.parametrize(("family", "kind"), list(enumerate(TAKES_OUT, 12)))
def test_the_partner_releases_nothing_from_that_moment_on(
    world: HubWorld, family: int, kind: RightsKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub knows nothing yet and sends an order as before; the agent refuses."""
    agent = world.agents["council"]
    family_agrees(world, family)
    request = ask(world, f"M{family}").json()["id"]
    approve(world, request)
    honest = agent.hub.orders()
    carried_out(agent, kind, f"C{family}")
    monkeypatch.setattr(agent.hub, "orders", lambda: honest)
    given, _ = agent.desk.answer_all(agent.hub)
    assert [(each.sealed, each.reason) for each in given if each.request == request] == [
        (False, "consent.withdrawn")
    ]
    world.hub.rights.carry_out_all()


def test_the_ledger_learns_no_handle(world: HubWorld) -> None:
    """No other party sees whose record a request is about."""
    agent = world.agents["council"]
    handle = handle_of(agent, "M15").hex()
    request = carried_out(agent, RightsKind.OBJECTION, "M15")
    world.hub.rights.carry_out_all()
    agent.ledger.sync()
    events = [
        event
        for event in agent.ledger.mirror.entries(0)
        if request.id in (event.leaf.id, *event.leaf.refs)
    ]
    assert [event.leaf.type.value.split(".")[1] for event in events] == [
        "opened", "carried_out", "confirmed",
    ]  # fmt: skip
    for event in events:
        assert handle not in json.dumps(event.payload_data()) + event.leaf.model_dump_json()


def test_the_clock_is_a_calendar_month(world: HubWorld) -> None:
    """A request of 31 January is due on the last day of February, extended by the end of April."""
    agent = world.agents["police"]
    agreement = agent.standing(agent.ledger.sync()).agreement
    record = [("police_records", "M7")]
    found = agent.rights.open(agreement, RightsKind.ACCESS, record, date(2026, 1, 31))
    assert found.due == "2026-02-28"
    assert agent.rights.overdue() == 1
    with pytest.raises(RightsInput):
        agent.rights.extend(found.id, "complex")  # too late
    fresh = opened(agent, RightsKind.ACCESS, "M7")
    later = agent.rights.extend(fresh.id, "many_requests")
    assert later.due > fresh.due
    assert agent.ledger.sync().rights.requests[fresh.id].due == later.due
    with pytest.raises(RightsInput):
        agent.rights.extend(fresh.id, "complex")


def test_later_extracts_leave_the_row_out_until_it_is_lifted(world: HubWorld) -> None:
    """What stands is a keyed hash of the record id; the manifest tells it from no opt-out."""
    agent = world.agents["council"]
    request = carried_out(agent, RightsKind.OBJECTION, "M0")
    world.hub.rights.carry_out_all()
    resubmit(world, "council", council_rows())
    assert agent.vault.find("council_records", "M0") == []
    manifest = next(each.manifest for each in agent.outbox.newest())
    blocked = len(Blocks(agent.database).locators("council_records"))
    assert manifest.counts.opted_out == blocked > 0
    assert manifest.counts.rejected == 0
    start(world)
    agent.rights.lift(request.id, "person_asked")
    world.hub.rights.carry_out_all()
    resubmit(world, "council", council_rows())
    assert in_results(world, handle_of(agent, "M0")) is False
    start(world)
    assert in_results(world, handle_of(agent, "M0"))


def test_a_rectification_is_open_until_nothing_holds_the_old_row(world: HubWorld) -> None:
    """The corrected extract is accepted and linked first; then the hub confirms."""
    agent = world.agents["police"]
    request = opened(agent, RightsKind.RECTIFICATION, "M3")
    with pytest.raises(NotCorrected):
        agent.rights.carry_out(request.id, agent.ledger.sync())
    rows = [mother(n, **({"first": "Corrected"} if n == 3 else {})) for n in range(8)]
    resubmit(world, "police", rows)
    agent.rights.carry_out(request.id, agent.ledger.sync())
    assert world.hub.rights.carry_out_all() == 0
    with pytest.raises(RightsInput):
        agent.rights.close(request.id, "done", None, agent.ledger.sync())
    start(world)
    assert world.hub.rights.carry_out_all() == 1
    assert seen(agent, request).unproven == ()
    with world.hub.database.reading() as connection:
        current = connection.scalar(select(runs.c.id).where(runs.c.is_current.is_(True)))
        statement = select(person_records.c.run).where(
            person_records.c.handle == handle_of(agent, "M3").hex()
        )
        assert set(connection.scalars(statement)) == {current}
