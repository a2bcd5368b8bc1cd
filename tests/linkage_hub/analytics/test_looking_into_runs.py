"""An analyst looks into runs: thresholds, persons, two runs, records alone, fresh sources."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from typer.testing import CliRunner

from governance.agreements.errors import ActionNotAllowed
from governance.agreements.files import write_agreement
from governance.agreements.models import Action
from governance.agreements.policy import Standing
from governance.agreements.registry import AgreementRegistry
from governance.canonical import b64, canonical_bytes, utc_now
from governance.exchange.hub_api import EXPORTS
from governance.exchange.hub_client import HubRefused
from governance.identity.envelope import Envelope
from governance.identity.files import PersonSecrets, write_secret
from linkage_hub.analytics import evidence, kept
from linkage_hub.cli.main import app
from linkage_hub.cli.programme import NotThisAgreement
from linkage_hub.review import masked
from linkage_hub.runs import service
from linkage_hub.runs.inputs import records_of
from linkage_hub.runs.results import RUNS_KEPT
from linkage_hub.store.tables import links, runs, submissions
from tests.hub_world import HubWorld
from tests.refinement_world import a_minute_before, person, refining_world, send, start

POLICE = [person(n) for n in range(20)] + [
    person(70, dob="", first="Zebedee", last="Oxwulf", address="9 Lonely Lane", postcode="ZE9 9ZZ"),
    person(71, dob="", first="Quill", last="Jabberwock", address="8 Far End", postcode="ZE8 8YY"),
]
COUNCIL = [person(n) for n in range(12)] + [person(n) for n in range(50, 58)]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubWorld]:
    """Two runs: between them the council's newer extract holds more of the police's people."""
    root = tmp_path_factory.mktemp("looking")
    with refining_world(root, POLICE, COUNCIL, adjust=lambda _data: None) as world:
        first = start(world)["id"]
        more = [*COUNCIL, *(person(n) for n in range(12, 18))]
        send(world, world.agents["council"], more)
        start(world)
        a_minute_before(world, first)
        staff = world.staff["analyst"]
        keys = PersonSecrets(
            keys=staff.keys, signing=b64(staff.signing.seed), sealing=b64(staff.sealing.seed)
        )
        write_secret(root / "analyst.secret", canonical_bytes(keys))
        yield world


def look(world: HubWorld, *words: str, as_json: bool = True) -> Any:
    """A command of ``linkage-hub`` as the analyst."""
    who = ("--hub", world.hub_url, "--as", str(world.root / "analyst.secret"))
    options = ("--json",) if as_json else ()
    result = CliRunner().invoke(app, [*options, "--no-input", *words, *who])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return json.loads(result.stdout) if as_json else result.stdout


def both(world: HubWorld) -> tuple[str, str]:
    """The newer run and the older one."""
    newer, older = look(world, "runs", "list")["runs"][:2]
    return newer["id"], older["id"]


def test_a_run_says_what_other_thresholds_would_have_found(world: HubWorld) -> None:
    """At its own threshold the figures are the run's; stricter ones only part, others only join."""
    run, _ = both(world)
    shown = look(world, "runs", "show", run)
    table = look(world, "runs", "thresholds", run)
    own = next(row for row in table["rows"] if row["own"])
    assert (own["persons"], table["families"]) == (shown["persons"], shown["families"])
    assert (own["joined"], own["parted"], own["families_touched"]) == (0, 0, 0)
    assert own["estimated_recall"] == pytest.approx(shown["estimated_recall"], abs=2e-4)
    for row in table["rows"]:
        assert row["parted"] == 0 or row["threshold"] > own["threshold"]
        assert row["joined"] == 0 or row["threshold"] < own["threshold"]
    assert "0.50*" in look(world, "runs", "thresholds", run, as_json=False)


def test_a_run_says_what_errors_of_linkage_do_to_its_figures(world: HubWorld) -> None:
    """Its own figures beside draws; the same in the export; few families are not shown."""
    run, _ = both(world)
    shown = look(world, "runs", "show", run)
    found = look(world, "runs", "effects", run)
    rows = {row["figure"]: row for row in found["rows"]}
    for figure in ("persons", "families"):
        assert rows[figure]["found"] == shown[figure]
        assert rows[figure]["low"] <= rows[figure]["value"] <= rows[figure]["high"]
    assert rows["put_forward"]["found"] is None  # seven families or fewer
    text = look(world, "runs", "effects", run, as_json=False)
    assert "figures are too small to be shown" in text
    look(world, "runs", "export", run, "--out", str(world.root / "out"), "--file", "effects.json")
    kept = json.loads((world.root / "out" / "effects.json").read_text())
    assert kept == {"run": run, "effects": found}


def test_a_person_shows_its_records_and_what_holds_them(world: HubWorld) -> None:
    """Pairs with their similarity and probability, and never a value."""
    run, _ = both(world)
    page = look(world, "runs", "persons", run, "--limit", "3")
    assert len(page["persons"]) == 3
    rest = look(world, "runs", "persons", run, "--offset", "3", "--limit", "1000")
    ids = [each["person"] for each in (*page["persons"], *rest["persons"])]
    assert len(set(ids)) == page["total"] == len(ids)
    sizes = [each["records"] for each in (*page["persons"], *rest["persons"])]
    assert sizes == sorted(sizes, reverse=True)
    two = ids[sizes.index(2)]
    found = look(world, "runs", "person", run, two)
    assert {record["source"] for record in found["records"]} == {
        "council_records", "police_records"
    }  # fmt: skip
    (link,) = found["links"]
    assert found["weakest"] == link
    assert link["similarity"] > 0.8
    assert link["probability"] >= 0.5
    assert {link["left"], link["right"]} == {each["handle"] for each in found["records"]}
    assert found["unsupported"] == []
    assert len(found["families"]) == 1
    text = look(world, "runs", "person", run, two, as_json=False) + json.dumps(found)
    assert not any(name in text for name in ("Quixwald", "High Street", "ZE1"))


def test_the_report_of_a_month_stands_beside_the_one_before(
    world: HubWorld, tmp_path: Path
) -> None:
    """Runs are found by themselves; nobody tells of the programme, so nothing is claimed."""
    newer, older = both(world)
    terms, out = tmp_path / "agreement.yaml", tmp_path / "report"
    terms.write_text(write_agreement(world.agreement), "utf-8")
    words = ("--agreement", str(terms), "--catalogue", "local-example", "--out", str(out))
    found = look(world, "programme", "report", *words)["report"]
    assert (found["run"]["id"], found["before"]["id"]) == (newer, older)
    assert (found["membership"]["worked_with"], found["claims"]["full"]) == (0, 0)
    offence = next(each for each in found["forward"]["needs"] if each["need"] == "offence")
    assert offence["silent"] == 0
    new = {each["source"]: each["new"] for each in found["sources"]}
    assert new == {"council_records": True, "police_records": False}
    assert sorted(path.name for path in out.iterdir()) == [
        "report.csv", "report.html", "report.json", "report.pdf", "report.xlsx",
    ]  # fmt: skip
    assert "Families worked with" in look(world, "programme", "report", *words, as_json=False)
    alone = look(world, "programme", "report", *words, "--run", older)["report"]
    assert (alone["before"], alone["forward"], alone["membership"]["joined"]) == (None, None, None)
    for later in (newer, older):
        with pytest.raises(NotThisAgreement):
            look(world, "programme", "report", *words, "--run", older, "--before", later)
    closed = world.agreement.model_copy(update={"actions": (Action.LINK,)})
    terms.write_text(write_agreement(closed), "utf-8")
    with pytest.raises(ActionNotAllowed):
        look(world, "programme", "report", *words)
    terms.write_text(write_agreement(world.agreement.model_copy(update={"title": "x"})), "utf-8")
    with pytest.raises(NotThisAgreement):
        look(world, "programme", "report", *words)


def test_two_runs_are_laid_side_by_side(world: HubWorld) -> None:
    """Over the records that both hold; the source that changed is named, whatever the order."""
    newer, older = both(world)
    found = look(world, "runs", "compare", older, newer)
    assert found == look(world, "runs", "compare", newer, older)
    assert (found["older"]["id"], found["newer"]["id"]) == (older, newer)
    persons = found["persons"]
    assert persons["gone"] == 0
    assert persons["kept"] + persons["merged"] + persons["split"] > 0
    changed = [each["source"] for each in found["sources"] if each["older"] != each["newer"]]
    assert changed == ["council_records"]
    assert found["total"] == persons["merged"] + persons["split"]
    assert "sources that changed: council" in look(
        world, "runs", "compare", older, newer, as_json=False
    )
    same = world.call("analyst", "GET", f"/v1/runs/{newer}/comparison/{newer}")
    assert (same.status_code, same.json()["reason"]) == (409, "run.not_comparable")


def test_records_that_are_alone_are_told_by_what_stood_in_the_way(world: HubWorld) -> None:
    """Two records without a date of birth; counts of people who said no are not shown if few."""
    run, _ = both(world)
    found = look(world, "runs", "unlinked", run)
    police = next(each for each in found["sources"] if each["party"] == "police")
    assert police["barriers"]["no_birth_date"] == 2
    assert police["records"] == len(POLICE)
    assert police["alone"] >= sum(police["barriers"].values())
    assert police["opted_out"] is None
    assert found["total"] == len(found["records"])
    assert "few: none, or too few" in look(world, "runs", "unlinked", run, as_json=False)
    second = look(world, "runs", "unlinked", run, "--offset", "1", "--limit", "1")
    assert second["records"] == found["records"][1:2]
    assert second["total"] == found["total"]


def test_sources_say_how_fresh_they_are(world: HubWorld) -> None:
    """Age, what the agreement keeps, and what was replaced."""
    found = look(world, "sources", "--agreement", world.agreement.hash)["sources"]
    council = next(each for each in found if each["party"] == "council")
    assert (council["age_days"], council["in_current_run"]) == (0, True)
    assert (council["accepted"], council["replaced"], council["refused"]) == (2, 1, 0)
    assert council["kept_until"] > council["received"]
    assert council["records"] == len(COUNCIL) + 6
    assert "council_records" in look(
        world, "sources", "--agreement", world.agreement.hash, as_json=False
    )


@contextmanager
def signed_otherwise(world: HubWorld, **changes: Any) -> Iterator[None]:
    """The council's submission in force, as though its manifest had said something else."""
    here = (submissions.c.party == "council") & (submissions.c.state == "accepted")
    with world.hub.database.writing() as connection:
        row = connection.execute(select(submissions).where(here)).one()
        envelope = Envelope.model_validate_json(row.manifest)
        said = canonical_bytes(json.loads(envelope.payload_bytes) | changes)
        forged = envelope.model_copy(update={"payload": b64(said)})
        earlier = {"manifest": canonical_bytes(forged), "created": "2026-01-01T00:00:00Z"}
        connection.execute(update(submissions).where(here).values(earlier))
    try:
        yield
    finally:
        with world.hub.database.writing() as connection:
            values = {"manifest": row.manifest, "created": row.created}
            connection.execute(update(submissions).where(here).values(values))


def test_a_manifest_from_before_hubs_asked_for_a_day_has_none(world: HubWorld) -> None:
    """Its words are not repeated; encodings go by the earlier of two times, as kept."""
    words = ("sources", "--agreement", world.agreement.hash)
    with signed_otherwise(world, extracted_on="last Friday"):
        (council,) = (each for each in look(world, *words)["sources"] if each["party"] == "council")
        assert (council["extracted_on"], council["age_days"]) == (None, None)
        assert council["kept_until"] == "2027-01-01T00:00:00Z"


@pytest.mark.invariant(21, "how many said no, one more each time")
def test_how_many_said_no_is_told_as_published_counts_are(world: HubWorld) -> None:
    """None and few alike, more rounded to ten."""
    run, _ = both(world)
    told = []
    for said_no in (0, 7, 8, 9, 23, 24, 25):
        counts = {"rows": 100, "submitted": 18, "rejected": 0, "opted_out": said_no, "synthetic": 0}
        with signed_otherwise(world, counts=counts):
            found = look(world, "runs", "unlinked", run)["sources"]
        told += [each["opted_out"] for each in found if each["party"] == "council"]
    assert told == [None, None, 10, 10, 20, 20, 30]


def watched(world: HubWorld, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether the database is held, each time that something is worked out for analysts."""
    held: list[bool] = []

    def looked_at(work: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*some: Any, **named: Any) -> Any:
            held.append(world.hub.database._writers.locked())
            return work(*some, **named)

        return wrapped

    for module, name in (
        (kept, "threshold_rows"), (kept, "barriers_of"), (evidence, "view_similarities"),
        (masked, "doubtful_pairs"), (masked, "view_similarities"),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, looked_at(getattr(module, name)))
    return held


def test_a_start_that_is_sent_again_starts_one_run(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the caller's own id, at once or when it has finished; for another run it is refused."""
    post = {"agreement": world.agreement.hash, "id": "5" * 32}
    bodies = [canonical_bytes(post), canonical_bytes(post | {"questions": False})]
    twice: list[Any] = []

    def overtaken(*some: Any) -> int:
        monkeypatch.setattr(service, "records_of", records_of)
        twice.append(world.call("analyst", "POST", "/v1/runs", content=bodies[0]))
        return records_of(*some)

    monkeypatch.setattr(service, "records_of", overtaken)
    first = world.call("analyst", "POST", "/v1/runs", content=bodies[0])
    assert (first.status_code, first.json()["id"]) == (202, "5" * 32)
    assert [each.json() for each in twice] == [first.json()]
    assert world.call("analyst", "POST", "/v1/runs", content=bodies[0]).json() == first.json()
    world.work()
    again = world.call("analyst", "POST", "/v1/runs", content=bodies[0])
    assert (again.status_code, again.json()["state"]) == (202, "finished")
    other = world.call("analyst", "POST", "/v1/runs", content=bodies[1])
    assert (other.status_code, other.json()["reason"]) == (409, "run.another")


def test_another_agreements_run_is_answered_as_none(world: HubWorld) -> None:
    """Runs under an agreement that the caller's organisation is no party of do not exist for it."""
    run = "e" * 32
    with world.hub.database.writing() as connection:
        row = dict(connection.execute(select(runs).limit(1)).mappings().one())
        row |= {"id": run, "agreement": "sha256:" + "e" * 64, "is_current": False}
        connection.execute(insert(runs).values(**row))
    listed = look(world, "runs", "list")
    assert run not in {each["id"] for each in listed["runs"]}
    assert listed["total"] == len(listed["runs"])
    for path in (
        "",
        "/quality",
        "/thresholds",
        "/effects",
        "/persons",
        "/unlinked",
        "/exports/records.csv",
    ):
        answer = world.call("analyst", "GET", f"/v1/runs/{run}{path}")
        assert (answer.status_code, answer.json()["reason"]) == (404, "run.unknown"), path
    other = "sha256:" + "e" * 64
    body = canonical_bytes({"agreement": other})
    assert world.call("analyst", "POST", "/v1/runs", content=body).status_code == 404
    assert world.call("analyst", "GET", f"/v1/agreements/{other}/sources").status_code == 404
    newer, _ = both(world)
    assert world.call("analyst", "GET", f"/v1/runs/{newer}/comparison/{run}").status_code == 404


@pytest.mark.invariant(13, "an analyst's files of records, once the agreement has ended")
def test_records_are_files_for_as_long_as_the_agreement_is_in_force(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Figures stay open; no file with a pseudonym of anybody does."""
    run, _ = both(world)

    def answers() -> dict[str, tuple[int, str]]:
        got = {
            name: world.call("analyst", "GET", f"/v1/runs/{run}/exports/{name}") for name in EXPORTS
        }
        return {
            name: (each.status_code, "" if each.is_success else each.json()["reason"])
            for name, each in got.items()
        }

    assert set(answers().values()) == {(200, "")}
    later = lambda: utc_now() + timedelta(days=1_500)  # noqa: E731
    monkeypatch.setattr(world.hub.analysis.permission, "_now", later)
    figures = {"quality.json", "quality.csv"}
    assert answers() == {
        name: (200, "") if name in figures else (403, "agreement.expired") for name in EXPORTS
    }


@pytest.fixture
def for_linking(monkeypatch: pytest.MonkeyPatch) -> None:
    """The agreement allows everything but analysis."""
    standing = AgreementRegistry.standing

    def without(registry: AgreementRegistry, hash_: str) -> Standing:
        found = standing(registry, hash_)
        actions = tuple(each for each in found.agreement.actions if each is not Action.ANALYSE)
        return replace(found, agreement=found.agreement.model_copy(update={"actions": actions}))

    monkeypatch.setattr(AgreementRegistry, "standing", without)


@pytest.mark.usefixtures("for_linking")
@pytest.mark.invariant(12, "what families need, under an agreement for linking alone")
def test_needs_are_not_shown_under_an_agreement_for_linking_alone(world: HubWorld) -> None:
    """Persons, pairs, and how good linking is, are; an export says what it left out."""
    run, older = both(world)
    refused = {"families.csv", "needs.csv", "details.csv", "flags.csv", "effects.json"}
    for name in EXPORTS:
        answer = world.call("analyst", "GET", f"/v1/runs/{run}/exports/{name}")
        allowed = 403 if name in refused else 200
        assert answer.status_code == allowed, name
    for path in ("quality", "thresholds", "persons", "unlinked", f"comparison/{older}"):
        assert world.call("analyst", "GET", f"/v1/runs/{run}/{path}").status_code == 200, path
    with world.hub.database.writing() as connection:  # as a program of before left them
        before = connection.execute(select(runs.c.thresholds)).all()[0]
        rows = [each | {"flagged_touched": 9} for each in json.loads(before.thresholds)]
        connection.execute(update(runs).values(flagged=9, thresholds=json.dumps(rows)))
    for path in (f"/{run}", "", f"/{run}/thresholds", f"/{run}/comparison/{older}"):
        shown = world.call("analyst", "GET", f"/v1/runs{path}").text
        assert '"flagged":null' in shown, path
        assert '"flagged":0' not in shown, path
        assert '"flagged":9' not in shown, path
        assert '"flagged_touched":9' not in shown, path
        assert '"flagged_touched":0' not in shown, path
    pairs = world.call("analyst", "GET", f"/v1/review/{world.agreement.hash}").json()["pairs"]
    assert pairs
    assert {pair["flagged"] for pair in pairs} == {None}
    exported = json.loads(world.call("analyst", "GET", f"/v1/runs/{run}/exports/quality.json").text)
    assert exported["flagged"] is None
    assert exported["receipt"]["flagged"] == 0  # as the ledger has it
    for words in (["show", run], ["thresholds", run], ["compare", run, older]):
        assert "told" in look(world, "runs", *words, as_json=False), words
    answer = world.call("analyst", "GET", f"/v1/runs/{run}/effects")
    assert (answer.status_code, answer.json()["reason"]) == (403, "agreement.action_not_allowed")
    out = world.root / "linking"
    look(world, "runs", "export", run, "--out", str(out))
    assert {path.name for path in out.iterdir()} == {*EXPORTS, "provenance.json"} - refused
    named = json.loads((out / "provenance.json").read_text("utf-8"))["files"]
    assert set(named) == set(EXPORTS) - refused
    with pytest.raises(HubRefused, match="action_not_allowed"):
        look(world, "runs", "export", run, "--out", str(out), "--file", "needs.csv")


def test_what_gave_way_to_newer_results_is_said(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a run whose records are gone there are figures, and no empty list in their place."""
    _, older = both(world)
    held = watched(world, monkeypatch)
    for _ in range(RUNS_KEPT - 1):
        start(world)
    assert len(held) >= 4
    assert not any(held), "others had to wait with what they write"
    answer = world.call("analyst", "GET", f"/v1/runs/{older}/persons")
    assert (answer.status_code, answer.json()["reason"]) == (404, "run.unknown")
    newer = look(world, "runs", "list")["runs"][0]["id"]
    found = look(world, "runs", "compare", older, newer)
    assert (found["persons"], found["families"], found["total"]) == (None, None, 0)
    assert found["older"]["persons"] > 0
    assert look(world, "runs", "thresholds", older)["rows"]
    with world.hub.database.reading() as connection:
        assert connection.execute(select(links).where(links.c.run == older)).first() is None
