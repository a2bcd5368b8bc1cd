"""An analyst's pages in a real browser, against a real hub with two runs."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page
from sqlalchemy import delete

from governance.agreements.models import Action
from governance.agreements.policy import Standing
from governance.agreements.registry import AgreementRegistry
from governance.console.accounts import Account
from governance.console.pages.runs.charts import (
    EffectBar,
    effects_chart,
    quality_chart,
    threshold_chart,
)
from governance.exchange.analysis_api import ThresholdRow, ThresholdTable
from governance.exchange.hub_api import QualityRow, QualityTable, Share3
from governance.identity.models import Role
from governance.reports.charts import svg_of
from linkage_hub.store.tables import person_records
from tests.browsing import check_page, screenshot
from tests.chromium import browser_page
from tests.console_world import ConsoleWorld, console_world
from tests.hub_world import HubWorld
from tests.refinement_world import (
    a_minute_before,
    allow,
    answer,
    person,
    refining_world,
    send,
    start,
)

NAMES = ("Ada", "Quixwald", "High Street", "ZE1")
POLICE = [person(n) for n in range(12)] + [person(n, dob="") for n in (40, 41)]
COUNCIL = [person(n, first="Zed") for n in range(12)] + [person(n) for n in range(50, 55)]


@dataclass
class Office:
    """A county with two runs, the council's console, its analyst and a browser."""

    county: HubWorld
    console: ConsoleWorld
    page: Page
    analyst: Account
    runs: tuple[str, str]  # newer, older

    def look(self, path: str, name: str) -> str:
        """Open a page, hold it to the rules for everybody, keep its picture; what it says."""
        answered = self.page.goto(self.console.origin + path)
        assert answered is not None
        assert answered.status == 200, (path, self.page.inner_text("main"))
        return self.seen(name)

    def seen(self, name: str) -> str:
        """The same of the page that is open."""
        check_page(self.page)
        screenshot(self.page, name)
        said = self.page.locator("main").inner_text()
        assert not [each for each in NAMES if each in self.page.content()]
        return said


def test_charts_are_drawn_without_scripts() -> None:
    """Each names its two figures, has a mark for each, and holds nothing that runs."""
    names, share = ("right", "found"), Share3(value=0.9, low=0.85, high=0.95)
    rows = [
        QualityRow(
            group="sex", value=value, records=20, predicted_precision=share,
            predicted_recall=share, sentinel_pairs=9, sentinel_recall=None,
            sentinel_precision=None, note="",
        )
        for value in ("female", "male")
    ]  # fmt: skip
    lines = [
        ThresholdRow(
            threshold=at, own=at == 0.5, persons=3, links=2, joined=0, parted=0,
            families_touched=0, flagged_touched=0, estimated_precision=0.9, estimated_recall=0.8,
        )
        for at in (0.4, 0.5)
    ]  # fmt: skip
    table = ThresholdTable(run="1" * 32, families=1, flagged=0, rows=tuple(lines))
    for drawn in (
        quality_chart(QualityTable(rows=tuple(rows)), names, "share"),
        threshold_chart(table, names, ("threshold", "share")),
    ):
        text = svg_of(drawn)
        assert text.startswith("<svg")
        assert all(f">{name}<" in text for name in names)
        assert "<script" not in text
        assert "href" not in text
    picture = svg_of(quality_chart(QualityTable(rows=tuple(rows)), names, "share"))
    assert "sex female" in picture
    again = svg_of(quality_chart(QualityTable(rows=tuple(rows)), names, "share"))
    assert again is picture  # kept
    other = rows[0].model_copy(update={"predicted_recall": Share3(value=0.9, low=0.8, high=0.95)})
    assert svg_of(quality_chart(QualityTable(rows=(other, rows[1])), names, "share")) != picture
    bars = (EffectBar("put forward", 200, 196, 190, 204), EffectBar("debt", 50, 50, 49, 51))
    effects = svg_of(effects_chart(bars, "difference"))
    assert "<script" not in effects
    assert all(f">{word}<" in effects for word in ("put forward", "debt", "difference"))
    assert svg_of(effects_chart(bars[:1], "difference")) != effects
    assert ">part<" in svg_of(quality_chart(QualityTable(rows=tuple(rows)), names, "part"))


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Two runs; between them the council sent more."""
    root: Path = tmp_path_factory.mktemp("analyst")
    (root / "county").mkdir()
    with refining_world(root / "county", POLICE, COUNCIL, allow) as county:
        runs = []
        for more in (0, 3):
            if more:
                rows = [*COUNCIL, *(person(n) for n in range(60, 60 + more))]
                send(county, county.agents["council"], rows)
            runs.append(start(county)["id"])
            for _ in range(2):
                answer(county, "police", "council")
        a_minute_before(county, runs[0])
        with (
            console_world(
                root / "console",
                ledger_url=county.ledger_url,
                ledger_key=county.agents["council"].settings.ledger_key,
                hub_url=county.hub_url,
            ) as console,
            browser_page() as page,
        ):
            analyst = console.account(Role.ANALYST, "Ash Analyst", county.staff["analyst"])
            console.sign_in(page, analyst)
            yield Office(county, console, page, analyst, (runs[1], runs[0]))


def test_from_the_list_of_runs_into_one(office: Office) -> None:
    """List, run, quality, thresholds with their chart, comparison, sources."""
    newer, older = office.runs
    said = office.look("/runs", "runs")
    assert "2 runs" in said
    office.page.locator("main table a").first.click()
    said = office.seen("run")
    assert "Other thresholds" in said
    assert "estimates made without knowing the truth" in said
    office.page.get_by_role("link", name="Other thresholds").click()
    said = office.seen("thresholds")
    assert "0.50 (this run)" in said
    drawn = office.page.get_by_role("img")
    assert drawn.evaluate("image => image.complete && image.naturalWidth > 300")
    office.look(f"/runs/{newer}", "run")
    office.page.get_by_role("link", name="What errors of linkage do").click()
    said = office.seen("effects")
    assert "Wrong links undone" in said
    assert "figures are too small to be shown" in said
    drawn = office.page.get_by_role("img")
    assert drawn.evaluate("image => image.complete && image.naturalWidth > 300")
    said = office.look(f"/runs/{newer}/compare/{older}", "compare")
    assert "council_records" in said
    assert "newer" in said
    assert "no test people" in office.look(f"/runs/{newer}/quality", "quality-none")
    said = office.look("/sources", "sources")
    assert "0 days old" in said
    assert "began with it" in said


@pytest.fixture
def for_linking(monkeypatch: pytest.MonkeyPatch) -> None:
    """The agreement names no analysis."""
    standing = AgreementRegistry.standing

    def without(registry: AgreementRegistry, hash_: str) -> Standing:
        found = standing(registry, hash_)
        actions = tuple(each for each in found.agreement.actions if each is not Action.ANALYSE)
        return replace(found, agreement=found.agreement.model_copy(update={"actions": actions}))

    monkeypatch.setattr(AgreementRegistry, "standing", without)


@pytest.mark.usefixtures("for_linking")
def test_who_is_put_forward_is_not_told_where_nobody_may_look(office: Office) -> None:
    """Which is not nought, in the list, of a run, at other thresholds and of two runs."""
    newer, older = office.runs
    for path in ("", f"/{newer}", f"/{newer}/compare/{older}", f"/{newer}/thresholds"):
        office.page.goto(office.console.origin + "/runs" + path)
        assert "not told" in office.page.inner_text("main"), path
    check_page(office.page)


def test_a_person_and_what_is_not_linked(office: Office) -> None:
    """Records, pairs and similarities, by numbers and pseudonyms."""
    newer, _ = office.runs
    office.look(f"/runs/{newer}/persons", "persons")
    office.page.locator("main table a").first.click()
    said = office.seen("person")
    assert "Pairs that hold them together" in said
    assert "hang together by a pair" in said
    said = office.look(f"/runs/{newer}/unlinked", "unlinked")
    assert '"few" means none' in said


def test_a_ruling_is_asked_checked_and_sent_once(office: Office) -> None:
    """The pair side by side, what a missing choice says, the ruling, and the same form again."""
    office.look("/review", "review")
    office.page.locator("main table a").first.click()
    said = office.seen("review-pair")
    assert "Side by side" in said
    address = office.page.url
    office.page.get_by_role("button", name="Record the ruling").click()
    assert "Choose one person or two people" in office.seen("review-pair-error")
    office.page.get_by_label("Two people").check()
    office.page.get_by_role("button", name="Record the ruling").click()
    office.page.wait_for_url("**/review?agreement=*")
    assert "Rulings so far" in office.seen("review-ruled")
    rulings = office.county.hub.reviews.rulings("council", office.county.agreement.hash).rulings
    assert len(rulings) == 1
    gone = office.page.goto(address)
    assert gone is not None
    assert gone.status == 404
    check_page(office.page)


def test_a_form_that_is_sent_twice_starts_one_run(office: Office) -> None:
    """By the id that the page was given; what is missing is said."""
    office.look("/runs/start", "runs-start")
    form = office.page.locator("main form")
    office.page.get_by_role("button", name="Start the run").click()
    assert "Choose the agreement" in office.seen("runs-start-error")
    fields = {
        name: form.locator(f"input[name={name}]").first.get_attribute("value") or ""
        for name in ("csrf", "id", "agreement")
    }
    session = {each["name"]: each["value"] for each in office.page.context.cookies()}
    with httpx.Client(
        base_url=office.console.origin,
        headers={"Sec-Fetch-Site": "same-origin"},
        cookies=session,
    ) as client:
        sent = fields | {"mode": "exact", "questions": "no"}
        answers = [client.post("/runs/start", data=sent) for _ in range(2)]
    assert {(each.status_code, each.headers["location"]) for each in answers} == {
        (303, f"/runs/{fields['id']}")
    }
    assert "Waiting to begin" in office.look(f"/runs/{fields['id']}", "run-going")
    office.county.work()
    assert "Links that are right" in office.look(f"/runs/{fields['id']}", "run")


def test_a_run_whose_results_gave_way_links_to_none_of_them(office: Office) -> None:
    """Its figures are there still; what would be refused is not offered."""
    newer, older = office.runs
    with office.county.hub.database.writing() as connection:
        connection.execute(delete(person_records).where(person_records.c.run == older))
    said = office.look(f"/runs/{older}", "run-gave-way")
    assert "gave way to newer runs" in said
    links = office.page.locator("main a").evaluate_all("all => all.map(each => each.href)")
    assert any(each.endswith(f"/runs/{older}/quality") for each in links)
    assert not [each for each in links if each.endswith(("/persons", "/unlinked"))]
    assert "gave way" not in office.look(f"/runs/{newer}", "run")
