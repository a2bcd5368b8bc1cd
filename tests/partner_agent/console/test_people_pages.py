"""What people decide, at the page: recorded with the command's own step, taken back in one."""

import re
from collections.abc import Iterator

import pytest

from governance.consent.models import ConsentState
from governance.ledger.errors import LedgerUnavailableError
from partner_agent.ledger import AgentLedger
from tests.hub_world import HubWorld, hub_world_in
from tests.partner_agent.consent_world import decide, hold
from tests.partner_agent.console.console_world import Officer, serving

SOURCE = "council_records"
CANARY = "Quixwaldine"
PEOPLE = {
    "H1": {"first_name": "ada", "surname": "quixwaldine", "date_of_birth": "1980-02-01"},
    "H2": {"first_name": "bea", "surname": "quixwaldine", "date_of_birth": "1982-02-01"},
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


def live(world: HubWorld, record_id: str) -> list[ConsentState]:
    """States of a record's consents, as the ledger has them."""
    agent = world.agents["council"]
    state = agent.ledger.sync()
    (handle,) = agent.vault.find(SOURCE, record_id)
    now = agent.now()
    return [
        grant.state(now)
        for grant in state.consents.grants.values()
        if grant.subject == handle.hex()
    ]


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
    done = officer.post(f"{person}/decision/check")
    assert "The decision is recorded" in done.text
    officer.post(f"{person}/decision/check")  # pressed twice, or sent again by the browser
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
    assert CANARY.lower() not in caplog.text.lower()
    assert "H1" not in caplog.text


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
