"""A partner's agent signs for items that the register permits, and else only by its own word."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from governance.agreements.models import Agreement
from governance.ledger.events import EventType
from governance.ledger.payloads import AgreementProposed
from governance.register.registry import RegisterNotReady
from partner_agent.cli.main import app
from tests.hub_world import HubWorld, hub_world_in


@pytest.fixture
def world(tmp_path: Path) -> Iterator[HubWorld]:
    """A world whose second version waits for signatures."""
    with hub_world_in(tmp_path) as found:
        changed = {"version": 2, "supersedes": found.agreement.hash}
        newer = Agreement.model_validate(found.agreement.model_dump(mode="json") | changed)
        police = found.agents["police"]
        police.ledger.write(EventType.AGREEMENT_PROPOSED, AgreementProposed(agreement=newer))
        police.remember(agreement=newer.hash)
        found.agreement = newer
        yield found


def run(world: HubWorld, *words: str) -> Result:
    """A command of the police's agent."""
    return CliRunner().invoke(app, ["--home", str(world.root / "police"), *words])


@pytest.mark.invariant(12, "signing for an item that the register does not permit")
def test_signing_waits_for_the_register(world: HubWorld, tmp_path: Path) -> None:
    """Refused with the items; step by step permitted by command; then signed."""
    refused = run(world, "agreement", "sign", "--yes")
    assert isinstance(refused.exception, RegisterNotReady)
    assert "of police_records is not in the register" in refused.exception.message
    source = world.agreement.source("police_records")
    assert source is not None
    for item in source.items:
        for words in (
            ("want", item, "--of", "police"),
            ("move", source.id, item, "located"),
            ("move", source.id, item, "permission_held", "--ground", "statute"),
        ):
            done = run(world, "register", *words)
            assert done.exit_code == 0, done.exception
    file = tmp_path / "register.csv"
    assert run(world, "register", "show", "--csv", str(file)).exit_code == 0
    lines = file.read_text("utf-8-sig").splitlines()[1:]
    assert len([line for line in lines if "permission_held" in line]) == len(source.items)
    assert run(world, "agreement", "sign", "--yes").exit_code == 0
    ledger = world.agents["police"].ledger
    ledger.sync()
    assert EventType.REGISTER_OVERRIDDEN not in {
        event.leaf.type for event in ledger.mirror.entries()
    }


@pytest.mark.invariant(23, "an override of the register")
def test_an_override_is_in_the_ledger(world: HubWorld) -> None:
    """Signed all the same, and everybody sees for how many items."""
    assert run(world, "agreement", "sign", "--yes", "--despite-register").exit_code == 0
    council = world.agents["council"].ledger
    council.sync()
    (event,) = (
        event
        for event in council.mirror.entries()
        if event.leaf.type is EventType.REGISTER_OVERRIDDEN
    )
    assert event.payload_data()["items"] == 5
