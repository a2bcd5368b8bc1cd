"""A headless Chromium for tests, with WebAuthn's virtual authenticator (W3C Web Authentication 11).

Debian's browser is driven by Playwright; ``scripts/services.sh`` installs it where it may. A test
that asks for one is skipped, saying so, where there is none.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

_QUIET = (
    "--no-sandbox",  # the tests' pages are their own, and root has no sandbox
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def browser_page() -> Iterator[Page]:
    """An empty page of a fresh browser."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("Chromium is not installed here: make services installs it on Debian, as root")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=list(_QUIET))
        try:
            yield browser.new_page()
        finally:
            browser.close()


class VirtualAuthenticator:
    """A security key that the page's browser believes to be plugged in."""

    def __init__(self, page: Page, **options: Any) -> None:
        self._session = page.context.new_cdp_session(page)
        self._session.send("WebAuthn.enable")
        wanted = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        } | options
        added = self._session.send("WebAuthn.addVirtualAuthenticator", {"options": wanted})
        self._id = added["authenticatorId"]

    def verifies(self, owner: bool) -> None:
        """Whether fingerprint or PIN would be right from now on."""
        self._session.send(
            "WebAuthn.setUserVerified", {"authenticatorId": self._id, "isUserVerified": owner}
        )
