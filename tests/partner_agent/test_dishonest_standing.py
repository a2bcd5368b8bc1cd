"""A hub or ledger cannot make an agent work under an agreement that has ended or is suspended."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from governance.agreements.errors import (
    AgreementNotWitnessed,
    AgreementSuperseded,
    AgreementSuspended,
)
from governance.agreements.models import AGREEMENT, Agreement
from governance.agreements.policy import in_force
from governance.canonical import canonical_bytes, utc_now
from governance.identity.envelope import sign_bytes
from governance.ledger.client import LedgerClient
from governance.ledger.errors import LedgerUnavailableError, RollbackError
from governance.ledger.events import EventType
from governance.ledger.note import Note
from governance.ledger.payloads import AgreementProposed, AgreementSigned, AgreementStopped
from partner_agent.app import Agent
from partner_agent.settings import AgentSettings
from tests.governance.web.test_deadline import dripping_headers, ledger_client, talking
from tests.hub_world import HubWorld, hub_world_in
from tests.partner_agent.releases.test_desk import approve, ask, both_agree, submit_and_link


@pytest.fixture
def world(tmp_path: Path) -> Iterator[HubWorld]:
    """A world with an agreement in force."""
    with hub_world_in(tmp_path) as found:
        yield found


class Behind:
    """A ledger that shows nothing past a size: it holds back what came after."""

    def __init__(self, client: LedgerClient, size: int) -> None:
        self._client = client
        self._size = size

    def checkpoint(self, size: int | None = None, **_asked: Any) -> Note:
        """The tree of that size as it was cosigned then, whatever was asked for."""
        return self._client.checkpoint(self._size if size is None else size)

    def __getattr__(self, name: str) -> Any:
        """All else is honest."""
        return getattr(self._client, name)


def hold_back(agent: Agent, size: int) -> None:
    """From now on the ledger shows this agent no more than so much."""
    agent.ledger.client = Behind(agent.ledger.client, size)  # type: ignore[assignment]


def hash_something(agent: Agent) -> None:
    """What ``partner-agent prepare`` checks before it reads a row."""
    standing = agent.standing(agent.ledger.sync())
    in_force(standing, agent.now())
    agent.ledger.require_witnessed(standing)


def suspend(world: HubWorld, by: str) -> None:
    """A party suspends the agreement."""
    stopped = AgreementStopped(agreement=world.agreement.hash, reason="dpia-review")
    world.agents[by].ledger.write(EventType.AGREEMENT_SUSPENDED, stopped)


def supersede(world: HubWorld) -> Agreement:
    """A later version, signed by all."""
    changed = {"version": 2, "supersedes": world.agreement.hash}
    newer = Agreement.model_validate(world.agreement.model_dump(mode="json") | changed)
    police = world.agents["police"]
    police.ledger.write(EventType.AGREEMENT_PROPOSED, AgreementProposed(agreement=newer))
    for agent in world.agents.values():
        keys = agent.secrets
        signature = sign_bytes(
            AGREEMENT, canonical_bytes(newer), keys.signing_key, keys.keys.thumbprint
        )
        payload = AgreementSigned(agreement=newer.hash, signature=signature)
        agent.ledger.write(EventType.AGREEMENT_SIGNED, payload)
    return newer


def later(world: HubWorld, name: str, minutes: int) -> Agent:
    """A partner's agent as it is some minutes later."""
    home = world.root / name
    return Agent(home, AgentSettings.load(home), lambda: utc_now() + timedelta(minutes=minutes))


def test_an_honest_ledger_lets_it_hash_until_a_partner_suspends(world: HubWorld) -> None:
    """In force and witnessed; suspended by the other partner, refused at the next look."""
    council = world.agents["council"]
    hash_something(council)
    suspend(world, "police")
    with pytest.raises(AgreementSuspended):
        hash_something(council)


@pytest.mark.invariant(13, "a hub that orders a release under a suspended agreement", double="lies")
def test_a_hub_that_says_it_is_in_force_is_not_believed(tmp_path: Path) -> None:
    """The hub's order stands, the agreement does not: refused, with the code in the ledger."""
    with hub_world_in(tmp_path) as world:
        submit_and_link(world)
        both_agree(world)
        request = ask(world).json()["id"]
        approve(world, request)
        order = world.agents["council"].hub.orders()
        assert order.orders
        suspend(world, "police")
        world.witness()
        council = world.agents["council"]
        council.hub.orders = lambda: order  # type: ignore[method-assign]
        given, _ = council.desk.answer_all(council.hub)
        assert [answer.reason for answer in given] == ["agreement.suspended"]
        refused = council.ledger.sync().releases.requests[request].refused_by
        assert refused["council"] == "agreement.suspended"


@pytest.mark.invariant(12, "a ledger that takes a suspension back", double="rolls back")
@pytest.mark.invariant(13, "a ledger that takes a suspension back", double="rolls back")
def test_a_suspension_that_was_seen_is_not_rolled_back(world: HubWorld) -> None:
    """The mirror holds the longer log: the shorter one is refused and kept as evidence."""
    council = world.agents["council"]
    before = council.ledger.mirror.size()
    suspend(world, "police")
    council.ledger.sync()
    hold_back(council, before)
    with pytest.raises(RollbackError):
        hash_something(council)
    assert [each.reason for each in council.ledger.mirror.evidence()] == ["mirror.rollback"]


@pytest.mark.invariant(13, "a ledger that holds a suspension back", double="withholds")
@pytest.mark.invariant(12, "a ledger that holds a suspension back", double="withholds")
def test_a_suspension_that_is_held_back_stops_hashing_once_witnesses_are_stale(
    world: HubWorld,
) -> None:
    """Nobody who saw the suspension cosigns the shorter log again: after fifteen minutes, no."""
    before = world.agents["council"].ledger.mirror.size()
    suspend(world, "police")
    world.agents["police"].ledger.sync()
    world.agents["police"].ledger.witness()
    council = later(world, "council", minutes=16)
    try:
        hold_back(council, before)
        with pytest.raises(AgreementNotWitnessed):
            hash_something(council)
    finally:
        council.close()


@pytest.mark.invariant(12, "a ledger that answers slowly", double="slow")
@pytest.mark.invariant(13, "a ledger that answers slowly", double="slow")
def test_a_ledger_that_answers_slowly_has_nothing_hashed(world: HubWorld) -> None:
    """Time is not on its side: without its answer no agreement counts as witnessed."""
    council = world.agents["council"]
    hash_something(council)
    standing = council.standing(council.ledger.state)
    honest = council.ledger.client
    with talking(dripping_headers) as url, ledger_client(url) as slow:
        council.ledger.client = slow
        with pytest.raises(LedgerUnavailableError):
            hash_something(council)
        with pytest.raises(AgreementNotWitnessed):
            council.ledger.require_witnessed(standing)
    council.ledger.client = honest


@pytest.mark.invariant(13, "a ledger that holds a superseding version back", double="withholds")
def test_a_version_that_is_held_back_stops_the_older_one(world: HubWorld) -> None:
    """Shown, the older version is superseded; held back, it is not witnessed any more."""
    council = world.agents["council"]
    before = council.ledger.mirror.size()
    newer = supersede(world)
    world.agents["police"].ledger.sync()
    world.agents["police"].ledger.witness()
    behind = later(world, "council", minutes=16)
    try:
        hold_back(behind, before)
        with pytest.raises(AgreementNotWitnessed):
            hash_something(behind)
    finally:
        behind.close()
    with pytest.raises(AgreementSuperseded):
        hash_something(council)
    council.remember(agreement=newer.hash)
    world.witness()
    hash_something(council)


@pytest.mark.invariant(13, "a ledger with one witness of two", double="forks")
def test_a_log_that_one_partner_alone_sees_is_not_witnessed(world: HubWorld) -> None:
    """A tree of its own for one partner has that partner's cosignature and no other's."""
    council = world.agents["council"]
    suspend(world, "council")
    resumed = AgreementStopped(agreement=world.agreement.hash, reason="resolved")
    council.ledger.write(EventType.AGREEMENT_RESUMED, resumed)
    council.ledger.sync()
    council.ledger.witness()
    hold_back(council, council.ledger.mirror.size())
    with pytest.raises(AgreementNotWitnessed):
        hash_something(council)
