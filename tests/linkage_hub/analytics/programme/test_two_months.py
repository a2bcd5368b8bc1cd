"""Two months from extracts to the report: agents, agreed rules, hub and command, in one process."""

import csv
import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import update
from typer.testing import CliRunner

from governance.agreements.files import write_agreement
from governance.canonical import b64, canonical_bytes, utc_now
from governance.exchange.report_api import ReportChoices, ReportView
from governance.identity.files import PersonSecrets, write_secret
from governance.reports.models import Report
from linkage_hub.analytics.programme.document import document_of
from linkage_hub.analytics.programme.models import ProgrammeReport
from linkage_hub.cli.main import app
from linkage_hub.store.tables import runs
from tests.hub_world import HubWorld
from tests.refinement_world import person, refining_world, send, start

MORE: Final = ("STATUS", "NEET", "WORK", "NEET_START", "NEET_WITHIN", "WITHIN_ON")
NEEDS: Final = ("neet", "out_of_work")
DETAILS: Final = {"in_programme": None, "neet_at_start": "neet", "neet_6m": "neet"}
RULES: Final[dict[str, Any]] = {
    "in_programme": {"column": "STATUS", "equals": ["OPEN"]},
    "neet": {"column": "NEET", "equals": ["Y"]},
    "out_of_work": {"column": "WORK", "equals": ["Y"]},
    "neet_at_start": {"column": "NEET_START", "equals": ["Y"]},
    "neet_6m": {"column": "NEET_WITHIN", "equals": ["Y"], "on": "WITHIN_ON"},
}
NOW: Final = utc_now().date().isoformat()
LONG_AGO: Final = (utc_now() - timedelta(days=400)).date().isoformat()


def agree(data: dict[str, Any]) -> None:
    """The council tells of two needs, of the programme, and more of one need."""
    own = next(source for source in data["sources"] if source["party"] == "council")
    data["indicators"], own["indicators"] = [], []
    for name in (*NEEDS, *DETAILS):
        item = {
            "id": name, "description": name, "owners": ["council"],
            "window_months": 6 if name == "neet_6m" else 12, "detail_of": DETAILS.get(name),
            "rules": {own["id"]: {"kind": "listed_value"}},
        }  # fmt: skip
        data["indicators"].append({key: value for key, value in item.items() if value is not None})
        own["indicators"].append(name)
    data["minimum_needs"] = 2


def catalogue(path: Path) -> None:
    """Criteria about the two needs; one can be claimed for."""
    need = {
        "applies_to": "adult", "owner_partner": ["council"], "released_as": "boolean",
        "evidence": "its own record", "missing": "unknown",
    }  # fmt: skip
    told = {"baseline": "neet_at_start", "sustain": {"months": 6, "known_by": "neet_6m"}}
    data = {
        "format": "criteria/v1", "id": "mine", "title": "Mine", "valid_from": "2026-01-01",
        "minimum": 2, "dependent_child": "not_required", "source": "this test",
        "needs": [
            need | {"id": name, "title": name, "eligibility": {"of": [name]},
                    "success": {"of": [name]}} | more
            for name, more in (("neet", told), ("out_of_work", {
                "sustain": {"months": 6}, "baseline": "never_said"}))
        ],
    }  # fmt: skip
    path.write_text(json.dumps(data), "utf-8")  # which is YAML too


def month(*cells: str) -> list[tuple[str, ...]]:
    """Rows of people who live alone: the programme, needs, start, whether within, and when."""
    return [(*person(number), *row.split(",")) for number, row in enumerate(cells)]


FIRST: Final = month(
    "OPEN,N,N,Y,N,",
    "OPEN,Y,N,Y,Y," + NOW,
    ",Y,N,,,",
    "CLOSED,N,N,Y,Y," + LONG_AGO,
    ",Y,Y,,,",
    ",Y,Y,,,",
    ",Y,Y,,,",
)
SECOND = month(
    "OPEN,N,N,Y,N,",
    "OPEN,N,N,Y,Y," + NOW,
    ",Y,Y,,,",
    "CLOSED,N,N,Y,Y," + LONG_AGO,
    "OPEN,Y,Y,Y,,",
    ",Y,,,,",
    ",Y,N,,,",
)
MOVED: Final = 3
ONE_SECOND: Final = "2026-11-29T12:00:00Z"
SECOND[MOVED] = (
    *person(MOVED, address="99 Low Road", postcode="ZE9 9ZZ", last="Newnamed"),
    *SECOND[MOVED][7:],
)


def ids(world: HubWorld) -> dict[str, tuple[str, str]]:
    """Person and family of each record of the newest run."""
    run = world.call("analyst", "GET", "/v1/runs").json()["runs"][0]["id"]

    def rows(name: str) -> list[dict[str, str]]:
        text = world.call("analyst", "GET", f"/v1/runs/{run}/exports/{name}").text
        return list(csv.DictReader(io.StringIO(text)))

    home = {row["person"]: row["family"] for row in rows("members.csv")}
    return {row["handle"]: (row["person"], home[row["person"]]) for row in rows("records.csv")}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The report of the second month."""
    root = tmp_path_factory.mktemp("months")
    with refining_world(root, [person(50)], [person(51)], adjust=agree) as world:
        found = []
        for rows in (FIRST, SECOND):
            send(world, world.agents["council"], rows, MORE, RULES)
            assert start(world)["state"] == "finished"
            found.append(ids(world))
        with world.hub.database.writing() as connection:  # as two that began in one second
            connection.execute(update(runs).values(created=ONE_SECOND))
        return _report(world, root) | {"ids": found, "at_hub": _at_hub(world)}


def _report(world: HubWorld, root: Path) -> dict[str, Any]:
    staff = world.staff["analyst"]
    keys = PersonSecrets(
        keys=staff.keys, signing=b64(staff.signing.seed), sealing=b64(staff.sealing.seed)
    )
    write_secret(root / "analyst.secret", canonical_bytes(keys))
    (root / "agreement.yaml").write_text(write_agreement(world.agreement), "utf-8")
    catalogue(root / "mine.yaml")
    words = {
        "hub": world.hub_url, "as": root / "analyst.secret", "agreement": root / "agreement.yaml",
        "catalogue": root / "mine.yaml", "out": root / "report",
    }  # fmt: skip
    options = [word for name, value in words.items() for word in (f"--{name}", str(value))]
    result = CliRunner().invoke(app, ["--json", "programme", "report", *options])
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)["report"]
    return found


def _at_hub(world: HubWorld) -> Report:
    """The same month, made at the hub from its own rows."""
    folder = world.hub.home / "catalogues"
    folder.mkdir()
    catalogue(folder / "mine.yaml")
    path = f"/v1/agreements/{world.agreement.hash}/reports"
    choices = ReportChoices.model_validate(world.call("analyst", "GET", path + "/choices").json())
    assert choices.run is not None
    assert choices.before is not None
    post = {"kind": "programme", "run": choices.run.id, "before": choices.before.id}
    made = world.call("analyst", "POST", path, json=post | {"catalogue": "mine"}).json()
    answer = world.call("analyst", "GET", f"/v1/reports/{made['id']}")
    return ReportView.model_validate_json(answer.content).report


def test_the_hub_makes_the_same_of_its_own_rows(report: dict[str, Any]) -> None:
    """Figure for figure and family for family what the command makes of exported files."""
    typed = {name: value for name, value in report.items() if name not in {"ids", "at_hub"}}
    assert report["at_hub"] == document_of(ProgrammeReport.model_validate(typed))


def test_persons_and_families_keep_their_ids(report: dict[str, Any]) -> None:
    """Every record's, also of who moved and took another name: records are known by their handles.

    The truth is in the rows: each is one person who lives alone, in both months.
    """
    before, after = report["ids"]
    assert len(before) == len(FIRST) + 1
    assert len(set(before.values())) == len(before)
    assert after == before


def test_who_is_worked_with(report: dict[str, Any]) -> None:
    """Two as before, one joined; nobody is put forward who is in the programme."""
    members = report["membership"]
    assert (members["worked_with"], members["stayed"], members["joined"]) == (3, 2, 1)
    assert (members["before"], members["left"], members["gone"]) == (2, 0, 0)
    assert report["run"]["put_forward"] == 1


def test_what_is_claimed_and_what_is_in_the_way(report: dict[str, Any]) -> None:
    """One is resolved and lasts; one has not lasted; a need is met; the start is never said."""
    claims = report["claims"]
    neet, work = claims["needs"]
    assert claims["scope"] == 3
    assert neet["at_start"] == 3
    assert neet["bars"] == {
        "still_met": 1, "not_lasted": 1, "start_unknown": 0, "now_unknown": 0,
        "lasting_unknown": 0,
    }  # fmt: skip
    assert work["unknown_at_start"] == 3  # no indicator of that name: nothing is claimed for it
    assert (work["bars"]["start_unknown"], work["bars"]["still_met"]) == (2, 1)
    assert (claims["full"], claims["one_bar"], claims["several_bars"]) == (0, 1, 2)
    assert work["sole"]["start_unknown"] == 1


def test_what_changed_since(report: dict[str, Any]) -> None:
    """One by a need more; of three no longer, each for its own reason."""
    forward = report["forward"]
    assert (forward["now"], forward["stayed"], forward["before"]) == (1, 0, 3)
    (added,) = forward["added_families"]
    assert (added["reason"], added["needs"]) == ("more_needs", ["out_of_work"])
    reasons = {each["reason"]: each["needs"] for each in forward["dropped_families"]}
    assert reasons == {
        "joined_programme": [], "needs_unknown": ["out_of_work"], "needs_resolved": ["out_of_work"],
    }  # fmt: skip
    assert [each["new"] for each in report["sources"]] == [True, False]
