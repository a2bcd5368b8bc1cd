"""The release desk answers each order once, by its own mirror and its own records."""

import csv
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

from governance.canonical import b64, canonical_bytes, sha256, utc_now, write_time
from governance.consent.models import ConsentKind
from governance.exchange.hub_client import HubUnavailable
from governance.identity.envelope import Envelope, parse_model
from governance.ledger.events import EventType
from governance.ledger.payloads import read_payload
from governance.release import tries
from governance.release.models import APPROVAL, REQUEST, Approval, CheckpointRef, Request
from governance.release.seal import open_records
from linkage_hub.store.tables import requests
from partner_agent.app import Agent
from partner_agent.consents import consent_template
from partner_agent.extracts.mapping import build_mapping
from partner_agent.extracts.reader import open_extract
from partner_agent.linkage_secret import create_secret, load_keys
from partner_agent.submissions.prepare import Workshop, prepare
from partner_agent.submissions.upload import submit
from tests.hub_world import HubWorld, hub_world_in

PEOPLE = [
    ("A1", "Ada", "Quixwald", "01/02/1980", "1 High Street", "ZE1 0AA", "Y", "N"),
    ("A2", "Cy", "Quixwald", "05/06/2012", "1 High Street", "ZE1 0AA", "Y", "N"),
    ("B1", "Dot", "Hidden", "07/08/1979", "9 Low Street", "ZE1 0AB", "Y", "Y"),
]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[HubWorld]:
    """A world whose council has submitted a family and a protected person, and a finished run."""
    with hub_world_in(tmp_path) as found:
        submit_and_link(found)
        yield found


def submit_and_link(world: HubWorld) -> None:
    """The council submits, and the hub links."""
    _submit(world, world.agents["council"])
    body = canonical_bytes({"agreement": world.agreement.hash})
    world.call("analyst", "POST", "/v1/runs", content=body)
    world.work()


def _submit(world: HubWorld, agent: Agent) -> None:
    file = world.root / "extract.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        rows = [("ID", "FIRST", "LAST", "DOB", "ADDR", "PC", "NEET", "PROT"), *PEOPLE]
        csv.writer(stream).writerows(rows)
    mapping = build_mapping(
        {
            "source": "council_records",
            "record_id": "ID",
            "columns": {
                "first_name": "FIRST", "surname": "LAST", "date_of_birth": "DOB",
                "address": "ADDR", "postcode": "PC",
            },
            "indicators": {"neet": {"column": "NEET", "equals": ["Y"]}},
            "protected": {"column": "PROT", "equals": ["Y"]},
        }
    )  # fmt: skip
    standing = agent.standing(agent.ledger.sync())
    create_secret(agent.home, standing.agreement, None)
    keys = load_keys(agent.home, standing.agreement, None)
    workshop = Workshop(
        agent.home, agent.secrets, agent.database, agent.vault, agent.synthetic, keys, agent.now
    )
    prepare(workshop, standing, open_extract(file), mapping)
    (item,) = agent.outbox.newest()
    submit(agent.hub, agent.outbox, item, wait=lambda _seconds: world.work())


def consent(world: HubWorld, record_id: str, **changes: Any) -> None:
    """Record that somebody agreed."""
    agent = world.agents["council"]
    now = agent.ledger.author.now()
    fields = {
        "source": "council_records",
        "kind": "approach",
        "method": "in_person",
        "captured": write_time(now),
        "expires": write_time(now + timedelta(days=60)),
    }
    template = consent_template(world.agreement, "council", sha256(b"notice"), **(fields | changes))
    agent.consents.record(template, record_id)
    agent.ledger.sync()


def both_agree(world: HubWorld) -> None:
    """The mother for herself and for her child."""
    consent(world, "A1")
    parental = {"capacity": "parental_responsibility", "parental_basis": "birth_registration"}
    consent(world, "A2", **parental)


def family_of(world: HubWorld, record_id: str) -> dict[str, Any]:
    """The hub's view of the family that one record is in."""
    handle = world.agents["council"].vault.find("council_records", record_id)[0].hex()
    found = world.call("service_manager", "GET", "/v1/families?flagged=false").json()
    for summary in found["families"]:
        path = f"/v1/families/{summary['family']}"
        view: dict[str, Any] = world.call("service_manager", "GET", path).json()
        for member in view["document"]["members"]:
            if handle in {record["handle"] for record in member["records"]}:
                return view
    raise AssertionError("no such family")


def ask(world: HubWorld, record_id: str = "A1") -> Any:
    """The manager's request for a family, as the hub answers it."""
    view = family_of(world, record_id)
    manager = world.staff["service_manager"]
    now = utc_now()
    request = Request.model_validate(
        {
            "id": sha256(repr(now).encode())[7:39],
            "agreement": world.agreement.hash,
            "purpose": "offer-help",
            "family": view["document"]["family"],
            "members": view["digest"],
            "without": [],
            "items": ["first_name", "address"],
            "recipient": manager.keys.thumbprint,
            "created": write_time(now),
            "expires": write_time(now + timedelta(hours=1)),
        }
    )
    body = {"request": manager.sign(REQUEST, request).model_dump(mode="json")}
    return world.call("service_manager", "POST", "/v1/requests", content=canonical_bytes(body))


def decide(world: HubWorld, request: str) -> Any:
    """The lead's approval over the ledger as it is, as the hub answers it."""
    checkpoint = world.agents["council"].ledger.mirror.sync(world.agents["council"].ledger.client)
    approval = Approval(
        request=request,
        decision="approve",
        reason="proportionate",
        checkpoint=CheckpointRef.model_validate(
            {"size": checkpoint.size, "root": b64(checkpoint.root)}
        ),
        created=write_time(utc_now()),
    )
    body = {"approval": world.staff["ig_lead"].sign(APPROVAL, approval).model_dump(mode="json")}
    return world.call(
        "ig_lead", "POST", f"/v1/requests/{request}/approval", content=canonical_bytes(body)
    )


def approve(world: HubWorld, request: str) -> None:
    """The lead approves, and every agent sees it."""
    answer = decide(world, request)
    assert answer.json()["state"] == "approved", answer.text
    world.witness()


def withdraw_unseen(world: HubWorld, when: datetime, monkeypatch: pytest.MonkeyPatch) -> Agent:
    """The council accepts the mother's withdrawal while the ledger is away; its agent."""
    agent = world.agents["council"]
    handle = agent.vault.find("council_records", "A1")[0].hex()
    grant = agent.ledger.state.consents.current("council", handle, ConsentKind.APPROACH)
    assert grant is not None
    with monkeypatch.context() as away:
        away.setattr(agent.ledger.client, "_base", "http://127.0.0.1:9")
        away.setattr(agent.ledger.client, "_wait", lambda _seconds: None)
        (done,) = agent.consents.withdraw([grant.id], when)
    assert not done.logged
    return agent


@pytest.mark.invariant(20, "members left out one after another, at hub and agents")
def test_too_many_choices_are_refused_before_permissions_are_looked_at(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub says so although nobody has agreed; an agent, although everybody has."""
    with monkeypatch.context() as none:
        none.setattr(tries, "CHOICES_MOST", 0)
        assert ask(world).json()["reason"] == "release.choices"
    both_agree(world)
    approve(world, ask(world).json()["id"])
    monkeypatch.setattr(tries, "CHOICES_MOST", 0)
    agent = world.agents["council"]
    answers, _ = agent.desk.answer_all(agent.hub)
    assert [answer.reason for answer in answers] == ["release.choices"]


@pytest.mark.invariant(17, "an order that is asked twice", double="replays")
def test_a_release_opens_for_the_manager_and_is_made_once(world: HubWorld) -> None:
    """The family that agreed is sealed; asking the desk again changes nothing."""
    both_agree(world)
    request = ask(world).json()["id"]
    approve(world, request)
    agent, manager = world.agents["council"], world.staff["service_manager"]
    for _ in range(2):
        answers, later = agent.desk.answer_all(agent.hub)
        assert later == []
        assert [(answer.sealed, answer.delivered) for answer in answers] == [(True, True)]
    release = world.call("service_manager", "GET", f"/v1/requests/{request}/release").json()
    (envelope,) = release["sealed"]
    _, opened = open_records(
        parse_model(envelope, Envelope),
        key=manager.sealing,
        recipient=manager.keys,
        request=request,
        holders={"council"},
        party_key=agent.ledger.state.identities.party_key,
    )
    assert {record.items["first_name"] for record in opened} == {"Ada", "Cy"}
    assert {record.items["address"] for record in opened} == {"1 High Street"}
    seals = [r for r in agent.ledger.sync().releases.requests.values() if r.sealed_by]
    assert [record.sealed_by for record in seals] == [{"council"}]


@pytest.mark.invariant(23, "a family that was not asked")
def test_a_family_that_was_not_asked_is_refused_by_the_hub(world: HubWorld) -> None:
    """Without permission the request is refused at once, with the reason, in the ledger too."""
    answer = ask(world)
    assert (answer.status_code, answer.json()["reason"]) == (403, "consent.missing")
    (record,) = world.hub.ledger.sync().releases.requests.values()
    assert record.refused_by == {"hub": "consent.missing"}


@pytest.mark.invariant(3, "a ledger that is away", double="withholds")
def test_a_withdrawal_that_the_ledger_does_not_have_yet_stops_this_partner(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Accepted here is enough, even while the ledger is away."""
    both_agree(world)
    request = ask(world).json()["id"]
    approve(world, request)
    agent = withdraw_unseen(world, utc_now(), monkeypatch)
    answers, _ = agent.desk.answer_all(agent.hub)
    assert [answer.reason for answer in answers] == ["consent.withdrawn"]
    assert agent.consents.log_withdrawals() == 1


@pytest.mark.invariant(17, "a desk that fails at each step")
def test_a_crash_between_storing_and_delivering_neither_loses_nor_doubles(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Invariant 17: after a failure at either step the very same answer is delivered later."""
    both_agree(world)
    request = ask(world).json()["id"]
    approve(world, request)
    agent = world.agents["council"]

    def away(*_args: object) -> None:
        raise HubUnavailable("away")

    with monkeypatch.context() as broken:
        broken.setattr(agent.hub, "answer", away)
        with pytest.raises(HubUnavailable):
            agent.desk.answer_all(agent.hub)
    (waiting,) = agent.desk.answers()
    assert (waiting.logged, waiting.delivered) == (True, False)
    size = agent.ledger.sync().size
    agent.desk.answer_all(agent.hub)
    (done,) = agent.desk.answers()
    assert done.delivered
    assert agent.ledger.sync().size == size
    view = world.call("service_manager", "GET", f"/v1/requests/{request}").json()
    assert view["state"] == "answered"


@pytest.mark.invariant(17, "a hub restored from an older backup", double="rolls back")
def test_a_hub_that_lost_the_request_is_not_asked_for_ever(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day later the sealed items are a refusal in the ledger, and nothing is handed in."""
    both_agree(world)
    request = ask(world).json()["id"]
    approve(world, request)
    agent = world.agents["council"]
    honest = agent.hub.answer

    def lose(_request: str, _post: object) -> None:
        with world.hub.database.writing() as connection:
            connection.execute(delete(requests).where(requests.c.id == request))
        raise HubUnavailable("away")

    monkeypatch.setattr(agent.hub, "answer", lose)
    with pytest.raises(HubUnavailable):
        agent.desk.answer_all(agent.hub)
    monkeypatch.setattr(agent.hub, "answer", honest)
    for _ in range(2):
        answers, later = agent.desk.answer_all(agent.hub)
        assert [(each.request, each.reason) for each in later] == [
            (request, "release.unknown_request")
        ]
        assert [(each.sealed, each.delivered) for each in answers] == [(True, False)]
    tomorrow = lambda: utc_now() + timedelta(hours=24, seconds=5)  # noqa: E731
    monkeypatch.setattr(agent.desk, "_now", tomorrow)
    answers, later = agent.desk.answer_all(agent.hub)
    assert (later, [(each.sealed, each.delivered) for each in answers]) == ([], [(False, True)])
    assert answers[0].given_up is not None
    record = agent.ledger.sync().releases.requests[request]
    assert (record.sealed_by, record.refused_by) == (
        {"council"}, {"council": "release.request_expired"},
    )  # fmt: skip
    monkeypatch.setattr(agent.hub, "answer", lambda *_args: pytest.fail("handed in again"))
    assert agent.desk.answer_all(agent.hub)[1] == []


@pytest.mark.invariant(23, "a protected person")
def test_a_protected_person_is_never_released(world: HubWorld) -> None:
    """Consent does not override protection; the ledger has the reason of any local refusal."""
    consent(world, "B1")
    request = ask(world, "B1").json()["id"]
    approve(world, request)
    agent = world.agents["council"]
    answers, _ = agent.desk.answer_all(agent.hub)
    assert [(answer.sealed, answer.reason) for answer in answers] == [(False, "release.protected")]
    record = agent.ledger.sync().releases.requests[request]
    assert record.refused_by == {"council": "release.local"}


@pytest.mark.invariant(11, "a hub that calls an adult a child", double="lies")
def test_a_hub_that_lies_gets_nothing(world: HubWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """An order with an adult called a child, or with other members, is refused or left alone."""
    both_agree(world)
    request = ask(world).json()["id"]
    approve(world, request)
    agent = world.agents["council"]
    honest = agent.hub.orders()
    members = honest.orders[0].order.members
    lied = members.model_copy(
        update={"members": tuple(m.model_copy(update={"adult": False}) for m in members.members)}
    )
    order = honest.orders[0].order.model_copy(update={"members": lied})
    item = honest.orders[0].model_copy(update={"order": order})
    monkeypatch.setattr(agent.hub, "orders", lambda: honest.model_copy(update={"orders": (item,)}))
    answers, _ = agent.desk.answer_all(agent.hub)
    assert [answer.reason for answer in answers] == ["release.members_changed"]


@pytest.mark.invariant(9, "the whole order again after its answer was destroyed", double="replays")
@pytest.mark.invariant(17, "the whole order again after its answer was destroyed", double="replays")
def test_a_release_ends_at_the_partner_and_its_order_is_answered_no_second_time(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the agent's own daily round; the hub replays while the request still lives."""
    both_agree(world)
    approve(world, ask(world).json()["id"])
    agent = world.agents["council"]
    replayed = agent.hub.orders()
    agent.desk.answer_all(agent.hub)
    days = world.agreement.retention.released_items_days
    family = replayed.orders[0].order.members.family.encode()
    files = [agent.home / "agent.db", agent.home / "agent.db-wal"]
    assert any(family in path.read_bytes() for path in files)
    for after, told in ((days - 1, []), (days + 1, [1])):
        monkeypatch.setattr(agent, "now", lambda after=after: utc_now() + timedelta(days=after))
        agent.__dict__.pop("retention", None)
        agent.retention.daily(world.agreement)
        assert _destroyed(world) == told
    assert not any(family in path.read_bytes() for path in files)
    monkeypatch.setattr(agent.hub, "orders", lambda: replayed)
    monkeypatch.setattr(agent.hub, "answer", lambda *_args: pytest.fail("something left"))
    answers, later = agent.desk.answer_all(agent.hub)
    assert (len(answers), answers[0].sealed, later) == (1, True, [])


def _destroyed(world: HubWorld) -> list[int]:
    """How many answers the ledger was told of."""
    world.hub.ledger.sync()
    return [
        payload.releases
        for event in world.hub.ledger.mirror.entries(0)
        if event.leaf.type is EventType.RETENTION_PURGED
        and (payload := read_payload(event)).releases
    ]
