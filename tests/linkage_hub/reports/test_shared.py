"""Figures that an analyst shares: checked, written by the hub, and said to be shared."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update
from typer.testing import CliRunner

from governance.canonical import b64, canonical_bytes
from governance.exchange.report_api import SHARED_MOST, ReportSummary, ReportView
from governance.identity.files import PersonSecrets, write_secret
from linkage_hub.cli.main import app
from linkage_hub.runs.results import discard
from linkage_hub.store.tables import runs
from tests.hub_world import HubWorld, hub_world_in
from tests.linkage_hub.reports.figures import engagement, interventions, later_referral
from tests.linkage_hub.reports.world import NEWER, OLDER, keep_two_anew, reports_world

Change = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubWorld]:
    """Two runs of one agreement."""
    with reports_world(tmp_path_factory.mktemp("shared")) as found:
        yield found


def share(world: HubWorld, kind: str, document: dict[str, Any]) -> httpx.Response:
    """As the analyst."""
    path = f"/v1/agreements/{world.agreement.hash}/reports/shared"
    return world.call("analyst", "POST", path, json={"kind": kind, "document": document})


def documents(world: HubWorld) -> dict[str, dict[str, Any]]:
    """One of each kind."""
    hash_ = world.agreement.hash
    found = {
        "engagement": engagement(hash_),
        "interventions": interventions(hash_, given=True),
        "later-referral": later_referral(hash_),
    }
    return {kind: each.model_dump(mode="json") for kind, each in found.items()}


def view(world: HubWorld, answer: httpx.Response, role: str = "service_manager") -> ReportView:
    """What was made of what was shared, as somebody sees it."""
    assert answer.status_code == 200, answer.text
    id_ = answer.json()["id"]
    return ReportView.model_validate_json(world.call(role, "GET", f"/v1/reports/{id_}").content)


def test_each_kind_is_written_by_the_hub(world: HubWorld) -> None:
    """Its runs and who shared it are said; no word of the analyst's is; again is the same."""
    for kind, document in documents(world).items():
        answer = share(world, kind, document)
        found = view(world, answer)
        assert [each.id for each in found.summary.runs] == [OLDER, NEWER]
        assert found.report.runs == (OLDER, NEWER)
        assert (found.summary.kind, found.summary.shared) == (kind, True)
        assert found.summary.person == world.staff["analyst"].keys.thumbprint
        assert found.summary.program == "this"
        text = found.report.model_dump_json()
        assert "by hand" not in text
        assert "Jane" not in text
        assert share(world, kind, document).json() == answer.json()
    shared = share(world, "engagement", documents(world)["engagement"])
    assert "North team" in view(world, shared).report.model_dump_json()


def test_what_is_withheld_stays_so(world: HubWorld) -> None:
    """With its checks, and without a figure of the comparison."""
    hidden = interventions(world.agreement.hash, given=False).model_dump(mode="json")
    found = view(world, share(world, "interventions", hidden)).report
    assert "not given" in found.lead[0]
    ids = {part.id for part in found.parts}
    assert "association" not in ids
    assert len(ids) > 3


def _at(*path: Any, value: Any) -> Change:
    """Put a value into a document."""

    def change(document: dict[str, Any]) -> None:
        *way, last = path
        at: Any = document
        for step in way:
            at = at[step]
        at[last] = value

    return change


REFUSED: list[tuple[str, Change, int, str]] = [
    ("engagement", _at("html", value="<b>"), 422, "report.document"),
    ("engagement", _at("curves", 0, "more", value=1), 422, "report.document"),
    ("engagement", _at("families", value=-1), 422, "report.document"),
    ("engagement", _at("provenance", value=None), 422, "report.document"),
    ("engagement", _at("provenance", "kind", value="cases"), 422, "report.document"),
    ("engagement", _at("provenance", "table", value="sha256:" + "1" * 64), 422, "report.document"),
    ("engagement", _at("provenance", "left_out", value={"Jane": 1}), 422, "report.document"),
    ("engagement", _at("curves", 0, "group", value="Jane of Hill Road"), 422, "report.document"),
    ("engagement", _at("teams", 0, "team", value="<script>"), 422, "report.document"),
    ("engagement", _at("teams", 0, "met", value={"debt": 1.0}), 422, "report.document"),
    ("engagement", _at("teams", 0, "unknown", value={}), 422, "report.document"),
    ("engagement", _at("teams", 0, "families", value=29), 422, "report.document"),
    ("engagement", _at("curves", 1, "families", value=29), 422, "report.document"),
    ("engagement", _at("agreement", value="sha256:" + "1" * 64), 422, "report.document"),
    ("engagement", _at("provenance", "agreement", value="sha256:" + "1" * 64), 422,
     "report.document"),
    ("engagement", _at("provenance", "runs", 1, "run", value="e" * 32), 409, "report.runs"),
    ("engagement", _at("provenance", "runs", 1, "run", value=None), 422, "report.document"),
    ("engagement", _at("notes", value=["x" * (SHARED_MOST - 100)]), 413, "request.too_large"),
    ("interventions", _at("withheld", value=["few_pairs"]), 422, "report.document"),
    ("interventions", _at("comparison", value=None), 422, "report.document"),
    ("interventions", _at("strength", value=None), 422, "report.document"),
    ("interventions", _at("comparison", "pairs", value=40), 422, "report.document"),
    ("interventions", _at("comparison", "others", value=4), 422, "report.document"),
    ("interventions", _at("support", "matched", value=100), 422, "report.document"),
    ("interventions", _at("support", "unknown_helped", value=0.4), 422, "report.document"),
    ("interventions", _at("balance", 0, "after", value=-0.11), 422, "report.document"),
    ("interventions", _at("before", value=None), 422, "report.document"),
    ("interventions", _at("before", "low", value=0.01), 422, "report.document"),
    ("interventions", _at("pretended_found", value=6), 422, "report.document"),
    ("interventions", _at("months", value=6), 422, "report.document"),
    ("interventions", _at("balance", 0, "column", value="Jane"), 422, "report.document"),
    ("later-referral", _at("window_months", value=6), 422, "report.document"),
    ("later-referral", _at("followed", 0, "group", value="Jane"), 422, "report.document"),
    ("later-referral", _at("followed", 0, "horizon", value=6), 422, "report.document"),
    ("later-referral", _at("runs", 1, "run", value="e" * 32), 409, "report.runs"),
    ("programme", _at("x", value=1), 400, "format.invalid"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "change", "status", "reason"), REFUSED)
def test_what_its_program_would_not_write_is_refused(
    world: HubWorld, kind: str, change: Change, status: int, reason: str
) -> None:
    """And nothing of its words is in the refusal."""
    document = documents(world).get(kind, {})
    change(document)
    answer = share(world, kind, document)
    assert (answer.status_code, answer.json()["reason"]) == (status, reason), answer.text
    assert "Jane" not in answer.text


def test_runs_of_others_and_of_long_ago_are_refused(world: HubWorld) -> None:
    """Of another agreement, or when nothing is kept of the newest."""
    document = documents(world)["engagement"]
    for run, values in ((OLDER, {"agreement": "sha256:0"}), (NEWER, {"state": "failed"})):
        with world.hub.database.writing() as connection:
            connection.execute(update(runs).where(runs.c.id == run).values(**values))
        assert share(world, "engagement", document).json()["reason"] == "report.runs"
        keep_two_anew(world)
    with world.hub.database.writing() as connection:
        discard(connection, NEWER)
    assert share(world, "engagement", document).json()["reason"] == "report.runs"
    keep_two_anew(world)
    assert share(world, "engagement", document).status_code == 200


def test_an_agreement_without_analysis_has_no_reports(tmp_path: Path) -> None:
    """Nothing is shared, made or listed under it."""

    def adjust(data: dict[str, Any]) -> None:
        data["actions"] = [each for each in data["actions"] if each != "analyse"]

    with hub_world_in(tmp_path, adjust) as world:
        shared = share(
            world, "engagement", engagement(world.agreement.hash).model_dump(mode="json")
        )
        path = f"/v1/agreements/{world.agreement.hash}/reports"
        listed = world.call("analyst", "GET", path)
        asked = world.call("analyst", "POST", path, json={"kind": "needs", "run": NEWER})
    for answer in (shared, listed, asked):
        assert (answer.status_code, answer.json()["reason"]) == (
            403,
            "agreement.action_not_allowed",
        )


def test_from_the_command_line(world: HubWorld, tmp_path: Path) -> None:
    """A file is shared, listed and taken back; one of another kind is not sent."""
    staff = world.staff["analyst"]
    keys = PersonSecrets(
        keys=staff.keys, signing=b64(staff.signing.seed), sealing=b64(staff.sealing.seed)
    )
    write_secret(tmp_path / "analyst.secret", canonical_bytes(keys))

    def call(*words: str) -> Any:
        here = ["--hub", world.hub_url, "--as", str(tmp_path / "analyst.secret")]
        result = CliRunner().invoke(app, ["--json", "reports", *words, *here])
        return result.exception or json.loads(result.stdout)

    figures = tmp_path / "later-referral.figures.json"
    figures.write_bytes(canonical_bytes(later_referral(world.agreement.hash)))
    made = ReportSummary.model_validate(call("share", str(figures)))
    assert made.kind == "later-referral"
    listed = call("list", "--agreement", world.agreement.hash)["reports"]
    assert made.id in [each["id"] for each in listed]
    assert call("withdraw", made.id) == {"withdrawn": made.id}
    listed = call("list", "--agreement", world.agreement.hash)["reports"]
    assert made.id not in [each["id"] for each in listed]
    for text in ("{", "[]", '{"format": "programme-report/v1"}'):
        figures.write_text(text, "utf-8")
        assert call("share", str(figures)).reason == "report.not_figures"


def test_figures_of_another_version_are_not_this_ones(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where the hub knows that version: a report stands under the one that it names."""
    monkeypatch.setattr(world.hub.reports, "_is_version", lambda _terms, _hash: True)
    document = documents(world)["engagement"] | {"agreement": "sha256:" + "1" * 64}
    assert share(world, "engagement", document).json()["reason"] == "report.document"
