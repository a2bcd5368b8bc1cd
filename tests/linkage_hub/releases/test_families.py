"""Managers list the families that they ask for, and see what is held about one."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, cast

import pytest
from sqlalchemy import Connection, insert, update

from governance.agreements.errors import ActionNotAllowed, AgreementRefusal
from governance.agreements.models import Action, Agreement
from governance.agreements.policy import Standing
from governance.agreements.registry import AgreementRegistry, _Record
from governance.canonical import write_time
from governance.exchange.release_api import FamilyQuery
from governance.ledger.events import EventType
from governance.ledger.payloads import AgreementStopped
from governance.release.models import MEMBERS_MAX
from linkage_hub.analytics.risk.books import ModelBooks
from linkage_hub.analytics.risk.orders import RiskOrders
from linkage_hub.releases import families
from linkage_hub.releases.choosing import ORDER, chosen
from linkage_hub.releases.errors import FamilyTooLarge, UnknownFamily
from linkage_hub.releases.families import ApproachFor, Families
from linkage_hub.releases.reading import people_of
from linkage_hub.store import tables
from linkage_hub.store.database import HubDatabase
from tests.governance.world import NOON, World, agreement_data

RUN: Final = "a" * 32
EVERYBODY: Final = FamilyQuery(flagged=False)
COLUMNS: Final = ("members", "children", "needs_met", "confidence", "flagged", "in_programme")
COUNTY: Final = {
    "1": (3, 1, 4, 0.9, True, False),
    "2": (2, 0, 3, 0.95, True, False),
    "3": (5, 3, 3, 0.6, False, True),
}
"""Families by the digit of their ids."""


def family_id(digit: str) -> str:
    """A family's id."""
    return "f-" + digit * 32


@pytest.fixture(scope="module")
def world() -> World:
    """The first family's mother has agreed."""
    found = World()
    found.consent(found.council, "1" * 32)
    return found


@pytest.fixture
def county(database_url: str, world: World) -> Iterator[Families]:
    """One adult with one record each; families one and three meet a need."""
    database = HubDatabase(database_url)
    with database.writing() as connection:
        connection.execute(insert(tables.runs).values(run_row(world)))
        connection.execute(insert(tables.run_inputs).values(
            run=RUN, position=0, submission="b" * 32, party="council", source="council_records",
            manifest_hash="sha256:" + "c" * 64,
        ))  # fmt: skip
        connection.execute(insert(tables.submissions).values(submission_row(world)))
        for digit, figures in COUNTY.items():
            add_family(connection, digit, dict(zip(COLUMNS, figures, strict=True)))
    ledger: Any = SimpleNamespace(state=world.state, sync=lambda: world.state)
    books = ModelBooks("hub", database, ledger, lambda: NOON)
    yield Families(database, RiskOrders(database, books))
    database.close()


def run_row(world: World) -> dict[str, Any]:
    """The current run."""
    return {
        "id": RUN, "agreement": world.agreement_hash, "state": "finished", "is_current": True,
        "created": write_time(NOON), "sources": 1, "records": 3, "persons": 3, "families": 3,
        "flagged": 2,
    }  # fmt: skip


def submission_row(world: World) -> dict[str, Any]:
    """What the council handed in."""
    return {
        "id": "b" * 32, "party": "council", "source": "council_records",
        "agreement": world.agreement_hash, "epoch": 1, "state": "accepted", "message": "",
        "next_step": "", "manifest": b"", "manifest_hash": "h", "key_check_value": "k",
        "test_vectors": "t", "content_sha256": "c", "size": 1, "received_bytes": 1, "records": 3,
        "received": "2026-11-01T08:00:00Z", "created": "2026-11-01T07:00:00Z",
    }  # fmt: skip


def add_family(connection: Any, digit: str, figures: dict[str, Any]) -> None:
    """A family whose one member that is held has one record."""
    key = {"run": RUN, "family": family_id(digit)}
    person = "p-" + digit * 32
    adults = figures["members"] - figures["children"]
    connection.execute(insert(tables.families).values(
        **key, **figures, adults=adults, needs_unknown=1, is_resident=True,
        reasons=json.dumps(["same_address"]),
    ))  # fmt: skip
    connection.execute(insert(tables.family_members).values(
        **key, person=person, role="parent", adult=True, confidence=0.9, is_primary=True,
        age_band="25_44" if digit == "1" else "45_64", reasons=json.dumps(["alone"]),
    ))  # fmt: skip
    connection.execute(insert(tables.person_records).values(
        run=RUN, handle=digit * 32, person=person, party="council", source="council_records",
    ))  # fmt: skip
    if digit != "2":
        state = "met" if digit == "1" else "unmet"
        connection.execute(insert(tables.family_needs).values(
            **key, need="offence", state=state, sources=1
        ))  # fmt: skip


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (FamilyQuery(), "12"),  # most needs first; the third is not put forward
        (EVERYBODY, "123"),
        (EVERYBODY.model_copy(update={"need": "offence"}), "1"),  # unmet is not met
        (EVERYBODY.model_copy(update={"people": 3}), "13"),
        (EVERYBODY.model_copy(update={"children": 2}), "3"),
        (EVERYBODY.model_copy(update={"age_band": "45_64"}), "23"),
        (EVERYBODY.model_copy(update={"confidence": 0.9}), "12"),
        (EVERYBODY.model_copy(update={"in_programme": True}), "3"),
        (EVERYBODY.model_copy(update={"approachable": True}), "1"),
        (EVERYBODY.model_copy(update={"approachable": False}), "23"),
        (FamilyQuery(approachable=False, people=3), ""),
    ],
)
def test_a_list_holds_what_was_asked_for(
    county: Families, world: World, query: FamilyQuery, expected: str
) -> None:
    """Every condition holds, and the total counts all of them, whatever the page."""
    approach = ApproachFor("council", NOON)
    found = county.page(world.state, approach, query)
    assert "".join(each.family[2] for each in found.families) == expected
    assert found.total == len(expected)
    rest = county.page(world.state, approach, query.model_copy(update={"offset": 1, "limit": 1}))
    assert "".join(each.family[2] for each in rest.families) == expected[1:2]
    assert rest.total == len(expected)


def test_a_list_by_permission_looks_at_whom_the_ledger_knows_of(
    county: Families, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a county's families few have been asked, and the others' members are not read."""
    looked_at: list[str] = []

    def watched(connection: Connection, run: str, ids: Sequence[str]) -> Any:
        looked_at.extend(ids)
        return people_of(connection, run, ids)

    monkeypatch.setattr(families, "people_of", watched)
    wanted = EVERYBODY.model_copy(update={"approachable": True})
    assert county.page(world.state, ApproachFor("council", NOON), wanted).total == 1
    assert set(looked_at) == {family_id("1")}


@pytest.mark.parametrize("query", [FamilyQuery(), EVERYBODY, FamilyQuery(in_programme=False)])
def test_a_page_is_read_from_the_index_of_its_order(tmp_path: Path, query: FamilyQuery) -> None:
    """And nothing is sorted: a county has 300,000 families, and a page a hundred."""
    database = HubDatabase(f"sqlite:///{tmp_path / 'hub.db'}")
    statement = chosen(query, [RUN]).order_by(*ORDER).limit(100)
    with database.reading() as connection:
        sql = statement.compile(connection, compile_kwargs={"literal_binds": True})
        plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}").all())
    database.close()
    assert "families_by_order" in plan
    assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize(
    ("residence", "month", "told"),
    [("here", 12 * 2026 + 9, "2026-10"), ("untold", 12 * 2019 + 11, "2019-12"), (None, None, None)],
)
def test_a_manager_sees_whether_a_family_lives_here_still(
    county: Families, world: World, residence: str | None, month: int | None, told: str | None
) -> None:
    """In the list and beside the family, with the month; of older runs nothing is said."""
    with county._database.writing() as connection:
        connection.execute(
            update(tables.families)
            .where(tables.families.c.family == family_id("1"))
            .values(residence=residence, told_month=month)
        )
    approach = ApproachFor("council", NOON)
    seen = county.view(family_id("1"), world.state, approach).summary
    assert (seen.residence, seen.told) == (residence, told)
    assert county.page(world.state, approach, FamilyQuery()).families[0] == seen


@pytest.mark.invariant(20, "families of another council's agreement, listed and looked at")
def test_families_of_others_agreements_are_not_there(county: Families, world: World) -> None:
    """Neither in the list nor its total, and one is answered as one that does not exist."""
    elsewhere = ApproachFor("elsewhere", NOON)
    for query in (EVERYBODY, EVERYBODY.model_copy(update={"approachable": False})):
        found = county.page(world.state, elsewhere, query)
        assert (found.families, found.total) == ((), 0)
    said = set()
    for family in (family_id("1"), family_id("9")):
        with pytest.raises(UnknownFamily) as refusal:
            county.view(family, world.state, elsewhere)
        said.add(str(refusal.value))
    assert len(said) == 1
    with pytest.raises(UnknownFamily):
        county.document(family_id("1"), ["sha256:" + "e" * 64])


@pytest.mark.parametrize(
    ("now", "suspended", "reason"),
    [
        (NOON, True, "agreement.suspended"),
        (datetime.fromisoformat("2027-05-02T00:00:00Z"), False, "agreement.review_overdue"),
        (datetime.fromisoformat("2027-11-01T00:00:00Z"), False, "agreement.expired"),
    ],
)
@pytest.mark.invariant(20, "families of an agreement that has ended, listed and looked at")
def test_families_are_seen_while_the_agreement_is_in_force(
    county: Families, now: datetime, suspended: bool, reason: str
) -> None:
    """Afterwards no list has them, and one is refused with what has ended; orders still find it."""
    world = World()
    with county._database.writing() as connection:
        connection.execute(update(tables.runs).values(agreement=world.agreement_hash))
    approach = ApproachFor("council", now)
    if suspended:
        assert county.page(world.state, approach, EVERYBODY).total == len(COUNTY)
        stopped = AgreementStopped(agreement=world.agreement_hash, reason="inquiry")
        world.write(world.partners[0], EventType.AGREEMENT_SUSPENDED, stopped)
    for query in (EVERYBODY, EVERYBODY.model_copy(update={"approachable": False})):
        found = county.page(world.state, approach, query)
        assert (found.families, found.total) == ((), 0)
    with pytest.raises(AgreementRefusal) as refusal:
        county.view(family_id("1"), world.state, approach)
    assert refusal.value.reason == reason
    with pytest.raises(UnknownFamily):
        county.view(family_id("9"), world.state, approach)
    with pytest.raises(UnknownFamily):
        county.view(family_id("1"), world.state, ApproachFor("elsewhere", now))
    assert county.document(family_id("1"), [world.agreement_hash])


@pytest.mark.invariant(12, "families put forward under an agreement for linking alone")
def test_families_are_put_forward_where_analysis_is_allowed(
    county: Families, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Needs put them forward; without them no list has any, and one is refused with the reason."""
    standing = AgreementRegistry.standing

    def linking(registry: AgreementRegistry, hash_: str) -> Standing:
        found = standing(registry, hash_)
        actions = (Action.LINK, Action.RELEASE)
        return replace(found, agreement=found.agreement.model_copy(update={"actions": actions}))

    monkeypatch.setattr(AgreementRegistry, "standing", linking)
    approach = ApproachFor("council", NOON)
    for query in (EVERYBODY, EVERYBODY.model_copy(update={"approachable": True})):
        assert county.page(world.state, approach, query).total == 0
    with pytest.raises(ActionNotAllowed, match="analysis"):
        county.view(family_id("1"), world.state, approach)


@pytest.mark.invariant(
    20, "families of an agreement, listed and looked at by its processor's staff"
)
def test_families_are_not_there_for_the_processors_staff(county: Families) -> None:
    """Who is named to run the hub has its machine, and no manager or lead of families."""
    world = World()
    data = agreement_data([*world.partners, world.hub])
    data["parties"][-1]["role"] = "processor"
    data["sources"], data["recipients"] = data["sources"][:-1], ["council"]
    agreement = Agreement.model_validate(data)
    signed = dict.fromkeys((each.party for each in agreement.parties), cast(Any, None))
    world.state.agreements._records[agreement.hash] = _Record(agreement, signed)
    with county._database.writing() as connection:
        connection.execute(update(tables.runs).values(agreement=agreement.hash))
    seen = {
        party: county.page(world.state, ApproachFor(party, NOON), EVERYBODY).total
        for party in ("council", "hub")
    }
    assert seen == {"council": len(COUNTY), "hub": 0}
    with pytest.raises(UnknownFamily):
        county.view(family_id("1"), world.state, ApproachFor("hub", NOON))


def test_a_family_of_more_people_than_a_request_may_name(county: Families, world: World) -> None:
    """It is listed as one that may not be approached, and is refused with the same reason."""
    with county._database.writing() as connection:
        for number in range(MEMBERS_MAX):
            person = f"p-{number:032x}"
            connection.execute(insert(tables.family_members).values(
                run=RUN, family=family_id("1"), person=person, role="parent", adult=True,
                confidence=0.9, is_primary=True, age_band=None, reasons="[]",
            ))  # fmt: skip
            connection.execute(insert(tables.person_records).values(
                run=RUN, handle=f"{number + 256:032x}", person=person, party="council",
                source="council_records",
            ))  # fmt: skip
    approach = ApproachFor("council", NOON)
    (line,) = (
        each
        for each in county.page(world.state, approach, FamilyQuery()).families
        if each.family == family_id("1")
    )
    assert (line.may_be_approached, line.reason) == (False, "family.too_large")
    with pytest.raises(FamilyTooLarge, match="than a request may name"):
        county.view(family_id("1"), world.state, approach)


def test_one_family_says_who_holds_what_and_since_when(county: Families, world: World) -> None:
    """Sources, their freshness and what they may speak of; the list says the same of the family."""
    approach = ApproachFor("council", NOON)
    view = county.view(family_id("1"), world.state, approach)
    (source,) = view.sources
    assert (source.party, source.records, source.received) == (
        "council", 1, "2026-11-01T08:00:00Z",
    )  # fmt: skip
    assert source.indicators == ()  # the police's alone may speak of offences
    assert view.digest == county.document(family_id("1"), [world.agreement_hash]).digest
    line = county.page(world.state, approach, FamilyQuery()).families[0]
    assert line == view.summary
    assert line.met == ("offence",)
    assert line.age_bands == ("25_44",)
    assert line.may_be_approached
