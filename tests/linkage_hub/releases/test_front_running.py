"""Nobody keeps a hub's word out of the ledger by writing under its event's id first.

An event's id is used once, by anybody, and the hub takes its own id's being there for its own word.
So the id must be one that nobody else can foresee.
"""

import hashlib
from collections.abc import Iterator

import pytest

from governance.ledger.events import EventType
from governance.ledger.payloads import Refused
from tests.hub_world import HubWorld, hub_world_in
from tests.linkage_hub.releases.test_after_a_crash import decide
from tests.linkage_hub.releases.test_outcomes import logged, say
from tests.partner_agent.releases.test_desk import ask, both_agree, submit_and_link


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubWorld]:
    """A world with a family that agreed."""
    with hub_world_in(tmp_path_factory.mktemp("front-running")) as found:
        submit_and_link(found)
        both_agree(found)
        yield found


def write_first(world: HubWorld, about: str) -> None:
    """The police use the ids that follow from what everybody knows, and from their own key."""
    ledger = world.agents["police"].ledger
    payload = Refused(party="police", action="prepare", reason="agreement.item", about=None)
    for id_ in (hashlib.sha256(about.encode()).hexdigest()[:32], ledger.own_id(about)):
        ledger.write(EventType.REFUSED, payload, id_=id_)


@pytest.mark.invariant(23, "a partner that writes under the id of the hub's word", double="lies")
def test_a_decision_cannot_be_kept_out(world: HubWorld) -> None:
    """The request's hash is in the ledger, for all to see, before it is decided."""
    request = ask(world).json()["id"]
    for about in ("decision", "refused"):
        write_first(world, f"{about}:{request}")
    answer = decide(world, request, "approve", "proportionate")
    assert answer.json().get("state") == "approved", answer.text
    record = world.hub.ledger.sync().releases.requests[request]
    assert record.decision is not None


def test_an_outcome_cannot_be_kept_out(world: HubWorld) -> None:
    """Else the manager would be told that it is there."""
    request = ask(world).json()["id"]
    write_first(world, f"outcome:{request}:0:helped")
    assert say(world, request, "helped") == "helped"
    assert logged(world, request) == ["helped"]


def test_ids_are_the_owners_own_and_the_same_each_time(world: HubWorld) -> None:
    """Two of the hub's processes that are told the same at once write one event."""
    council, police = (world.agents[name].ledger for name in ("council", "police"))
    assert council.own_id("a") == council.own_id("a") != council.own_id("b")
    assert council.own_id("a") != police.own_id("a")
    assert len(bytes.fromhex(council.own_id("a"))) == 16
