"""A receipt says what the ledger says, and nothing about who the person is."""

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from governance.consent.receipt import ConsentReceipt
from governance.errors import GovernanceError
from governance.ledger.events import EventType
from governance.ledger.payloads import ConsentErased
from partner_agent.receipts.issue import check, issue
from partner_agent.receipts.page import render
from tests.chromium import browser_page
from tests.hub_world import HubWorld
from tests.partner_agent.consent_world import days_ago, decide, hold, run

ADA = {"first_name": "QUIXWALD", "surname": "ADAMANT", "date_of_birth": "1980-02-01"}


@pytest.fixture(scope="module")
def number(hub_world: HubWorld) -> str:
    """The number of a consent that Ada gave to the council."""
    hold(hub_world, ("HR-77123", ADA))
    (found,) = decide(hub_world, "HR-77123")
    return found


@pytest.fixture
def receipt(hub_world: HubWorld, number: str) -> ConsentReceipt:
    """Its receipt."""
    agent = hub_world.agents["council"]
    return issue(agent.ledger, agent.ledger.sync(), "council", number, agent.now())


@pytest.mark.invariant(16, "a printed receipt and its JSON")
def test_the_command_writes_a_page_and_json_without_the_person(
    hub_world: HubWorld, number: str, tmp_path: Path
) -> None:
    """Both files are readable by their owner only, and name neither person, handle nor source."""
    handle = hub_world.agents["council"].vault.find("council_records", "HR-77123")[0].hex()
    for name in ("receipt.html", "receipt.json"):
        code, out, err = run(hub_world, "consent", "receipt", number, "--out", tmp_path / name)
        assert code == 0, err
        text = (tmp_path / name).read_text("utf-8")
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
        for secret in ("quixwald", "adamant", "1980", "77123", "council_records", handle):
            assert secret not in (text + out + err).lower()
    assert json.loads(text)["receipt_id"] == number


def test_any_partner_can_check_a_receipt(hub_world: HubWorld, number: str, tmp_path: Path) -> None:
    """The police check the council's receipt, and learn where the consent stands today."""
    file = tmp_path / "receipt.json"
    assert run(hub_world, "consent", "receipt", number, "--out", file)[0] == 0
    code, out, err = run(hub_world, "--json", "consent", "check-receipt", file, party="police")
    assert (code, json.loads(out)["state"]) == (0, "given"), err


def test_a_partner_issues_receipts_of_its_own_consents_only(
    hub_world: HubWorld, number: str, tmp_path: Path
) -> None:
    """The police cannot print what the council was told."""
    file = tmp_path / "receipt.html"
    assert run(hub_world, "consent", "receipt", number, "--out", file, party="police")[0] == 65
    assert not file.exists()


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("content", "purpose_description"), "Anything at all", "content"),
        (("content", "pii_information"), [], "content"),
        (("receipt_id",), "0" * 32, "number"),
        (("ledger", "entry"), 0, "entry"),
        (("ledger", "leaf_hash"), "A" * 43 + "=", "entry"),
        (("ledger", "root"), "A" * 43 + "=", "another ledger"),
        (("ledger", "origin"), "ledger.example.org/other", "another ledger"),
        (("ledger", "size"), 10_000, "longer"),
        (("ledger", "proof"), [], "proof"),
        (("ledger", "checkpoint"), "x", "note"),
        (("events", 0, "event_state"), "refused", "event"),
        (("events", 0, "event_time"), "2001-01-01T00:00:00Z", "event"),
        (("events", 0, "validity_duration"), "2099-01-01T00:00:00Z", "event"),
    ],
)
def test_a_receipt_that_was_changed_is_not_genuine(
    hub_world: HubWorld,
    receipt: ConsentReceipt,
    path: tuple[str | int, ...],
    value: object,
    words: str,
) -> None:
    """A word, an item, a date or a place in the ledger that was changed is found."""
    data = receipt.model_dump(mode="json")
    part: Any = data
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    forged = ConsentReceipt.model_validate(data)
    police = hub_world.agents["police"]
    with pytest.raises(GovernanceError, match=words):
        check(police.ledger, police.ledger.sync(), forged, police.now())


def test_a_receipt_tells_of_a_withdrawal(hub_world: HubWorld) -> None:
    """After a withdrawal the page says so and no longer says how to withdraw."""
    hold(hub_world, ("HR-2", ADA))
    (number,) = decide(hub_world, "HR-2")
    spaced = " ".join(number[at : at + 4].upper() for at in range(0, 32, 4))
    code, _, err = run(hub_world, "consent", "withdraw", spaced)
    assert code == 0, err
    agent = hub_world.agents["council"]
    found = issue(agent.ledger, agent.ledger.sync(), "council", number, agent.now())
    assert [event.event_state.value for event in found.events] == ["given", "withdrawn"]
    page = render(found)
    assert "You took back your yes" in page
    assert "If you change your mind" not in page


def test_a_receipt_of_what_was_erased_is_told_so(hub_world: HubWorld, tmp_path: Path) -> None:
    """Its entry can still be checked and nothing else: not by its issuer, nor by any partner."""
    hold(hub_world, ("HR-3", ADA))
    agent = hub_world.agents["council"]
    with days_ago(agent, 31):
        (number,) = decide(hub_world, "HR-3")
    file = tmp_path / "receipt.json"
    assert run(hub_world, "consent", "receipt", number, "--out", file)[0] == 0
    place = agent.ledger.sync().consents.grants[number].place
    erased = ConsentErased(agreement=hub_world.agreement.hash, place=place)
    agent.ledger.write(EventType.CONSENT_ERASED, erased, (number,))
    entry = agent.ledger.sync().consents.erased[number].entry
    for party in ("council", "police"):
        code, out, err = run(hub_world, "--json", "consent", "check-receipt", file, party=party)
        assert code == 0, err
        told = json.loads(out)
        assert (told["genuine"], told["state"], told["by_entry"]) == (None, "erased", entry)
    code, out, _ = run(hub_world, "consent", "check-receipt", file)
    assert f"by entry {entry}" in out
    for words in (("receipt", number, "--out", tmp_path / "again.html"), ("withdraw", number)):
        code, _, err = run(hub_world, "consent", *words)
        assert code == 65
        assert "was erased on" in err
    forged = json.loads(file.read_text("utf-8"))
    forged["ledger"]["entry"] = 0
    with pytest.raises(GovernanceError, match="another entry"):
        check(agent.ledger, agent.ledger.state, ConsentReceipt(**forged), agent.now())


def test_the_page_prints_on_one_sheet_and_has_no_errors(receipt: ConsentReceipt) -> None:
    """In a real browser nothing is fetched or overflows, and it prints on one sheet of A4."""
    with browser_page() as page:
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text))
        page.on("request", lambda request: problems.append(request.url))
        page.set_viewport_size({"width": 320, "height": 640})
        page.set_content(render(receipt))
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        if out := os.environ.get("HEARTHLINK_SCREENSHOTS"):  # to be looked at
            page.set_viewport_size({"width": 800, "height": 1100})
            page.screenshot(path=f"{out}/receipt.png", full_page=True)
        sheets = page.pdf(format="A4", prefer_css_page_size=True).count(b"/Type /Page\n")
    assert problems == []
    assert sheets == 1
