"""Synthetic rows over the real protocol: revealed once persons are fixed, gone before families."""

import csv
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from governance.canonical import hash_of, parse_json, write_time
from governance.errors import ReasonedError
from governance.exchange.hub_api import RevealTask
from governance.exchange.hub_client import HubClient, HubRefused
from governance.exchange.sentinels import read_key, write_key
from governance.ledger.events import EventType
from governance.ledger.payloads import SentinelsOpened
from linkage_hub.store.tables import (
    family_members,
    jobs,
    person_records,
    runs,
    sentinel_keys,
    sentinel_runs,
)
from partner_agent.sentinels.reveal import RevealRefused
from tests.hub_world import HubWorld, hub_world_in
from tests.linkage_hub.submissions.test_submissions_http import prepared, send

QUALITY = {
    "sentinels": 40, "decoy_percent": 10, "groups": ["sex", "name_origin"], "outcodes": ["ZE1"],
    "reveal_hours": 24,
}  # fmt: skip
FIRST = ["sarah", "david", "emma", "paul", "nicola", "oliver", "karen", "mark", "helen", "jack"]
LAST = ["smith", "jones", "thornley", "walker", "patel", "nowak", "greenwood", "hall", "wood"]


def extract(path: Path, *, seed: int) -> Path:
    """Rows of which two extracts share most people; one seed a partner for its errors."""
    people, own = random.Random(1), random.Random(seed)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["ID", "FIRST", "LAST", "DOB", "ADDR", "PC"])
        for number in range(160):
            row = [
                people.choice(FIRST), people.choice(LAST),
                f"{people.randint(1, 28):02d}/0{people.randint(1, 9)}/{people.randint(1940, 2015)}",
                f"{people.randint(1, 90)} Mill Lane", "ZE1 0AB",
            ]  # fmt: skip
            if own.random() < 0.8:
                writer.writerow([number, *row])
    return path


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubWorld]:
    """A world whose agreement measures quality, with two submissions accepted."""
    root = tmp_path_factory.mktemp("reveal-world")
    with hub_world_in(root, lambda data: data.update(quality=QUALITY)) as found:
        for seed, party in enumerate(("council", "police")):
            agent = found.agents[party]
            prepared(found, agent, extract(root / f"{party}.csv", seed=seed))
            assert send(found, agent) == "accepted"
        yield found


def start(world: HubWorld) -> str:
    """A run that has found its persons and waits for reveals, if for any."""
    analyst = world.staff["analyst"]
    with HubClient(world.hub_url, analyst.keys.thumbprint, analyst.signing) as client:
        run = client.start_run(world.agreement.hash, solver="anonlink").id
    world.work()
    return run


def column(world: HubWorld, run: str, name: str) -> object:
    """A column of a run."""
    with world.hub.database.reading() as connection:
        return connection.scalar(select(runs.c[name]).where(runs.c.id == run))


@pytest.fixture(scope="module")
def waiting(world: HubWorld) -> str:
    """A run that waits."""
    return start(world)


def test_partners_are_asked_once_persons_are_fixed(world: HubWorld, waiting: str) -> None:
    """The ledger holds the digest of the persons; the run waits; no result is stored."""
    view = world.hub.runs.view(waiting)
    assert view.solver == "anonlink"
    assert (view.state, view.phase) == ("waiting", "reveal")
    assert view.waiting_for == ("council", "police")
    opened = world.hub.ledger.sync().sentinels.opened[waiting]
    assert len(opened.submissions) == 2
    with world.hub.database.reading() as connection:
        stored = select(person_records).where(person_records.c.run == waiting)
        assert connection.execute(stored).first() is None


def test_an_agent_reveals_only_what_the_ledger_shows(world: HubWorld, waiting: str) -> None:
    """A run that was not opened, another's submission, or another manifest, is refused."""
    council = world.agents["council"]
    state = council.ledger.sync()
    (task,) = council.hub.reveals().reveals
    assert council.reveals.key_for(state, task)
    for change in (
        {"run": "f" * 32},
        {"submission": world.agents["police"].outbox.newest()[0].id},
        {"manifest": "sha256:" + "0" * 64},
        {"agreement": "sha256:" + "0" * 64},
    ):
        with pytest.raises(RevealRefused):
            council.reveals.key_for(state, RevealTask(**(task.model_dump() | change)))
    assert task.run == waiting


def test_the_hub_takes_only_the_committed_key(world: HubWorld, waiting: str) -> None:
    """Another key, with real rows called synthetic, and another party's submission are refused."""
    council, police = world.agents["council"], world.agents["police"]
    (task,) = council.hub.reveals().reveals
    key = council.reveals.key_for(council.ledger.sync(), task)
    forged = write_key(read_key(key)[1:], bytes(32))
    with pytest.raises(HubRefused) as caught:
        council.hub.reveal(waiting, task.submission, forged)
    assert caught.value.hub_reason == "reveal.not_the_key"
    with pytest.raises(HubRefused) as caught:
        police.hub.reveal(waiting, task.submission, key)
    assert caught.value.hub_reason == "reveal.unknown"


def test_synthetic_rows_never_reach_families(world: HubWorld, waiting: str) -> None:
    """After the last reveal the run ends; no synthetic handle is in it; the table is there."""
    council, police = world.agents["council"], world.agents["police"]
    assert [done.reason for done in council.reveals.reveal_all(council.hub)] == [None]
    world.work()
    assert world.hub.runs.view(waiting).waiting_for == ("police",)
    (task,) = police.hub.reveals().reveals
    key = police.reveals.key_for(police.ledger.sync(), task)
    for _ in range(2):  # the same again changes nothing
        police.hub.reveal(waiting, task.submission, key)
    world.work()
    view = world.hub.runs.view(waiting)
    assert (view.state, view.reason) == ("finished", None)
    synthetic = {
        record.handle
        for agent in (council, police)
        for record in read_key(agent.synthetic.key_of(agent.outbox.newest()[0].id).content)  # type: ignore[union-attr]
    }
    with world.hub.database.reading() as connection:
        handles = set(connection.scalars(select(person_records.c.handle)))
        persons = set(connection.scalars(select(person_records.c.person)))
        members = set(connection.scalars(select(family_members.c.person)))
    assert len(synthetic) > 60
    assert not handles & synthetic
    assert members <= persons
    assert view.records == len(handles)
    assert handles == {h.hex() for a in (council, police) for h in a.vault.handles()}


def test_the_table_is_for_analyst_and_lead(world: HubWorld, waiting: str) -> None:
    """Rows for everybody, the agreed groups and pairs of sources; a manager does not get it."""
    lead = world.staff["ig_lead"]
    with HubClient(world.hub_url, lead.keys.thumbprint, lead.signing) as client:
        table = client.quality(waiting)
    overall = table.rows[0]
    assert overall.value == "all records"
    assert overall.sentinel_pairs > 3  # 20 sentinels a source, of people whom either may pass over
    assert overall.predicted_precision is not None
    assert overall.predicted_precision.low <= overall.predicted_precision.value
    groups = {row.group for row in table.rows}
    assert {"sex", "age_band", "name_origin", "mover", "sources"} <= groups
    movers = [row for row in table.rows if row.group == "mover"]
    assert all(row.records is None for row in movers)  # the agreement does not band by it
    banded = [row for row in table.rows if row.group == "name_origin" and row.records]
    assert sum(row.records or 0 for row in banded) <= overall.records  # type: ignore[operator]
    answer = world.call("service_manager", "GET", f"/v1/runs/{waiting}/quality")
    assert answer.status_code == 403


def test_a_run_that_nobody_reveals_to_ends_without_families(
    world: HubWorld, waiting: str, tmp_path: Path
) -> None:
    """Fail closed: when the time is over the run has failed, and the one before stays current."""
    agent = world.agents["council"]
    prepared(world, agent, extract(tmp_path / "again.csv", seed=9))
    assert send(world, agent) == "accepted"
    run = start(world)
    assert world.hub.runs.view(run).waiting_for == ("council", "police")
    with world.hub.database.writing() as connection:
        past = write_time(world.hub.now().replace(year=2020))
        connection.execute(
            update(sentinel_runs).where(sentinel_runs.c.run == run).values(closes=past)
        )
        connection.execute(update(jobs).where(jobs.c.subject == run).values(not_before=0.0))
    world.work()
    view = world.hub.runs.view(run)
    assert (view.state, view.reason) == ("failed", "run.not_revealed")
    assert column(world, waiting, "is_current")
    assert agent.hub.reveals().reveals == ()


def test_a_second_run_is_blind_as_the_first(world: HubWorld, waiting: str) -> None:
    """The hub keeps no key once a run has ended, and every partner is asked again."""
    council, police = world.agents["council"], world.agents["police"]
    with world.hub.database.reading() as connection:
        assert connection.execute(select(sentinel_keys)).first() is None
    run = start(world)
    assert world.hub.runs.view(run).waiting_for == ("council", "police")
    assert council.reveals.reveal_all(council.hub)[0].run == run
    police.reveals.reveal_all(police.hub)
    world.work()
    assert world.hub.runs.view(run).state == "finished"
    key = police.synthetic.key_of(police.outbox.newest()[0].id)
    assert key is not None
    police.hub.reveal(waiting, key.submission, key.content)  # late: of a run that has ended
    with world.hub.database.reading() as connection:
        assert connection.execute(select(sentinel_keys)).first() is None


def test_only_the_hub_opens_a_run_and_only_once(world: HubWorld, waiting: str) -> None:
    """A partner that owns a source cannot open one, and no run is opened twice."""
    opened = world.hub.ledger.sync().sentinels.opened[waiting]
    other = SentinelsOpened(**(opened.model_dump() | {"run": "e" * 32}))
    for ledger, payload in ((world.agents["council"].ledger, other), (world.hub.ledger, opened)):
        with pytest.raises(ReasonedError):
            ledger.write(EventType.SENTINELS_OPENED, payload)


def test_no_release_is_about_somebody_synthetic(world: HubWorld) -> None:
    """The vault, from which alone releases and consents are served, knows no synthetic handle."""
    council = world.agents["council"]
    item = council.outbox.newest()[0]
    key = council.synthetic.key_of(item.id)
    assert key is not None
    handles = [bytes.fromhex(record.handle) for record in read_key(key.content)]
    assert council.vault.has(handles) == set()
    assert council.synthetic.has(handles) == set(handles)
    assert hash_of(parse_json(item.envelope.payload_bytes)) == item.envelope.payload_hash
