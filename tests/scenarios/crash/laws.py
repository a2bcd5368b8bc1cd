"""What must hold once everything runs again and has had time to finish.

Read from the outside: a mirror made anew over HTTP, the hub's answers, and each party's own books.
"""

import contextlib
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Connection, func, or_, select

from governance.consent.models import ConsentState
from governance.exchange.http import RequestSigner
from governance.ledger.client import LedgerClient
from governance.ledger.database import Database, sqlite_url
from governance.ledger.events import Event, EventType
from governance.ledger.mirror import Mirror
from governance.ledger.note import parse_vkey
from governance.ledger.payloads import Sealed, read_payload
from governance.ledger.state import LedgerState
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import answers as hub_answers
from linkage_hub.store.tables import requests as hub_requests
from partner_agent.store.database import AgentDatabase
from partner_agent.store.tables import answers, withdrawals
from tests.scenarios.crash.work import FINISH_SECONDS, NotFinished, Told
from tests.scenarios.crash.world import CrashWorld

PARTIES: Final = ("council", "police")


def hold(world: CrashWorld, told: Told) -> None:
    """Check every law; programs run, nobody kills or asks any more.

    Raises:
        AssertionError: with ids and counts only.
    """
    _await_quiet(world)
    with _copy_of_the_ledger(world) as mirror:
        events = list(mirror.entries())
    state = LedgerState(parse_vkey(world.vkey).name).replay(events)
    assert state.rejected == []
    _nothing_told_is_lost(world, told, state)
    _nothing_is_released_twice(told, events)
    _withdrawn_is_withdrawn(told, state)
    _books_agree(world, state)
    _nobody_accuses_the_ledger(world)


def _nothing_told_is_lost(world: CrashWorld, told: Told, state: LedgerState) -> None:
    grants, requests = state.consents.grants, state.releases.requests
    for grant, party in told.consents.items():
        assert grants[grant].record.party == party
    for grant in told.withdrawn:
        assert grants[grant].changed_to is ConsentState.WITHDRAWN
    kept = _hub_states(world)
    for request in told.requests:
        assert request in requests, "a request that the hub took is not in the ledger"
        assert kept[request] != "waiting_for_approval" or request not in told.approved
    for request in told.approved:
        assert requests[request].decision is not None, "an approval was lost"
    for request, party in told.received:
        assert party in requests[request].sealed_by, "items were received without a receipt"
    for request, outcome in told.outcomes.items():
        assert requests[request].outcome == outcome


def _nothing_is_released_twice(told: Told, events: list[Event]) -> None:
    receipts: dict[tuple[str, str], list[str]] = {}
    for event in events:
        if event.leaf.type is EventType.RELEASE_SEALED:
            payload: Sealed = read_payload(event)
            place = payload.request, payload.party
            receipts.setdefault(place, []).append(payload.ciphertext_sha256)
    assert max(map(len, receipts.values()), default=0) <= 1
    for place, digest in told.received.items():
        assert receipts[place] == [digest], "what was received is not what the receipt names"


def _withdrawn_is_withdrawn(told: Told, state: LedgerState) -> None:
    """Who accepted a withdrawal before the approval sealed nothing."""
    for request, parties in told.withdrawn_before.items():
        assert not parties & state.releases.requests[request].sealed_by


def _books_agree(world: CrashWorld, state: LedgerState) -> None:
    """Each agent's answers are those that the hub holds and, if sealed, the ledger's."""
    with _reading_hub(world) as connection:
        at_hub = {
            (row.request, row.party): (row.sealed is not None, row.reason)
            for row in connection.execute(select(hub_answers))
        }
    here = {}
    for party in PARTIES:
        with _reading_agent(world, party) as connection:
            for row in connection.execute(select(answers)):
                here[row.request, party] = (row.sealed is not None, row.reason)
    assert at_hub == here
    for (request, party), (sealed, reason) in here.items():
        record = state.releases.requests[request]
        if sealed:
            assert party in record.sealed_by
        else:
            assert record.refused_by[party] == reason
    for request, kept in _hub_states(world).items():
        if kept == "refused":
            refused = state.releases.requests[request].refused_by
            assert refused, "the hub refused and the ledger does not know"


def _nobody_accuses_the_ledger(world: CrashWorld) -> None:
    """No mirror has evidence against a ledger that was honest, only killed."""
    key = parse_vkey(world.vkey)
    for home in (*PARTIES, "hub"):
        path = world.root / home / "mirror.db"
        mirror = Mirror(Database(sqlite_url(path), "mirror"), key)
        with contextlib.closing(mirror):
            assert mirror.evidence() == []
            mirror.verify()


def _await_quiet(world: CrashWorld) -> None:
    """Until agents have handed out all that they keep."""
    deadline = time.monotonic() + FINISH_SECONDS
    while waiting := _waiting(world):
        if time.monotonic() > deadline:
            raise NotFinished(f"left over: {dict(waiting)}")
        time.sleep(0.1)


def _waiting(world: CrashWorld) -> Counter[str]:
    found: Counter[str] = Counter()
    for party in PARTIES:
        with _reading_agent(world, party) as connection:
            unsent = or_(answers.c.delivered.is_(False), answers.c.logged.is_(False))
            found[f"answers of {party}"] = _count(connection, answers, unsent)
            unlogged = withdrawals.c.logged.is_(False)
            found[f"withdrawals of {party}"] = _count(connection, withdrawals, unlogged)
    return +found


def _count(connection: Connection, table: Any, condition: Any) -> int:
    return int(connection.scalar(select(func.count()).select_from(table).where(condition)) or 0)


def _hub_states(world: CrashWorld) -> dict[str, str]:
    with _reading_hub(world) as connection:
        return {row.id: row.state for row in connection.execute(select(hub_requests))}


@contextlib.contextmanager
def _reading_hub(world: CrashWorld) -> Iterator[Connection]:
    database = HubDatabase(sqlite_url(world.root / "hub" / "hub.db"))
    with contextlib.closing(database), database.reading() as connection:
        yield connection


@contextlib.contextmanager
def _reading_agent(world: CrashWorld, party: str) -> Iterator[Connection]:
    database = AgentDatabase(world.root / party / "agent.db")
    with contextlib.closing(database), database.reading() as connection:
        yield connection


@contextlib.contextmanager
def _copy_of_the_ledger(world: CrashWorld) -> Iterator[Mirror]:
    lead, key = world.staff["ig_lead"], parse_vkey(world.vkey)
    auth = RequestSigner(lead.keys.thumbprint, lead.signing)
    path = world.root / "out" / f"{time.monotonic_ns()}.db"
    mirror = Mirror(Database(sqlite_url(path), "mirror"), key)
    with contextlib.closing(mirror), LedgerClient(world.ledger_url, key, auth) as client:
        mirror.sync(client)
        yield mirror
