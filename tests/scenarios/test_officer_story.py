"""The data officer's day in a real browser, with the real command, a real ledger and a real hub."""

import contextlib
import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from partner_agent.linkage_secret import create_secret
from tests.browsing import check_page, screenshot
from tests.chromium import browser_page
from tests.hub_world import HubWorld, hub_world_in
from tests.partner_agent.consent_world import hold

HEADER = ["Ref", "Forename", "Surname", "DOB", "Address", "Postcode", "NEET <b>status</b>"]
CANARY = "Quixwaldine"
FORMULA = '=HYPERLINK("http://evil.example","x")'
SOURCE = "council_records"


def people(count: int) -> list[list[str]]:
    """People who differ, and rows that are at fault."""
    letters = "abcdefghijklmnopqrst"
    found = []
    for n in range(count):
        name = f"Zorn{letters[n // 20]}{letters[n % 20]}"
        birth = f"{1 + n % 28:02}/0{1 + n % 9}/19{50 + n % 50}"
        home = f"{n} High Street", f"EX{1 + n % 9} {1 + n % 9}AB"
        row = [f"R{n}", f"Ada{letters[n % 20]}", name, birth, *home, "Y" if n % 3 else "N"]
        found.append(row)
    return [*found, ["R900", "", "", "", FORMULA, "", "<img src=x onerror=alert(1)>"],
            ["R901", CANARY, "", "", "", "", ""]]  # fmt: skip


def write_files(folder: Path) -> dict[str, Path]:
    """The same people as CSV, XLSX and Parquet, and files that are none of these."""
    rows = people(80)
    files = {kind: folder / f"people.{kind}" for kind in ("csv", "xlsx", "parquet", "pdf")}
    with files["csv"].open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([HEADER, *rows])
    book = openpyxl.Workbook()
    sheet = book.create_sheet("people", 0)
    for row in [HEADER, *rows]:
        sheet.append(row)
    book.save(files["xlsx"])
    pd.DataFrame(rows, columns=HEADER).to_parquet(files["parquet"])
    files["pdf"].write_bytes(b"%PDF-1.7\n")
    return files


@contextlib.contextmanager
def console(home: Path) -> Iterator[str]:
    """The real command; the link that it prints."""
    process = subprocess.Popen(
        [sys.executable, "-m", "partner_agent.cli.main", "--home", str(home), "--json", "console",
         "--no-browser"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["link"]
    finally:
        process.terminate()
        _, said = process.communicate(timeout=120)
        assert CANARY not in said
        assert "Traceback" not in said


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubWorld]:
    """Ledger, hub and agents, and the secret that they share."""
    with hub_world_in(tmp_path_factory.mktemp("world")) as found:
        create_secret(found.agents["council"].home, found.agreement, None)
        yield found


def seen(page: Page, name: str) -> None:
    """Hold a page to axe's rules and keep its picture."""
    check_page(page)
    screenshot(page, f"officer-{name}")


def press(page: Page, name: str) -> None:
    """Press a button or a button-like link, by its words, and see the next page begin."""
    with page.expect_navigation(timeout=60_000):
        page.get_by_role("button", name=name).first.click(timeout=60_000)


def follow(page: Page, name: str) -> None:
    """Follow a link, by its words, likewise."""
    with page.expect_navigation(timeout=60_000):
        page.get_by_role("link", name=name).click(timeout=60_000)


def wait(page: Page) -> None:
    """Look at a task until it has ended, as its page says."""
    while (look := page.get_by_role("button", name="Look again")).count():
        with page.expect_navigation(timeout=60_000):
            look.click(timeout=60_000)


@pytest.mark.timeout(600)
def test_a_data_officers_day(world: HubWorld, tmp_path: Path) -> None:
    """An extract of each kind, with faults in it, from the file to the hub."""
    files = write_files(tmp_path)
    world.witness()
    with browser_page() as page, console(world.agents["council"].home) as link:
        _enter(page, link)
        _wrong_files(page, files)
        _extract(world, page, files["xlsx"])
        _again(page, files["csv"])
        _again(page, files["parquet"])
        press(page, "Sign out")
        seen(page, "signed-out")
        page.go_back()
        expect(page.get_by_role("heading", level=1)).not_to_contain_text("rows that were refused")


@pytest.mark.timeout(600)
def test_people_at_the_data_officers_desk(world: HubWorld, tmp_path: Path) -> None:
    """Somebody says yes and takes it back, somebody objects, a home is protected."""
    facts = {"surname": "zornah", "date_of_birth": "1980-02-01", "address": "7 high street"}
    hold(world, ("R7", {"first_name": "adah", **facts}), ("R9", {"first_name": "adaj", **facts}))
    world.witness()
    with browser_page() as page, console(world.agents["council"].home) as link:
        page.goto(link)
        press(page, "Open the console")
        _person(world, page, tmp_path)
        _others(world, page)


def _enter(page: Page, link: str) -> None:
    page.goto(link)
    seen(page, "open")
    press(page, "Open the console")
    expect(page.get_by_role("heading", level=1)).to_have_text("What would you like to do?")
    seen(page, "start")


def _choose(page: Page, file: Path | None) -> None:
    follow(page, "hearthlink")
    follow(page, "Prepare and send an extract")
    if file is not None:
        page.locator("input[type=file]").set_input_files(file)
    press(page, "Read the file")
    wait(page)


def _wrong_files(page: Page, files: dict[str, Path]) -> None:
    _choose(page, None)
    expect(page.get_by_role("alert")).to_contain_text("Choose a file")
    assert page.title().startswith("Error: ")
    seen(page, "file-error")
    _choose(page, files["pdf"])
    expect(page.locator("main")).to_contain_text("is a PDF")
    seen(page, "file-unreadable")
    press(page, "Go back")
    press(page, "Throw it away")
    seen(page, "destroy")
    press(page, "Throw it away")


def _extract(world: HubWorld, page: Page, file: Path) -> None:
    _choose(page, file)
    expect(page.get_by_role("heading", level=1)).to_have_text("What the file holds")
    expect(page.locator("main")).to_contain_text(HEADER[-1])  # as text, not as markup
    seen(page, "holds")
    press(page, "Say what the columns are")
    seen(page, "columns")
    page.get_by_label("Forename").select_option("surname")
    press(page, "Continue")
    expect(page.get_by_role("alert")).to_contain_text("has this meaning already")
    seen(page, "columns-error")
    page.get_by_label("Forename").select_option("first_name")
    page.get_by_label("Ref", exact=True).select_option("record_id")
    page.get_by_label(HEADER[-1]).select_option("need:neet")
    press(page, "Continue")
    press(page, "Continue")
    seen(page, "rules-error")
    page.get_by_label("When the value is one of these words").check()
    page.get_by_label("The number, or the words").fill("N")
    press(page, "Continue")
    seen(page, "check")
    press(page, "Prepare this extract")
    wait(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("prepared, not sent yet")
    seen(page, "prepared")
    follow(page, "that were refused, and why")
    expect(page.locator("main")).to_contain_text(CANARY)
    expect(page.locator("main")).to_contain_text("<img src=x onerror=alert(1)>")
    seen(page, "refused-rows")
    follow(page, "Back")
    follow(page, "See the quality")
    seen(page, "quality")
    follow(page, "Back")
    _send(world, page)
    seen(page, "sent")


def _person(world: HubWorld, page: Page, folder: Path) -> None:
    """Somebody says yes, gets a receipt, and takes it back."""
    notice = folder / "notice.txt"
    notice.write_text("We ask you whether we may contact you.", "utf-8")
    follow(page, "hearthlink")
    follow(page, "Record what a person decided")
    press(page, "Find")
    expect(page.get_by_role("alert")).to_contain_text("Enter the record number")
    seen(page, "people-error")
    page.get_by_label("Record number").fill("R7")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("Nothing was recorded")
    assert "R7" not in page.url
    press(page, "Record a decision")
    for at, choice in enumerate(
        ("Yes", "Whether somebody may contact them", "The person themself", "Face to face")
    ):
        page.get_by_label(choice).first.check()
        if at == 2:
            seen(page, "decision")
        press(page, "Continue")
    for part, number in {"Day": "31", "Month": "2", "Year": "2027"}.items():
        page.get_by_label(part).fill(number)
    press(page, "Continue")
    expect(page.get_by_role("alert")).to_contain_text("real date")
    seen(page, "decision-date-error")
    page.get_by_label("Day").fill("1")
    press(page, "Continue")
    page.locator("input[type=file]").set_input_files(notice)
    seen(page, "decision-notice")
    press(page, "Use this notice")
    expect(page.get_by_role("heading", level=1)).to_have_text("Check before you record")
    seen(page, "decision-check")
    press(page, "Record the decision")
    wait(page)
    press(page, "Go to the person and the receipt")
    world.witness()
    seen(page, "person")
    person = page.url
    follow(page, "Receipt of")
    expect(page.get_by_role("heading", level=1)).to_have_text("You said yes")
    expect(page.locator("main")).not_to_contain_text("ornah")
    seen(page, "receipt")
    page.goto(person)
    press(page, "Take back everything")
    expect(page.locator("main")).to_contain_text("It counts from now on")
    seen(page, "withdrawn")


def _home(page: Page, action: str) -> None:
    follow(page, "hearthlink")
    follow(page, action)


def _others(world: HubWorld, page: Page) -> None:
    """Somebody objects, a home is protected, and everything is looked at."""
    _home(page, "Record what a person decided")
    page.get_by_label("Record number").fill("R9")
    press(page, "Find")
    press(page, "They use a right")
    press(page, "Open the request")
    seen(page, "right-error")
    page.get_by_label("Objection").check()
    press(page, "Open the request")
    wait(page)
    seen(page, "rights")
    follow(page, "Objection")
    press(page, "Carry it out")
    seen(page, "right-carry-out")
    press(page, "Carry it out")
    wait(page)
    press(page, "Close the request")
    seen(page, "right-close-error")
    _home(page, "Who and where is protected")
    press(page, "Protect a home")
    press(page, "Protect this home")
    seen(page, "protect-error")
    page.get_by_label("Address").fill("1 Refuge Row")
    page.get_by_label("Postcode").fill("BN1 1AA")
    press(page, "Protect this home")
    expect(page.locator("main")).not_to_contain_text("Refuge")
    seen(page, "protected")
    follow(page, "Entry 1")
    seen(page, "protect-end")
    desk = world.agents["council"].desk
    request = f"sha256:{'a' * 64}"
    event = desk._refusal(request, "release.local")
    desk._kept.refuse(request, "release.protected", "release.local", event)
    _home(page, "Requests for releases")
    seen(page, "answers")
    follow(page, "Answered on")
    expect(page.locator("main")).to_contain_text("one and the same word")
    seen(page, "answer")
    _home(page, "Where everything stands")
    press(page, "Ask the ledger now")
    wait(page)
    seen(page, "standing")


def _again(page: Page, file: Path) -> None:
    """The next extract of the source begins with what was said the last time."""
    _choose(page, file)
    press(page, "Say what the columns are")
    expect(page.get_by_label(HEADER[-1])).to_have_value("need:neet")
    press(page, "Continue")
    expect(page.get_by_label("The number, or the words")).to_have_value("N")
    press(page, "Continue")
    expect(page.get_by_role("button", name="Prepare this extract")).to_be_visible()


def _send(world: HubWorld, page: Page) -> None:
    press(page, "Send to the hub")
    world.work()
    wait(page)
    expect(page.locator("main")).to_contain_text("The hub has accepted it")
