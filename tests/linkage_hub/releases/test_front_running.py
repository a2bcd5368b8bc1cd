"""Nobody keeps a hub's word out of the ledger by writing under its event's id first.

An event's id is used once, by anybody. So the id must be one that nobody else can foresee, and what
the ledger calls a repetition must be there, as the hub's own word.
"""

import hashlib
from collections.abc import Iterator

import pytest

from governance.canonical import utc_now
from governance.ledger.errors import LedgerRefusedError, NotShownError
from governance.ledger.events import Author, Event, EventType
from governance.ledger.payloads import Refused
from linkage_hub.submissions.service import log_once
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


REFUSAL = Refused(party="hub", action="link", reason="submission.foreign_handles", about=None)


def written(world: HubWorld, about: str) -> list[str]:
    """Authors of the events under an id of the hub's."""
    ledger = world.hub.ledger
    ledger.sync()
    entries = ledger.mirror.entries()
    return [each.leaf.author for each in entries if each.leaf.id == ledger.own_id(about)]


def test_the_same_word_again_is_one_event(world: HubWorld) -> None:
    """As after a crash between the ledger and the hub's own books."""
    for _ in range(2):
        log_once(world.hub.ledger, EventType.REFUSED, REFUSAL, "again")
    assert written(world, "again") == [world.hub.secrets.keys.thumbprint]


@pytest.mark.invariant(23, "a ledger that says it holds what it does not", double="lies")
def test_a_ledger_that_only_says_it_has_the_event_is_not_believed(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs would be published, and refusals forgotten, that no partner ever sees."""

    def lie(_event: Event) -> None:
        raise LedgerRefusedError("no", code="ledger.event.duplicate", status=409)

    monkeypatch.setattr(world.hub.ledger.client, "append", lie)
    with pytest.raises(NotShownError):
        log_once(world.hub.ledger, EventType.REFUSED, REFUSAL, "never")


@pytest.mark.invariant(23, "a ledger that forges the hub's event", double="lies")
def test_a_forged_event_of_the_hubs_is_none(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its thumbprint stands in it, under the id; the signature is another's."""
    ledger, secrets = world.hub.ledger, world.operator
    pen = Author(ledger.author.thumbprint, secrets.signing_key, utc_now, ledger.log_key.name)
    forged = pen.write(EventType.REFUSED, REFUSAL, id_=ledger.own_id("forged"))
    monkeypatch.setattr(ledger.mirror, "leaves", lambda _id: [forged.leaf])
    with pytest.raises(NotShownError):
        ledger.require_own(forged.leaf.id)


@pytest.mark.invariant(23, "an operator that uses up an id which it saw on its way", double="lies")
def test_an_id_that_the_operator_used_up_is_noticed(world: HubWorld) -> None:
    """It refuses the event, writes under its id, and calls the next attempt a repetition."""
    ledger, secrets = world.hub.ledger, world.operator
    pen = Author(secrets.keys.thumbprint, secrets.signing_key, utc_now, ledger.log_key.name)
    taken = Refused(party="ledger", action="link", reason="agreement.item", about=None)
    ledger.append(pen.write(EventType.REFUSED, taken, id_=ledger.own_id("seen")))
    with pytest.raises(NotShownError):
        log_once(ledger, EventType.REFUSED, REFUSAL, "seen")
    assert written(world, "seen") == [secrets.keys.thumbprint]
