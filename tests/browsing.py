"""Pages under test: served on loopback, opened in a real browser, held to WCAG 2.2 A and AA."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from starlette.types import ASGIApp

from tests.http_server import running
from tests.palette import smaller

ROOT: Final = Path(__file__).resolve().parents[1]
SCREENSHOTS: Final = ROOT / "docs" / "screenshots"
_RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_NOT: Final = {"region": {"enabled": False}}  # GOV.UK puts the back link before main, on purpose
_NARROW: Final = {"width": 320, "height": 640}  # CSS pixels: WCAG 1.4.10, and 1280 at 400 %
_WIDE: Final = {"width": 1280, "height": 900}

_WATCH: Final = """() => {
  const reachable = "a[href], button, input, select, textarea, summary, [tabindex='0']";
  const stops = [...document.querySelectorAll(reachable)].filter(
    each => each.checkVisibility({visibilityProperty: true}) && !each.disabled
  );
  const look = each => [each, ...(each.labels ?? [])].flatMap(one => [null, "::before"].map(
    part => (style => [style.outline, style.boxShadow, style.backgroundColor, style.borderColor])(
      getComputedStyle(one, part)
    )
  )).join();
  document.activeElement.blur();
  const before = new Map(stops.map(each => [each, look(each)]));
  const reached = new Set(), unseen = [];
  document.addEventListener("focusin", ({target}) => {
    reached.add(target.type === "radio" ? target.name : target);
    if (before.has(target) && look(target) === before.get(target)) unseen.push(target.outerHTML);
  });
  const missed = () => stops.filter(
    each => each.checkVisibility() && !reached.has(each.type === "radio" ? each.name : each)
  );
  window.missed = () => missed().length;
  window.tabbed = () => {
    document.activeElement.blur();  // or a press would make the link that skips go, and miss
    return [missed().map(each => each.outerHTML), unseen];
  };
  return stops.length;
}"""
"""Note how what can be focused looks, and what is focused from now on; how many there are."""
_OVER: Final = 12
"""Presses beyond its stops, for what is the browser's own between a page's end and its start."""


@contextmanager
def served(make: Callable[[str], ASGIApp]) -> Iterator[str]:
    """An application on a free port of localhost; its origin.

    Args:
        make: the application, from its origin, for example ``http://localhost:8400``.
    """
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    origin = f"http://localhost:{listener.getsockname()[1]}"
    try:
        app = make(origin)
    except BaseException:
        listener.close()
        raise
    config = uvicorn.Config(app, log_config=None, server_header=False)
    try:
        with running(config, [listener]):
            yield origin
    finally:
        listener.close()


def check_page(page: Page) -> None:
    """Hold a page, as it stands, to axe's rules, and to no sideways scrolling at 320 pixels."""
    page.wait_for_load_state()  # scripts have run: an error summary takes the focus
    options = {"runOnly": _RULES, "rules": _NOT, "resultTypes": ["violations"]}
    found = Axe().run(page, options=options)
    assert found.violations_count == 0, found.generate_report()
    before = page.viewport_size
    page.set_viewport_size(_NARROW)  # type: ignore[arg-type]
    assert page.evaluate("document.documentElement.scrollWidth") <= _NARROW["width"], page.url
    if before is not None:
        page.set_viewport_size(before)
    check_keyboard(page)


def check_keyboard(page: Page) -> None:
    """Tab through a page: every control is reached, shows that it is, and lets go again.

    WCAG 2.1.1, 2.1.2 and 2.4.7, which axe cannot judge. Of radio buttons with one name the Tab key
    reaches one, as it should.
    """
    stops = page.evaluate(_WATCH)
    for _ in range(stops):
        page.keyboard.press("Tab")
    for _ in range(_OVER):
        if not page.evaluate("window.missed()"):
            break
        page.keyboard.press("Tab")
    missed, unseen = page.evaluate("window.tabbed()")
    assert not missed, f"not reached by the Tab key on {page.url}: {missed}"
    assert not unseen, f"focus is not to be seen on {page.url}: {unseen}"


def screenshot(page: Page, name: str) -> None:
    """Keep a picture of a page in docs/screenshots, when ``HEARTHLINK_SCREENSHOTS`` is set."""
    if os.environ.get("HEARTHLINK_SCREENSHOTS"):
        SCREENSHOTS.mkdir(exist_ok=True)
        page.set_viewport_size(_WIDE)  # type: ignore[arg-type]
        picture = smaller(page.screenshot(full_page=True), page)
        (SCREENSHOTS / f"{name}.png").write_bytes(picture)
