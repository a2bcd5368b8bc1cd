"""A withdrawal takes one step and counts at once, whatever network, ledger or hub do."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import pytest

from governance.canonical import utc_now, write_time
from governance.consent.models import ConsentKind
from governance.ledger.client import Receipt
from governance.ledger.errors import LedgerRefusedError, LedgerUnavailableError
from governance.ledger.events import Event
from partner_agent.vault.occurrences import Occurrences
from partner_agent.vault.store import Row
from tests.hub_world import HubWorld, hub_world_in
from tests.partner_agent.consent_world import decide, hold, run
from tests.partner_agent.releases.test_desk import approve, ask, both_agree, submit_and_link

SOON = 60  # seconds that a command on a busy machine may take to start


@pytest.fixture
def world(tmp_path: Path) -> Iterator[HubWorld]:
    """A council with a person of two rows and one of one row."""
    with hub_world_in(tmp_path) as found:
        agent = found.agents["council"]
        rows = [Row("H1", {"surname": name}, {}, protected=False) for name in ("a", "b")]
        agent.vault.put("council_records", rows, date(2026, 1, 1), Occurrences())
        hold(found, ("H2", {}))
        yield found


@pytest.mark.invariant(17, "a ledger that fails while a person's rows are recorded", double="slow")
def test_a_decision_that_failed_half_way_is_recorded_once(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None, some or all rows arrived, or one was refused: tried again, each has one consent."""
    agent = world.agents["council"]
    whole = agent.ledger.append_batch
    refusal = LedgerRefusedError("closed", code="event.not_admissible", status=200)

    def lost(events: Sequence[Event], arrived: int) -> list[Receipt | LedgerRefusedError]:
        whole(events[:arrived]) if arrived else None
        raise LedgerUnavailableError("gone")

    fails = [
        *(partial(lost, arrived=arrived) for arrived in range(3)),
        lambda events: [*whole(events[:1]), refusal],
    ]
    given = {"expires": "2027-06-01T00:00:00Z"}
    before = set[str]()
    for fail, method in zip(fails, ("in_person", "paper_form", "telephone", "online"), strict=True):
        given["method"] = method
        with monkeypatch.context() as patched:
            patched.setattr(agent.ledger, "append_batch", fail)
            with pytest.raises((LedgerUnavailableError, LedgerRefusedError), match=r"gone|closed"):
                decide(world, "H1", **given)
        numbers = decide(world, "H1", **given)
        assert set(agent.ledger.state.consents.grants) - before == set(numbers)
        assert len(set(numbers)) == 2
        before |= set(numbers)
    assert decide(world, "H1", **given) == numbers
    agent.consents.accept_withdrawals(numbers[:1], utc_now())  # the ledger has not heard of it
    again = decide(world, "H1", **given)
    assert again[0] not in numbers
    assert again[1] == numbers[1]
    refused = decide(world, "H1", **given, state="refused")
    assert not {*refused} & {*numbers, *again}  # another word is another decision,
    assert not {*decide(world, "H1", **given)} & {*again, *refused}  # and so is the first after it
    before = set(agent.ledger.state.consents.grants)
    now = utc_now()
    given |= {"method": "paper_form", "captured": write_time(now.replace(second=now.second // 2))}
    late: list[Event] = []

    def under_way(events: Sequence[Event]) -> list[Receipt | LedgerRefusedError]:
        late.extend(events)
        raise LedgerUnavailableError("no answer in time")

    def after_it(events: Sequence[Event]) -> list[Receipt | LedgerRefusedError]:
        whole(late)
        return whole(events)

    monkeypatch.setattr(agent.ledger, "append_batch", under_way)
    with pytest.raises(LedgerUnavailableError):
        decide(world, "H1", **given)
    monkeypatch.setattr(agent.ledger, "append_batch", after_it)
    given["captured"] = write_time(now)
    numbers = decide(world, "H1", **given)
    assert set(agent.ledger.sync().consents.grants) - before == set(numbers)


@pytest.mark.invariant(3, "a network that swallows everything", double="slow")
@pytest.mark.invariant(17, "kill -9 while the ledger does not answer")
def test_it_counts_before_the_network_is_asked(world: HubWorld) -> None:
    """The ledger takes the connection and never answers; the command is killed: it counts."""
    numbers = decide(world, "H1")
    agent = world.agents["council"]
    with socket.create_server(("127.0.0.1", 0)) as silent:
        agent.remember(
            ledger_url=f"http://127.0.0.1:{silent.getsockname()[1]}", hub_url="http://127.0.0.1:9"
        )
        command = [
            sys.executable, "-m", "partner_agent.cli.main", "--home", str(agent.home), "consent",
            "withdraw", "--source", "council_records", "--record-id", "H1",
        ]  # fmt: skip
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ)
        assert process.stderr is not None
        try:
            assert "counts here from now on" in process.stderr.readline()
            assert agent.consents.withdrawn_here(logged=False) == set(numbers)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait(SOON)
            process.stderr.close()
    agent.remember(ledger_url=world.ledger_url, hub_url=world.hub_url)
    assert agent.consents.log_withdrawals() == 2


def test_one_receipt_takes_back_all_of_its_kind_about_the_record(world: HubWorld) -> None:
    """Both rows of the record id, the older and the newer consent; not the other person's."""
    older = decide(world, "H1")
    newer = decide(world, "H1", method="telephone")
    (other,) = decide(world, "H2")
    (kept,) = decide(world, "H2", kind="confidentiality")
    code, out, err = run(world, "--json", "consent", "withdraw", older[0])
    assert code == 0, err
    taken = {item["grant"] for item in json.loads(out)["withdrawn"]}
    assert taken == {*older, *newer}
    code, out, err = run(world, "--json", "consent", "withdraw", other)
    assert [item["grant"] for item in json.loads(out)["withdrawn"]] == [other]
    agent = world.agents["council"]
    assert agent.ledger.sync().consents.grants[kept].permits(utc_now())
    code, out, err = run(world, "--json", "consent", "withdraw", other)  # said again
    assert code == 0, err
    assert json.loads(out)["withdrawn"] == [{"grant": other, "in_the_ledger": True}]
    code, _, err = run(world, "consent", "withdraw", "0" * 32)
    assert code == 65
    assert "consent list" in err


def test_a_record_whose_row_is_gone_is_withdrawn_by_the_receipts_number(world: HubWorld) -> None:
    """Its own id finds nothing then, which is said with what works still."""
    number = decide(world, "H1")[0]
    where = ("--source", "council_records", "--record-id")
    code, _, err = run(world, "consent", "withdraw", *where, "gone")
    assert code == 65
    assert "number on the receipt" in err
    assert run(world, "consent", "withdraw", number)[0] == 0


def test_another_partners_number_withdraws_nothing(world: HubWorld) -> None:
    """The police cannot withdraw what the council recorded."""
    (number,) = decide(world, "H2")
    world.agents["police"].ledger.sync()
    assert run(world, "consent", "withdraw", number, party="police")[0] == 65
    assert world.agents["police"].consents.withdrawn_here() == set()


@pytest.mark.invariant(3, "a consent shown after the withdrawal", double="withholds")
def test_a_consent_that_the_ledger_held_back_does_not_outweigh_a_withdrawal(
    tmp_path: Path,
) -> None:
    """Written before, taken for lost, shown after: the newest entry is not the newest word."""
    with hub_world_in(tmp_path) as world:
        submit_and_link(world)
        began = time.monotonic()
        both_agree(world)
        pace = time.monotonic() - began  # what is written below takes a machine less than this
        agent = world.agents["council"]
        (handle,) = agent.vault.find("council_records", "A1")
        (known,) = agent.ledger.state.consents.about("council", handle.hex(), ConsentKind.APPROACH)
        request = ask(world).json()["id"]
        later = utc_now() + timedelta(seconds=1 + 4 * pace)
        agent.consents.accept_withdrawals([known.id], later)
        agent.consents.log_withdrawals()
        agent.ledger.sync()
        decide(world, "A1")  # dated before the withdrawal, shown after it
        approve(world, request)
        answers, _ = agent.desk.answer_all(agent.hub)
        assert [item.reason for item in answers] == ["consent.withdrawn"]
        wait = (later - utc_now()).total_seconds() + 1
        time.sleep(max(0.0, wait))
        decide(world, "A1")  # said after it
        request = ask(world).json()["id"]
        approve(world, request)
        answers, _ = agent.desk.answer_all(agent.hub)
        assert [item.sealed for item in answers if item.request == request] == [True]
