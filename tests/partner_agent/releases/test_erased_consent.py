"""A release that was approved is refused once a consent that it rests on was erased."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from governance.consent.models import ConsentKind
from governance.ledger.errors import LedgerRefusedError
from governance.ledger.events import EventType
from governance.ledger.payloads import ConsentErased
from partner_agent.app import Agent
from tests.hub_world import HubWorld, hub_world_in
from tests.partner_agent.consent_world import days_ago
from tests.partner_agent.releases.test_desk import (
    approve,
    ask,
    both_agree,
    consent,
    submit_and_link,
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[HubWorld]:
    """A family that agreed, and a finished run."""
    with hub_world_in(tmp_path) as found:
        submit_and_link(found)
        with days_ago(found.agents["council"], 31):
            both_agree(found)
        yield found


def erase(world: HubWorld, record_id: str) -> None:
    """The council erases what it recorded of somebody, here while the row is still there."""
    council = world.agents["council"]
    handle = council.vault.find("council_records", record_id)[0].hex()
    about = council.ledger.sync().consents.about("council", handle, ConsentKind.APPROACH)
    payload = ConsentErased(agreement=world.agreement.hash, place=about[0].place)
    council.ledger.write(EventType.CONSENT_ERASED, payload, tuple(grant.id for grant in about))


@pytest.mark.invariant(2, "an approved release, and a consent erased before it is made")
@pytest.mark.parametrize("begun_anew", [False, True])
def test_an_approved_release_is_refused(world: HubWorld, *, begun_anew: bool) -> None:
    """By an agent whose mirror followed the erasure and by one that begins without the payload."""
    request = ask(world).json()["id"]
    approve(world, request)
    erase(world, "A2")
    world.witness()
    agent = world.agents["council"]
    if begun_anew:
        agent.close()
        for name in ("mirror.db", "mirror.db-wal", "mirror.db-shm", "replayed.state"):
            (agent.home / name).unlink(missing_ok=True)
        agent = Agent(agent.home, agent.settings)
        agent.ledger.sync()
        agent.ledger.witness()
        assert agent.ledger.mirror.evidence() == []
    answers, later = agent.desk.answer_all(agent.hub)
    assert ([answer.reason for answer in answers], later) == (["consent.withdrawn"], [])
    agent.close()
    refused = ask(world)
    assert (refused.status_code, refused.json()["reason"]) == (403, "consent.withdrawn")


def test_nobody_can_be_asked_again_under_a_dead_handle(world: HubWorld) -> None:
    """The ledger takes no further record of it, and the agent says what to do."""
    erase(world, "A1")
    with pytest.raises(LedgerRefusedError, match="nothing more is recorded") as refused:
        consent(world, "A1")
    assert "prepare the person's row anew" in refused.value.next_step
