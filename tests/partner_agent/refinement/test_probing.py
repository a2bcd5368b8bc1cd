"""Invariant 19 where the hub itself crafts what is compared: an agent's own counts bound it."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from governance.ledger.events import EventType
from governance.ledger.payloads import SubmissionOutcome
from tests.partner_agent.refinement.test_desk import (
    LyingHub,
    answer,
    ask,
    handle,
    manifest,
    notes,
    states,
)
from tests.refinement_world import person, refining_world

ROWS = [person(n) for n in range(20)]
AGREED = 6  # questions about one record


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LyingHub]:
    """A hub that lies to the police; each test asks about a record of its own."""
    folder: Path = tmp_path_factory.mktemp("probing")
    with refining_world(folder, ROWS, ROWS) as world:
        yield LyingHub(world)


def invent(hub: LyingHub, number: int) -> str:
    """The hub says that it has accepted something of the council's that nobody sent."""
    crafted = "sha256:" + hashlib.sha256(f"crafted {number}".encode()).hexdigest()
    outcome = SubmissionOutcome(
        submission=f"{number:032x}", manifest=crafted, agreement=hub.world.agreement.hash,
        party="council", source="council_records", records=1, reason=None,
    )  # fmt: skip
    hub.world.hub.ledger.write(EventType.SUBMISSION_ACCEPTED, outcome)
    return crafted


@pytest.mark.invariant(19, "a hub that invents submissions to ask anew", double="lies")
def test_invented_submissions_give_no_more_answers_than_agreed(hub: LyingHub) -> None:
    """One record, compared with ten crafted ones, each in a submission that nobody sent."""
    own, answered = handle(hub.world, 1), 0
    for number in range(10):
        crafted = hashlib.sha256(bytes([number])).digest()[:16]
        both = [invent(hub, number), manifest(hub.world, "police")]
        hub.show(ask((own, crafted)), submissions=both)
        answer(hub)
        answered += sum(states(hub))
    assert answered == AGREED
    assert notes(hub).refused == {"refinement.record_budget": 1}


@pytest.mark.invariant(19, "a hub that has forgotten what it asked", double="rolls back")
@pytest.mark.invariant(19, "the same question in another round", double="replays")
def test_a_hub_that_was_restored_gets_no_second_answer(hub: LyingHub) -> None:
    """Agents keep what they were asked: a backup of the hub's gives no pair a second answer."""
    pair = (handle(hub.world, 2), b"\x07" * 16)
    found = []
    for threshold in (1, 2, 3):
        hub.show(ask(pair), parameters={"threshold": threshold})
        answer(hub)
        found.append(sum(states(hub)))
    assert found == [1, 0, 0]
    assert notes(hub).refused == {"refinement.asked_before": 1}
