"""A case system's decisions reach the ledger once each, whatever happens on the way."""

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from governance.canonical import utc_now
from governance.consent.models import ConsentKind, ConsentState
from governance.ledger.client import LedgerClient, Receipt
from governance.ledger.errors import LedgerRefusedError
from governance.ledger.events import Event
from partner_agent.app import Agent
from partner_agent.consent_import.desk import LOCK, ConsentImports, ImportUnderWay, alone
from partner_agent.consent_import.rows import Decision
from tests.hub_world import HubWorld, hub_world_in
from tests.partner_agent.consent_world import hold, run

Outcomes = list[Receipt | LedgerRefusedError]
HEAD = ("CASE", "ANSWER", "WHEN", "UNTIL", "HOW", "WHO", "BASIS")
MAPPING = """
columns: {record_id: CASE, state: ANSWER, date: WHEN, expires: UNTIL, method: HOW,
          capacity: WHO, parental_basis: BASIS}
constants: {source: council_records}
values:
  state: {agreed: given, said no: refused, changed mind: withdrawn}
  method: {visit: in_person, letter: paper_form}
  capacity: {parent: parental_responsibility}
  parental_basis: {court: court_order}
lasts_days: 1000
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[HubWorld]:
    """A world whose council holds four people."""
    with hub_world_in(tmp_path) as found:
        hold(found, *((f"C{number}", {"surname": "QUIXWALD"}) for number in range(1, 5)))
        (tmp_path / "notice.txt").write_text("notice", "utf-8")
        (tmp_path / "mapping.yaml").write_text(MAPPING, "utf-8")
        yield found


def year() -> int:
    """The year before this one, whose days are all over."""
    return utc_now().year - 1


def row(case: str, answer: str, when: str, **more: str) -> tuple[str, ...]:
    """A row of the export; ``when`` is day/month."""
    cells = {"UNTIL": "", "HOW": "visit", "WHO": "", "BASIS": ""} | more
    given = {"CASE": case, "ANSWER": answer, "WHEN": f"{when}/{year()}"}
    return tuple(({**cells, **given})[name] for name in HEAD)


def import_(world: HubWorld, *rows: tuple[str, ...], options: tuple[str, ...] = ()) -> Any:
    """Import rows by the real command."""
    file = world.root / "export.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([HEAD, *rows])
    code, out, err = run(
        world, "--json", "consent", "import", file, "--notice", world.root / "notice.txt",
        "--mapping", world.root / "mapping.yaml", *options,
    )  # fmt: skip
    assert code == 0, err
    assert "quixwald" not in (out + err).lower()
    return json.loads(out)


def state_of(agent: Agent, case: str) -> ConsentState | None:
    """Where a person's consent stands in the ledger."""
    handle = agent.vault.find("council_records", case)[0].hex()
    found = agent.ledger.sync().consents.current("council", handle, ConsentKind.APPROACH)
    return None if found is None else found.state(utc_now())


def test_decisions_are_recorded_by_their_days_and_not_twice(world: HubWorld) -> None:
    """Yes, no, and yes taken back; the file is not in order; a second import changes nothing."""
    rows = [
        row("C3", "changed mind", "05/06"),
        row("C1", "Agreed", "01/02", UNTIL=f"01/02/{year() + 3}"),
        row("C2", "said no", "03/04", HOW="letter"),
        row("C3", "agreed", "01/06", WHO="parent", BASIS="court"),
    ]
    agent = world.agents["council"]
    planned = import_(world, *rows, options=("--dry-run",))
    assert (planned["recorded"], planned["withdrawn"], planned["dry_run"]) == (3, 1, True)
    assert state_of(agent, "C1") is None
    told = import_(world, *rows)
    assert (told["recorded"], told["withdrawn"], told["waiting"]) == (3, 1, 0)
    assert told["rejected"] == []
    states = [state_of(agent, case) for case in ("C1", "C2", "C3", "C4")]
    assert states == [ConsentState.GIVEN, ConsentState.REFUSED, ConsentState.WITHDRAWN, None]
    size = agent.ledger.sync().size
    again = import_(world, *rows)
    assert (again["recorded"], again["withdrawn"], again["known"]) == (0, 0, 4)
    assert agent.ledger.sync().size == size


@pytest.mark.invariant(16, "rows of an import that are refused")
def test_a_wrong_row_is_told_by_number_and_reason_and_stops_no_other(world: HubWorld) -> None:
    """Each refusal names row and reason; values stand in the rejects file only, mode 0600."""
    told = import_(
        world,
        row("C1", "perhaps", "01/02"),
        row("C1", "agreed", "45/02"),
        row("C1", "agreed", "01/02", UNTIL="01/01/2001"),
        row("C1", "agreed", "01/02", WHO="parent"),
        row("C1", "agreed", "01/02", HOW="pigeon"),
        row("QUIXWALD-9", "agreed", "01/02"),
        row("", "agreed", "01/02"),
        row("C4", "agreed", "01/02"),
    )
    assert told["recorded"] == 1
    reasons = [
        "state", "date", "expires", "inconsistent", "method", "unknown_record", "record_id",
    ]  # fmt: skip
    assert told["rejected"] == [
        {"row": number, "reason": f"consent_row.{reason}"}
        for number, reason in enumerate(reasons, start=1)
    ]
    rejects = Path(told["rejects"])
    assert rejects.stat().st_mode & 0o777 == 0o600
    assert "QUIXWALD-9" in rejects.read_text("utf-8")


@pytest.mark.invariant(16, "a column of names mapped as items")
@pytest.mark.parametrize("field", ["items", "purpose"])
def test_no_word_of_the_file_reaches_the_ledger(world: HubWorld, field: str) -> None:
    """A mapping that names the wrong column records nothing: what is logged is the agreement's."""
    mapping = MAPPING.replace("capacity: WHO,", f"{field}: WHO,")
    (world.root / "mapping.yaml").write_text(mapping, "utf-8")
    size = world.agents["council"].ledger.sync().size
    told = import_(world, row("C1", "agreed", "01/02", WHO="quixwald"))
    assert [each["reason"] for each in told["rejected"]] == [f"consent_row.{field}"]
    assert world.agents["council"].ledger.sync().size == size


@pytest.mark.invariant(2, "an old yes, imported after the no")
def test_an_old_yes_does_not_undo_a_newer_no(world: HubWorld) -> None:
    """What is older than the newest word, or a yes of the day of a withdrawal, is refused."""
    agent = world.agents["council"]
    import_(world, row("C1", "agreed", "01/02"), row("C2", "agreed", "01/02"))
    import_(world, row("C1", "changed mind", "01/05"), row("C2", "said no", "01/05"))
    told = import_(
        world,
        row("C1", "agreed", "01/03"), row("C1", "agreed", "01/05"),
        row("C2", "agreed", "01/03"), row("C2", "agreed", "01/05"),
    )  # fmt: skip
    assert [item["reason"] for item in told["rejected"]] == ["consent_row.older"] * 4
    assert state_of(agent, "C1") is ConsentState.WITHDRAWN
    assert state_of(agent, "C2") is ConsentState.REFUSED
    assert import_(world, row("C1", "agreed", "02/05"))["recorded"] == 1
    assert state_of(agent, "C1") is ConsentState.GIVEN


def test_a_withdrawal_of_what_was_never_recorded_is_a_no(world: HubWorld) -> None:
    """The safe reading of a withdrawal whose yes is not in the ledger."""
    assert import_(world, row("C1", "changed mind", "01/05"))["recorded"] == 1
    assert state_of(world.agents["council"], "C1") is ConsentState.REFUSED


@pytest.mark.invariant(3, "imported withdrawals while the ledger is away", double="withholds")
def test_withdrawals_count_at_once_without_a_network(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of the import waits on the disk; withdrawals count here already; later all arrives."""
    import_(world, row("C1", "agreed", "01/02"))
    agent = world.agents["council"]
    handle = agent.vault.find("council_records", "C1")[0].hex()
    (grant,) = agent.ledger.sync().consents.about("council", handle, ConsentKind.APPROACH)
    with monkeypatch.context() as away:
        away.setattr("governance.ledger.client.ATTEMPTS", 1)
        agent.remember(ledger_url="http://127.0.0.1:9")
        told = import_(world, row("C1", "changed mind", "01/05"), row("C2", "agreed", "01/02"))
        status = json.loads(run(world, "--json", "status")[1])
        agent.remember(ledger_url=world.ledger_url)
    assert (status["decisions_waiting"], status["withdrawals_waiting"]) == (2, 1)
    assert (told["withdrawn"], told["waiting"]) == (1, 2)
    assert grant.id in agent.consents.withdrawn_here(logged=False)
    assert agent.imports.hand_in() == 0
    agent.consents.log_withdrawals()
    assert state_of(agent, "C1") is ConsentState.WITHDRAWN
    assert state_of(agent, "C2") is ConsentState.GIVEN


@pytest.mark.invariant(3, "an import that dies before it withdraws, and no ledger")
def test_the_agents_loop_withdraws_what_an_import_left_without_a_network(world: HubWorld) -> None:
    """Staged is enough: the loop takes the consent back although the ledger is away."""
    import_(world, row("C1", "agreed", "01/02"))
    agent = world.agents["council"]
    with pytest.MonkeyPatch.context() as crash:
        crash.setattr(ConsentImports, "apply", lambda *_: sys.exit(9))
        with pytest.raises(AssertionError):
            import_(world, row("C1", "changed mind", "01/05"))
    assert agent.consents.withdrawn_here() == set()
    with pytest.MonkeyPatch.context() as away:
        away.setattr(agent.ledger.client, "_base", "http://127.0.0.1:9")
        away.setattr(agent.ledger.client, "_wait", lambda _seconds: None)
        assert agent.imports.hand_in() == 1
    assert len(agent.consents.withdrawn_here(logged=False)) == 1


def test_a_dry_run_of_any_size_asks_in_parts(world: HubWorld) -> None:
    """More decisions than the database takes values in one statement."""
    agent = world.agents["council"]
    import_(world, row("C1", "agreed", "01/02"))
    handle = bytes(16)
    record = next(iter(agent.ledger.sync().consents.grants.values())).record
    many = [
        Decision(number, handle, "approach", "given", "2025-01-01",
                 record.model_copy(update={"subject": f"{number:032x}"}))
        for number in range(40_000)
    ]  # fmt: skip
    assert len(agent.imports.unknown(many)) == len(many)


def test_the_agents_loop_leaves_an_import_that_is_under_way_alone(world: HubWorld) -> None:
    """Two processes never hand over the same decision; a lock ends with its process."""
    agent = world.agents["council"]
    with alone(agent.home / LOCK, wait=0):
        with pytest.raises(ImportUnderWay), alone(agent.home / LOCK, wait=0):
            pass
        agent.remember(ledger_url="http://127.0.0.1:9")
        with pytest.MonkeyPatch.context() as quick:
            quick.setattr("partner_agent.consent_import.desk.WAIT", 0.1)
            with pytest.raises(AssertionError, match="under way"):
                import_(world, row("C1", "agreed", "01/02"))
        agent.remember(ledger_url=world.ledger_url)
        assert agent.imports.hand_in() == 1
        assert state_of(agent, "C1") is None
    assert agent.imports.hand_in() == 0
    assert state_of(agent, "C1") is ConsentState.GIVEN


@pytest.mark.invariant(17, "an import that dies at each step")
def test_an_import_that_dies_loses_nothing_and_records_nothing_twice(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies before or after the ledger took each batch; the next one goes on."""
    agent = world.agents["council"]
    for done, step in enumerate(range(4), start=1):
        cases = [f"D{step}{letter}" for letter in "abc"]
        hold(world, *((case, {}) for case in cases))
        rows = [
            row(cases[0], "agreed", "01/02"), row(cases[1], "said no", "01/02"),
            row(cases[2], "agreed", "01/02"), row(cases[2], "changed mind", "01/03"),
        ]  # fmt: skip
        with monkeypatch.context() as crash:
            die_at(step, crash)
            with pytest.raises(AssertionError):
                import_(world, *rows)
        import_(world, *rows)
        states = [state_of(agent, case) for case in cases]
        assert states == [ConsentState.GIVEN, ConsentState.REFUSED, ConsentState.WITHDRAWN]
        assert len(agent.ledger.state.consents.grants) == 3 * done
        assert agent.imports.waiting() == 0


def die_at(step: int, crash: pytest.MonkeyPatch) -> None:
    """Let the process end at a step: before a batch is sent, or once it has arrived, unseen."""
    left = step
    append = LedgerClient.append_batch

    def dying(client: LedgerClient, events: Sequence[Event]) -> Outcomes:
        nonlocal left
        left -= 1
        if left == -1:
            raise SystemExit(9)
        found = append(client, events)
        left -= 1
        if left == -1:
            raise SystemExit(9)
        return found

    crash.setattr(LedgerClient, "append_batch", dying)


@pytest.mark.invariant(17, "events of an import that died, arriving late")
def test_an_event_that_was_still_on_its_way_is_not_doubled(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a killed import had sent may reach the ledger after the next import has begun."""
    agent = world.agents["council"]
    sent: list[Event] = []

    def dying(_client: LedgerClient, events: Sequence[Event]) -> Outcomes:
        sent.extend(events)
        raise SystemExit(9)

    rows = [row("C1", "agreed", "01/02"), row("C2", "said no", "01/02")]
    with monkeypatch.context() as crash:
        crash.setattr(LedgerClient, "append_batch", dying)
        with pytest.raises(AssertionError):
            import_(world, *rows)
    import_(world, *rows)
    assert len(sent) == 2
    agent.ledger.append_batch(sent)
    assert len(agent.ledger.sync().consents.grants) == 2


@pytest.mark.invariant(23, "one row of an import that the ledger refuses")
def test_what_the_ledger_refuses_is_told_by_row_and_stops_no_other(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refused row may be imported again; the others are recorded."""
    append = LedgerClient.append_batch
    rows = [row(case, "agreed", "01/02") for case in ("C1", "C2", "C3")]

    def spoilt(client: LedgerClient, events: Sequence[Event]) -> Outcomes:
        leaf = events[1].leaf.model_copy(update={"signature": events[0].leaf.signature})
        return append(client, [events[0], replace(events[1], leaf=leaf), *events[2:]])

    with monkeypatch.context() as spoiling:
        spoiling.setattr(LedgerClient, "append_batch", spoilt)
        told = import_(world, *rows)
    assert (told["recorded"], told["waiting"]) == (2, 0)
    assert told["rejected"] == [{"row": 2, "reason": "signature.invalid"}]
    assert import_(world, *rows)["recorded"] == 1
