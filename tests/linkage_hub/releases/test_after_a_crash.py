"""A hub that is killed between the ledger and its own books goes on where it was.

Found by ``make crash``; each case here fails at one place instead of at a random instant.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

from governance.canonical import b64, canonical_bytes, utc_now, write_time
from governance.release.errors import MembersChanged
from governance.release.models import APPROVAL, Approval, CheckpointRef
from linkage_hub.releases import service
from linkage_hub.releases.checks import refusal_of
from linkage_hub.releases.kept import KeptRequests
from linkage_hub.releases.orders import Orders
from linkage_hub.releases.service import Releases
from linkage_hub.store.tables import families
from tests.hub_world import HubWorld, hub_world_in
from tests.partner_agent.releases.test_desk import ask, both_agree, submit_and_link


@pytest.fixture
def world(tmp_path: Path) -> Iterator[HubWorld]:
    """A world with a family that agreed."""
    with hub_world_in(tmp_path) as found:
        submit_and_link(found)
        both_agree(found)
        yield found


class Killed(Exception):
    """Stands for the end of the process."""


def die(*_arguments: object) -> None:
    """End here."""
    raise Killed


@contextmanager
def killed_after(call: str, owner: Any = Releases) -> Iterator[None]:
    """The hub ends as soon as it has done something once."""
    honest: Callable[..., Any] = getattr(owner, call)

    def then_die(*arguments: Any, **named: Any) -> Any:
        honest(*arguments, **named)
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, call, then_die)
        yield


def decide(world: HubWorld, request: str, decision: str, reason: str) -> Any:
    """The lead signs a decision and sends it."""
    ledger = world.agents["council"].ledger
    checkpoint = ledger.mirror.sync(ledger.client)
    document = Approval.model_validate(
        {
            "request": request,
            "decision": decision,
            "reason": reason,
            "checkpoint": CheckpointRef(size=checkpoint.size, root=b64(checkpoint.root)),
            "created": write_time(utc_now()),
        }
    )
    signed = world.staff["ig_lead"].sign(APPROVAL, document)
    body = canonical_bytes({"approval": signed.model_dump(mode="json")})
    return world.call("ig_lead", "POST", f"/v1/requests/{request}/approval", content=body)


@pytest.mark.invariant(17, "a hub killed between a logged approval and its own row")
def test_an_approval_that_is_signed_anew_is_the_one_that_the_ledger_holds(world: HubWorld) -> None:
    """Partners look for the ledger's decision, and would wait for any other without end."""
    request = ask(world).json()["id"]
    with killed_after("_log_decision"):
        assert decide(world, request, "approve", "first-time").status_code == 500
    answer = decide(world, request, "approve", "second-time").json()
    assert answer["state"] == "approved"
    held = world.hub.ledger.sync().releases.requests[request].decision
    assert held is not None
    assert held.reason == "first-time"
    world.witness()
    agent = world.agents["council"]
    answers, later = agent.desk.answer_all(agent.hub)
    assert ([one.sealed for one in answers], later) == ([True], [])


@pytest.mark.invariant(17, "a lead who decides otherwise after a crash")
def test_what_the_ledger_holds_is_not_decided_otherwise(world: HubWorld) -> None:
    """The lead is told so, and the hub keeps the decision that stands."""
    request = ask(world).json()["id"]
    with killed_after("_log_decision"):
        decide(world, request, "approve", "first-time")
    answer = decide(world, request, "decline", "second-thoughts")
    assert (answer.status_code, answer.json()["reason"]) == (409, "release.decided")
    view = world.call("ig_lead", "GET", f"/v1/requests/{request}").json()
    assert view["state"] == "approved"


@pytest.mark.invariant(17, "a hub killed between an answer and the end of the request")
def test_a_repeated_answer_ends_the_request(world: HubWorld) -> None:
    """The partner was not told that its answer is there; when it sends it again, all is done."""
    request = ask(world).json()["id"]
    decide(world, request, "approve", "proportionate")
    world.witness()
    agent = world.agents["council"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Orders, "_settle", die)
        _, later = agent.desk.answer_all(agent.hub)
    assert len(later) == 1
    agent.desk.answer_all(agent.hub)
    view = world.call("service_manager", "GET", f"/v1/requests/{request}").json()
    assert view["state"] == "answered"


def bodies_of(world: HubWorld, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What staff send from now on."""
    sent: list[bytes] = []
    honest = world.request

    def remember(*arguments: Any, content: bytes = b"", **named: Any) -> Any:
        sent.append(content)
        return honest(*arguments, content=content, **named)

    monkeypatch.setattr(world, "request", remember)
    return sent


@pytest.mark.invariant(23, "a hub killed between a refusal and its own row")
def test_a_refusal_is_in_the_ledger_before_it_is_kept(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused there is refused, also when the hub would no longer refuse."""
    sent = bodies_of(world, monkeypatch)
    refuse = refusal_of
    with monkeypatch.context() as patch:
        patch.setattr(
            service, "refusal_of", lambda *some: refuse(*some) or MembersChanged("changed")
        )
        with killed_after("log_refusal", KeptRequests):
            assert ask(world).status_code == 500
    again = world.call("service_manager", "POST", "/v1/requests", content=sent[-1]).json()
    assert (again["state"], again["reason"]) == ("refused", "release.members_changed")
    record = world.hub.ledger.sync().releases.requests[again["id"]]
    assert record.refused_by == {"hub": "release.members_changed"}


@pytest.mark.invariant(17, "a hub killed between a logged request and its own row")
def test_a_logged_request_for_a_family_that_is_gone_is_refused(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sent again, it cannot be kept: the ledger has the reason, once, and the request is over."""
    sent = bodies_of(world, monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(service, "refusal_of", die)
        assert ask(world).status_code == 500
    (id_,) = world.hub.ledger.sync().releases.requests
    size = world.hub.ledger.state.size
    with world.hub.database.writing() as connection:
        connection.execute(delete(families))
    for _ in range(2):
        again = world.call("service_manager", "POST", "/v1/requests", content=sent[-1])
        assert (again.status_code, again.json()["reason"]) == (404, "family.unknown")
    state = world.hub.ledger.sync()
    assert state.releases.requests[id_].refused_by == {"hub": "family.unknown"}
    assert state.size == size + 1
