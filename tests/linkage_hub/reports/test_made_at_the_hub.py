"""Reports made at the hub, by its routes: once, by whom the agreement lets, and gone in time."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import delete, update

from governance.canonical import hash_of
from governance.exchange.report_api import ReportSummary, ReportView
from governance.identity.models import Role
from governance.ledger.errors import LedgerRefusedError
from governance.reports.models import Report
from linkage_hub.reports import making
from linkage_hub.reports.catalogues import Catalogues
from linkage_hub.reports.desk import sees_lists
from linkage_hub.reports.errors import NoCatalogue
from linkage_hub.retention import HubRetention
from linkage_hub.rights.records import out_of_run
from linkage_hub.store.tables import families, reports, runs
from linkage_hub.submissions.files import ContentFiles
from tests.hub_world import HubWorld
from tests.linkage_hub.reports.world import NEWER, OLDER, keep_two_anew, reports_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubWorld]:
    """Two runs of one agreement."""
    with reports_world(tmp_path_factory.mktemp("reports")) as found:
        yield found


def path(world: HubWorld) -> str:
    """Where the agreement's reports are."""
    return f"/v1/agreements/{world.agreement.hash}/reports"


def ask(world: HubWorld, **post: Any) -> httpx.Response:
    """Have a report made; the month, where nothing else is said."""
    month = {"kind": "programme", "run": NEWER, "before": OLDER, "catalogue": "mine"}
    return world.call("analyst", "POST", path(world), json=post or month)


def made(world: HubWorld, **post: Any) -> ReportSummary:
    """The same, where it is made."""
    answer = ask(world, **post)
    assert answer.status_code == 200, answer.text
    return ReportSummary.model_validate_json(answer.content)


def view(world: HubWorld, id_: str, role: str = "analyst") -> ReportView:
    """A report as somebody sees it."""
    answer = world.call(role, "GET", f"/v1/reports/{id_}")
    assert answer.status_code == 200, answer.text
    return ReportView.model_validate_json(answer.content)


def listed(found: ReportView) -> list[str]:
    """Families that it names."""
    return [str(row[0]) for table in found.report.tables if table.listed for row in table.rows]


def test_what_can_be_made_is_said(world: HubWorld) -> None:
    """The newest run, the one before, and criteria: the hub's own and those that hold today."""
    found = world.call("analyst", "GET", path(world) + "/choices").json()
    assert (found["run"]["id"], found["before"]["id"]) == (NEWER, OLDER)
    assert [each["id"] for each in found["catalogues"]] == ["local-example", "mine", "one-need"]


def test_the_month_is_made_once_and_read_by_each_role(world: HubWorld) -> None:
    """A lead sees the counts and no family; the list has it once."""
    first = made(world)
    assert made(world) == first
    assert [each.id for each in first.runs] == [OLDER, NEWER]
    assert (first.shared, first.listed, first.program) == (False, True, "this")
    found = view(world, first.id)
    assert hash_of(found.report) == first.id
    assert found.report.runs == (OLDER, NEWER)
    assert len(listed(found)) > 10
    assert view(world, first.id, "service_manager") == found
    lead = view(world, first.id, "ig_lead")
    assert listed(lead) == []
    assert (found.lists_shown, lead.lists_shown) == (True, False)
    counts = [table for table in found.report.tables if not table.listed]
    assert [table for table in lead.report.tables if not table.listed] == counts
    page = world.call("ig_lead", "GET", path(world)).json()
    assert [each["id"] for each in page["reports"]] == [first.id]


def test_criteria_that_ask_for_other_needs_than_runs_go_by_are_told(world: HubWorld) -> None:
    """In front of the figures; of those that ask for as many nothing is said."""
    post = {"kind": "programme", "run": NEWER, "before": OLDER}
    (said,) = view(world, made(world, **post, catalogue="one-need").id).report.warnings
    assert said.startswith("one-need asks for 1 needs, the agreement for 2")
    assert view(world, made(world, **post, catalogue="mine").id).report.warnings == ()


def test_needs_are_made_of_one_run(world: HubWorld) -> None:
    """Without criteria; and counts by area follow the agreement's threshold."""
    found = view(world, made(world, kind="needs", run=OLDER).id)
    assert found.report.runs == (OLDER,)
    assert not found.summary.listed
    (area,) = [table for table in found.report.tables if table.id == "area-families"]
    assert sum(int(str(row[1]).replace(",", "")) for row in area.rows) == 120


@pytest.mark.parametrize(
    ("post", "status", "reason"),
    [
        ({"run": "a" * 32}, 409, "report.runs"),
        ({"run": OLDER, "before": NEWER}, 409, "report.runs"),
        ({"before": NEWER}, 409, "report.runs"),
        ({"catalogue": None}, 409, "report.catalogue"),
        ({"catalogue": "other"}, 409, "report.catalogue"),
        ({"kind": "engagement"}, 400, "format.invalid"),
        ({"more": 1}, 400, "format.invalid"),
        ({"catalogue": "x" * 5_000}, 413, "request.too_large"),
    ],
)
def test_what_cannot_be_made_is_refused(
    world: HubWorld, post: dict[str, Any], status: int, reason: str
) -> None:
    """With its reason, and nothing is kept."""
    month = {"kind": "programme", "run": NEWER, "before": OLDER, "catalogue": "mine"}
    answer = ask(world, **(month | post))
    assert (answer.status_code, answer.json()["reason"]) == (status, reason), answer.text


def test_another_agreements_runs_are_no_runs_of_this_one(world: HubWorld) -> None:
    """Neither to make a report of, nor shown among the choices."""
    with world.hub.database.writing() as connection:
        connection.execute(update(runs).where(runs.c.id == OLDER).values(agreement="sha256:0"))
    try:
        assert ask(world).json()["reason"] == "report.runs"
        assert world.call("analyst", "GET", path(world) + "/choices").json()["before"] is None
    finally:
        with world.hub.database.writing() as connection:
            connection.execute(
                update(runs).where(runs.c.id == OLDER).values(agreement=world.agreement.hash)
            )


def test_another_party_sees_none_of_it(world: HubWorld) -> None:
    """A report of an agreement that it is no party of is one that does not exist."""
    id_ = made(world).id
    desk, sees = world.hub.reports, world.hub.analysis.permission.sees
    staff = world.staff["analyst"].keys
    stranger = staff.model_copy(update={"party": "stranger"})
    assert not sees("stranger", world.agreement.hash)
    for call in (desk.view, desk.withdraw):
        with pytest.raises(Exception, match="no such report"):
            call(stranger, id_)
    with pytest.raises(Exception, match="no party"):
        desk.page("stranger", world.agreement.hash, 0, 9)
    police = staff.model_copy(update={"party": "police"})
    assert desk.view(police, id_).summary.id == id_
    with pytest.raises(Exception, match="take a report back"):
        desk.withdraw(police, id_)
    desk.withdraw(police.model_copy(update={"role": Role.IG_LEAD}), id_)
    assert world.call("analyst", "GET", f"/v1/reports/{id_}").json()["reason"] == "report.unknown"


def test_who_made_it_takes_it_back(world: HubWorld) -> None:
    """It is gone from the list and by its id; a manager takes none back."""
    id_ = made(world).id
    assert world.call("service_manager", "DELETE", f"/v1/reports/{id_}").status_code == 403
    assert world.call("analyst", "DELETE", f"/v1/reports/{id_}").status_code == 204
    for method in ("GET", "DELETE"):
        answer = world.call("analyst", method, f"/v1/reports/{id_}")
        assert (answer.status_code, answer.json()["reason"]) == (404, "report.unknown")


def test_the_agreements_own_criteria_are_the_only_ones(world: HubWorld) -> None:
    """By their hash, wherever they come from; no others, and none where the hub lacks them."""
    catalogues, day = world.hub.reports._catalogues, world.hub.now().date()
    (mine,) = [each for each in catalogues.open_to(world.agreement, day) if each.id == "mine"]
    named = world.agreement.model_copy(update={"criteria": hash_of(mine)})
    assert catalogues.open_to(named, day) == [mine]
    assert catalogues.chosen(named, day, None) == mine
    with pytest.raises(NoCatalogue):
        catalogues.chosen(named, day, "local-example")
    with pytest.raises(NoCatalogue, match="does not have"):
        Catalogues(world.root / "none").chosen(named, day, "mine")


def test_lines_go_with_a_record_and_lists_with_a_run(world: HubWorld) -> None:
    """A family whose member's record was taken out is listed no more; counts stay."""
    before = view(world, made(world).id)
    family, *others = listed(before)
    with world.hub.database.writing() as connection:
        out_of_run(connection, NEWER, "council", {family.removeprefix("f-")})
    after = view(world, before.summary.id)
    assert listed(after) == others
    assert after.lines_gone
    assert not before.lines_gone
    again = made(world)
    assert again.id != before.summary.id  # of results that are fewer
    assert family not in listed(view(world, again.id))


def test_a_record_taken_out_while_a_report_is_made_is_not_listed(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read before is not kept; asked for again it is made of what is left."""
    keep_two_anew(world)
    before = view(world, made(world).id)
    world.hub.reports.withdraw(world.staff["analyst"].keys, before.summary.id)
    family, honest = listed(before)[0], making.programme

    def meanwhile(*asked: Any) -> making.Making:
        found = honest(*asked)

        def make() -> Report:
            report = found.make()
            with world.hub.database.writing() as connection:
                out_of_run(connection, NEWER, "council", {family.removeprefix("f-")})
            return report

        return found._replace(make=make)

    with monkeypatch.context() as patch:
        patch.setattr(making, "programme", meanwhile)
        answer = ask(world)
    assert (answer.status_code, answer.json()["reason"]) == (409, "report.runs")
    after = listed(view(world, made(world).id))
    assert after
    assert family not in after
    keep_two_anew(world)


def test_no_analysis_no_report(world: HubWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is made or shown once the agreement has ended, or where it does not name analysis."""
    id_ = made(world).id
    ended = world.hub.now() + timedelta(days=900)
    monkeypatch.setattr(world.hub.analysis.permission, "_now", lambda: ended)
    for method, where in (
        ("GET", f"/v1/reports/{id_}"), ("DELETE", f"/v1/reports/{id_}"), ("GET", path(world)),
        ("GET", path(world) + "/choices"),
    ):  # fmt: skip
        answer = world.call("analyst", method, where)
        assert (answer.status_code, answer.json()["reason"]) == (403, "agreement.expired"), where
    assert ask(world).json()["reason"] == "agreement.expired"


def test_a_report_goes_with_the_results_of_its_newest_run(world: HubWorld) -> None:
    """Once the agreement's period is over, counted and told to the ledger."""
    kept = {made(world).id, made(world, kind="needs", run=NEWER).id}
    hub, days = world.hub, world.agreement.retention.link_results_days

    def at(late: int) -> HubRetention:
        return HubRetention(
            "hub", hub.database, ContentFiles(hub.home / "submissions"), hub.runs_folder,
            hub.refinement, hub.ledger, lambda: hub.now() + timedelta(days=late),
        )  # fmt: skip

    assert at(0).due() == {}
    due = at(days + 30).due()[world.agreement.hash]
    assert due.reports >= len(kept)
    with hub.database.writing() as connection:  # what gave way to newer runs is due all the same
        connection.execute(delete(families))
    assert at(days + 30).purge()[world.agreement.hash].reports == due.reports
    with hub.database.reading() as connection:
        assert connection.execute(reports.select()).first() is None
    with pytest.raises(LedgerRefusedError, match="destroyed itself"):  # it accepted nothing here
        at(days + 30).tell()


def test_lists_are_for_who_works_with_families(world: HubWorld) -> None:
    """Analysts, and managers of partners; not those of who only runs the hub, and no lead."""
    partner = world.agreement.parties[0]
    hub = partner.model_copy(update={"party": "hub", "role": "processor"})
    terms = world.agreement.model_copy(update={"parties": (*world.agreement.parties, hub)})
    staff = {
        (role, party): world.staff[role.value].keys.model_copy(update={"party": party})
        for role in Role
        for party in ("council", "hub")
    }
    assert {who for who, keys in staff.items() if sees_lists(keys, terms)} == {
        (Role.ANALYST, "council"), (Role.ANALYST, "hub"), (Role.SERVICE_MANAGER, "council"),
    }  # fmt: skip


def test_who_asks_at_once_has_it_made_once(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second waits for what the first has made."""
    counted: list[str] = []
    honest = making.needs

    def counting(*asked: Any) -> making.Making:
        found = honest(*asked)

        def make() -> Report:
            counted.append(found.made_of)
            return found.make()

        return found._replace(make=make)

    keep_two_anew(world)
    monkeypatch.setattr(making, "needs", counting)
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(made, world, kind="needs", run=OLDER) for _ in range(4)]
        assert len({each.result().id for each in asked}) == 1
    assert len(counted) == 1


def test_who_waits_for_a_report_holds_nobody_else_up(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More wait for one that is being made than the hub has threads, and it answers others."""
    keep_two_anew(world)
    go, honest = threading.Event(), making.needs

    def slow(*asked: Any) -> making.Making:
        assert go.wait(30)
        return honest(*asked)

    monkeypatch.setattr(making, "needs", slow)
    with ThreadPoolExecutor(45) as pool:
        asked = [pool.submit(made, world, kind="needs", run=OLDER) for _ in range(45)]
        try:
            deadline = time.monotonic() + 10
            while not all(each.running() for each in asked) and time.monotonic() < deadline:
                time.sleep(0.01)
            time.sleep(0.5)  # until all that can be have been admitted
            page = world.call("ig_lead", "GET", path(world), timeout=5)
        finally:
            go.set()
        assert page.status_code == 200
        assert len({each.result().id for each in asked}) == 1
