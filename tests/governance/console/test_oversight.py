"""An IG lead's pages in a real browser over a ledger that runs; the public register without one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from governance.agreements.models import Agreement
from governance.canonical import hash_of, sha256
from governance.console.accounts import Account
from governance.console.pages.register import views
from governance.console.sessions import COOKIE
from governance.identity.models import Role
from governance.ledger.client import LedgerClient
from governance.ledger.database import Database
from governance.ledger.events import EventType
from governance.ledger.mirror import Mirror
from governance.ledger.note import Note
from governance.ledger.payloads import (
    Decided,
    RegisterWanted,
    ReleaseRefused,
    Requested,
    RetentionPurged,
    RightsOpened,
)
from governance.oversight.public import public_register as register
from governance.terminal import write_document
from governance.transparency.models import TransparencyRecord
from governance.transparency.record import record_of
from governance.transparency.written import Written
from linkage_hub.analytics.transparency import model_cards
from tests.browsing import check_page, screenshot
from tests.chromium import browser_page
from tests.console_world import ConsoleWorld, console_world
from tests.governance.ledger.test_service import Running, post_all, started
from tests.governance.privacy.test_registry import agree, cost
from tests.governance.transparency.test_record import PROGRAM, WHOLE
from tests.governance.world import NOON, World

ROOT = Path(__file__).resolve().parents[3]
HANDLE = "d" * 32
DECEMBER = NOON + timedelta(days=9)  # the first
PAGES = (
    "", "/agreements", "/register", "/consents", "/refusals", "/rights", "/retention",
    "/witnesses", "/risks", "/ledger", "/evidence",
)  # fmt: skip


@dataclass
class Council:
    """The council's console over a ledger."""

    ledger: Running
    world: ConsoleWorld
    lead: Account

    def get(self, path: str) -> httpx.Response:
        """A page, as the lead."""
        with self.world.client(self.lead) as client:
            return client.get(path)


def refuse(world: World, handle: str) -> None:
    """A request about somebody, which is approved, and which the police refuse."""
    police = world.partners[0]
    request = world.request(world.members(("1", True, [(police, handle)])), id=handle)
    world.write(world.hub, EventType.RELEASE_REQUESTED, Requested(request=request))
    approval = Decided(approval=world.approval(request))
    world.write(world.hub, EventType.RELEASE_APPROVED, approval)
    refusal = ReleaseRefused(request=request.payload_hash, party="police", reason="release.local")
    world.write(police, EventType.RELEASE_REFUSED, refusal)


def tell(world: World) -> None:
    """Consents, a request that was refused, a right, a deletion, an item that is wanted."""
    police, nhs, council = world.partners
    world.consent(police, HANDLE)
    world.withdraw(nhs, world.consent(nhs, "e" * 32))
    world.consent(council, "f" * 32, state="refused")
    refuse(world, HANDLE)
    opened = RightsOpened(
        agreement=world.agreement_hash, party="police", kind="access", received="2026-11-22",
        due="2026-12-20",
    )  # fmt: skip
    world.write(police, EventType.RIGHTS_OPENED, opened)
    purged = RetentionPurged(
        agreement=world.agreement_hash, party="police", rows=3, synthetic_rows=0, files=1
    )
    world.write(police, EventType.RETENTION_PURGED, purged)
    wanted = RegisterWanted(party="police", item="surname")
    world.write(council, EventType.REGISTER_WANTED, wanted)
    world.append(cost(world.hub, agree(world, title="Learning what helps"), 0.75))


def cosign(running: Running) -> None:
    """Have two partners witness the ledger as it stands."""
    for party in running.world.partners[:2]:
        mirror = Mirror(Database("sqlite://", "mirror"), running.key)
        with running.client(party) as client:
            mirror.sync(client)
            client.cosign(mirror.cosign(running.witness(party), party.witness, NOON))
        mirror.close()


def lay(folder: Path, agreement: Agreement) -> TransparencyRecord:
    """Lay a record of an agreement where the console looks, as the command writes it."""
    words = Written(**{key: value for key, value in WHOLE.items() if key != "team"})
    models = model_cards(agreement, PROGRAM, None, [])
    found = record_of(agreement, words, PROGRAM, models, None, {}, NOON.date())
    write_document(folder / f"{agreement.id}.json", found)
    return found


@pytest.fixture(scope="module")
def council(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Council]:
    """A ledger that two partners cosigned, and a console with the council's lead."""
    folder = tmp_path_factory.mktemp("council")
    with started(f"sqlite:///{folder / 'ledger.db'}", folder, DECEMBER) as running:
        tell(running.world)
        post_all(running, running.world.events[1:])
        cosign(running)
        settings = {
            "ledger_url": running.url,
            "ledger_key": str(running.key),
            "dpia_file": ROOT / "docs/DPIA.md",
            "transparency": folder / "records",
        }
        lay(folder / "records", running.world.agreement)
        with console_world(folder / "console", **settings) as world:
            lead = world.account(Role.IG_LEAD, "Alex Lead", running.world.lead)
            yield Council(running, world, lead)


def test_every_page_answers(council: Council) -> None:
    """With what the ledger holds, and none with an error."""
    found = {path: council.get(f"/oversight{path}").status_code for path in PAGES}
    assert set(found.values()) == {200}, found
    assert council.get("/register").status_code == 200


def test_a_lead_and_an_analyst_see_what_models_have_cost(council: Council) -> None:
    """Budget, what is left, each cost beside its entry; only a lead's role opens the entry."""
    analyst = council.world.account(Role.ANALYST, "Kim Analyst")
    with browser_page() as page:
        council.world.sign_in(page, council.lead)
        page.goto(f"{council.world.origin}/models")
        check_page(page)
        screenshot(page, "models")
        text = page.inner_text("main")
        assert "epsilon 2 and delta 0.000005" in text
        assert "Epsilon left in 2026" in text
        assert "later referral" in text
        page.click("main tbody a")
        assert "epsilon.spent" in page.content()
    with council.world.client(analyst) as client:
        shown = client.get("/models")
    assert shown.status_code == 200
    assert "1.25" in shown.text
    assert "/oversight/ledger/" not in shown.text


def test_a_lead_looks_at_everything(council: Council) -> None:
    """Each page says what the ledger holds; none breaks a rule of WCAG, none scrolls sideways."""
    with browser_page() as page:
        council.world.sign_in(page, council.lead)
        for path in PAGES:
            page.goto(f"{council.world.origin}/oversight{path}")
            check_page(page)
            if path != "/risks":  # long
                screenshot(page, f"oversight{path.replace('/', '-') or '-start'}")
        look_at_the_ledger(council, page)
        page.goto(f"{council.world.origin}/oversight/agreements")
        page.click("main table a >> nth=0")
        assert "Crime and Disorder Act 1998 s115" in page.inner_text("main")
        check_page(page)
        screenshot(page, "oversight-agreement")
        make_evidence(council, page)


def look_at_the_ledger(council: Council, page: Any) -> None:
    """A search by type and party, an entry with its proof; a wrong hash is explained."""
    page.goto(f"{council.world.origin}/oversight/ledger")
    page.select_option("#kind", "consent.recorded")
    page.select_option("#party", "police")
    page.click("main button")
    assert page.locator("main tbody tr").count() == 1
    page.click("main tbody a")
    assert HANDLE not in page.content()
    assert "proved to be in the signed ledger" in page.inner_text("main")
    check_page(page)
    screenshot(page, "oversight-entry")
    page.goto(f"{council.world.origin}/oversight/ledger?text=Smith&since=yesterday")
    assert page.locator(".govuk-error-summary li").count() == 1
    check_page(page)


def make_evidence(council: Council, page: Any) -> None:
    """What is left out is asked for; then the pack is a ZIP file with a page to read."""
    page.goto(f"{council.world.origin}/oversight/evidence")
    page.click("text=Make a pack about these days")
    assert "Enter the first day" in page.inner_text(".govuk-error-summary")
    check_page(page)
    page.fill("#first", "2026-11-01")
    page.fill("#last", "2026-11-30")
    with page.expect_download() as download:
        page.click("text=Make a pack about these days")
    assert download.value.suggested_filename == "evidence-2026-11-01-2026-11-30.zip"
    assert Path(download.value.path()).read_bytes().startswith(b"PK")


def test_a_pack_is_made_while_the_ledger_grows(
    council: Council, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cosigned tree that is newer than the copy is no fork; the copy is free meanwhile."""
    council.get("/oversight")  # there is a copy, which is not old
    world, looking = council.ledger.world, council.world.console.outside.ledger._looking
    grown, free = len(world.events), []
    world.consent(world.partners[0], "8" * 32)
    post_all(council.ledger, world.events[grown:])
    cosign(council.ledger)
    ask = LedgerClient.checkpoint

    def look() -> None:
        free.append(looking.acquire(timeout=1))
        looking.release()

    def checkpoint(client: LedgerClient, *args: Any, **what: Any) -> Note:
        thread = Thread(target=look)
        thread.start()
        thread.join()
        return ask(client, *args, **what)

    monkeypatch.setattr(LedgerClient, "checkpoint", checkpoint)
    form = {"about": "period", "first": "2026-11-01", "last": "2026-11-30"}
    session = council.world.session(council.lead)
    with council.world.client() as client:
        client.cookies.set(COOKIE, session.token)
        answer = client.post("/oversight/evidence", data=form | {"csrf": session.csrf})
    assert answer.status_code == 200, answer.text
    assert answer.content.startswith(b"PK")
    assert free
    assert all(free)
    assert not council.world.console.outside.ledger.mirror.evidence()


def test_the_public_register_needs_no_sign_in(council: Council) -> None:
    """Anybody reads agreements and why counts are as they are; nothing of a person or a party."""
    council.get("/oversight")  # staff have looked, so there is a copy
    with browser_page() as page:
        page.goto(f"{council.world.origin}/register")
        said = page.inner_text("main")
        assert "Families with several needs" in said
        assert "Small numbers are not shown" in said
        assert "together may cost epsilon 2 and delta 0.000005" in said
        assert "None may be made." in said  # under the agreement that says nothing of it
        check_page(page)
        screenshot(page, "public-register")
        page.click("text=How the tool works")
        assert page.get_by_text("The record as JSON").get_attribute("href")
        said = str(page.text_content("main"))  # parts that are closed, too
        assert "Director of children's services" in said
        assert said.count("Not stated yet.") > 1  # the team is one
        assert "met, unmet or unknown" in said
        page.click("text=Tier 2: owner and responsibility")
        check_page(page)
        screenshot(page, "public-record")


def test_the_record_on_the_public_page_is_one_of_a_signed_agreement(council: Council) -> None:
    """Its JSON is the bytes its hash is of; of another agreement or damaged, there is none."""
    council.get("/oversight")
    agreement = council.ledger.world.agreement
    file = council.world.home.parent / "records" / f"{agreement.id}.json"
    own = lay(file.parent, agreement)
    with council.world.client() as anybody:

        def status(path: str) -> int:
            assert ("How the tool works" in anybody.get("/register").text) is file_holds
            return anybody.get(f"/register/{path}").status_code

        file_holds = True
        assert sha256(anybody.get(f"/register/{agreement.id}/record.json").content) == hash_of(own)
        assert status(f"{agreement.id}/record") == 200
        assert status("another/record.json") == 404
        file_holds = False
        other = own.model_copy(update={"agreement_hash": sha256(b"never signed")})
        write_document(file, other)
        assert status(f"{agreement.id}/record") == 404
        write_document(file, own.model_copy(update={"agreement": "another"}))
        assert status(f"{agreement.id}/record.json") == 404
        file.write_bytes(b"{")
        assert status(f"{agreement.id}/record") == 404
    lay(file.parent, agreement)


@pytest.mark.invariant(21, "the public page before and after events reached the ledger")
def test_the_public_page_is_the_same_after_an_event(
    council: Council, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Byte for byte but for its nonce, with a month's counts on it, although the ledger has grown.

    What comes when a month is over, and states a time of that month, changes nothing of it.
    """
    console, world = council.world.console, council.ledger.world
    police = world.partners[0]

    def grow(write: Callable[[], object]) -> None:
        before = len(world.events)
        write()
        post_all(council.ledger, world.events[before:])

    def seen() -> str:
        console.outside._synced = 0.0
        council.get("/oversight")
        text = httpx.get(f"{council.world.origin}/register").text
        return "".join(part for part in text.split('"') if len(part) != 22)

    grow(lambda: world.consent(police, "8" * 32, now=DECEMBER))  # November is over
    settled = DECEMBER + timedelta(days=8)
    monkeypatch.setattr(views, "public_register", lambda state, _now: register(state, settled))
    before = seen()
    assert before.count("7 or fewer") >= 2
    grow(lambda: world.consent(police, "9" * 32))
    grow(lambda: refuse(world, "9" * 32))
    assert seen() == before
    assert console.outside.ledger.state.size == len(world.events)


@pytest.mark.parametrize("role", [Role.ANALYST, Role.SERVICE_MANAGER])
def test_nobody_else_oversees(council: Council, role: Role) -> None:
    """Analysts and managers are refused each of these pages; who is not signed in is sent away."""
    account = council.world.account(role)
    with council.world.client(account) as client, council.world.client() as stranger:
        for path in PAGES:
            assert client.get(f"/oversight{path}").status_code == 403
            assert stranger.get(f"/oversight{path}").status_code == 303


def test_a_proof_is_downloaded(council: Council) -> None:
    """As other programs read it; of an entry that is not there nothing is given."""
    answer = council.get("/oversight/ledger/3/proof")
    assert answer.text.startswith("c2sp.org/tlog-proof@v1\nindex 3\n")
    assert council.get("/oversight/ledger/99999").status_code == 404
