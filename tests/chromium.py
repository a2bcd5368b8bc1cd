"""A headless Chromium for tests, with WebAuthn's virtual authenticator (W3C Web Authentication 11).

Debian's browser is driven by Playwright; ``scripts/services.sh`` installs it where it may. A test
that asks for one is skipped, saying so, where there is none. A session starts one browser, and each
who asks for a page has a context of their own: no cookie, key or download is another's. While it
runs, Playwright's event loop is that of the tests' thread, which can run no other.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

_QUIET = (
    "--no-sandbox",  # the tests' pages are their own, and root has no sandbox
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


_PATIENCE = 90_000  # milliseconds that a page has for each step, on a busy machine
_started: list[tuple[Playwright, Browser]] = []


@contextmanager
def browser_page() -> Iterator[Page]:
    """An empty page of a fresh context, which is closed with all that were opened beside it."""
    browser = _browser()
    before = browser.contexts
    try:
        page = browser.new_page()
        page.set_default_timeout(_PATIENCE)
        yield page
    finally:
        for context in browser.contexts:
            if context not in before:
                context.close()


def _browser() -> Browser:
    if not _started:
        program = shutil.which("chromium") or shutil.which("google-chrome")
        if program is None:
            pytest.skip(
                "Chromium is not installed here: make services installs it on Debian, as root"
            )
        driver = sync_playwright().start()
        expect.set_options(timeout=_PATIENCE)
        try:
            browser = driver.chromium.launch(executable_path=program, args=list(_QUIET))
        except BaseException:
            driver.stop()  # its event loop would be in the way of every later test
            raise
        _started.append((driver, browser))
    return _started[0][1]


def close_browser() -> None:
    """End the session's browser, where one was started."""
    while _started:
        driver, browser = _started.pop()
        browser.close()
        driver.stop()


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
