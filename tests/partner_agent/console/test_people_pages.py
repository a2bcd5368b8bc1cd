"""What people decide, at the page: recorded with the command's own step, taken back in one."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest

from governance.canonical import utc_now, write_time
from governance.consent.models import ConsentState
from governance.consent.registry import Grant
from governance.ledger.errors import LedgerUnavailableError
from partner_agent.console.pages import deciding
from partner_agent.ledger import AgentLedger
from tests.hub_world import HubWorld, hub_world_in
from tests.partner_agent.consent_world import decide, hold
from tests.partner_agent.console.console_world import Officer, logged, serving

SOURCE = "council_records"
CANARY = "Quixwaldine"
PEOPLE = {
    "H1": {"first_name": "ada", "surname": "quixwaldine", "date_of_birth": "1980-02-01"},
    "H2": {"first_name": "bea", "surname": "quixwaldine", "date_of_birth": "1982-02-01"},
    "H3": {"first_name": "cis", "surname": "quixwaldine", "date_of_birth": "1984-02-01"},
    "H4": {"first_name": "dot", "surname": "quixwaldine", "date_of_birth": "1986-02-01"},
}
ANSWERS = {
    "state": "given", "kind": "approach", "capacity": "self", "method": "in_person",
}  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubWorld]:
    """A council that holds two people."""
    with hub_world_in(tmp_path_factory.mktemp("world")) as found:
        hold(found, *PEOPLE.items())
        yield found


@pytest.fixture(scope="module")
def officer(world: HubWorld) -> Iterator[Officer]:
    """The council's data officer, signed in."""
    with serving(world.agents["council"].home) as found:
        found.enter()
        yield found


def find(officer: Officer, record_id: str) -> str:
    """The address of a person's page."""
    page = officer.post("/people", record_id=record_id)
    assert page.status_code == 200, page.text
    found = re.search(r"/people/[0-9a-f]{32}", page.text)
    assert found is not None
    return found[0]


def answer_all(officer: Officer, person: str, **changes: str) -> str:
    """Answer every question; the text of the page that checks them."""
    officer.get(f"{person}/decision")
    for name, value in (ANSWERS | changes).items():
        officer.post(f"{person}/decision/{name}", **{name: value})
    officer.post(f"{person}/decision/expires", day="1", month="5", year="2027")
    page = officer.http.post(
        f"{person}/decision/notice-file",
        data={"csrf": officer.token()},
        files={"file": ("notice 2026.txt", b"We ask you whether we may contact you.")},
        headers={"origin": officer.origin},
    )
    assert page.status_code == 303, page.text
    return officer.get(f"{person}/decision/check").text


def press(officer: Officer, person: str, check: str) -> httpx.Response:
    """Press the button of the page that checks the answers."""
    shown = re.search(r'name="decision" value="([0-9a-f]+)"', check)
    assert shown is not None
    return officer.post(f"{person}/decision/check", decision=shown[1])


def live(world: HubWorld, record_id: str) -> list[ConsentState]:
    """States of a record's consents, as the ledger has them."""
    now = world.agents["council"].now()
    return [grant.state(now) for grant in grants(world, record_id)]


def grants(world: HubWorld, record_id: str) -> list[Grant]:
    """A record's consents, as the ledger has them."""
    agent = world.agents["council"]
    state = agent.ledger.sync()
    (handle,) = agent.vault.find(SOURCE, record_id)
    return [each for each in state.consents.grants.values() if each.subject == handle.hex()]


def test_a_decision_is_recorded_once_and_taken_back_in_one_step(
    world: HubWorld, officer: Officer, caplog: pytest.LogCaptureFixture
) -> None:
    """Questions, a check, the record, its receipt, and the withdrawal, without a name in a log."""
    caplog.set_level("INFO")
    person = find(officer, "H1")
    assert CANARY.lower() in officer.get(person).text.lower()
    check = answer_all(officer, person)
    assert "Check before you record" in check
    assert "1 May 2027" in check
    assert "notice 2026.txt" in check
    done = press(officer, person, check)
    assert "The decision is recorded" in done.text
    press(officer, person, check)  # pressed twice, or sent again by the browser
    assert live(world, "H1") == [ConsentState.GIVEN]

    world.witness()
    receipt = officer.get(f"{person}/receipt/1").text
    assert "You said yes" in receipt
    assert CANARY.lower() not in receipt.lower()
    assert "H1" not in receipt

    taken = officer.post(f"{person}/withdraw").text
    assert "It counts from now on" in taken
    assert live(world, "H1") == [ConsentState.WITHDRAWN]
    assert "taken back" in officer.get(person).text
    for said in (caplog.text, logged(caplog)):
        assert CANARY.lower() not in said.lower()
        assert "H1" not in said
    assert person.rpartition("/")[2] not in logged(caplog)


def test_a_changed_decision_is_another_and_no_page_records_what_it_did_not_show(
    world: HubWorld, officer: Officer
) -> None:
    """Back from the page that says recorded, another answer is recorded too, also one as before."""
    person = find(officer, "H3")
    given = answer_all(officer, person)
    press(officer, person, given)
    for state in ("refused", "given"):
        officer.post(f"{person}/decision/state", state=state)
        assert "Check before you record" in press(officer, person, given).text  # an older page
        assert (
            "recorded" in press(officer, person, officer.get(f"{person}/decision/check").text).text
        )
    assert live(world, "H3") == [
        ConsentState.GIVEN, ConsentState.REFUSED, ConsentState.GIVEN,
    ]  # fmt: skip


def test_a_decision_that_could_not_be_recorded_is_tried_again_and_recorded_once(
    world: HubWorld, officer: Officer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The button works again once the ledger is back, and counts once however often pressed."""
    person = find(officer, "H4")
    check = answer_all(officer, person)

    def away(*_: object) -> None:
        raise LedgerUnavailableError("the ledger cannot be reached")

    yesterday = utc_now() - timedelta(days=1)
    monkeypatch.setattr(AgentLedger, "append_batch", away)
    monkeypatch.setattr(deciding, "write_time", lambda _: write_time(yesterday))
    assert "The decision was not recorded" in press(officer, person, check).text
    monkeypatch.undo()
    with ThreadPoolExecutor(max_workers=4) as pool:
        done = list(pool.map(lambda _: press(officer, person, check).text, range(4)))
    assert all("The decision is recorded" in page for page in done)
    assert live(world, "H4") == [ConsentState.GIVEN]
    assert {grant.record.captured for grant in grants(world, "H4")} == {write_time(yesterday)}


def test_a_withdrawal_counts_although_the_ledger_is_away(
    world: HubWorld, officer: Officer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is on this disk before the page answers, and the page says what is still to be done."""
    agent = world.agents["council"]
    (number,) = decide(world, "H2")

    def away(*_: object) -> None:
        raise LedgerUnavailableError("the ledger cannot be reached")

    officer.get("/people")
    with officer.running.console.agent() as shared:
        shared.ledger.sync()
    for name in ("sync", "append_batch", "append"):
        monkeypatch.setattr(AgentLedger, name, away)
    page = officer.post("/withdraw", number=f" {number[:4]} {number[4:]} ").text
    assert "It counts from now on" in page
    assert "waits for the ledger" in page
    assert number in agent.consents.withdrawn_here(logged=False)
    monkeypatch.undo()
    agent.consents.log_withdrawals()
    assert ConsentState.WITHDRAWN in live(world, "H2")


def test_an_unknown_number_is_told_so(officer: Officer) -> None:
    """Nothing is withdrawn, and the page says so."""
    page = officer.post("/withdraw", number="0" * 32)
    assert "Nothing was withdrawn" in page.text
    assert "recorded no consent" in page.text
    assert "Enter the number" in officer.post("/withdraw", number=" ").text


def test_a_child_needs_a_basis_and_a_day_that_is_to_come(officer: Officer) -> None:
    """The question comes where it is needed only; wrong days are told."""
    person = find(officer, "H1")
    assert "How was parental responsibility" not in answer_all(officer, person)
    officer.get(f"{person}/decision")
    officer.post(f"{person}/decision/state", state="given")
    officer.post(f"{person}/decision/kind", kind="approach")
    asked = officer.post(f"{person}/decision/capacity", capacity="parental_responsibility").text
    assert "How was parental responsibility established?" in asked
    for day in (("31", "2", "2027"), ("1", "1", "2020"), ("x", "", "")):
        wrong = officer.post(f"{person}/decision/expires", day=day[0], month=day[1], year=day[2])
        assert wrong.status_code == 422
    assert officer.post(f"{person}/decision/kind", kind="everything").status_code == 422
    assert "Choose how" in officer.post(f"{person}/decision/method").text
    assert officer.post(f"{person}/decision/nothing", nothing="x").status_code == 404


def test_a_person_is_not_found_by_another_number_or_in_another_session(
    officer: Officer,
) -> None:
    """A record number that the vault lacks is told; a case of an ended session is gone."""
    unknown = officer.post("/people", record_id="H99")
    assert unknown.status_code == 422
    assert "No prepared row" in unknown.text
    assert officer.post("/people", record_id="").status_code == 422
    person = find(officer, "H1")
    assert officer.get(f"{person}/receipt/99").status_code == 404
    officer.enter()
    assert officer.get(person).status_code == 404
