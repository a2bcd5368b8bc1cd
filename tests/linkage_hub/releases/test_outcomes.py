"""What came of an approach: each change is an event, and the same word again is none."""

from collections.abc import Iterator

import pytest

from governance.canonical import canonical_bytes
from governance.ledger.events import EventType
from governance.ledger.payloads import read_payload
from linkage_hub.releases import service
from linkage_hub.releases.logged import log_outcome
from tests.hub_world import HubWorld, hub_world_in
from tests.partner_agent.releases.test_desk import ask, both_agree, family_of, submit_and_link


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
