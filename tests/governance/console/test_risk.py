"""A model's order, its card and its list, and families by area, in a real browser."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page
from sqlalchemy import select

from governance.canonical import sha256
from governance.console.accounts import Account
from governance.identity.models import Role
from governance.ledger.events import EventType
from governance.ledger.payloads import SubmissionOutcome
from linkage_hub.analytics.risk.documents import ModelDocument, Privacy
from linkage_hub.analytics.risk.models import LinearModel
from linkage_hub.store.bulk import insert_rows
from linkage_hub.store.tables import families, family_categories, family_members, person_records
from tests.browsing import check_page, screenshot
from tests.chromium import browser_page
from tests.console_world import ConsoleWorld, console_world
from tests.hub_world import HubWorld, hub_world_in
from tests.linkage_hub.analytics.risk.kept import cohort, kept_run

NEEDS = {
    "offence": "Offence in twelve months",
    "debt": "Debt or notice of eviction",
    "neet": "Not in education, employment or training",
    "violence": "Marker of domestic abuse",
}
AREAS = {
    "east_ward": "East ward",
    "hill_ward": "Hill ward",
    "lake_ward": "Lake ward",
    "west_ward": "West ward",
}
FAMILIES = 3_000
MANAGER, ANALYST, LEAD = "service_manager", "analyst", "ig_lead"


@dataclass
class Office:
    """A county with a run and a model, the council's console, its staff and a browser."""

    county: HubWorld
    console: ConsoleWorld
    page: Page
    people: dict[str, Account]
    model: ModelDocument

    @property
    def family(self) -> str:
        """Address of a family's page."""
        with self.county.hub.database.reading() as connection:
            return f"/families/{connection.scalar(select(families.c.family).limit(1))}"

    def sign_in(self, role: str) -> None:
        """Work as somebody of a role from now on."""
        self.page.context.clear_cookies()
        self.console.sign_in(self.page, self.people[role])

    def look(self, path: str, name: str = "", status: int = 200) -> str:
        """Open a page, hold it to the rules for everybody, keep its picture; what it says."""
        answered = self.page.goto(self.console.origin + path)
        assert answered is not None
        assert answered.status == status, (path, self.page.inner_text("main"))
        return self.seen(name)

    def seen(self, name: str = "") -> str:
        """The same of the page that is open; one without a name is only read."""
        if name:
            check_page(self.page)
            screenshot(self.page, name)
        return self.page.locator("main").inner_text()


def learning(data: dict[str, Any]) -> None:
    """Four needs, four areas, a budget."""
    data["indicators"] = [
        {"id": id_, "description": text, "owners": ["council"], "window_months": 12}
        | ({"used_as": "area"} if id_ in AREAS else {})
        for id_, text in (NEEDS | AREAS | {"in_programme": "In the programme"}).items()
    ]
    data["sources"][1]["indicators"] = [each["id"] for each in data["indicators"]]
    data["privacy_budget"] = {"epsilon": 1.5, "delta": 1e-5}
    data["minimum_needs"] = 2


def fill(county: HubWorld) -> ModelDocument:
    """A run of families with members and areas, and a model that is paid for."""
    hub, terms = county.hub, county.agreement
    source = terms.sources[1]
    accepted = SubmissionOutcome(
        submission="2" * 32, manifest=sha256(b"manifest"), agreement=terms.hash,
        party=source.party, source=source.id, records=3, reason=None,
    )  # fmt: skip
    hub.ledger.write(EventType.SUBMISSION_ACCEPTED, accepted)
    random = np.random.default_rng(1)
    names = [f"f-{random.bytes(16).hex()}" for _ in range(FAMILIES)]
    found = cohort(FAMILIES, len(NEEDS), 5)
    run = kept_run(hub.database, terms.hash, list(NEEDS), found, 1, names=names)
    where = random.choice([*AREAS, "*"], FAMILIES, p=(0.4, 0.3, 0.19, 0.1, 0.01))
    persons = [f"p-{at:032x}" for at in range(1, FAMILIES + 1)]
    with hub.database.writing() as connection:
        insert_rows(
            connection, family_members,
            ("run", "family", "person", "role", "adult", "confidence", "is_primary", "reasons"),
            ((run, *each, "parent", True, 0.9, True, "[]")
             for each in zip(names, persons, strict=True)),
        )  # fmt: skip
        insert_rows(
            connection, person_records, ("run", "handle", "person", "party", "source"),
            ((run, f"{at:032x}", person, "council", source.id)
             for at, person in enumerate(persons, 1)),
        )  # fmt: skip
        insert_rows(
            connection, family_categories, ("run", "family", "use", "category"),
            ((run, family, "area", str(area))
             for family, area in zip(names, where, strict=True)),
        )  # fmt: skip
    document = ModelDocument(
        model=LinearModel(
            kind="private-logistic", needs=tuple(NEEDS), intercept=-3.2,
            coefficients=(0.62, 0.41, 0.35, 0.88, 0.02, 0.11, -0.08, 0.19),
        ),
        agreement=terms.hash,
        outcome="in_programme",
        families=22_256,
        privacy=Privacy(epsilon=1, delta=1e-6, opacus=0.992, dp_accounting=0.982, noise=41.26,
                        clip=3, steps=100, randomness="operating system"),
    )  # fmt: skip
    hub.models.enter(document, hub.epsilon.spend(terms.hash, "in_programme", 1.0, 1e-6))
    return document


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A model that is paid for and shared with nobody yet."""
    root: Path = tmp_path_factory.mktemp("risk")
    (root / "county").mkdir()
    with hub_world_in(root / "county", learning) as county:
        model = fill(county)
        with (
            console_world(
                root / "console",
                ledger_url=county.ledger_url,
                ledger_key=county.agents["council"].settings.ledger_key,
                hub_url=county.hub_url,
            ) as console,
            browser_page() as page,
        ):
            people = {
                role: console.account(Role(role), f"Sam {role}", county.staff[role])
                for role in (MANAGER, ANALYST, LEAD)
            }
            yield Office(county, console, page, people, model)


def test_where_nothing_is_shared_no_page_speaks_of_a_model(office: Office) -> None:
    """The list, a family, an address with the order in it; the analyst's page says how to."""
    for each in office.county.hub.models.shared():
        office.county.hub.models.withdraw(each.id)
    office.sign_in(MANAGER)
    for path in ("/families", "/families?order=model", office.family):
        said = office.look(path)
        assert "model" not in said.lower()
        assert "odds" not in said
    assert office.page.locator("select[name=order]").count() == 0
    office.look(f"/risk/sha256:{'0' * 64}", status=404)
    office.sign_in(ANALYST)
    assert "No model is shared" in office.look("/risk")


def test_families_by_area_are_counts(office: Office) -> None:
    """By number of needs, rounded, small ones put together; no family, and no list by area."""
    office.sign_in(MANAGER)
    office.look("/families")
    office.page.get_by_role("link", name="How many families there are by area").click()
    said = office.seen("families-by-area")
    assert "East ward" in said
    assert "2 needs met" in said
    assert "about " in said
    assert not [need for need in NEEDS.values() if need in said]
    assert not re.search("f-[0-9a-f]{32}", office.page.content())
    every = office.look("/families?show=all")
    family = office.look(office.family)
    options = office.page.content()
    assert not [area for area in AREAS.values() if area in every + family + options]


def share(office: Office) -> str:
    """Share the model; its hash."""
    return office.county.hub.models.share(office.model)


def test_a_shared_model_orders_the_list_and_says_why(office: Office) -> None:
    """Chosen by the manager, with places; a family, its parts, the card; a lead sees the card."""
    share(office)
    office.sign_in(MANAGER)
    usual = office.look("/families?show=all")
    assert "Place by the model" not in usual
    office.look("/families")
    office.page.get_by_text("Choose which families to show").click()
    office.page.get_by_label("Order").select_option("By the model")
    office.page.get_by_label("Families", exact=True).select_option("All")
    office.page.get_by_role("button", name="Show these families").click()
    office.page.wait_for_url("**order=model*")
    said = office.seen("families-by-model")
    assert "Among the first 1 in 100" in said
    assert "Nothing is decided by it" in said
    assert "too little is known" in said
    assert "not lower" in said
    with office.console.client(office.people[MANAGER]) as client:
        for number in (1, FAMILIES // 25):  # a page of the list has no figure
            page = client.get(f"/families?show=all&order=model&page={number}").text
            assert not re.search(
                r"[0-9]\.[0-9]", page.partition("<tbody")[2].partition("</tbody")[0]
            )
    assert "No place, too little is known" in page
    office.look("/families?order=model")
    office.page.locator("main table a").first.click()
    said = office.seen("family-by-model")
    assert "By the model" in said
    assert "odds 2.41 times" in said  # exp(0.88): a marker of domestic abuse
    assert "Nothing is decided by it" in said
    office.page.get_by_role("link", name="What this model is").click()
    said = office.seen("risk-card")
    assert "Coming to the programme" in said
    assert "22,256" in said
    assert "0.992" in said
    assert "Not stated" in said
    assert "List of families by this model" not in said
    office.sign_in(LEAD)
    assert "22,256" in office.look(office.page.url.removeprefix(office.console.origin))


def test_an_analyst_sees_the_card_and_the_list(office: Office) -> None:
    """As the command writes it, at the size that is chosen, and a size that is none is said."""
    id_ = share(office)
    office.sign_in(ANALYST)
    assert "Coming to the programme" in office.look("/risk", "risk")
    office.page.locator("main table a").first.click()
    assert "Families of the current run" in office.seen()
    office.page.get_by_role("link", name="List of families by this model").click()
    said = office.seen("risk-list")
    assert "families, the highest figures first" in said
    assert "Debt or notice of eviction not known (1.12)" in said
    assert "Marker of domestic abuse (2.41)" in said
    office.page.get_by_label("Families on the list").select_option("100")
    office.page.get_by_role("button", name="Show").click()
    office.page.wait_for_url("**size=100")
    assert "100 families, the highest figures first" in office.seen()
    assert office.page.locator("main tbody tr").count() == 25
    office.look(f"/risk/{id_}/families?size=100&page=5")
    assert office.page.locator("main tbody tr").count() == 0
    assert "Choose a length" in office.look(f"/risk/{id_}/families?size=7", status=422)
