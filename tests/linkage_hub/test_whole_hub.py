"""A whole hub, and the ledger, on PostgreSQL: from submissions to what retention destroys.

Most tests run a hub on SQLite; what only PostgreSQL refuses (a column's reserved name, a type, a
statement's form) shows here, in a statement of each kind that a hub makes.
"""

import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from benchmarks.postgresql import database_on
from governance.canonical import utc_now
from governance.exchange.hub_api import EXPORTS, RulingPost
from governance.exchange.hub_client import HubClient
from governance.exchange.release_api import FamilyQuery, OutcomePost
from governance.identity.envelope import Envelope, parse_model
from governance.ledger.events import EventType
from governance.ledger.payloads import read_payload
from governance.release.seal import open_records
from governance.rights.models import RightsKind
from linkage_hub.retention import Purged
from tests.hub_world import HubWorld
from tests.partner_agent.releases.test_desk import approve, ask, family_of
from tests.refinement_world import allow, answer, refining_world, start, view
from tests.rights_world import carried_out, council_rows, family_agrees, police_rows, seen


def short(data: dict[str, Any]) -> None:
    """Partners are asked, and nothing is kept for longer than 90 days."""
    allow(data)
    data["retention"] = {
        "encodings_days": 90, "link_results_days": 60, "released_items_days": 10, "vault_days": 365,
    }  # fmt: skip


@pytest.fixture
def world(tmp_path: Path, postgres_url: str, postgres_database: str) -> Iterator[HubWorld]:
    """Two partners, a hub and a ledger, each of these two with a database of its own."""
    with (
        database_on(postgres_url) as ledger,
        refining_world(
            tmp_path,
            police_rows(),
            council_rows(),
            short,
            hub_database=postgres_database,
            ledger_database=ledger,
        ) as found,
    ):
        yield found


def linked(world: HubWorld) -> str:
    """A run that has finished, after questions to partners."""
    run = str(start(world)["id"])
    for _ in range(2):
        answer(world, "police", "council")
    assert view(world, run)["state"] == "finished"
    return run


def client(world: HubWorld, role: str) -> HubClient:
    """The hub, as somebody of a role calls it."""
    staff = world.staff[role]
    return HubClient(world.hub_url, staff.keys.thumbprint, staff.signing)


def test_a_hub_on_postgresql_does_all_that_a_hub_does(world: HubWorld) -> None:
    """Links, is looked into, releases a family, follows a ruling, forgets."""
    older = linked(world)
    _released(world)
    _ruled(world)
    council = world.agents["council"]
    with client(world, "analyst") as hub:
        newer = hub.start_run(world.agreement.hash, questions=False).id
    world.work()
    _looked_into(world, newer, older)
    erased = carried_out(council, RightsKind.ERASURE, "M5")
    assert world.hub.rights.carry_out_all() == 1
    assert seen(council, erased).proven["hub"] == {"records": 1, "files": 1, "runs": 2}
    _purged(world)


def _released(world: HubWorld) -> None:
    """A family agrees, is asked for, and its items come to the manager who asked."""
    family_agrees(world, 0)
    manager, agent = world.staff["service_manager"], world.agents["council"]
    with client(world, "service_manager") as hub:
        found = hub.families(FamilyQuery(flagged=False, approachable=True, children=1))
        assert [each.may_be_approached for each in found.families] == [True]
        query = FamilyQuery(need="neet", age_band="adult", in_programme=False, confidence=0.5)
        assert hub.families(query).total == 0
        request = ask(world, "M0").json()["id"]
        approve(world, request)
        answers, later = agent.desk.answer_all(agent.hub)
        assert ([each.sealed for each in answers], later) == ([True], [])
        (envelope,) = hub.release(request).sealed
        assert hub.post_outcome(request, OutcomePost(outcome="helped")).outcome == "helped"
        assert [each.id for each in hub.requests().requests] == [request]
    _, opened = open_records(
        parse_model(envelope, Envelope),
        key=manager.sealing,
        recipient=manager.keys,
        request=request,
        holders={"council"},
        party_key=agent.ledger.sync().identities.party_key,
    )
    assert len(opened) == 2
    assert family_of(world, "M0")["earlier"][0]["outcome"] == "helped"


def _looked_into(world: HubWorld, newer: str, older: str) -> None:
    """Every page and every file that analysts have."""
    with client(world, "analyst") as hub:
        assert [each.followed for each in hub.rulings(world.agreement.hash).rulings] == [True]
        assert hub.thresholds(newer).rows
        person = hub.persons(newer, limit=1).persons[0].person
        assert hub.person(newer, person).links
        compared = hub.compare(older, newer)
        assert compared.persons is not None
        assert (compared.persons.split, compared.persons.gone) == (1, 0)
        assert hub.unlinked(newer).sources
        assert len(hub.freshness(world.agreement.hash).sources) == len(world.agreement.sources)
        assert hub.quality(newer).rows == ()  # too few links for figures
        for name in EXPORTS:
            file = io.BytesIO()
            hub.export(newer, name, file)
            assert file.tell(), name


def _ruled(world: HubWorld) -> None:
    """An analyst parts two records that the run holds for one person, not who is erased later."""
    agreement = world.agreement.hash
    erased = world.agents["council"].vault.find("council_records", "M5")[0].hex()
    with client(world, "analyst") as hub:
        run = hub.runs().runs[0].id
        people = hub.persons(run).persons[:2]
        links = [link for each in people for link in hub.person(run, each.person).links]
        link = next(each for each in links if erased not in {each.left, each.right})
        assert hub.review(agreement).total >= 0
        post = RulingPost(left=link.left, right=link.right, same=False)
        for _ in range(2):
            (ruling,) = hub.rule(agreement, post).rulings
            assert (ruling.same, ruling.followed) == (False, None)


def _purged(world: HubWorld) -> None:
    """What is due after 91 days goes, and the ledger is told."""
    hub = world.hub
    hub.now = lambda: utc_now() + timedelta(days=91)
    hub.__dict__.pop("retention", None)
    (due,) = hub.retention.due().values()
    rows = len(council_rows()) + len(police_rows())
    assert due == Purged(rows=rows, files=2, runs=2, rulings=1, releases=1)
    hub.retention.daily()
    assert hub.retention.due() == {}
    hub.ledger.sync()
    told = [e for e in hub.ledger.mirror.entries(0) if e.leaf.type is EventType.RETENTION_PURGED]
    assert [read_payload(event).runs for event in told] == [2]
