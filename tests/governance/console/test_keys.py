"""A member of staff makes signing keys in the browser; the console keeps what counts."""

from pathlib import Path

import pytest

from governance.canonical import b64
from governance.identity.envelope import Envelope
from governance.identity.models import Role, read_person_keys
from tests.browsing import check_page, screenshot
from tests.chromium import VirtualAuthenticator, browser_page
from tests.console_world import console_world


@pytest.mark.parametrize("prf", [True, False])
def test_keys_are_made_signed_and_kept(tmp_path: Path, prf: bool) -> None:
    """With a passkey that locks the sealing key, and under a passphrase; the ledger has neither."""
    with console_world(tmp_path) as world, browser_page() as page:
        own = world.account(Role.SERVICE_MANAGER, "Sam Manager")
        world.sign_in(page, own)
        VirtualAuthenticator(page, ctap2Version="ctap2_1", hasPrf=prf)
        page.goto(f"{world.origin}/keys")
        page.click("text=Make my keys")
        check_page(page)
        screenshot(page, "keys-new")
        page.locator("main").get_by_role("button").click()
        if not prf:
            page.get_by_label("Choose a passphrase").fill("correct horse battery staple")
            page.get_by_label("Type it again").fill("correct horse battery staple")
            check_page(page)
            screenshot(page, "keys-passphrase")
            page.locator("main").get_by_role("button").click()
        page.get_by_role("heading", name="Sign your new keys").wait_for()
        assert "Service manager" in page.locator("dl").inner_text()
        check_page(page)
        screenshot(page, "keys-sign")
        page.locator("main").get_by_role("button").click()
        page.wait_for_url("**/keys")
        said = page.inner_text("main")
        assert "Waiting" in said
        assert ("Your passkey" if prf else "Your passphrase") in said
        check_page(page)
        screenshot(page, "keys")
        with page.expect_download() as download:
            page.click("text=Download the public half")
        file = download.value.path().read_bytes()
        assert read_person_keys(Envelope.model_validate_json(file)).person == own.id
        (kept,) = world.console.keys.documents(own)
        keys = read_person_keys(kept.envelope)
        assert keys.person == own.id
        assert keys.signing == b64(world.console.keys.signing(own).public)
        assert kept.wrapped is not None
        assert kept.wrapped.public == keys.sealing
