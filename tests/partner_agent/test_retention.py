"""What the agreement's retention ends is destroyed, and the ledger is told how much."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from governance.errors import GovernanceError
from governance.ledger.errors import LedgerUnavailableError
from governance.ledger.events import EventType
from governance.ledger.payloads import RetentionPurged, read_payload
from partner_agent.app import Agent
from partner_agent.retention import Purged, Retention
from tests.hub_world import HubWorld
from tests.refinement_world import allow, make, person, refining_world, send

ROWS = [person(n) for n in range(10)]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubWorld]:
    """Police and council with an accepted submission each."""
    with refining_world(tmp_path_factory.mktemp("retention"), ROWS, ROWS, allow) as found:
        yield found


def retention(agent: Agent, days: int = 0) -> Retention:
    """As it is so many days from now."""

    def now() -> object:
        return agent.now() + timedelta(days=days)

    return Retention(
        agent.home, agent.settings.party, agent.database, agent.vault, agent.synthetic,
        agent.desk, agent.ledger, now,  # type: ignore[arg-type]
    )  # fmt: skip


def logged(world: HubWorld) -> list[RetentionPurged]:
    """What the ledger was told."""
    world.hub.ledger.sync()
    return [
        read_payload(event)
        for event in world.hub.ledger.mirror.entries(0)
        if event.leaf.type is EventType.RETENTION_PURGED
    ]


def files(agent: Agent) -> set[str]:
    """Prepared files that are there."""
    return {path.stem for path in (agent.home / "outbox").glob("*.arrow")}


def test_a_replaced_submissions_file_goes_once_the_next_is_accepted(world: HubWorld) -> None:
    """A prepared one that was not accepted yet replaces nothing."""
    police = world.agents["police"]
    (first,) = files(police)
    make(world, police, ROWS)
    police.ledger.sync()
    assert not retention(police).purge(world.agreement)
    send(world, police, ROWS)
    police.ledger.sync()
    assert retention(police).due(world.agreement) == Purged(0, 0, 2)
    assert first in files(police)
    retention(police).daily(world.agreement)
    assert files(police) == {police.outbox.newest()[0].id}
    told = logged(world)[-1]
    assert (told.party, told.rows, told.synthetic_rows, told.files) == ("police", 0, 0, 2)


def test_rows_and_files_whose_time_is_over_go(world: HubWorld) -> None:
    """Rows that no extract has held for the agreed days; nothing the second time."""
    council = world.agents["council"]
    before = len(logged(world))
    assert not retention(council, 364).due(world.agreement)
    assert retention(council, 367).due(world.agreement) == Purged(10, 0, 1)
    late = retention(council, 367)
    for _ in range(2):
        late.daily(world.agreement)
    assert council.vault.counts() == {}
    assert files(council) == set()
    assert [(each.rows, each.files) for each in logged(world)[before:]] == [(10, 1)]


def test_destroying_does_not_wait_for_the_ledger(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be told is told later, once."""
    police = world.agents["police"]
    before = len(logged(world))

    def away(_event: object) -> None:
        raise LedgerUnavailableError("away")

    late = retention(police, 367)
    with monkeypatch.context() as patched:
        patched.setattr(police.ledger, "append", away)
        with pytest.raises(LedgerUnavailableError):
            late.daily(world.agreement)
    assert police.vault.counts() == {}
    assert len(logged(world)) == before
    for _ in range(2):
        late.daily(world.agreement)
    assert [each.rows for each in logged(world)[before:]] == [10]


def test_nobody_says_what_another_destroyed(world: HubWorld) -> None:
    """The ledger takes a party's word about itself only."""
    payload = RetentionPurged(
        agreement=world.agreement.hash, party="police", rows=1, synthetic_rows=0, files=0
    )
    for ledger in (world.agents["council"].ledger, world.hub.ledger):
        with pytest.raises(GovernanceError):
            ledger.write(EventType.RETENTION_PURGED, payload)
