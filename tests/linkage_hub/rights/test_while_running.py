"""A request that comes while a run goes on, and one whose carrying out is broken off."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from governance.canonical import write_time
from governance.exchange.left_out import is_left_out
from governance.rights.models import RightsKind
from linkage_hub.refinement.decided import DecisionFiles
from linkage_hub.rights import service
from linkage_hub.store.tables import person_records, run_inputs, runs, submissions
from linkage_hub.submissions.duplicates import handles_of
from linkage_hub.submissions.reading import read_content
from tests.hub_world import HubWorld
from tests.refinement_world import allow, answer, person, refining_world, start, view
from tests.rights_world import carried_out, seen

POLICE = [person(n) for n in range(12)]
COUNCIL = [person(n, first="Zed") for n in range(12)]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubWorld]:
    """Police and council, twelve people in both, who are asked about each other's."""
    with refining_world(tmp_path_factory.mktemp("running"), POLICE, COUNCIL, allow) as found:
        yield found


@pytest.fixture
def finished(world: HubWorld) -> None:
    """A run has finished, whichever of these tests came before."""
    with world.hub.database.reading() as connection:
        if connection.scalar(select(runs.c.id).where(runs.c.state == "finished")):
            return
    run = start(world)
    while view(world, run["id"])["state"] == "waiting":
        answer(world, "police", "council")


def in_results(world: HubWorld, handle: bytes) -> bool:
    """Whether any run's results hold a record."""
    statement = select(person_records).where(person_records.c.handle == handle.hex())
    with world.hub.database.reading() as connection:
        return connection.execute(statement).first() is not None


def rows_left_out(path: Path) -> list[int]:
    """Numbers of the rows of a submission that hold nothing."""
    marks = is_left_out(handles_of(read_content(path))).tolist()
    return [at for at, gone in enumerate(marks) if gone]


def test_a_run_under_way_stores_nothing_of_the_record(world: HubWorld) -> None:
    """The hub confirms only when the run, which had read the record, has ended."""
    police = world.agents["police"]
    handle = police.vault.find("police_records", "R3")[0]
    run = start(world)
    assert run["state"] == "waiting"
    request = carried_out(police, RightsKind.ERASURE, "R3")
    assert world.hub.rights.carry_out_all() == 0
    for path in world.hub.home.rglob("*.arrow"):  # runs' own copies too
        assert handle not in {each.tobytes() for each in handles_of(read_content(path))}
    assert seen(police, request).unproven == ("hub",)
    with world.hub.database.writing() as connection:  # an upload that begins only now
        connection.execute(insert(submissions).values(**later_upload(world)))
    assert world.hub.rights.carry_out_all() == 0
    with world.hub.database.reading() as connection:
        assert "receiving" in set(connection.scalars(select(submissions.c.state)))
    while view(world, run["id"])["state"] == "waiting":
        answer(world, "police", "council")
    assert view(world, run["id"])["state"] == "finished"
    assert not in_results(world, handle)
    with world.hub.database.reading() as connection:
        assert len(connection.execute(select(person_records)).all()) == 23
    assert world.hub.rights.carry_out_all() == 1
    assert seen(police, request).unproven == ()


def later_upload(world: HubWorld) -> dict[str, object]:
    """A submission of the police's that arrives a minute from now."""
    with world.hub.database.reading() as connection:
        statement = select(submissions).where(submissions.c.party == "police")
        row = dict(connection.execute(statement).mappings().one())
    when = write_time(world.hub.now() + timedelta(minutes=1))
    return {**row, "id": "e" * 32, "state": "receiving", "received": when, "received_bytes": 0}


@pytest.mark.usefixtures("finished")
def test_decisions_about_the_record_are_destroyed_and_others_hold(world: HubWorld) -> None:
    """Rows keep their numbers, so what was decided about other pairs stays true."""
    police = world.agents["police"]
    (folder,) = (world.hub.home / "decisions").iterdir()
    with world.hub.database.reading() as connection:
        rows = connection.execute(select(run_inputs).order_by(run_inputs.c.position)).all()
    assert [row.party for row in rows] == ["council", "police"]
    manifests = [row.manifest_hash for row in rows]
    files = DecisionFiles(folder)
    before = files.load(manifests)
    assert len(before.pairs) > 12
    carried_out(police, RightsKind.OBJECTION, "R5")
    assert world.hub.rights.carry_out_all() == 1
    gone = set(rows_left_out(world.hub.files.path(rows[1].submission)))
    assert len(gone) == 2
    after = files.load(manifests)
    kept = {tuple(pair) for pair in after.pairs.tolist()}
    assert kept < {tuple(pair) for pair in before.pairs.tolist()}
    assert not gone & set(after.pairs["right"].tolist())


@pytest.mark.usefixtures("finished")
@pytest.mark.invariant(17, "a hub that fails at each step of a request")
@pytest.mark.parametrize(
    ("record", "step"), [("R7", "void_requests"), ("R8", "take_out"), ("R9", "open_handles")]
)
def test_what_was_broken_off_goes_on(
    world: HubWorld, record: str, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a failure at any step the next round ends what it began, and counts the same."""
    police = world.agents["police"]
    handle = police.vault.find("police_records", record)[0]
    request = carried_out(police, RightsKind.ERASURE, record)

    def broken(*_arguments: object, **_named: object) -> None:
        raise LookupError

    with monkeypatch.context() as patched:
        patched.setattr(service, step, broken)
        assert world.hub.rights.carry_out_all() == 0
    assert seen(police, request).unproven == ("hub",)
    assert world.hub.rights.carry_out_all() == 1
    assert not in_results(world, handle)
    assert seen(police, request).proven["hub"] == {"records": 1, "files": 1, "runs": 1}
