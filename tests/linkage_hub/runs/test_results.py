"""A run's results: stored whole, current only when published, with ids that stay."""

import csv
import io
import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sqlalchemy import func, insert, select

from governance.agreements.models import Action, Agreement
from governance.exchange.submission_file import ARROW_SCHEMA
from governance.identity.keys import SigningKey
from governance.ledger.payloads import LinkRunFinished
from linkage_hub.analytics.exports import TABLES, export
from linkage_hub.analytics.kept import ForAnalysis, analysed, write_analysis
from linkage_hub.linkage.answers import PairAnswers
from linkage_hub.linkage.identity import KnownIds
from linkage_hub.linkage.persons import LinkResult, SourcePair
from linkage_hub.linkage.threshold import Estimate
from linkage_hub.runs.errors import UnknownRun
from linkage_hub.runs.inputs import Previous, SourceData, read_previous
from linkage_hub.runs.pipeline import Results, run_pipeline
from linkage_hub.runs.pseudonyms import HouseholdPseudonyms
from linkage_hub.runs.results import (
    RUNS_KEPT,
    discard,
    held,
    publish,
    results_digest,
    write_results,
)
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import families, links, person_records, runs, unlinked
from tests.governance.transparency.test_record import PROGRAM
from tests.governance.world import World

TODAY = date(2026, 11, 24)
HOME = b"h" * 16
HUB_KEY = SigningKey.generate()
PERSONS = [np.array([0, 1, 2]), np.array([0, 3, 1])]


def source(number: int, name: str) -> SourceData:
    """Three records: two at one home, one with nothing."""
    data = {
        "handle": [bytes([255 - number, at]) + b"\0" * 14 for at in range(3)],
        "encoding": [bytes([number + 1, at + 1]) * 64 for at in range(3)],
        "households": [
            [{"household": HOME, "kin": [HOME], "first_month": 24_000 + at}] for at in range(2)
        ]
        + [[]],
        "age_band": ["25_44", "5_10", None],
        "indicators": [
            [{"indicator": "neet", "met": True}, {"indicator": "in_programme", "met": False}],
            [{"indicator": "offence", "met": number == 0}, {"indicator": "neet", "met": False}],
            [],
        ],
    }
    columns = []
    for field in ARROW_SCHEMA:
        empty: list[Any] = [[]] * 3 if pa.types.is_list(field.type) else [None] * 3
        values = data.get(field.name, empty)
        columns.append(pa.array(values, field.type))
    table = pa.Table.from_arrays(columns, schema=ARROW_SCHEMA)
    return SourceData.of(f"party{number}", name, f"sha256:{number:064}", table)


@pytest.fixture(scope="module")
def agreement() -> Agreement:
    """An agreement with two needs, and the programme."""
    data = World().agreement.model_dump(mode="json")
    data["indicators"] = [
        {"id": need, "description": need, "owners": ["council"], "window_months": 12}
        for need in ("neet", "offence", "in_programme")
    ]
    owned = [s for s in data["sources"] if s["party"] == "council"]
    for each in data["sources"]:
        each["indicators"] = ["neet", "offence", "in_programme"] if each in owned else []
    data["minimum_needs"] = 2
    return Agreement.model_validate(data)


def found(
    agreement: Agreement,
    previous: Previous | None = None,
    persons: list[np.ndarray] = PERSONS,
    pairs: Sequence[SourcePair] = (),
) -> Results:
    """The pipeline's results on two sources."""
    sources = [source(0, "schools"), source(1, "housing")]
    count = int(max(part.max() for part in persons)) + 1
    linked = LinkResult(persons, count, 0.8, Estimate(2, 2, 1.0, 1.0), list(pairs))
    none = previous or Previous(KnownIds.none(), KnownIds.none())
    names = HouseholdPseudonyms(HUB_KEY, agreement.hash)
    return run_pipeline(sources, linked, agreement, none, names, TODAY, lambda _share, _step: None)


def receipt(run: str, agreement: Agreement, results: Results) -> LinkRunFinished:
    """What the ledger would be given."""
    return LinkRunFinished(
        run=run,
        agreement=agreement.hash,
        submissions=tuple(source.manifest for source in results.sources),
        persons=len(results.persons.ids),
        families=results.families.count,
        flagged=results.flagged,
        results_sha256=results_digest(results),
    )


def store(database: HubDatabase, number: int, agreement: Agreement, results: Results) -> str:
    """A run with stored results that is not published."""
    run = f"{number:032x}"
    with database.writing() as connection:
        connection.execute(
            insert(runs).values(
                id=run, agreement=agreement.hash, state="running", is_current=False,
                created="2026-11-24T00:00:00Z", sources=0, records=0, persons=0, families=0,
                flagged=0,
            )
        )  # fmt: skip
        write_results(connection, run, receipt(run, agreement, results), results, PROGRAM)
    return run


def rows(database: HubDatabase, run: str, name: str) -> list[dict[str, str]]:
    """An export as rows."""
    text = b"".join(export(database, run, name)).decode()
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.invariant(12, "needs worked out under an agreement for linking alone")
def test_a_run_for_linking_alone_reads_no_needs(agreement: Agreement) -> None:
    """What nobody may look at is not worked out; families are the same."""
    linking = agreement.model_copy(update={"actions": (Action.ENCODE, Action.SUBMIT, Action.LINK)})
    alone, whole = found(linking), found(agreement)
    assert whole.needs.met.any()
    assert alone.needs.needs == ()
    assert not alone.needs.met.any()
    assert not alone.needs.unknown.any()
    assert (alone.flagged, alone.families.count) == (0, whole.families.count)


def test_results_come_out_as_they_were_found(database_url: str, agreement: Agreement) -> None:
    """Every record under its person, members and needs of each family, and nothing for unknown."""
    database = HubDatabase(database_url)
    results = found(agreement)
    run = store(database, 1, agreement, results)
    with database.writing() as connection:
        publish(connection, run, agreement.hash, "2026-11-24T01:00:00Z")
    records = rows(database, run, "records.csv")
    assert len(records) == 6
    by_handle = {row["handle"]: row["person"] for row in records}
    assert by_handle["ff00" + "0" * 28] == by_handle["fe00" + "0" * 28] == results.persons.ids[0]
    assert [row["handle"] for row in records] == sorted(by_handle)
    needs = rows(database, run, "needs.csv")
    assert {(row["need"], row["state"], row["sources"]) for row in needs} >= {("neet", "met", "2")}
    assert "unknown" not in {row["state"] for row in needs}
    assert "in_programme" not in {row["need"] for row in needs}
    details = rows(database, run, "details.csv")
    assert {(row["indicator"], row["state"]) for row in details} == {("in_programme", "unmet")}
    members = rows(database, run, "members.csv")
    assert {row["person"] for row in members} == set(results.persons.ids)
    sizes = {row["family"]: int(row["members"]) for row in rows(database, run, "families.csv")}
    assert sum(sizes.values()) == len(members)
    assert all(rows(database, run, name) is not None for name in TABLES)
    quality = json.loads(b"".join(export(database, run, "quality.json")))
    assert quality["run"] == run
    assert (quality["records"], quality["sources"]) == (6, 2)
    database.close()


def test_what_analysts_look_into_is_stored_with_results(
    database_url: str, agreement: Agreement
) -> None:
    """Pairs by their handles, records that are alone, other thresholds, in one transaction."""
    database = HubDatabase(database_url)
    at = np.arange(2)
    pair = SourcePair(0, 1, 0.8, Estimate(2, 2, 1.0, 1.0), at, at * 2, np.array([0.95, 0.9]))
    results = found(agreement, pairs=[pair])
    run = store(database, 1, agreement, results)
    kept = analysed(results, ForAnalysis(True, PairAnswers.none(), 0.9, 0.8))
    with database.writing() as connection:
        write_analysis(connection, run, kept)
        publish(connection, run, agreement.hash, "2026-11-24T01:00:00Z")
    with database.reading() as connection:
        held_pairs = connection.execute(select(links).order_by(links.c.left)).all()
        alone = connection.execute(select(unlinked)).all()
        row = connection.execute(select(runs)).one()
    assert [(each.left[:4], each.right[:4]) for each in held_pairs] == [
        ("fe00", "ff00"), ("fe02", "ff01")
    ]  # fmt: skip
    assert [each.probability for each in held_pairs] == [0.95, 0.9]
    assert [(each.handle[:4], each.barrier) for each in alone] == [("ff02", "no_birth_date")]
    assert [each["alone"] for each in json.loads(row.unlinked)] == [1, 1]
    assert next(each for each in json.loads(row.thresholds) if each["own"])["persons"] == 4
    database.close()


def test_households_are_told_with_the_months_of_each_person(
    database_url: str, agreement: Agreement
) -> None:
    """Who lived where since when, which is the home, and why somebody belongs to a family."""
    database = HubDatabase(database_url)
    results = found(agreement)
    run = store(database, 1, agreement, results)
    with database.writing() as connection:
        publish(connection, run, agreement.hash, "2026-11-24T01:00:00Z")
    told = rows(database, run, "households.csv")
    lived = sorted((results.persons.ids[person], 24_000 + (person > 0)) for person in (0, 1, 3))
    assert [(row["person"], int(row["first_month"])) for row in told] == lived
    (home,) = HouseholdPseudonyms(HUB_KEY, agreement.hash).of(np.array([list(HOME)], np.uint8))
    assert {row["household"] for row in told} == {home}
    assert {(row["last_month"], row["is_home"], row["is_institutional"]) for row in told} == {
        ("", "True", "False")
    }
    # each source's newest beginning is the month of its extract: of that none is known
    assert [row["is_dated"] for row in told] == [str(month == 24_000) for _, month in lived]
    members = {
        row["person"]: json.loads(row["reasons"]) for row in rows(database, run, "members.csv")
    }
    assert members[results.persons.ids[2]] == ["alone"]
    assert "same_surname" in members[results.persons.ids[0]]
    database.close()


def test_no_file_is_to_be_looked_up_by_an_address(database_url: str, agreement: Agreement) -> None:
    """Partners can compute any address's token: results hold pseudonyms that only the hub can."""
    database = HubDatabase(database_url)
    run = store(database, 1, agreement, found(agreement))
    with database.writing() as connection:
        publish(connection, run, agreement.hash, "2026-11-24T01:00:00Z")
    for name in TABLES:
        assert HOME.hex().encode() not in b"".join(export(database, run, name))
    database.close()
    token = np.array([list(HOME)], np.uint8)
    of = [
        HouseholdPseudonyms(key, hash_).of(token)
        for key, hash_ in (
            (HUB_KEY, agreement.hash),
            (HUB_KEY, "sha256:" + "0" * 64),
            (SigningKey.generate(), agreement.hash),
        )
    ]
    assert len({each for (each,) in of}) == 3
    assert of[0] == HouseholdPseudonyms(HUB_KEY, agreement.hash).of(token)


def test_results_are_current_only_when_published(database_url: str, agreement: Agreement) -> None:
    """Stored results are nobody's yet; a run that fails leaves nothing."""
    database = HubDatabase(database_url)
    run = store(database, 1, agreement, found(agreement))
    assert len(read_previous(database, agreement.hash).persons.members) == 0
    with pytest.raises(UnknownRun):
        export(database, run, "records.csv")
    with database.writing() as connection:
        discard(connection, run)
    with database.reading() as connection:
        for table in (person_records, families):
            assert connection.scalar(select(func.count()).select_from(table)) == 0
    database.close()


def test_ids_stay_from_run_to_run(database_url: str, agreement: Agreement) -> None:
    """The same persons and families have the same ids in the next run; a split is told once."""
    database = HubDatabase(database_url)
    first = found(agreement)
    run = store(database, 1, agreement, first)
    with database.writing() as connection:
        publish(connection, run, agreement.hash, "2026-11-24T01:00:00Z")
    previous = read_previous(database, agreement.hash)
    same = found(agreement, previous)
    assert same.persons.ids == first.persons.ids
    assert same.family_ids.ids == first.family_ids.ids
    assert (same.persons.new, same.persons.changes) == ([], [])
    assert results_digest(same) == results_digest(first)
    apart = found(agreement, previous, [np.array([0, 1, 2]), np.array([4, 3, 1])])
    assert [event.kind for event in apart.persons.changes] == ["merge", "split"]
    assert results_digest(apart) != results_digest(first)
    database.close()


def test_only_the_last_two_runs_are_kept(database_url: str, agreement: Agreement) -> None:
    """Older results are destroyed when a newer run is published."""
    database = HubDatabase(database_url)
    results = found(agreement)
    for number in range(RUNS_KEPT + 2):
        run = store(database, number, agreement, results)
        analysis = analysed(results, ForAnalysis(True, PairAnswers.none(), 0.9, 0.8))
        with database.writing() as connection:
            write_analysis(connection, run, analysis)
            publish(connection, run, agreement.hash, f"2026-11-24T0{number}:00:00Z")
    with database.reading() as connection:
        told = select(runs.c.id).where(runs.c.unlinked.is_not(None))
        assert set(connection.scalars(told)) == {f"{number:032x}" for number in (2, 3)}
        kept = set(connection.scalars(select(person_records.c.run).distinct()))
        current = list(connection.scalars(select(runs.c.id).where(runs.c.is_current.is_(True))))
    assert kept == {f"{number:032x}" for number in (2, 3)}
    assert current == [f"{3:032x}"]
    database.close()


def test_what_became_of_ids_outlasts_the_results(database_url: str, agreement: Agreement) -> None:
    """Runs whose results are gone still tell; they give no empty files; retention ends it."""
    database = HubDatabase(database_url)
    splits = [PERSONS, [np.array([0, 1, 2]), np.array([4, 3, 1])], PERSONS, PERSONS]
    found_ = []
    for number, persons in enumerate(splits):
        results = found(agreement, read_previous(database, agreement.hash), persons)
        run = store(database, number, agreement, results)
        found_.append(results)
        with database.writing() as connection:
            publish(connection, run, agreement.hash, f"2026-11-24T0{number}:00:00Z")
    names = [f"{number:032x}" for number in range(len(splits))]
    told = rows(database, names[1], "ids.csv")
    assert len(rows(database, names[0], "ids.csv")) == len(
        found_[0].persons.new + found_[0].family_ids.new
    )
    for run in names[:2]:
        for name in TABLES:
            if name not in {"ids.csv", "history.csv"}:
                with pytest.raises(UnknownRun, match="gave way"):
                    export(database, run, name)
    history = rows(database, names[3], "history.csv")
    assert [(row["run"], row["position"]) for row in history[: len(told)]] == [
        (names[1], row["position"]) for row in told if row["kind"] != "new"
    ]
    assert {row["run"] for row in history} == {names[1], names[2]}
    assert {row["kind"] for row in history} == {"merge", "split"}
    assert rows(database, names[0], "history.csv") == []
    with database.writing() as connection:
        assert all(held(connection, run) for run in names)
        discard(connection, names[1])  # as retention does
        assert not held(connection, names[1])
    assert rows(database, names[1], "ids.csv") == []
    assert {row["run"] for row in rows(database, names[3], "history.csv")} == {names[2]}
    database.close()
