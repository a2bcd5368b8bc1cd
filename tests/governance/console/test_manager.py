"""A service manager's whole story in a real browser, against a real hub, ledger and agent."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, cast

import pytest
from playwright.sync_api import Page
from sqlalchemy import select, update
from webauthn.helpers import bytes_to_base64url

from governance.canonical import b64, canonical_bytes, unb64, utc_now, write_time
from governance.consent.models import ConsentKind
from governance.console.accounts import Account
from governance.console.pages.requests.views import _needs
from governance.console.sessions import COOKIE
from governance.exchange.release_api import FamilyQuery, FamilyView, NeedView, RequestView
from governance.identity.envelope import Envelope, challenge_of, parse_canonical, sign
from governance.identity.keys import SealingKey
from governance.identity.models import PERSON_ENROLMENT, PERSON_KEYS, PersonEnrolment, Role
from governance.identity.passkeys import Assertion
from governance.ledger.events import EventType
from governance.ledger.payloads import AgreementStopped, PersonEnrolled
from governance.release.models import REQUEST, SEALED, SealedItems
from governance.ui.words import Words
from linkage_hub.store.tables import answers, requests
from tests.browsing import check_page, screenshot
from tests.chromium import VirtualAuthenticator, browser_page
from tests.console_world import ConsoleWorld, console_world
from tests.hub_world import HubWorld, hub_world_in
from tests.partner_agent.releases.test_desk import approve, both_agree, submit_and_link
from tests.soft_authenticator import SoftAuthenticator
from tests.wrapping import wrap

SEALING: Final = SealingKey(b"\x2a" * 32)
NAMES: Final = re.compile(r"\bAda\b|Quixwald|High Street")  # base64 has an "Ada" now and then


@dataclass
class Office:
    """A county, the council's console, its manager, and the browser that the manager sits at."""

    county: HubWorld
    console: ConsoleWorld
    page: Page
    manager: Account

    def go(self, path: str) -> str:
        """Open a page; what it says."""
        self.page.goto(self.console.origin + path)
        return self.page.locator("main").inner_text()

    def press(self, name: str) -> None:
        """Press a button, or follow a link that looks like one."""
        self.page.locator("main").get_by_role("button", name=name).click()

    def look(self, name: str) -> str:
        """Hold the page to the rules for everybody, keep its picture; what it says."""
        check_page(self.page)
        screenshot(self.page, name)
        return self.page.locator("main").inner_text()

    def make_keys(self) -> None:
        """Make the manager's keys in the browser; the lead confirms, the council's agent logs."""
        self.go("/keys/new")
        self.press("Make my keys")
        self.page.get_by_role("heading", name="Sign your new keys").wait_for()
        self.press("Sign with your passkey")
        self.page.wait_for_url("**/keys")
        (document,) = self.console.console.keys.documents(self.manager)
        lead = self.county.staff["ig_lead"]
        enrolment = PersonEnrolment(
            keys=document.keys.thumbprint,
            role=self.manager.role,
            party="council",
            created=write_time(utc_now()),
        )
        payload = PersonEnrolled(
            keys=document.envelope, enrolment=lead.sign(PERSON_ENROLMENT, enrolment)
        )
        council = self.county.agents["council"]
        council.ledger.write(EventType.PERSON_ENROLLED, payload)
        self.county.hub.ledger.sync()

    def listed(self) -> tuple[RequestView, ...]:
        """The manager's requests, as the hub has them."""
        with self.console.console.outside.hub(self.manager) as hub:
            return hub.requests().requests

    def asked_twice(self) -> tuple[RequestView, RequestView]:
        """A request that was answered, and another; made where no test made them."""
        if not self.listed():
            choose(self)
            self.press("Ask who they are")
            answer(self, self.ask())
        released = next(each for each in self.listed() if each.state == "answered")
        if len(self.listed()) == 1:
            self.go(f"/families/{released.family}/ask")
            self.ask()
        return released, next(each for each in self.listed() if each.id != released.id)

    @contextmanager
    def corrupted(self, table: Any, where: Any, **values: Any) -> Iterator[None]:
        """Other values in a row of the hub's, for a while."""
        columns = [table.c[name] for name in values]
        with self.county.hub.database.writing() as connection:
            (before,) = connection.execute(select(*columns).where(where))
            connection.execute(update(table).where(where).values(**values))
        try:
            yield
        finally:
            with self.county.hub.database.writing() as connection:
                connection.execute(update(table).where(where).values(**before._asdict()))

    def ask(self) -> str:
        """Ask for names and addresses of a family, by its pages; the request's hash."""
        page = self.page
        self.press("Continue")  # everybody
        page.get_by_label("First name").check()
        page.get_by_label("Address").check()
        self.press("Continue")
        page.get_by_label("4 hours", exact=True).check()
        self.press("Continue")
        page.get_by_role("heading", name="Check your request").wait_for()
        self.press("Sign with your passkey")
        page.wait_for_url("**/requests/sha256:*")
        return page.url.rpartition("/")[2]


def plain(agreement: dict[str, Any]) -> None:
    """One need is enough to be put forward, and things are called what people call them."""
    agreement["minimum_needs"] = 1
    for item in agreement["items"]:
        item["description"] = item["id"].replace("_", " ")
    agreement["indicators"][0]["description"] = "Not in education, employment or training"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A family that agreed; a manager who is signed in and has keys."""
    root: Path = tmp_path_factory.mktemp("office")
    (root / "county").mkdir()
    with hub_world_in(root / "county", plain) as county:
        submit_and_link(county)
        both_agree(county)
        key = county.agents["council"].settings.ledger_key
        with (
            console_world(
                root / "console",
                ledger_url=county.ledger_url,
                ledger_key=key,
                hub_url=county.hub_url,
            ) as console,
            browser_page() as page,
        ):
            VirtualAuthenticator(page, ctap2Version="ctap2_1", hasPrf=True)
            manager = console.account(Role.SERVICE_MANAGER, "Sam Manager")
            console.sign_in(page, manager)
            found = Office(county, console, page, manager)
            found.make_keys()
            yield found


def test_needs_are_those_of_the_family_that_was_asked_about() -> None:
    """Of one whose members have changed since, or that is gone, a form has none."""
    words = Words(["governance.ui"])
    need = NeedView(id="neet", state="met", sources=2)
    family = cast(FamilyView, SimpleNamespace(digest="sha256:" + "1" * 64, needs=[need]))
    found = _needs(words, family, family.digest, {"neet": "Not in work"})
    assert found == [("Not in work", "met (2 sources)")]
    assert _needs(words, family, "sha256:" + "2" * 64, {}) is None
    assert _needs(words, None, family.digest, {}) is None


@pytest.mark.invariant(2, "a second request after a withdrawal, from the manager's own pages")
@pytest.mark.invariant(16, "names of a release in what a browser asks, logs and is given")
def test_from_a_family_to_its_names_and_no_further(office: Office) -> None:
    """List, family, request, approval, names, outcome; then a withdrawal, and a second request."""
    heard: list[str] = []
    office.page.on("request", lambda asked: heard.append(f"{asked.url} {asked.post_data}"))
    office.page.on("console", lambda said: heard.append(said.text))
    family = choose(office)
    assert "Nobody has asked about this family" in office.page.inner_text("main")
    request = ask(office, family)
    answer(office, request)
    read(office)
    assert not NAMES.search("\n".join(heard))
    conclude(office, family, request)
    withdraw(office)
    said = office.go(f"/families/{family}")
    assert "taken their agreement back" in said
    assert "Ask who they are" not in said
    office.look("family-withdrawn")
    office.go(f"/families/{family}/ask")  # who goes there all the same
    office.ask()
    assert "Leave the family alone" in office.look("request-refused")


def choose(office: Office) -> str:
    """Choose a family of the list; its id."""
    office.go("/families?children=1&approach=yes")
    said = office.look("families")
    assert "1 family" in said
    assert "2, 1 of them a child" in said
    assert "1 met (Not in education, employment or training)" in said
    office.page.locator("main").get_by_role("table").get_by_role("link").click()
    said = office.look("family")
    assert "Not in education" in said
    return office.page.url.rpartition("/")[2]


def ask(office: Office, family: str) -> str:
    """Ask for names and addresses, with every mistake on the way; the request's hash."""
    page = office.page
    office.press("Ask who they are")
    everybody = page.get_by_role("checkbox")
    office.look("ask-people")
    assert everybody.count() == 2
    for each in everybody.all():
        each.uncheck()
    office.press("Continue")
    assert "Choose at least one" in office.look("ask-people-error")
    for each in everybody.all():
        each.check()
    office.press("Continue")
    office.look("ask-items")
    office.press("Continue")
    assert "Choose at least one thing" in office.look("ask-items-error")
    page.get_by_label("First name").check()
    page.get_by_label("Address").check()
    office.press("Continue")
    office.look("ask-hours")
    office.press("Continue")
    page.get_by_role("button", name="Sign with your passkey").wait_for()
    said = office.look("ask-check")
    assert family in said
    assert "2 of 2" in said
    office.press("Sign with your passkey")
    page.wait_for_url("**/requests/sha256:*")
    assert "Waiting for a decision" in office.look("request-waiting")
    return page.url.rpartition("/")[2]


def answer(office: Office, request: str) -> None:
    """The lead approves, the council's agent answers."""
    approve(office.county, request)
    council = office.county.agents["council"]
    council.desk.answer_all(council.hub)
    office.page.reload()
    assert "Answered" in office.look("request-answered")


def read(office: Office) -> None:
    """Open the names, read them, and close them."""
    page = office.page
    office.press("Open the names")
    office.look("open")
    office.press("Open")
    page.get_by_role("heading", name="Contact sheet").wait_for()
    said = office.look("opened")
    assert "Ada" in said
    assert "1 High Street" in said
    fetched = page.evaluate("fetch(location.href).then(a => a.text(), () => 'refused')")
    assert fetched == "refused"  # the page may connect nowhere
    office.press("Nomination to the programme")
    said = office.look("form-nomination")
    assert "Ada" in said
    assert "1 High Street" in said
    assert re.search(r"Not in education, employment or training\s+met \(1 source\)", said)
    office.press("Close")
    assert not NAMES.search(page.content())


def conclude(office: Office, family: str, request: str) -> None:
    """Say what came of it; every page says so from then on."""
    office.go(f"/requests/{request}/outcome")
    office.press("Record it")
    assert "Choose what came of it" in office.look("outcome-error")
    office.page.get_by_label("They took up help").check()
    office.press("Record it")
    office.page.wait_for_url(f"**/{request}")
    for path in (f"/requests/{request}", "/requests", f"/families/{family}"):
        assert "Helped" in office.go(path)
    office.go("/requests")
    office.look("requests")


def withdraw(office: Office) -> None:
    """The mother takes her agreement back, at the council."""
    council = office.county.agents["council"]
    handle = council.vault.find("council_records", "A1")[0].hex()
    grant = council.ledger.sync().consents.current("council", handle, ConsentKind.APPROACH)
    assert grant is not None
    council.consents.withdraw([grant.id], utc_now())


@pytest.mark.invariant(
    9, "another request, other members and answers shown by the hub", double="swaps keys"
)
@pytest.mark.invariant(10, "an answer of a partner that holds no record", double="lies")
def test_a_corrupt_hub_has_nothing_of_its_own_shown(office: Office) -> None:
    """An answer that no partner signed is left out and counted; another request is not shown."""
    hub, page = office.county.hub, office.page
    released, other = office.asked_twice()
    path = f"/requests/{released.id}"
    with hub.database.writing() as connection:
        (kept,) = connection.execute(select(answers).where(answers.c.request == released.id))
    forged = Envelope.model_validate_json(kept.sealed)
    police = office.county.agents["police"].secrets
    sealed = parse_canonical(forged.payload_bytes, SealedItems)
    by_police = sealed.model_copy(update={"party": "police"})  # which holds no record of them
    for document in (sealed, by_police):
        forged = sign(SEALED, document, police.signing_key, police.keys.thumbprint)
        with office.corrupted(
            answers, answers.c.request == released.id, sealed=canonical_bytes(forged)
        ):
            said = office.go(path + "/open")
            assert "1 answer was not signed by a partner that holds a record" in said
            assert "No partner has sent names" in said
    office.look("open-unverified")
    row = requests.c.id == released.id
    with office.corrupted(requests, row, envelope=canonical_bytes(other.request)):
        for address in (path, path + "/open"):
            assert "another request than the one asked for" in office.go(address)
    terms = office.county.agreement.hash
    family = hub.families.document(released.family, [terms])
    members = canonical_bytes(family).replace(b'"adult":true', b'"adult":false')
    with office.corrupted(requests, row, document=members):
        assert "not those that the request names" in office.go(path)
    assert page.locator("dl").count() == 0


@pytest.mark.invariant(7, "what a page is sent back, signed by another or about another family")
def test_a_form_brings_only_what_was_signed_for_it(office: Office) -> None:
    """Another family's address, another's passkey, a key document of another console, no form."""
    console, county = office.console, office.county
    keys = console.console.outside.enrolled(office.manager).keys
    one, _ = office.asked_twice()
    asked = one.request.payload_bytes
    stranger = SoftAuthenticator(site="localhost", origin=console.origin)
    session = console.session(office.manager)
    with console.client() as client:
        client.cookies[COOKIE] = session.token

        def post(path: str, document: bytes, kind: str, thumbprint: str) -> tuple[int, str]:
            signed = stranger.assertion(thumbprint, challenge_of(kind, document))
            answer = client.post(path, data={
                "csrf": session.csrf, "document": b64(document), "signature": answer_of(signed),
                "wrapped": canonical_bytes(wrap(SEALING, bytes(32), salt=bytes(32))).decode(),
            })  # fmt: skip
            return answer.status_code, answer.text

        status, said = post(f"/families/{one.family}/ask", asked, REQUEST, keys.thumbprint)
        assert (status, "signature does not verify" in said) == (403, True)
        own = {"party": "council", "signing": keys.signing, "sealing": b64(SEALING.public)}
        stranger = SoftAuthenticator()
        elsewhere = keys.model_copy(update=own | {"passkey": stranger.passkey})
        payload = canonical_bytes(elsewhere)
        status, said = post("/keys", payload, PERSON_KEYS, elsewhere.thumbprint)
        assert (status, "for another console" in said) == (403, True)
        stranger = SoftAuthenticator(site="localhost", origin=console.origin)
        lead = elsewhere.model_copy(update={"role": Role.IG_LEAD, "passkey": stranger.passkey})
        status, said = post("/keys", canonical_bytes(lead), PERSON_KEYS, lead.thumbprint)
        assert (status, "not of the account" in said) == (403, True)
        empty = client.post("/keys/new", data={"csrf": session.csrf})
        assert empty.status_code == 400
    assert len(console.console.keys.documents(office.manager)) == 1
    assert county.hub.ledger.sync().releases.requests.keys() == {
        each.id for each in office.listed()
    }


def test_pages_work_without_scripts_but_for_signing_and_opening(office: Office) -> None:
    """Lists, questions and their errors; what needs a script says so, and what to do."""
    released, _ = office.asked_twice()
    browser = office.page.context.browser
    assert browser is not None
    page = browser.new_context(java_script_enabled=False).new_page()
    office.console.sign_in(page, office.manager)
    page.goto(f"{office.console.origin}/families")
    page.click("text=Choose which families")
    page.get_by_label("Children").select_option("4")
    page.click("text=Show these families")
    assert "No family is like that" in page.inner_text("main")
    page.goto(f"{office.console.origin}/families/{released.family}/ask")
    page.click("text=Continue")
    page.click("text=Continue")
    assert page.title().startswith("Error: ")
    page.get_by_label("First name").check()
    page.click("text=Continue")
    page.click("text=Continue")
    assert "Signing needs JavaScript" in page.inner_text("main")
    assert not page.get_by_role("button", name="Sign with").is_visible()
    page.goto(f"{office.console.origin}/requests/{released.id}/open")
    assert "Opening needs JavaScript" in page.inner_text("main")
    page.goto(f"{office.console.origin}/keys/new")
    assert "Making keys needs JavaScript" in page.inner_text("main")
    page.context.close()


def test_families_are_not_shown_while_their_agreement_is_suspended(office: Office) -> None:
    """The list says why it is empty, and so does a family that was open in the browser."""
    county = office.county
    council = county.agents["council"].ledger
    stopped = AgreementStopped(agreement=county.agreement.hash, reason="inquiry")
    with office.console.console.outside.hub(office.manager) as hub:
        family = hub.families(FamilyQuery()).families[0].family
    council.write(EventType.AGREEMENT_SUSPENDED, stopped)
    try:
        assert "No agreement of your organisation is in force" in office.go("/families")
        check_page(office.page)
        assert "is suspended by council" in office.go(f"/families/{family}")
        assert "is suspended by council" in office.go(f"/families/{family}/ask")
    finally:
        council.write(EventType.AGREEMENT_RESUMED, stopped)
    assert family[2:10] in office.go("/families")


def answer_of(signed: Assertion) -> str:
    """An assertion as a browser writes it."""

    def url(text: str) -> str:
        return bytes_to_base64url(unb64(text))

    return json.dumps({
        "id": "AAAA", "rawId": "AAAA", "type": "public-key",
        "response": {
            "clientDataJSON": url(signed.client_data),
            "authenticatorData": url(signed.authenticator_data),
            "signature": url(signed.value),
        },
    })  # fmt: skip
