"""A manager and an IG lead of the council, each at a browser, every program a process."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.sync_api import Page

from examples.county.demo.again import Ports, confirm, console_home, invite
from examples.county.demo.search import find
from examples.county.demo.site import Addresses, Site
from examples.county.demo.story import Story
from tests.chromium import VirtualAuthenticator

WAIT_SECONDS: Final = 120
PASSPHRASE: Final = "seven quiet herons at dusk"
NAMES_LEAST: Final = 3
TELLING: Final = 6  # letters: shorter values are found by chance


@dataclass
class Desk:
    """One person's browser, and the county around it."""

    role: str
    page: Page
    site: Site
    at: Addresses
    ports: Ports

    @property
    def origin(self) -> str:
        """The console's address."""
        return f"http://localhost:{self.ports.console}"

    def go(self, path: str) -> str:
        """Open a page; what it says."""
        self.page.goto(self.origin + path)
        return self.page.inner_text("main")

    def press(self, name: str) -> None:
        """Press a button of the page."""
        self.page.locator("main").get_by_role("button", name=name).click()

    def sign_in(self) -> None:
        """Take up a link with a passkey; its authenticator cannot lock keys."""
        VirtualAuthenticator(self.page)
        self.page.goto(invite(self.site, self.role))
        self.page.wait_for_function("document.querySelector('#code').value.length > 20")
        self.press("Continue")
        self.page.locator("main").get_by_role("button").last.click()
        self.page.wait_for_url("**/account")

    def make_keys(self, folder: Path) -> None:
        """Make signing keys under a passphrase; the lead confirms them, the council logs them."""
        self.go("/keys/new")
        self.press("Make my keys")
        self.page.get_by_label("Choose a passphrase").fill(PASSPHRASE)
        self.page.get_by_label("Type it again").fill(PASSPHRASE)
        self.press("Make my keys")
        self.press("Sign with your passkey")
        self.page.wait_for_url("**/keys")
        with self.page.expect_download() as download:
            self.page.click("text=Download the public half")
        file = folder / "person.keys.json"
        download.value.save_as(file)
        confirm(self.site, file)

    def until(self, path: str, words: str) -> None:
        """Open a page again and again until it says something."""
        deadline = time.monotonic() + WAIT_SECONDS
        while words not in self.go(path):
            assert time.monotonic() < deadline, self.page.inner_text("main")
            time.sleep(1)

    def ask(self, family: str) -> str:
        """Ask for everybody's name and address; the request's hash."""
        self.go(f"/families/{family}/ask")
        self.press("Continue")
        for item in ("First name", "Surname", "Address"):
            self.page.get_by_label(item, exact=True).check()
        self.press("Continue")
        self.press("Continue")
        self.press("Sign with your passkey")
        self.page.wait_for_url("**/requests/sha256:*", timeout=WAIT_SECONDS * 1000)
        return self.page.url.rpartition("/")[2]

    def approve(self, request: str) -> None:
        """Read what there is to read about a request, and approve it."""
        self.until(f"/decide/{request}", "Every rule that the ledger can show holds now")
        self.page.get_by_label("Approve").check()
        self.press("Continue")
        self.press("Sign with your passkey")
        self.page.wait_for_url(f"**/decide/{request}")
        assert "This request was approved" in self.page.inner_text("main")

    def open(self, request: str) -> list[str]:
        """Open what the partners sent; the values that are read, without their sources."""
        self.go(f"/requests/{request}/open")
        self.page.get_by_label("Your passphrase").fill(PASSPHRASE)
        self.press("Open")
        self.page.get_by_role("heading", name="Contact sheet").wait_for()
        texts = self.page.locator("[data-part=sheet] dd p").all_inner_texts()
        return [text.rpartition(" (")[0] for text in texts]


def tell(manager: Desk, lead: Desk, folder: Path) -> None:
    """Request, approval, names read, withdrawal, second request refused; nothing is left behind."""
    story = Story(manager.site, manager.at)
    for desk in (manager, lead):
        desk.sign_in()
        desk.make_keys(folder)
    manager.until("/families?approach=yes", "families")  # once the console knows the keys
    manager.page.locator("main").get_by_role("table").get_by_role("link").first.click()
    family = manager.page.url.rpartition("/")[2]
    request = manager.ask(family)
    assert "Waiting for a decision" in manager.page.inner_text("main")
    lead.approve(request)
    manager.until(f"/requests/{request}", "Answered")
    names = manager.open(request)
    assert len(set(names)) >= NAMES_LEAST
    county = [manager.site.county / "partners"]
    own = [name for name in set(names) if len(name) >= TELLING and find([name], county)]
    assert own, "what was read is not what the partners hold"
    site = manager.site
    kept = [console_home(site), site.hub, site.ledger, site.logs]
    assert not find([*own, PASSPHRASE], kept)

    view = story.person("ig_lead", "governance", "release", "status", request)
    party, grant = story.one_grant(view)
    story.agent(party, "consent", "withdraw", grant)
    manager.until(f"/families/{family}", "Leave the family alone")
    second = manager.ask(family)
    assert "Not possible" in manager.page.inner_text("main")
    refused = story.person("ig_lead", "governance", "release", "status", second)
    assert (refused["state"], refused["reason"]) == ("refused", "consent.withdrawn")
    assert "sealed" not in json.dumps(refused)
