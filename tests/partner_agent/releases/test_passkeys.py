"""Passkeys through a real hub, ledger and agent: what is signed is taken, a key file is not."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from governance.exchange.hub_client import HubUnavailable
from governance.identity.envelope import Envelope, parse_model
from governance.identity.models import Role
from governance.ledger.events import EventType
from governance.ledger.payloads import PersonRevoked
from governance.release.seal import open_records
from tests.hub_world import HubWorld, hub_world_in
from tests.partner_agent.releases.test_desk import (
    approve,
    ask,
    both_agree,
    decide,
    submit_and_link,
)

MANAGER, LEAD = Role.SERVICE_MANAGER, Role.IG_LEAD


@contextmanager
def agreed(folder: Path, *passkeys: Role) -> Iterator[HubWorld]:
    """A family that agreed, under an agreement of passkeys alone, which some of the staff have."""
    with hub_world_in(
        folder, lambda data: data.update(staff_signatures=["passkey"]), passkeys=passkeys
    ) as found:
        submit_and_link(found)
        both_agree(found)
        yield found


@pytest.fixture
def world(tmp_path: Path) -> Iterator[HubWorld]:
    """Manager and lead have passkeys."""
    with agreed(tmp_path, MANAGER, LEAD) as found:
        yield found


def test_a_release_by_passkeys_opens_for_the_manager(world: HubWorld) -> None:
    """Asked and approved by passkeys, verified by hub, ledger and agent, opened by the manager."""
    request = ask(world).json()["id"]
    approve(world, request)
    agent, manager = world.agents["council"], world.staff["service_manager"]
    answers, later = agent.desk.answer_all(agent.hub)
    assert (later, [answer.sealed for answer in answers]) == ([], [True])
    release = world.call("service_manager", "GET", f"/v1/requests/{request}/release").json()
    _, opened = open_records(
        parse_model(release["sealed"][0], Envelope),
        key=manager.sealing,
        recipient=manager.keys,
        request=request,
        holders={"council"},
        party_key=agent.ledger.state.identities.party_key,
    )
    assert {record.items["first_name"] for record in opened} == {"Ada", "Cy"}


@pytest.mark.invariant(23, "a request by key file where passkeys are agreed")
def test_the_hub_refuses_a_key_file(tmp_path: Path) -> None:
    """A request by key file is refused at once, with the reason, in the ledger too."""
    with agreed(tmp_path, LEAD) as world:
        answer = ask(world)
        assert (answer.status_code, answer.json()["reason"]) == (403, "release.signature_kind")
        records = world.agents["council"].ledger.sync().releases.requests.values()
        assert [record.refused_by for record in records] == [{"hub": "release.signature_kind"}]


def test_the_hub_refuses_an_approval_by_key_file(tmp_path: Path) -> None:
    """The request waits for an approval that counts."""
    with agreed(tmp_path, MANAGER) as world:
        request = ask(world).json()["id"]
        assert decide(world, request).json()["reason"] == "release.signature_kind"
        view = world.call("ig_lead", "GET", f"/v1/requests/{request}").json()
        assert view["state"] == "waiting_for_approval"


@pytest.mark.invariant(9, "an authenticator's copy at the hub")
def test_a_copy_that_lags_behind_is_told_so(world: HubWorld) -> None:
    """A counter that has not risen is refused with a reason; repeating a request is not."""
    manager, lead = (world.staff[role] for role in ("service_manager", "ig_lead"))
    assert manager.authenticator is not None
    assert lead.authenticator is not None
    manager.authenticator.counts = lead.authenticator.counts = True
    request = ask(world).json()["id"]
    approve(world, request)
    manager.authenticator.counter = 0
    answer = ask(world)
    assert (answer.status_code, answer.json()["reason"]) == (403, "signature.counter")
    manager.authenticator.counter = 7
    other = ask(world).json()["id"]
    lead.authenticator.counter = 0
    answer = decide(world, other)
    assert (answer.status_code, answer.json()["reason"]) == (403, "signature.counter")


@pytest.mark.invariant(7, "a corrupt hub that takes key files")
@pytest.mark.parametrize("with_passkey", [MANAGER, LEAD])
def test_an_agent_refuses_what_a_corrupt_hub_takes(
    tmp_path: Path, with_passkey: Role, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hub that does not look at kinds gets no release: the agent looks for itself."""
    for module in ("checks", "service"):
        looking = f"linkage_hub.releases.{module}.require_accepted_kind"
        monkeypatch.setattr(looking, lambda *_: None)
    with agreed(tmp_path, with_passkey) as world:
        request = ask(world).json()["id"]
        approve(world, request)
        agent = world.agents["council"]
        (answer,), later = agent.desk.answer_all(agent.hub)
        assert (answer.sealed, answer.reason, later) == (False, "release.signature_kind", [])
        (record,) = agent.ledger.sync().releases.requests.values()
        assert record.refused_by == {"council": "release.signature_kind"}


@pytest.mark.invariant(7, "a stolen key file beside a passkey")
def test_a_stolen_key_file_is_worth_nothing_beside_a_passkey(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has a passkey signs with it alone; the hub says so at once."""
    manager = world.staff["service_manager"]
    monkeypatch.setattr(manager, "sign", manager.sign_with_file)
    answer = ask(world)
    assert (answer.status_code, answer.json()["reason"]) == (403, "signature.invalid")


@pytest.mark.invariant(7, "a revocation after sealing")
@pytest.mark.parametrize("role", [MANAGER, LEAD])
def test_a_revocation_takes_sealed_items_back(
    world: HubWorld, role: Role, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was sealed and could not leave yet stays, once requester or approver is revoked."""
    request = ask(world).json()["id"]
    approve(world, request)
    agent = world.agents["council"]

    def away(*_: object) -> None:
        raise HubUnavailable("away")

    with monkeypatch.context() as broken:
        broken.setattr(agent.hub, "answer", away)
        with pytest.raises(HubUnavailable):
            agent.desk.answer_all(agent.hub)
    assert [answer.sealed for answer in agent.desk.answers()] == [True]
    lost = PersonRevoked(keys=world.staff[role].keys.thumbprint, reason="lost_key")
    agent.ledger.write(EventType.PERSON_REVOKED, lost)
    agent.desk.deliver(agent.hub)
    (answer,) = agent.desk.answers()
    assert (answer.sealed, answer.reason) == (False, "signature.invalid")
    view = world.hub.orders.orders("council")
    assert view.orders == ()
