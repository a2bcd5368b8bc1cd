"""Data subjects' requests hold against a hub that keeps silent or lies, and a corrupt partner."""

import pytest
from sqlalchemy import select

from governance.canonical import utc_now
from governance.errors import GovernanceError
from governance.ledger.errors import LedgerRefusedError
from governance.ledger.events import Author, EventType
from governance.ledger.payloads import (
    RightsCarriedOut,
    RightsClosed,
    RightsConfirmed,
    RightsLifted,
    SealedHandles,
)
from governance.rights.models import RightsKind
from governance.rights.seal import seal_handles
from linkage_hub.store.tables import person_records
from partner_agent.app import Agent
from partner_agent.rights.errors import RightsInput
from tests.hub_world import ORIGIN, HubWorld
from tests.partner_agent.releases.test_desk import approve, ask, family_of
from tests.rights_world import carried_out, family_agrees, handle_of, opened, seen

NOTHING = RightsConfirmed(records=0, files=0, runs=0)


def pending_order(world: HubWorld, family: int) -> tuple[Agent, str]:
    """An approved request for a family; the council's agent, and the request."""
    family_agrees(world, family)
    request = ask(world, f"M{family}").json()["id"]
    approve(world, request)
    return world.agents["council"], request


@pytest.mark.invariant(3, "a hub that does not carry a request out", double="withholds")
def test_silence_is_seen_and_is_not_called_done(world: HubWorld) -> None:
    """The partner sees what is not proven; neither it nor the ledger calls the request done."""
    agent, _ = pending_order(world, 16)
    request = carried_out(agent, RightsKind.ERASURE, "M16")
    view = seen(agent, request)
    assert (view.told, view.unproven, view.proven) == (("hub",), ("hub",), {})
    with pytest.raises(RightsInput):
        agent.rights.close(request.id, "done", None, agent.ledger.state)
    with pytest.raises(LedgerRefusedError):
        agent.ledger.write(
            EventType.RIGHTS_CLOSED, RightsClosed(outcome="done", reason=None), (request.id,)
        )
    agent.rights.close(request.id, "not_proven", None, agent.ledger.state)
    logged = agent.ledger.sync().rights.requests[request.id]
    assert logged.closed == RightsClosed(outcome="not_proven", reason=None)
    assert world.hub.rights.carry_out_all() == 1  # it may still confirm


@pytest.mark.invariant(3, "a hub that confirms and keeps the record", double="lies")
def test_a_lie_is_refused_and_noted_once_the_record_is_named(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub's signed word stands in the ledger; its order for the record proves it wrong."""
    agent, asked = pending_order(world, 17)
    honest = agent.hub.orders()
    request = carried_out(agent, RightsKind.RESTRICTION, "M17")
    world.hub.ledger.sync()
    world.hub.ledger.write(EventType.RIGHTS_CONFIRMED, NOTHING, (request.id,))
    assert seen(agent, request).named_after is None
    monkeypatch.setattr(agent.hub, "orders", lambda: honest)
    given, _ = agent.desk.answer_all(agent.hub)
    assert [each.sealed for each in given if each.request == asked] == [False]
    view = seen(agent, request)
    assert view.named_after is not None
    assert "said was gone" in view.next_step


@pytest.mark.invariant(3, "an order that comes again once a restriction stands", double="replays")
def test_a_sealed_answer_that_waited_is_taken_back(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub did not take the answer; the person objects; it never leaves."""
    agent, asked = pending_order(world, 18)
    with monkeypatch.context() as away:
        away.setattr(agent.desk, "deliver", lambda _hub: [])
        agent.desk.answer_all(agent.hub)
    (waiting,) = [each for each in agent.desk.answers() if each.request == asked]
    assert waiting.sealed
    carried_out(agent, RightsKind.RESTRICTION, "C18")
    agent.desk.deliver(agent.hub)
    world.hub.rights.carry_out_all()
    (done,) = [each for each in agent.desk.answers() if each.request == asked]
    assert (done.sealed, done.reason) == (False, "consent.withdrawn")


@pytest.mark.invariant(1, "a ledger's operator that says it is a hub", double="lies")
def test_who_says_it_accepted_a_submission_is_not_told(world: HubWorld) -> None:
    """The operator repeats the hub's own words; the handles are sealed to the hub alone."""
    council, operator = world.agents["council"], world.operator.keys
    accepted = council.ledger.sync().submissions.accepted.values()
    copied = next(each for each in accepted if each.party == "council")
    pen = Author(operator.thumbprint, world.operator.signing_key, utc_now, ORIGIN)
    council.ledger.append(pen.write(EventType.SUBMISSION_ACCEPTED, copied))
    request = carried_out(council, RightsKind.OBJECTION, "C15")
    state = council.ledger.sync()
    assert operator.thumbprint in state.submissions.hubs["council"]
    logged = state.rights.requests[request.id]
    assert logged.told == {world.hub.secrets.keys.thumbprint}
    assert world.hub.rights.carry_out_all() == 1


def test_nobody_confirms_for_the_hub_or_twice(world: HubWorld) -> None:
    """The ledger takes a confirmation from who was told, once."""
    council, police = world.agents["council"], world.agents["police"]
    request = carried_out(council, RightsKind.OBJECTION, "C19")
    for ledger in (police.ledger, council.ledger):
        with pytest.raises(GovernanceError):
            ledger.write(EventType.RIGHTS_CONFIRMED, NOTHING, (request.id,))
    assert world.hub.rights.carry_out_all() == 1
    with pytest.raises(GovernanceError):
        world.hub.ledger.write(EventType.RIGHTS_CONFIRMED, NOTHING, (request.id,))


def test_a_partner_speaks_for_its_own_requests_only(world: HubWorld) -> None:
    """Another partner neither closes, carries out nor lifts."""
    council, police = world.agents["council"], world.agents["police"]
    request = carried_out(council, RightsKind.OBJECTION, "C20")
    refused = RightsClosed(outcome="refused", reason="unfounded")
    nothing = RightsCarriedOut(rows=0, consents=0, files=0, replaced_by=None, sealed=())
    for kind, payload in (
        (EventType.RIGHTS_CLOSED, refused),
        (EventType.RIGHTS_CARRIED_OUT, nothing),
        (EventType.RIGHTS_LIFTED, RightsLifted(reason="person_asked")),
    ):
        with pytest.raises(LedgerRefusedError):
            police.ledger.write(kind, payload, (request.id,))
    world.hub.rights.carry_out_all()


def held(world: HubWorld, handle: bytes) -> bool:
    """Whether the hub's results hold a record."""
    statement = select(person_records).where(person_records.c.handle == handle.hex())
    with world.hub.database.reading() as connection:
        return connection.execute(statement).first() is not None


def test_a_partner_takes_out_no_record_of_another(world: HubWorld) -> None:
    """Whatever handles it seals, and whoever's ciphertext it copies."""
    council, police = world.agents["council"], world.agents["police"]
    victim = handle_of(council, "C21")
    hub = world.hub.secrets.keys
    first = opened(police, RightsKind.ERASURE, "M1")
    forged = seal_handles([victim], hub.sealing, first.id, "police")
    theirs = carried_out(council, RightsKind.OBJECTION, "C22")
    copied = council.ledger.sync().rights.requests[theirs.id].carried_out
    assert copied is not None
    second = opened(police, RightsKind.ERASURE, "M1")
    for request, ciphertext in ((first, forged), (second, copied.sealed[0].ciphertext)):
        payload = RightsCarriedOut(
            rows=1,
            consents=0,
            files=0,
            replaced_by=None,
            sealed=(SealedHandles(recipient=hub.thumbprint, ciphertext=ciphertext),),
        )
        police.ledger.write(EventType.RIGHTS_CARRIED_OUT, payload, (request.id,))
    world.hub.rights.carry_out_all()
    assert held(world, victim)
    logged = police.ledger.sync().rights.requests
    assert logged[first.id].confirmed[hub.thumbprint] == NOTHING
    assert logged[second.id].confirmed == {}  # it does not open, so nothing is confirmed


@pytest.mark.invariant(20, "what is confirmed of people held elsewhere and of people who are not")
@pytest.mark.parametrize("kind", [RightsKind.ERASURE, RightsKind.OBJECTION])
def test_the_proof_does_not_say_who_is_held_elsewhere(world: HubWorld, kind: RightsKind) -> None:
    """The police hold one of two mothers, too; the council reads the same of both."""
    council = world.agents["council"]
    number = 4 if kind is RightsKind.ERASURE else 5
    both, alone = (f"M{number}", f"M{number + 15}")
    sources = {
        record["party"]
        for member in family_of(world, both)["document"]["members"]
        for record in member["records"]
    }
    assert sources == {"council", "police"}
    requests = [carried_out(council, kind, record_id) for record_id in (both, alone)]
    assert world.hub.rights.carry_out_all() == 2
    first, second = (seen(council, request) for request in requests)
    assert first.proven == second.proven == {"hub": {"records": 1, "files": 1, "runs": 1}}
    events = [
        [
            (event.leaf.type, sorted(event.payload_data()))
            for event in council.ledger.mirror.entries(0)
            if request.id in (event.leaf.id, *event.leaf.refs)
        ]
        for request in requests
    ]
    assert events[0] == events[1]


@pytest.mark.invariant(20, "what a person is told of one who is held elsewhere and one who is not")
def test_a_report_says_nothing_of_others(world: HubWorld) -> None:
    """Two mothers, one of them held by the police: the same words, but for their own values."""
    council, police = world.agents["council"], world.agents["police"]
    reports = []
    for record_id in ("M2", "M21"):
        request = opened(council, RightsKind.ACCESS, record_id)
        council.ledger.sync()
        reports.append(council.access_report(request.id))
    both, alone = reports
    own = {"request", "rows"}
    assert both.model_dump(exclude=own) == alone.model_dump(exclude=own)
    text = both.model_dump_json()
    assert handle_of(police, "M2").hex() not in text
    document = family_of(world, "M2")["document"]
    assert document["family"] not in text
    assert all(member["person"] not in text for member in document["members"])


@pytest.mark.invariant(20, "a hub that puts what it knows into its confirmation", double="lies")
def test_a_confirmation_has_room_for_nothing_else(world: HubWorld) -> None:
    """The ledger takes three counts of the partner's own records and no further word."""
    council = world.agents["council"]
    request = carried_out(council, RightsKind.OBJECTION, "M23")
    world.hub.ledger.sync()

    class Talkative(RightsConfirmed):
        """A confirmation that also says who is held elsewhere."""

        persons: int = 1

    with pytest.raises(LedgerRefusedError):
        world.hub.ledger.write(
            EventType.RIGHTS_CONFIRMED, Talkative(records=1, files=1, runs=1), (request.id,)
        )
    world.hub.rights.carry_out_all()
