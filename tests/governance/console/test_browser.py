"""The console's own story in a real browser, with a virtual authenticator."""

from pathlib import Path

from governance.identity.models import Role
from tests.browsing import check_page, screenshot
from tests.chromium import VirtualAuthenticator, browser_page
from tests.console_world import console_world


def test_a_lead_opens_an_account_and_invites(tmp_path: Path) -> None:  # noqa: PLR0915 - one story
    """A link, a passkey, an invitation, a link withdrawn; out and in again; another role."""
    with console_world(tmp_path) as world, browser_page() as page:
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        _, token = world.console.accounts.invite(Role.IG_LEAD, "Alex Lead")
        authenticator = VirtualAuthenticator(page)
        page.goto(f"{world.origin}/invitation#{token}")
        page.wait_for_function("document.querySelector('#code').value.length > 20")
        assert page.url == f"{world.origin}/invitation"
        check_page(page)
        screenshot(page, "console-invitation")
        page.click("text=Continue")
        assert "Alex Lead" in page.inner_text("main")
        check_page(page)
        screenshot(page, "console-passkey")
        authenticator.verifies(owner=False)
        page.click("button.govuk-button:visible >> nth=-1")
        page.wait_for_selector("[data-problem]:visible")
        check_page(page)
        authenticator.verifies(owner=True)
        page.click("button.govuk-button:visible >> nth=-1")
        page.wait_for_url("**/account")
        assert "Not made yet" in page.inner_text("main")
        assert "In this browser and nowhere else" in page.inner_text("main")
        (alex,) = world.console.accounts.colleagues()
        elsewhere = [world.session(alex.account) for _ in range(2)]
        page.reload()
        check_page(page)
        screenshot(page, "console-account")
        page.click("form[action$='/end'] >> nth=0 >> button")
        assert len(world.console.sessions.open(elsewhere[0])) == 2
        page.click("text=End all others")
        assert "In this browser and nowhere else" in page.inner_text("main")

        page.goto(f"{world.origin}/")
        check_page(page)
        screenshot(page, "console-start")
        page.click("main >> text=Colleagues")
        page.click("text=Invite a colleague")
        page.click("text=Make a link")
        assert page.title().startswith("Error: Invite a colleague")
        check_page(page)
        screenshot(page, "console-invite-errors")
        page.fill("#label", "Sam Manager")
        page.check("text=Service manager")
        page.click("text=Make a link")
        link = page.inner_text(".govuk-inset-text").strip()
        assert link.startswith(f"{world.origin}/invitation#")
        check_page(page)
        screenshot(page, "console-link")
        page.click("text=Back to colleagues")
        assert "Has a link until" in page.inner_text("table")
        sam = next(
            each.account
            for each in world.console.accounts.colleagues()
            if each.account.role is Role.SERVICE_MANAGER
        )
        world.session(sam)
        page.reload()
        check_page(page)
        screenshot(page, "console-people")
        page.click("form[action$='/sessions/end'] button")
        assert world.console.sessions.accounts() == {alex.account.id}

        page.click("text=Sign out")
        assert page.title().startswith("You have signed out")
        check_page(page)
        page.goto(f"{world.origin}/people")
        assert page.title().startswith("Sign in")
        check_page(page)
        screenshot(page, "console-sign-in")
        page.click("text=Sign in with a passkey")
        page.wait_for_url("**/people")
        assert "Last on" in page.inner_text("table")
        page.click("form[action$='/revoke'] button")
        assert "Cannot sign in, no link" in page.inner_text("table")
        page.click("a[href$='/close']")
        check_page(page)
        screenshot(page, "console-close")
        page.click("text=Close account")
        assert "Closed on" in page.inner_text("main")
        page.click("text=See who opened what")
        assert "POST /people/invite" in page.inner_text("table")
        check_page(page)
        screenshot(page, "console-audit")
        assert not [each for each in asked if not each.startswith(world.origin)]
        assert not [each for each in asked if token in each]
        assert not [each for each in said if "Content Security Policy" in each]


def test_without_scripts_pages_say_what_to_do(tmp_path: Path) -> None:
    """What needs no passkey works without scripts; what does says so. The keyboard is enough."""
    with console_world(tmp_path) as world, browser_page() as page:
        browser = page.context.browser
        assert browser is not None
        plain = browser.new_context(java_script_enabled=False).new_page()
        plain.goto(world.origin)
        assert "Signing in needs scripts" in plain.inner_text("main")
        world.sign_in(plain, world.account(Role.IG_LEAD, "Alex Lead"))
        plain.goto(f"{world.origin}/people/invite")
        plain.focus("#label")
        plain.keyboard.type("Kim Analyst")
        plain.keyboard.press("Tab")
        plain.keyboard.press("ArrowDown")
        plain.keyboard.press("ArrowDown")
        plain.keyboard.press("Tab")
        with plain.expect_navigation():
            plain.keyboard.press("Enter")
        assert plain.title().startswith("Link for Kim Analyst")
        made = world.console.accounts.colleagues()
        assert [each.account.role for each in made] == [Role.IG_LEAD, Role.ANALYST]
