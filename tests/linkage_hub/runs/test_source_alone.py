"""A run over one source: persons are what its agent found, and nobody is asked anything."""

from pathlib import Path

import pyarrow as pa

from partner_agent.linkage_secret import create_secret
from tests.hub_world import hub_world_in
from tests.refinement_world import allow, person, send, start

PEOPLE = 40


def test_a_source_alone_is_linked_by_what_its_agent_says(tmp_path: Path) -> None:
    """Three people are there twice, one of them under another address and a slip in the name."""
    again = [
        person(0, id="X0"),
        person(1, id="X1", address="99 Low Road", postcode="ZE1 0ZZ"),
        person(2, id="X2", first="Cleoo"),
    ]
    with hub_world_in(tmp_path, allow) as world:
        council = world.agents["council"]
        create_secret(council.home, world.agreement, None)
        send(world, council, [*(person(at) for at in range(PEOPLE)), *again])
        with pa.ipc.open_file(next((council.home / "outbox").glob("*.arrow"))) as reader:
            told = reader.read_all().column("duplicates").to_pylist()
        assert sum(len(each) for each in told) == len(again)
        run = start(world)
    assert run["state"] == "finished"
    assert run["pairs_asked"] == 0
    assert (run["records"], run["persons"]) == (PEOPLE + len(again), PEOPLE)
