"""A file from the browser to the hub, with the faults that files have."""

import csv
import io
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from governance.exchange.submission_file import ARROW_SCHEMA
from governance.ui.words import Words
from partner_agent.cli.releases import tasks
from partner_agent.console.columns import as_yaml, mapping_file
from partner_agent.console.drafts import Drafts
from partner_agent.console.state import PACKAGES
from partner_agent.console.tasks import Task, Tasks
from partner_agent.extracts.mapping import load_mapping
from partner_agent.linkage_secret import create_secret
from partner_agent.steps.extracts import prepare_file
from tests.hub_world import HubWorld, hub_world_in
from tests.partner_agent.console.console_world import WORD, Officer, logged, serving

HEADER = ["Ref", "Forename", "Surname", "DOB", "Address", "Postcode", "NEET"]
SCRIPT = "<script>alert(1)</script>"
FORMULA = '=HYPERLINK("http://evil.example","x")'
CANARY = "Quixwaldine"
ROLES = {
    "c0": "record_id", "c1": "first_name", "c2": "surname", "c3": "date_of_birth", "c4": "address",
    "c5": "postcode", "c6": "need:neet",
}  # fmt: skip


def rows(count: int = 60) -> list[list[str]]:
    """People who differ, and three rows that are at fault."""
    letters = "abcdefghijklmnopqrst"
    people = []
    for n in range(count):
        name = f"Zorn{letters[n // 20]}{letters[n % 20]}"
        birth = f"{1 + n % 28:02}/0{1 + n % 9}/19{50 + n % 50}"
        home = f"{n} High Street", f"EX{1 + n % 9} {1 + n % 9}AB"
        row = [f"R{n}", f"Ada{letters[n % 20]}", name, birth, *home, "Y" if n % 3 else "N"]
        people.append(row)
    return [
        *people,
        ["R900", "", "", "", FORMULA, "", SCRIPT],
        ["R901", CANARY, "", "", "", "", ""],
    ]


def as_csv(lines: list[list[str]], header: list[str] | None = None) -> bytes:
    """The file."""
    out = io.StringIO()
    csv.writer(out).writerows([header or HEADER, *lines])
    return out.getvalue().encode()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubWorld]:
    """Ledger, hub and agents, and the secret that they share."""
    with hub_world_in(tmp_path_factory.mktemp("world")) as found:
        create_secret(found.agents["council"].home, found.agreement, None)
        yield found


@pytest.fixture
def officer(world: HubWorld) -> Iterator[Officer]:
    """The council's data officer, signed in."""
    world.witness()
    with serving(world.agents["council"].home) as found:
        found.enter()
        yield found


def kept(world: HubWorld) -> list[Path]:
    """Files that the console holds."""
    return [
        path for path in (world.agents["council"].home / "console").rglob("*") if path.is_file()
    ]


def submission(page: httpx.Response) -> str:
    """Which submission a page's button would send."""
    found = re.search(r'name="submission" value="([0-9a-f]{32})"', page.text)
    assert found is not None
    return found[1]


def prepare(officer: Officer, draft: str, page: str | None = None, **fields: str) -> httpx.Response:
    """Press the button of a page that says what leaves; of the page as it is now."""
    found = re.search(r'name="shown" value="([^"]+)"', page or officer.get(f"{draft}/check").text)
    return officer.post(f"{draft}/check", **fields, shown=found[1] if found else "")


def send(world: HubWorld, officer: Officer) -> httpx.Response:
    """Send what the source's page shows, while the hub works; the button is pressed twice."""
    shown = submission(officer.get("/sources/council_records"))
    place = "/sources/council_records/send"
    with ThreadPoolExecutor(max_workers=2) as pool:
        sent, again = (pool.submit(officer.post, place, submission=shown) for _ in range(2))
        while not (sent.done() and again.done()):
            world.work()
            time.sleep(0.1)
    assert "The hub has accepted it" in again.result().text
    return sent.result()


def check_edited(world: HubWorld, officer: Officer) -> None:
    """Rejects that somebody has edited by hand are shown as far as they can be read."""
    file = world.agents["council"].home / "reports" / "council_records.rejects.csv"
    file.write_bytes(file.read_bytes() + b"\r\n\r\n7\r\n8,\xff,no.such_reason\r\n;;;\r\n")
    shown = officer.get("/sources/council_records/refused")
    assert shown.status_code == 200
    assert CANARY in shown.text
    assert "no.such_reason" in shown.text


def draft_of(page: str) -> str:
    """The address of the draft that a page is about."""
    return "/extracts/" + page.partition("/extracts/")[2][:32]


def test_a_file_is_read_mapped_prepared_and_sent(
    world: HubWorld, officer: Officer, caplog: pytest.LogCaptureFixture
) -> None:
    """The whole way; the copy is destroyed, and no value of the file is in a log."""
    caplog.set_level("DEBUG")
    held = officer.upload("council_records", f"../../{CANARY}/..\\evil.csv", as_csv(rows()))
    assert held.status_code == 200
    assert "What the file holds" in held.text
    draft = draft_of(held.text)
    (extract,) = [path for path in kept(world) if path.name == "extract"]
    assert extract.parent.parent == world.agents["council"].home / "console"
    assert extract.stat().st_mode & 0o777 == 0o600
    assert CANARY not in str(list(world.agents["council"].home.rglob("*")))

    columns = officer.get(f"{draft}/columns")
    assert 'value="first_name" selected' in columns.text
    taken = officer.post(f"{draft}/columns", **ROLES | {"c2": "first_name"})
    assert taken.status_code == 422
    assert "another column has this meaning already" in taken.text

    asked = officer.post(f"{draft}/columns", **ROLES)
    assert "when is it met?" in asked.text
    unanswered = officer.post(f"{draft}/rules", day_first="yes")
    assert "Choose when the need is met" in unanswered.text
    answers = {
        "day_first": "yes",
        "nicknames": "no",
        "need-neet-kind": "equals",
        "need-neet-value": "N\nNo",
    }
    checked = officer.post(f"{draft}/rules", **answers)
    assert "Check what leaves and what stays" in checked.text
    assert "what is sent is whether the need is met" in checked.text.lower()

    done = prepare(officer, draft)
    assert "prepared, not sent yet" in done.text
    assert "Send to the hub" in done.text
    assert kept(world) == []
    mapping = load_mapping(mapping_file(world.agents["council"].home, "council_records"))
    assert mapping.columns.surname == "Surname"

    refused = officer.get("/sources/council_records/refused")
    assert "has no identifier" in refused.text
    assert CANARY in refused.text  # their own rows are shown to them
    assert SCRIPT not in refused.text
    assert "&lt;script&gt;" in refused.text
    assert refused.headers["cache-control"] == "no-store"

    check_edited(world, officer)

    quality = officer.get("/sources/council_records/quality").text
    assert "What became of the cells" in quality
    assert "Date of birth" in quality
    for other in ("0" * 32, ""):  # of a page that shows the extract before, say
        unsent = officer.post("/sources/council_records/send", submission=other)
        assert unsent.status_code == 400
        assert "nothing was sent" in unsent.text
    assert "The hub has accepted it" in send(world, officer).text
    assert CANARY not in caplog.text
    for secret in (CANARY, WORD, officer.running.console.door.new_link()):
        assert secret not in logged(caplog)


def test_the_next_extract_begins_with_the_mapping_of_the_last(
    world: HubWorld, officer: Officer
) -> None:
    """What was corrected once is not asked again; a need keeps its rule."""
    held = officer.upload("council_records", "next.csv", as_csv(rows(30)))
    draft = draft_of(held.text)
    columns = officer.get(f"{draft}/columns").text
    assert 'value="need:neet" selected' in columns
    assert "N\nNo" in officer.post(f"{draft}/columns", **ROLES).text
    officer.post(f"{draft}/destroy")
    assert kept(world) == []


def test_a_column_that_the_agreement_does_not_list_is_left_out_when_asked(
    world: HubWorld, officer: Officer
) -> None:
    """The page says why nothing can be prepared, and offers what would be permitted."""
    lines = [[*row, "07700 900123"] for row in rows(30)]
    held = officer.upload("council_records", "phones.csv", as_csv(lines, [*HEADER, "Phone"]))
    draft = draft_of(held.text)
    officer.post(f"{draft}/columns", **ROLES | {"c7": "phone"})
    answers = {"day_first": "yes", "need-neet-kind": "equals", "need-neet-value": "N"}
    page = officer.post(f"{draft}/rules", **answers).text
    assert "Leave out what the agreement does not list" in page
    assert "Prepare this extract" not in page
    page = prepare(officer, draft, only_agreed="yes").text
    assert "Prepare this extract" in page
    officer.post(f"{draft}/destroy")
    assert kept(world) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"%PDF-1.7 x", "is a PDF"),
        (b"PK\x03\x04 broken", "damaged"),
        (b"one\ntwo\nthree\n", "column"),
        (b"a,b\n1,2\n" * 3 + b"\x00" * 900, "not text"),
    ],
)
def test_a_file_that_is_no_extract_is_told_in_words(
    world: HubWorld, officer: Officer, content: bytes, words: str
) -> None:
    """What was expected and what to do; the file can be thrown away or read again."""
    page = officer.upload("council_records", "x.csv", content)
    assert words in page.text
    for draft in officer.running.console.drafts.all():
        assert "was not read yet" in officer.get(f"/extracts/{draft.id}").text
        officer.post(f"/extracts/{draft.id}/destroy")
    assert kept(world) == []


def test_no_file_and_a_form_without_its_token_keep_nothing(
    world: HubWorld, officer: Officer
) -> None:
    """Nothing of a refused form is on the disk."""
    nothing = officer.http.post(
        "/extracts/new/council_records",
        data={"csrf": officer.token()},
        files={"file": ("", b"")},
        headers={"origin": officer.origin},
    )
    assert nothing.status_code == 422
    assert "Choose a file" in nothing.text
    for fields in ({}, {"csrf": "x" * 43}):
        answer = officer.http.post(
            "/extracts/new/council_records",
            data=fields,
            files={"file": ("a.csv", as_csv(rows()))},
            headers={"origin": officer.origin},
        )
        assert answer.status_code == 403
    assert kept(world) == []


def test_a_restart_in_the_middle_loses_nothing_but_the_session(world: HubWorld) -> None:
    """The draft is there, its task is not; it is read again and goes on."""
    home = world.agents["council"].home
    with serving(home) as officer:
        officer.enter()
        draft = draft_of(officer.upload("council_records", "a.csv", as_csv(rows())).text)
        officer.post(f"{draft}/columns", **ROLES)
    with serving(home) as officer:
        assert officer.http.get(draft).status_code == 403
        officer.enter()
        assert "is not prepared yet" in officer.get("/").text
        assert 'value="need:neet" selected' in officer.get(f"{draft}/columns").text
        officer.post(f"{draft}/destroy")
    assert kept(world) == []


def test_a_page_of_columns_that_is_stale_drops_no_rule(officer: Officer) -> None:
    """Another tab has typed a rule that the form cannot say: the page is refused, it stays."""
    draft = draft_of(officer.upload("council_records", "a.csv", as_csv(rows())).text)
    officer.post(f"{draft}/columns", **ROLES)
    rule = {"columns": ["NEET", "Ref"], "below": 90.0}
    columns = {"first_name": "Forename", "surname": "Surname", "date_of_birth": "DOB"}
    typed = {"record_id": "Ref", "columns": columns, "indicators": {"neet": rule}}
    officer.post(f"{draft}/text", mapping=as_yaml(typed))
    page = officer.post(f"{draft}/columns", **ROLES)
    assert page.status_code == 422
    assert "changed meanwhile" in page.text
    (held,) = officer.running.console.drafts.all()
    assert held.mapping is not None
    assert held.mapping["indicators"] == {"neet": rule}
    officer.post(f"{draft}/destroy")


def test_two_tabs_prepare_a_draft_once(
    world: HubWorld, officer: Officer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are shown what was prepared; who comes later is told that the extract is not here."""
    draft = draft_of(officer.upload("council_records", "a.csv", as_csv(rows())).text)
    officer.post(f"{draft}/columns", **ROLES)
    officer.post(
        f"{draft}/rules", **{"day_first": "yes", "need-neet-kind": "equals", "need-neet-value": "N"}
    )
    both, start = threading.Barrier(3), Tasks.start

    def started(tasks: Tasks, what: str, *given: Any, **named: Any) -> Task:
        task = start(tasks, what, *given, **named)
        both.wait(30)
        return task

    def slowly(*given: Any, **named: Any) -> object:
        both.wait(30)  # so that the draft is still there for the second press
        return prepare_file(*given, **named)

    page = officer.get(f"{draft}/check").text
    answers = {"day_first": "no", "need-neet-kind": "equals", "need-neet-value": "N"}
    officer.post(f"{draft}/rules", **answers)  # in another tab
    stale = prepare(officer, draft, page)
    assert "Prepare this extract" in stale.text  # it is shown first
    page = stale.text
    monkeypatch.setattr(Tasks, "start", started)
    monkeypatch.setattr("partner_agent.console.pages.mapping.prepare_file", slowly)
    with ThreadPoolExecutor(max_workers=2) as pool:
        pages = list(pool.map(lambda _: prepare(officer, draft, page).text, range(2)))
    assert all('name="submission"' in page for page in pages)
    monkeypatch.undo()
    again = prepare(officer, draft, page)
    assert again.status_code == 404
    assert "not here any more" in again.text
    assert kept(world) == []


def test_a_copy_goes_after_a_day_where_only_run_runs(world: HubWorld) -> None:
    """No console needs to be started for it."""
    agent = world.agents["council"]
    drafts = Drafts(agent.home, lambda: agent.now() - timedelta(hours=25))
    id_, file = drafts.reserve()
    file.write_bytes(b"a,b\n1,2\n")
    drafts.keep(id_, "council_records", "a.csv", 8)
    tasks(agent)["leftovers"]()
    assert kept(world) == []


def test_every_column_that_is_sent_has_words() -> None:
    """The page speaks of each column of the file, and of no other."""
    words = Words(["governance.ui", *PACKAGES])
    for name in ARROW_SCHEMA.names:
        assert words(f"agent.sent.{name}")
