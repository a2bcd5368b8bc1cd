"""A training on a whole hub: real ledger, an analyst's own exports, the spend in every mirror.

Runs are filled into the hub's store without linking; everything after that is as in the county.
"""

import csv
import json
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest
from sqlalchemy import update
from typer.testing import CliRunner, Result

from governance.agreements.files import write_agreement
from governance.canonical import b64, canonical_bytes, sha256
from governance.exchange.hub_client import HubClient, HubRefused
from governance.exchange.release_api import FamilyQuery
from governance.identity.files import PersonSecrets, write_secret
from governance.ledger.events import EventType
from governance.ledger.payloads import SubmissionOutcome
from governance.privacy.registry import Spent
from linkage_hub.cli.main import app
from linkage_hub.cli.risk import LEAST_FAMILIES
from linkage_hub.store.tables import runs
from tests.hub_world import HubWorld, hub_world_in
from tests.linkage_hub.analytics.risk.kept import a_year_on, cohort, kept_run

NEEDS = ["offence", "debt", "neet"]
FAMILIES = LEAST_FAMILIES + 1_000
pytestmark = pytest.mark.skipif(find_spec("opacus") is None, reason="make dp installs it")


def _learning(data: dict[str, Any]) -> None:
    data["indicators"] = [
        {"id": need, "description": need, "owners": ["council"], "window_months": 12}
        for need in (*NEEDS, "in_programme")
    ]
    data["sources"][1]["indicators"] = [*NEEDS, "in_programme"]
    data["privacy_budget"] = {"epsilon": 1.5, "delta": 1e-5}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubWorld]:
    """A hub that keeps two runs of more families than a model needs."""
    with hub_world_in(tmp_path_factory.mktemp("learning"), _learning) as found:
        found.hub.settings.save(found.hub.home)
        terms = found.agreement
        source = terms.sources[1]
        accepted = SubmissionOutcome(
            submission="2" * 32, manifest=sha256(b"manifest"), agreement=terms.hash,
            party=source.party, source=source.id, records=3, reason=None,
        )  # fmt: skip
        found.hub.ledger.write(EventType.SUBMISSION_ACCEPTED, accepted)
        then = cohort(FAMILIES, len(NEEDS), 1)
        for number, families in enumerate((then, a_year_on(then, 2)), 1):
            with found.hub.database.writing() as connection:
                connection.execute(update(runs).values(is_current=False))
            kept_run(found.hub.database, terms.hash, NEEDS, families, number)
        yield found


def command(world: HubWorld, *words: object) -> Result:
    """A command at the hub."""
    home = ["--json", "--home", str(world.hub.home)]
    return CliRunner().invoke(app, [*home, *map(str, words)])


def test_a_model_is_paid_for_trained_and_lists_families(world: HubWorld) -> None:
    """Exported, paid, trained, listed; every mirror has the one spend; a second is refused."""
    root, analyst = world.root, world.staff["analyst"]
    secrets = PersonSecrets(
        keys=analyst.keys, signing=b64(analyst.signing.seed), sealing=b64(analyst.sealing.seed)
    )
    write_secret(root / "person.secret", canonical_bytes(secrets))
    (root / "agreement.yaml").write_text(write_agreement(world.agreement), "utf-8")
    rule = f"needs: [{', '.join(NEEDS)}]\noutcome_rate: 0.05\nmean_needs: 1\nmean_unknown: 1\n"
    (root / "rule.yaml").write_text(rule, "utf-8")
    for name, number in (("then", 1), ("now", 2)):
        exported = command(
            world, "runs", "export", f"{number:032x}", "--hub", world.hub_url,
            "--as", root / "person.secret", "--out", root / name,
        )  # fmt: skip
        assert exported.exit_code == 0, exported.output
    under = ("--agreement", root / "agreement.yaml", "--rule", root / "rule.yaml")
    training = ("risk", "train", root / "then", root / "now", *under,
                "--outcome", "in_programme", "--out", root / "model.json")  # fmt: skip
    trained = command(world, *training)
    assert trained.exit_code == 0, (trained.output, trained.exception)
    told = json.loads(trained.stdout)
    assert told["families"] >= LEAST_FAMILIES
    council = world.agents["council"].ledger.sync()
    (spent,) = council.privacy.spends(world.agreement)
    assert (spent.hub, spent.outcome, spent.epsilon) == ("hub", "in_programme", 1_000_000)
    assert council.rejected == []

    listed = command(world, "risk", "list", root / "now", *under, "--model", root / "model.json",
                     "--out", root / "list.csv")  # fmt: skip
    assert listed.exit_code == 0, (listed.output, listed.exception)
    families = list(csv.DictReader((root / "list.csv").read_text("utf-8").splitlines()))
    assert len(families) == 600
    assert all("offence:met" in row["reasons"] for row in families[:100])

    shared = command(world, "risk", "share", root / "model.json")
    assert shared.exit_code == 0, (shared.output, shared.exception)
    _same_order(world, json.loads(shared.stdout)["model"], families)

    again = command(world, *training)
    assert "spent so far: epsilon 1 " in str(again.exception)
    purse = json.loads(command(world, "risk", "budget", world.agreement.hash).stdout)
    assert (purse["budget"], purse["left"], purse["times"]) == (1.5, 0.5, 1)
    assert Spent.of(world.agents["police"].ledger.sync().privacy.spends(world.agreement)).times == 1


def _same_order(world: HubWorld, model: str, listed: list[dict[str, str]]) -> None:
    """What the hub shows of a shared model is the command's own list, to analyst and manager."""
    with client(world, "analyst") as hub:
        (card,) = hub.risk_models().models
        assert (card.id, card.epsilon) == (model, 1)
        shown = hub.ranked(model, 0, len(listed)).families
    assert [each.family for each in shown] == [row["family"] for row in listed]
    assert [f"{each.probability:.2f}" for each in shown] == [row["probability"] for row in listed]
    reasons = [" ".join(f"{part.need}:{part.state}" for part in each.parts) for each in shown]
    assert reasons == [row["reasons"] for row in listed]
    with client(world, "service_manager") as hub:
        query = FamilyQuery(flagged=False, order="model", limit=1_000)
        found = hub.families(query)
        assert (found.order, found.models) == ("model", (model,))
        placed = [each for each in found.families if each.rank and each.rank.band == "first_1"]
        assert len(placed) >= card.ranked / 100
        assert {each.family for each in placed} == {row["family"] for row in listed[: len(placed)]}
        with pytest.raises(HubRefused, match="may not do this"):
            hub.ranked(model)


def client(world: HubWorld, role: str) -> HubClient:
    """The hub, as somebody of a role calls it."""
    staff = world.staff[role]
    return HubClient(world.hub_url, staff.keys.thumbprint, staff.signing)
