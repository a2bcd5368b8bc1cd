"""An agent has consents of rows that are gone erased in the ledger, when the agreement says so."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from governance.consent.models import ConsentKind, ConsentState
from governance.consent.rules import Approach, require_family_permission
from governance.errors import GovernanceError
from governance.ledger.errors import LedgerUnavailableError
from governance.ledger.events import EventType
from governance.ledger.party import PartyLedger
from governance.ledger.state import LedgerState
from governance.release.models import Member, Members, RecordRef
from partner_agent import consent_erasure
from partner_agent.consent_erasure import ConsentErasure
from partner_agent.store.tables import records
from tests.hub_world import HubWorld, hub_world_in
from tests.partner_agent.consent_world import days_ago, decide, hold, run

ADA = {"first_name": "ADA", "surname": "QUIXWALD"}
AT_HUB, SHOWN = 60, 30
DUE = AT_HUB + SHOWN  # days after the row's end


def terms(data: dict[str, Any]) -> None:
    """An agreement under which consents are erased."""
    data["retention"] |= {"link_results_days": AT_HUB, "consent_payload_days": SHOWN}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[HubWorld]:
    """Agents, hub and ledger; the council holds two rows."""
    with founded(tmp_path) as found:
        yield found


@pytest.fixture
def on_both(tmp_path: Path, database_url: str) -> Iterator[HubWorld]:
    """The same with the ledger on SQLite, and again on PostgreSQL."""
    with founded(tmp_path, database_url) as found:
        yield found


@contextmanager
def founded(folder: Path, ledger: str | None = None) -> Iterator[HubWorld]:
    """A world in a folder."""
    with hub_world_in(folder, terms, ledger_database=ledger) as found:
        hold(found, ("HR-1", ADA), ("HR-2", ADA))
        yield found


def said(world: HubWorld, record_id: str, **changes: Any) -> list[str]:
    """What somebody decided, recorded so long ago that the ledger lets it be erased."""
    with days_ago(world.agents["council"], SHOWN):
        return decide(world, record_id, **changes)


def erasure(
    world: HubWorld, days: int, taken_out: Callable[[], set[bytes]] = set
) -> ConsentErasure:
    """The council's, so many days from now."""
    agent = world.agents["council"]
    return ConsentErasure(
        "council", agent.database, agent.vault, agent.ledger, taken_out,
        lambda: agent.now() + timedelta(days=days),
    )  # fmt: skip


def destroy(world: HubWorld, record_id: str) -> bytes:
    """A row ends; its handle."""
    vault = world.agents["council"].vault
    (handle,) = vault.find("council_records", record_id)
    vault.destroy([handle])
    return handle


def anew(world: HubWorld) -> PartyLedger:
    """A mirror that the police begin now."""
    police = world.agents["police"]
    (world.root / "anew").mkdir(exist_ok=True)
    return PartyLedger(
        world.root / "anew" / "mirror.db", world.ledger_url, str(police.ledger.log_key),
        police.secrets.keys.thumbprint, police.secrets.signing_key, police.now,
    )  # fmt: skip


def refusal(world: HubWorld, state: LedgerState, *handles: bytes) -> str:
    """Why a family of these records would not be approached; nothing if it might be."""
    members = Members(
        family="f-" + "0" * 32,
        agreement=world.agreement.hash,
        members=tuple(
            Member(
                person=f"p-{number:032x}",
                adult=True,
                records=(
                    RecordRef(party="council", source="council_records", handle=handle.hex()),
                ),
            )
            for number, handle in enumerate(handles)
        ),
    )
    now = world.agents["police"].now()
    approach = Approach(world.agreement, "offer-help", ("first_name",), "council", now)
    try:
        require_family_permission(members, (), state.consents, approach)
    except GovernanceError as refused:
        return refused.reason
    return ""


def holding(world: HubWorld, secret: bytes) -> list[str]:
    """Files of all programs that hold something."""
    return sorted(
        str(path.relative_to(world.root))
        for path in world.root.rglob("*")
        if path.is_file() and secret in path.read_bytes()
    )


@pytest.mark.invariant(18, "a row's end, from the agent to every copy of the ledger")
def test_consents_of_a_row_that_is_gone_are_erased_everywhere(on_both: HubWorld) -> None:
    """Not a day too soon; who follows and who begins anew refuse alike, and others are untouched.

    Of two people who said yes, the row of one is gone.
    """
    world = on_both
    said(world, "HR-1", state="refused")
    (given,) = said(world, "HR-1")
    (kept,) = said(world, "HR-2")
    (living,) = world.agents["council"].vault.find("council_records", "HR-2")
    dead = destroy(world, "HR-1")
    for agent in world.agents.values():
        assert refusal(world, agent.ledger.sync(), dead, living) == ""
    world.hub.ledger.sync()
    secret = dead.hex().encode()
    assert holding(world, secret) != []
    for day in (0, DUE - 1):
        assert erasure(world, day).erase(world.agreement) == 0
    assert erasure(world, DUE).due(world.agreement) == 2
    assert erasure(world, DUE).erase(world.agreement) == 2
    states = [agent.ledger.sync() for agent in world.agents.values()]
    states.append(world.hub.ledger.sync())
    new = anew(world)
    states.append(new.sync())
    assert new.mirror.evidence() == []
    for state in states:
        assert state.rejected == []
        assert refusal(world, state, dead, living) == "consent.withdrawn"
        assert refusal(world, state, living) == ""
        assert set(state.consents.grants) == {kept}
        current = state.consents.current("council", dead.hex(), ConsentKind.APPROACH)
        assert current is not None
        assert current.state(world.hub.now()) is ConsentState.WITHDRAWN
        assert given in state.consents.erased
    new.close()
    assert erasure(world, DUE + 1).erase(world.agreement) == 0
    assert holding(world, secret) == []
    assert run(world, "consent", "list")[0] == 0


def test_nothing_is_erased_where_the_agreement_does_not_say_so(world: HubWorld) -> None:
    """An agreement of before has no such days: payloads stay for good."""
    said(world, "HR-1")
    destroy(world, "HR-1")
    days = world.agreement.retention.model_copy(update={"consent_payload_days": None})
    old = world.agreement.model_copy(update={"retention": days})
    assert erasure(world, 3_000).due(old) == 0
    assert erasure(world, 3_000).erase(old) == 0
    assert erasure(world, 3_000).erase(world.agreement) == 0  # it is seen for the first time
    assert erasure(world, 3_000 + DUE).erase(world.agreement) == 1


def test_what_the_hub_has_taken_out_waits_for_no_results(world: HubWorld) -> None:
    """Somebody asked for erasure and the hub confirmed it: nothing can rest on it since."""
    said(world, "HR-1")
    dead = destroy(world, "HR-1")
    assert erasure(world, 0).erase(world.agreement) == 0
    assert erasure(world, SHOWN).erase(world.agreement) == 0
    assert erasure(world, SHOWN - 1, lambda: {dead}).erase(world.agreement) == 0
    assert erasure(world, SHOWN, lambda: {dead}).erase(world.agreement) == 1


def test_a_row_that_is_there_again_is_not_dead(world: HubWorld) -> None:
    """A vault that is put back from its backup begins the days anew, should the row end again."""
    said(world, "HR-1")
    council = world.agents["council"]
    (living,) = council.vault.find("council_records", "HR-1")
    with council.database.reading() as connection:
        row = connection.execute(select(records).where(records.c.handle == living)).one()
    destroy(world, "HR-1")
    erasure(world, 0).erase(world.agreement)
    with council.database.writing() as connection:
        connection.execute(insert(records).values(**row._asdict()))
    assert erasure(world, DUE).erase(world.agreement) == 0
    destroy(world, "HR-1")
    assert erasure(world, DUE).erase(world.agreement) == 0
    assert erasure(world, 2 * DUE).erase(world.agreement) == 1


@pytest.mark.invariant(18, "an agent that stops between two erasures, and a ledger that is away")
def test_what_was_broken_off_is_done_later_and_once(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More records than an event names, more events than a day takes, and a crash between two."""
    for day in range(10, 20):
        said(world, "HR-1", expires=f"2027-06-{day}T00:00:00Z")
    said(world, "HR-2", kind="confidentiality")
    for record_id in ("HR-1", "HR-2"):
        destroy(world, record_id)
    erasure(world, 0).erase(world.agreement)
    council = world.agents["council"]
    written = council.ledger.write

    def away(kind: EventType, payload: Any, refs: tuple[str, ...] = ()) -> object:
        written(kind, payload, refs)
        raise LedgerUnavailableError("the answer was lost")

    late = erasure(world, DUE)
    with monkeypatch.context() as patched:
        patched.setattr(council.ledger, "write", away)
        with pytest.raises(LedgerUnavailableError):
            late.daily(world.agreement)
    monkeypatch.setattr(consent_erasure, "EVENTS_A_DAY", 1)
    assert late.erase(world.agreement) > 0
    late.daily(world.agreement)
    late.daily(world.agreement)  # not twice on one day
    state = council.ledger.sync()
    assert (len(state.consents.erased), len(state.consents.grants)) == (11, 0)
    assert state.rejected == []


def test_purge_says_how_many(world: HubWorld) -> None:
    """As the other things that retention ends."""
    said(world, "HR-1")
    destroy(world, "HR-1")
    code, out, _ = run(world, "purge", "--dry-run")
    assert (code, "0 consent records in the ledger" in out) == (0, True)
    council = world.agents["council"]
    past = (council.now() - timedelta(days=DUE)).date().isoformat()
    erasure(world, 0).erase(world.agreement)
    with council.database.writing() as connection:
        connection.exec_driver_sql("UPDATE dead_handles SET day = ?", (past,))
    assert "1 consent records in the ledger" in run(world, "purge", "--dry-run")[1]
    assert "1 consent records in the ledger" in run(world, "purge")[1]
    assert "0 consent records in the ledger" in run(world, "purge", "--dry-run")[1]
