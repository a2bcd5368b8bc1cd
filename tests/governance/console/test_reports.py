"""Reports in a real browser: an analyst has one made, a manager and a lead read it."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import openpyxl
import pytest
from playwright.sync_api import Page

from governance.console.accounts import Account
from governance.console.pages.reports import showing
from governance.identity.models import Role
from tests.browsing import check_page, screenshot
from tests.chromium import browser_page
from tests.console_world import ConsoleWorld, console_world
from tests.hub_world import HubWorld
from tests.linkage_hub.reports.figures import engagement, interventions
from tests.linkage_hub.reports.world import reports_world

FAMILY = "f-" + "0" * 30
"""Families of the world begin so."""
NOT_PUBLISHED = "For staff of the agreement; not for publication."


@dataclass
class Office:
    """A county with two runs, the council's console, its staff and a browser."""

    county: HubWorld
    console: ConsoleWorld
    page: Page
    staff: dict[Role, Account]

    def look(self, role: Role, path: str) -> str:
        """Open a page as somebody; what it says."""
        self.console.sign_in(self.page, self.staff[role])
        answered = self.page.goto(self.console.origin + path)
        assert answered is not None
        assert answered.status == 200, (path, self.page.inner_text("main"))
        return self.page.locator("main").inner_text()

    def seen(self, name: str) -> str:
        """Hold the page that is open to the rules for everybody, keep its picture; its text."""
        check_page(self.page)
        screenshot(self.page, name)
        return self.page.locator("main").inner_text()

    def client(self, role: Role) -> httpx.Client:
        """Without a browser."""
        return self.console.client(self.staff[role])


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Two runs, and somebody of each role."""
    root: Path = tmp_path_factory.mktemp("reports")
    (root / "county").mkdir()
    with (
        reports_world(root / "county") as county,
        console_world(
            root / "console",
            ledger_url=county.ledger_url,
            ledger_key=county.agents["council"].settings.ledger_key,
            hub_url=county.hub_url,
        ) as console,
        browser_page() as page,
    ):
        labels = {
            Role.ANALYST: "Ash Analyst", Role.SERVICE_MANAGER: "Sam Manager",
            Role.IG_LEAD: "Alex Lead",
        }  # fmt: skip
        staff = {
            role: console.account(role, label, county.staff[role.value])
            for role, label in labels.items()
        }
        yield Office(county, console, page, staff)


def test_the_month_from_the_runs_to_the_reader(office: Office) -> None:
    """Which runs are said first; made once; each role reads what is theirs; taken back."""
    page = office.page
    assert "There is no report yet" in office.look(Role.ANALYST, "/reports")
    page.get_by_role("button", name="Make a report").click()
    said = page.inner_text("main")
    assert "2 November 2026" in said
    assert "2 October 2026" in said
    page.get_by_role("button", name="Make the report").click()
    assert "Choose which report" in office.seen("reports-make-error")
    page.locator("input[value=programme]").check()
    page.get_by_role("button", name="Make the report").click()
    assert "Choose the criteria" in page.inner_text("main")
    page.get_by_label("Mine").check()
    page.get_by_role("button", name="Make the report").click()
    page.wait_for_url("**/reports/sha256:*")
    said = office.seen("report")
    for words in (NOT_PUBLISHED, "Asked for by\tAsh Analyst, Council", "Families worked with"):
        assert words in said, words
    pictures = page.locator("main img")
    assert pictures.count() > 1
    for picture in pictures.all():
        assert picture.evaluate("image => image.complete && image.naturalWidth > 300")
        assert len(str(picture.get_attribute("alt"))) > 20
    path = page.url.removeprefix(office.console.origin)
    said = office.look(Role.SERVICE_MANAGER, path)
    assert page.locator(f"main a[href^='/families/{FAMILY}']").count() > 5
    assert "Take it back" not in said
    said = office.look(Role.IG_LEAD, path)
    assert "Lists of families are left out" in said
    assert FAMILY not in page.content()
    assert "1 report" in office.look(Role.IG_LEAD, "/reports")
    office.seen("reports")
    office.look(Role.ANALYST, path + "/withdraw")
    office.seen("report-withdraw")
    page.get_by_role("button", name="Take it back").click()
    page.wait_for_url("**/reports?agreement=*")
    assert "There is no report yet" in page.inner_text("main")
    opened = [each.route for each in office.console.console.audit.entries(0, 99)[0]]
    for route in ("GET /reports/{report}", "POST /reports/{report}/withdraw"):
        assert route in opened


def _made(client: httpx.Client, **more: str) -> str:
    """Have a report made as the page does; its path."""
    page = client.get("/reports/make").text
    names = ("csrf", "agreement", "run", "before")
    form = {name: page.split(f'name="{name}" value="')[1].split('"')[0] for name in names}
    answer = client.post("/reports/make", data=form | more)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def test_files_hold_what_the_page_shows(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """CSV and workbook; a lead's hold no family; a long table says what it leaves out."""
    monkeypatch.setattr(showing, "LINES_MOST", 2)
    with office.client(Role.ANALYST) as analyst, office.client(Role.IG_LEAD) as lead:
        path = _made(analyst, kind="programme", catalogue="mine")
        assert _made(analyst, kind="programme", catalogue="mine") == path
        assert "more lines are in the downloads" in analyst.get(path).text
        for client, families in ((analyst, True), (lead, False)):
            answer = client.get(path + "/report.csv")
            rows = list(csv.reader(io.StringIO(answer.text)))
            assert rows[0][:3] == ["table", "row", "line"]
            assert any(row[2] == "In the programme" for row in rows)
            assert (FAMILY in answer.text) == families
            assert "attachment" in answer.headers["content-disposition"]
            assert client.get(path + "/report.pdf").content.startswith(b"%PDF")
            book = openpyxl.load_workbook(io.BytesIO(client.get(path + "/report.xlsx").content))
            cells = {str(cell.value) for sheet in book for row in sheet for cell in row}
            assert any(each.startswith(FAMILY) for each in cells) == families
        assert analyst.get(path + "/charts/99.svg").status_code == 404
        needs = _made(analyst, kind="needs")
        assert "Needs of families" in analyst.get(needs).text
        assert "2 November 2026" in analyst.get("/reports").text


def test_what_was_shared_says_so_first(office: Office) -> None:
    """In the list and on its page, to every reader; a comparison that is withheld is not there."""
    county, page = office.county, office.page
    with office.console.console.outside.hub(office.staff[Role.ANALYST]) as hub:
        hash_ = county.agreement.hash
        for given in (True, False):
            figures = interventions(hash_, given=given).model_dump(mode="json")
            made = hub.share_report(hash_, "interventions", figures)
        hub.share_report(hash_, "engagement", engagement(hash_).model_dump(mode="json"))
    said = office.look(Role.IG_LEAD, "/reports")
    assert said.count("Shared by Ash Analyst, Council, not made by the hub") == 3
    office.seen("reports")
    said = office.look(Role.SERVICE_MANAGER, f"/reports/{made.id}")
    assert "The hub did not make this report. Ash Analyst, Council shared it" in said
    assert said.index("The hub did not make") < said.index("The comparison is not given")
    assert "The association" not in said
    office.seen("report-shared")
    page.emulate_media(media="print")
    assert page.locator("main .app-only-print").inner_text() == NOT_PUBLISHED
    assert not page.get_by_text("Download the report").is_visible()
    page.emulate_media(media="screen")
