"""Keys made, documents signed and releases opened in a real browser, by the pages' own scripts."""

import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, Literal, cast

import pytest
from playwright.sync_api import Browser, Page

from governance.canonical import b64, canonical_bytes, hash_of, sha256, unb64
from governance.exchange.release_api import FamilyView, NeedView
from governance.identity.envelope import Envelope, parse_model
from governance.identity.models import (
    PersonKeys,
)
from governance.identity.wrapped import WrappedKey
from governance.release.forms import FORMS, OpenedFile, held_needs, render
from governance.release.models import (
    APPROVAL,
    REQUEST,
    Members,
    ReleasedRecord,
    SealedItems,
)
from governance.release.seal import open_records
from governance.ui.browser import opening_data
from tests.browsing import check_page, served
from tests.chromium import browser_page
from tests.governance.ui.key_pages import MOTHER, NAME, Manager, Site, altered
from tests.wrapping import stretched, unwrap

PHRASE: Final = "correct horse battery staple"
ANSWERS: Final = """output => { navigator.credentials.get = async ({publicKey}) => {
  window.challengeBytes = publicKey.challenge.length;
  const results = {first: Uint8Array.from(atob(output), each => each.charCodeAt(0)).buffer};
  return {getClientExtensionResults: () => ({prf: {results}})}; } }"""
PRINTS: Final = "window.print = () => { window.printed = true; }"
VECTORS: Final = json.loads(Path(__file__).with_name("vectors.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A console's pages, without the console."""
    found = Site()
    with served(found.make):
        yield found


@pytest.fixture(scope="module")
def started() -> Iterator[Browser]:
    """One browser for all stories."""
    with browser_page() as page:
        assert page.context.browser is not None
        yield page.context.browser


@pytest.fixture
def browser(started: Browser) -> Iterator[Page]:
    """A page of its own, with storage and authenticators of its own."""
    context = started.new_context()
    page = context.new_page()
    yield page
    context.close()


def prf(page: Page, site: Site) -> Manager:
    """A manager whose passkey can lock a key."""
    return Manager(page, site, ctap2Version="ctap2_1", hasPrf=True)


def sentences(page: str) -> list[str]:
    """What a form says, in order, but for what follows from where it was made."""
    found = re.findall(r"<(h2|h3|p|li|th|td)\b[^>]*>(.*?)</\1>", page, re.DOTALL)
    plain = [unescape(re.sub(r"<[^>]+>|\s+", " ", text)).strip().lower() for _, text in found]
    return [
        each
        for each in plain
        if not each.startswith(("confidential", "record it", "1, parent", "1. parent"))
    ]


@pytest.mark.invariant(16, "names opened in a browser: what it asks, logs and stores")
def test_a_release_is_read_in_the_page_and_nowhere_else(browser: Page, site: Site) -> None:
    """Keys by a passkey with PRF, a request signed, the release opened, read, left, closed."""
    browser.clock.install()
    manager = prf(browser, site)
    manager.make_keys()
    assert manager.wrapped.by == "passkey"
    manager.ask()
    data = manager.opening(manager.verified(manager.sealed()))
    said = manager.open(data)
    assert NAME in said
    assert "1. Parent" in said
    assert "First name" in said
    assert browser.locator("img").count() == 0
    assert browser.evaluate("document.activeElement.dataset.part") == "title"
    check_page(browser)
    left = manager.left_behind()
    for part in ("Zoë", "Brien", b64(NAME.encode())[:20]):
        assert part not in left
    assert "error" not in left
    browser.clock.fast_forward("29:00")
    assert "Brien" in browser.content()
    browser.clock.fast_forward("01:01")  # nobody has touched it for as long as a session lives
    assert "Brien" not in browser.content()
    assert NAME in manager.open(data)
    browser.get_by_role("button", name="Close").click()
    assert "Brien" not in browser.content()


@pytest.mark.invariant(16, "forms filled in with names: what a browser asks, logs and stores")
def test_a_form_is_filled_in_by_the_page_and_printed(browser: Page, site: Site) -> None:
    """Each form says what the command's says of the same release; nothing of it leaves the page."""
    manager = prf(browser, site)
    manager.make_keys()
    manager.ask()
    states: list[tuple[str, Literal["met", "unknown"], int]]
    states = [("debt", "unknown", 0), ("neet", "met", 2)]
    needs = [NeedView(id=id_, state=state, sources=count) for id_, state, count in states]
    mother = SimpleNamespace(person=MOTHER, role="parent", age_band="25_44")
    family = cast(FamilyView, SimpleNamespace(members=(mother,), needs=needs))
    held = held_needs(needs, site.words)
    data = manager.opening(manager.verified(manager.sealed()), needs=held)
    browser.add_init_script(PRINTS)
    manager.open(data)
    record = ReleasedRecord(person=MOTHER, source="council_records", items={"first_name": NAME})
    opened = OpenedFile(
        request=manager.request.payload_hash, parties=("council",), left_out={}, records=(record,)
    )
    for form in FORMS:
        title = site.words(f"keys.form.title.{form}")
        browser.get_by_role("button", name=title, exact=True).click()
        assert browser.evaluate("document.activeElement.innerText") == title
        if form == "closure":  # the manager's own story looks at another
            check_page(browser)
        browser.get_by_role("button", name="Print", exact=True).click()
        assert browser.evaluate("window.printed")
        browser.emulate_media(media="print")
        printed = browser.locator("main").inner_text()
        browser.emulate_media(media="screen")
        assert NAME in printed
        assert "met (2 sources)" in printed
        assert not {"Contact sheet", "Print", "Close"} & set(printed.splitlines())
        said = sentences(browser.locator("[data-part=sheet]").inner_html())
        by_command = sentences(render(form, opened, family))
        assert "needs, for professional consideration" in by_command
        assert said == by_command
    left = manager.left_behind()
    for part in ("Zoë", "Brien", b64(NAME.encode())[:20]):
        assert part not in left
    assert "error" not in left
    browser.get_by_role("button", name="Close").click()
    assert "Brien" not in browser.content()
    assert browser.locator("[data-part=title]").text_content() == "Contact sheet"
    manager.open(manager.opening(manager.verified(manager.sealed())))
    browser.get_by_role("button", name="Closure").click()
    assert site.words("keys.form.no_needs") in browser.locator("main").inner_text()


@pytest.mark.invariant(8, "a release to another key, request, family or member; altered bytes")
def test_what_does_not_open_is_not_shown_and_says_why(browser: Page, site: Site) -> None:
    """A passphrase where there is no PRF; then each thing that can be wrong, one by one."""
    manager = Manager(browser, site)
    manager.make_keys(PHRASE)
    assert manager.wrapped.by == "passphrase"
    manager.ask()
    good = manager.verified(manager.sealed())
    data = manager.opening(good)
    assert NAME in manager.open(data, PHRASE)

    said = manager.open(data, PHRASE + " ")
    assert "does not open your key" in said
    check_page(browser)
    assert "Brien" not in said

    wrong = [
        ("other keys than yours", manager.sealed(recipient=manager.world.manager.keys)),
        ("or sealed to another key", manager.swapped()),
        ("for another request", manager.sealed(request=sha256(b"another"))),
        ("was altered", altered(manager.sealed())),
        ("was altered", manager.sealed().model_copy(update={"party": "police"})),
        ("holds no record", manager.sealed(party="police")),
        ("not asked for", manager.sealed(items={"date_of_birth": "2001-01-01"})),
        ("not asked for", manager.sealed(person="p-" + "9" * 32)),
    ]
    answers = [(each, canonical_bytes(each)) for _, each in wrong]
    loose = (good[0], good[1] + b" ")
    another = (good[0].model_copy(update={"party": "police"}), good[1])
    said = manager.open(manager.opening(*answers, loose, another, good), PHRASE)
    problems = browser.locator("[data-part=sheet]").get_by_role("alert").all_inner_texts()
    assert NAME in said  # one partner's mistake hides nobody else's answer
    assert "2001" not in said
    expected = [*(text for text, _ in wrong), "not in a form", "names another partner"]
    for text, problem in zip(expected, problems, strict=True):
        assert text in problem

    other = manager.wrapped.model_copy(update={"public": manager.world.manager.keys.sealing})
    family = manager.world.members(("2", True, [(manager.world.council, "2" * 32)]))
    wrongly: dict[str, dict[str, Any]] = {
        "another request": {"request_hash": sha256(b"another")},
        "other keys": {"keys": manager.keys.model_copy(update={"created": "2026-11-23T12:00:00Z"})},
        "not the one that was asked about": {"members": family},
        "does not open your key": {"wrapped": other},
    }
    for text, changes in wrongly.items():
        said = manager.open(manager.opening(good, **changes), PHRASE)
        assert text in said
        assert "Brien" not in said
    assert PHRASE not in manager.left_behind()
    key = unwrap(manager.wrapped, stretched(PHRASE, unb64(manager.wrapped.salt), 600_000))
    assert b64(key.public) == manager.keys.sealing


def test_python_opens_the_vectors() -> None:
    """Seed, both kinds of wrapping and the sealed items agree with this project's own code."""
    for wrapped, secret in (
        ("by_passkey", unb64(VECTORS["prf_output"])),
        ("by_passphrase", stretched(VECTORS["passphrase"], bytes(range(32)), 600_000)),
    ):
        key = unwrap(parse_model(VECTORS[wrapped], WrappedKey), secret)
        assert b64(key.seed) == VECTORS["seed"]
        keys = parse_model(VECTORS["keys"], PersonKeys)
        assert b64(key.public) == keys.sealing
        _, records = open_records(
            parse_model(VECTORS["sealed"], Envelope),
            key=key,
            recipient=keys,
            request=hash_of(VECTORS["request"]),
            holders=parse_model(VECTORS["members"], Members).holders,
            party_key=lambda _: ("council", unb64(VECTORS["signed_by"])),
        )
        assert [record.model_dump(mode="json") for record in records] == VECTORS["records"]


@pytest.mark.invariant(9, "what a passkey signs when it unlocks, as a document's signature")
def test_the_browser_opens_the_same_vectors(browser: Page, site: Site) -> None:
    """Made by Python, opened by the page; and what unlocks has no document's challenge."""
    envelope = parse_model(VECTORS["sealed"], Envelope)
    about: dict[str, Any] = {
        "request": canonical_bytes(VECTORS["request"]),
        "request_hash": hash_of(VECTORS["request"]),
        "members": parse_model(VECTORS["members"], Members),
        "keys": parse_model(VECTORS["keys"], PersonKeys),
        "sealed": [
            (SealedItems.model_validate_json(envelope.payload_bytes), envelope.payload_bytes)
        ],
        "items": ["first_name", "surname"],
        "labels": {"sources": {"council_records": "Council"}},
    }
    for by in ("by_passphrase", "by_passkey"):
        data = opening_data(site.words, **about, wrapped=parse_model(VECTORS[by], WrappedKey))
        site.show(browser, "open", data)
        if by == "by_passphrase":
            browser.get_by_label("Your passphrase").fill(VECTORS["passphrase"])
        else:
            browser.evaluate(ANSWERS, VECTORS["prf_output"])
        browser.get_by_role("button", name="Open").click()
        browser.get_by_role("heading", name="Contact sheet").wait_for()
        said = browser.locator("dl").inner_text().split()
        assert said == ["first", "name", "Siân", "(Council)", "surname", "O'Brien", "(Council)"]
    assert browser.evaluate("window.challengeBytes") not in {32, None}


@pytest.mark.invariant(9, "a page that shows other than it has signed")
def test_what_cannot_be_shown_cannot_be_signed(browser: Page, site: Site) -> None:
    """Another field, another family, another form, another type; and an owner who is not there."""
    manager = prf(browser, site)
    manager.make_keys()
    asked = manager.document()
    good = canonical_bytes(asked)
    data, family = asked.model_dump(mode="json"), manager.world.family()
    other = manager.world.members(("2", True, [(manager.world.council, "2" * 32)]))
    for kind, payload, members in (
        (REQUEST, canonical_bytes(data | {"also": "this"}), family),
        (REQUEST, good + b" ", family),
        (REQUEST, good, other),
        (APPROVAL, good, family),
        ("sign-in/v1", canonical_bytes({"format": "sign-in/v1"}), family),
    ):
        manager.show(kind, payload, members=members)
        assert "cannot show what would be signed" in browser.get_by_role("alert").inner_text()
        assert not browser.locator("main").get_by_role("button").count()
    manager.authenticator.verifies(owner=False)
    manager.show(REQUEST, good, members=family)
    site.sent = {}
    browser.locator("main").get_by_role("button").click()
    assert "did not answer" in browser.get_by_role("alert").inner_text()
    assert not site.sent
