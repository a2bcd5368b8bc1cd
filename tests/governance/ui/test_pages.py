"""Pages of the kit in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from governance.console.areas import AREAS
from governance.ui.components import ComponentError, check_options
from governance.ui.pages import Frame, Pages
from governance.ui.show import Link
from tests.browsing import check_page, served
from tests.chromium import browser_page
from tests.governance.ui.example import example


def test_no_visitor_waits_for_a_template() -> None:
    """Every template of the console is ready before the first visit; each is one."""
    pages = Pages(AREAS, service="console.name", frame=lambda _request: Frame())
    pages.load()
    ready = {name for _, name in pages._environment.cache or {}}
    assert {"families/families.html", "ui/problem.html", "ui/page.html"} <= ready


def test_pages_are_for_everybody() -> None:
    """Lists, forms, their errors and refusals: axe, 320 pixels, keyboard, and without scripts."""
    with served(example) as origin, browser_page() as page:
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.goto(f"{origin}/")
        assert page.title() == "Families & needs - Pages of this list"
        assert page.evaluate(
            "document.querySelector('[data-govuk-service-navigation-init]') != null"
        )
        assert "North <b>" in page.inner_text("dl")
        assert "28 June 2026, 21:41" in page.inner_text("dl")
        assert (
            page.locator(".govuk-pagination__link").last.get_attribute("href") == "/?needs=2&page=6"
        )
        check_page(page)
        page.reload()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to main content"
        page.goto(f"{origin}/ask")
        check_page(page)
        page.fill("#label", "x" * 21)
        page.keyboard.press("Enter")
        expect(page).to_have_title(re.compile("^Error: Ask a colleague"))
        assert page.input_value("#label") == "x" * 21
        expect(page.locator(".govuk-error-summary")).to_be_focused()
        assert "at most 20" in page.inner_text("#label-error")
        check_page(page)
        page.click("text=Enter the role")
        expect(page.locator("[name=role]").first).to_be_focused()
        for path in ("refused", "nothing", "broken"):
            page.goto(f"{origin}/{path}")
            check_page(page)
        assert not [each for each in said if "Content Security Policy" in each]
        browser = page.context.browser
        assert browser is not None
        plain = browser.new_context(java_script_enabled=False).new_page()
        plain.goto(f"{origin}/ask")
        plain.click("button.govuk-button")
        assert plain.title().startswith("Error: Ask a colleague")
        plain.fill("#label", "Sam")
        plain.check("#role")
        plain.click("button.govuk-button")
        assert plain.title().startswith("Ask a colleague")


def test_an_option_that_no_component_takes_is_an_error() -> None:
    """The macros would ignore it without a word."""
    check_options("input", {"label": {"text": "Name"}, "attributes": {"data-x": "1"}})
    for wrong in (
        {"lable": {"text": "Name"}},
        {"label": {"txt": "Name"}},
        {"errorMessage": {"message": "Enter"}},
    ):
        with pytest.raises(ComponentError):
            check_options("input", wrong)
    with pytest.raises(ComponentError):
        check_options("radios", {"items": [{"value": "a", "label_text": "A"}]})


@pytest.mark.parametrize(
    "href", ["https://evil.example", "//evil.example", "/\\evil", "javascript:a"]
)
def test_a_link_stays_in_the_console(href: str) -> None:
    """No page links to another site, whoever wrote the address."""
    with pytest.raises(ValueError, match="this console"):
        Link("here", href)
