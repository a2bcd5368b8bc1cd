"""What becomes of requests: outcomes, each change an event, and families that are gone.

And who is told: staff of the agreement's parties.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import update

from governance.canonical import canonical_bytes, utc_now, write_time
from governance.exchange.hub_client import HubRefused
from governance.exchange.release_api import AnswerPost, FamilyList
from governance.identity.envelope import Envelope, sign
from governance.identity.models import PERSON_ENROLMENT, PersonEnrolment, Role
from governance.ledger.events import EventType
from governance.ledger.payloads import PersonEnrolled, read_payload
from governance.release.models import REQUEST, Request
from linkage_hub.releases import service
from linkage_hub.releases.errors import AnswerRefused
from linkage_hub.releases.logged import log_outcome, logged_decision
from linkage_hub.store.tables import families, requests
from tests.governance.world import Staff
from tests.hub_world import HubWorld, hub_world_in
from tests.partner_agent.releases.test_desk import (
    approve,
    ask,
    both_agree,
    consent,
    decide,
    family_of,
    submit_and_link,
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubWorld]:
    """A world with a family that agreed."""
    with hub_world_in(tmp_path_factory.mktemp("outcomes")) as found:
        submit_and_link(found)
        both_agree(found)
        yield found


def say(world: HubWorld, request: str, outcome: str) -> str:
    """The manager says what came of it; what the hub has then."""
    path, body = f"/v1/requests/{request}/outcome", canonical_bytes({"outcome": outcome})
    answer = world.call("service_manager", "POST", path, content=body)
    return str(answer.json()["outcome"]) if answer.is_success else str(answer.status_code)


def logged(world: HubWorld, request: str) -> list[str]:
    """The outcomes of a request in the ledger, oldest first."""
    world.hub.ledger.sync()
    payloads = [
        read_payload(event)
        for event in world.hub.ledger.mirror.entries(0)
        if event.leaf.type is EventType.RELEASE_OUTCOME
    ]
    return [payload.outcome for payload in payloads if payload.request == request]


def test_each_change_is_an_event_and_a_repetition_is_none(world: HubWorld) -> None:
    """Also where somebody comes back to what was said at first."""
    request = ask(world).json()["id"]
    words = ["helped", "helped", "declined", "declined", "helped", "wrong_family", "declined"]
    assert [say(world, request, word) for word in words] == words
    assert logged(world, request) == ["helped", "declined", "helped", "wrong_family", "declined"]
    record = world.hub.ledger.state.releases.requests[request]
    assert (record.outcome, record.outcomes) == ("declined", 5)
    (earlier,) = family_of(world, "A1")["earlier"]  # whoever looks at the family next sees it
    assert (earlier["outcome"], earlier["own"]) == ("declined", True)


def test_a_hub_killed_after_the_ledger_was_told_says_it_no_second_time(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The manager gets no answer and says it again."""
    request = ask(world).json()["id"]
    say(world, request, "helped")
    honest = log_outcome

    def then_die(*arguments: object) -> None:
        honest(*arguments)  # type: ignore[arg-type]
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(service, "log_outcome", then_die)
        assert say(world, request, "declined") == "500"
    assert say(world, request, "declined") == "declined"
    assert logged(world, request) == ["helped", "declined"]


def enrolled_elsewhere(world: HubWorld, role: Role, by: Staff | None = None) -> Staff:
    """Somebody of an organisation that the agreement does not name: the hub's own."""
    staff, own = Staff("hub", role, f"{len(role.value):032x}"), world.hub.secrets
    enrolment = PersonEnrolment(
        keys=staff.keys.thumbprint, role=role, party="hub", created=write_time(utc_now())
    )
    signed = (
        by.sign(PERSON_ENROLMENT, enrolment)
        if by is not None
        else sign(PERSON_ENROLMENT, enrolment, own.signing_key, own.keys.thumbprint)
    )
    payload = PersonEnrolled(keys=staff.published(), enrolment=signed)
    world.hub.ledger.write(EventType.PERSON_ENROLLED, payload)
    world.hub.ledger.sync()
    return staff


@pytest.mark.invariant(20, "a manager and an IG lead of no party of the agreement")
def test_staff_of_others_are_told_of_no_family_and_no_request(world: HubWorld) -> None:
    """As if there were none: lists are empty, and all else is answered as what does not exist."""
    request = ask(world).json()["id"]
    family = family_of(world, "A1")["document"]["family"]
    lead = enrolled_elsewhere(world, Role.IG_LEAD)
    manager = enrolled_elsewhere(world, Role.SERVICE_MANAGER, lead)

    def say_as(staff: Staff, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        content = b"" if body is None else canonical_bytes(body)
        answer = world.request(
            staff.keys.thumbprint, staff.signing, method, f"/v1/{path}", content=content
        )
        found = answer.json()
        return answer.status_code, found.get("reason", found)

    nothing = FamilyList(families=(), total=0).model_dump(mode="json")
    assert say_as(manager, "GET", "families?flagged=false&order=model") == (200, nothing)
    assert say_as(manager, "GET", "risk") == (200, {"models": []})
    assert say_as(manager, "GET", "areas") == (200, {"agreements": []})
    assert say_as(manager, "GET", "families?area=east")[0] == 400
    for staff in (manager, lead):
        assert say_as(staff, "GET", f"families/{family}") == (404, "family.unknown")
        assert say_as(staff, "GET", "requests") == (200, {"requests": []})
        unknown = (404, "release.unknown_request")
        for id_ in (request, "sha256:" + "0" * 64):
            assert say_as(staff, "GET", f"requests/{id_}") == unknown
    approval = {"approval": lead.sign(REQUEST, lead.keys).model_dump(mode="json")}
    assert say_as(lead, "POST", f"requests/{request}/approval", approval) == unknown
    assert say_as(manager, "GET", f"requests/{request}/release") == unknown
    assert say_as(manager, "POST", f"requests/{request}/outcome", {"outcome": "helped"}) == unknown
    assert world.hub.releases.earlier(manager.keys, family) == ()
    assert world.hub.releases.earlier(world.staff["service_manager"].keys, family) != ()


@contextmanager
def family_gone(world: HubWorld, family: str) -> Iterator[None]:
    """As after a run in which its members are other families."""
    with world.hub.database.writing() as connection:
        connection.execute(update(families).where(families.c.family == family).values(family="f"))
    yield
    with world.hub.database.writing() as connection:
        connection.execute(update(families).where(families.c.family == "f").values(family=family))


def test_a_family_that_is_gone_ends_its_request_and_no_others(world: HubWorld) -> None:
    """Partners get their other orders, and what is asked about it is in no ledger to no end."""
    consent(world, "B1")
    gone, other = ask(world, "A1").json(), ask(world, "B1").json()
    for request in (gone, other):
        approve(world, request["id"])
    signed = Envelope.model_validate(gone["request"])
    again = Request.model_validate_json(signed.payload_bytes).model_copy(update={"id": "9" * 32})
    envelope = world.staff["service_manager"].sign(REQUEST, again)
    with family_gone(world, gone["family"]):
        orders = world.agents["council"].hub.orders().orders
        assert [order.request for order in orders] == [other["id"]]
        view = world.call("service_manager", "GET", f"/v1/requests/{gone['id']}").json()
        assert (view["state"], view["reason"]) == ("refused", "release.members_changed")
        body = canonical_bytes({"request": envelope.model_dump(mode="json")})
        answer = world.call("service_manager", "POST", "/v1/requests", content=body)
        assert (answer.status_code, answer.json()["reason"]) == (404, "family.unknown")
        assert envelope.payload_hash not in world.hub.ledger.sync().releases.requests


@pytest.mark.invariant(11, "an answer to a request that the party was not ordered to answer")
@pytest.mark.parametrize("approved", [False, True])
def test_nobody_answers_who_was_not_ordered_to(world: HubWorld, *, approved: bool) -> None:
    """Neither an organisation that holds no record of the family, nor before the approval."""
    request = ask(world).json()["id"]
    if approved:
        approve(world, request)
    before = world.hub.requests.known(request).state
    hub = world.agents["police" if approved else "council"].hub
    with pytest.raises(HubRefused) as caught:
        hub.answer(request, AnswerPost(refusal="release.local"))
    assert caught.value.hub_reason == "release.answer"
    assert world.hub.requests.known(request).state == before


def test_the_same_decision_twice_takes_no_answer_back(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that lost the hub's answer sends it again; the first is slow, and ends last."""
    request = ask(world).json()["id"]
    database = world.hub.database

    def slow(*args: Any) -> Any:
        with database.writing() as connection:  # as the second, and the partners' answers, left it
            answered = update(requests).where(requests.c.id == request).values(state="answered")
            connection.execute(answered)
        return logged_decision(*args)

    monkeypatch.setattr(service, "logged_decision", slow)
    assert decide(world, request).json()["state"] == "answered"


def test_the_same_answer_twice_at_one_moment_is_one(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process of the hub takes it first; another answer of the same party is refused."""
    request = ask(world).json()["id"]
    approve(world, request)
    orders, database = world.hub.orders, world.hub.database
    said = AnswerPost(refusal="release.local")
    writing = database.writing

    def after_another() -> Any:
        monkeypatch.undo()
        orders.answer("council", request, said)
        return writing()

    monkeypatch.setattr(database, "writing", after_another)
    orders.answer("council", request, said)
    with pytest.raises(AnswerRefused, match="answered otherwise"):
        orders.answer("council", request, AnswerPost(refusal="consent.missing"))
