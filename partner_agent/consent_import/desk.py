"""Imported decisions, from a row to the ledger, so that a crash loses none and makes none twice.

Rules, in order: a decision is on this machine's disk (``staged``) before anything is done with it,
and one that was imported before is left alone; withdrawals of consents that are known here count
at once, before anything else of the import and whether or not the ledger can be reached; then
decisions go to the ledger by their days, ``consent_import.order`` deciding what an older one may
still say; an event is on disk (``written``) before it is sent, and after a crash the ledger is
asked before it is made again; what the ledger refuses is told by its row and reason, and may be
imported again. One process at a time does this, so that the agent's loop and a command do not do it
twice. Once the ledger has it, only its key is kept.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, func, select, update
from sqlalchemy.dialects.sqlite import insert

from governance.canonical import canonical_bytes, parse_json
from governance.consent.models import ConsentKind, ConsentRecord
from governance.identity.envelope import parse_model
from governance.ledger.batch import BATCH_EVENTS, in_batches
from governance.ledger.errors import LedgerRefusedError, LedgerUnavailableError
from governance.ledger.events import Event, EventType, WireEvent
from governance.ledger.state import LedgerState
from partner_agent.consent_import.mapping import WITHDRAWN
from partner_agent.consent_import.order import Known, Step
from partner_agent.consent_import.rows import Decision
from partner_agent.consents import Consents
from partner_agent.errors import AgentError
from partner_agent.ledger import AgentLedger
from partner_agent.store.database import AgentDatabase
from partner_agent.store.tables import consent_imports

LOCK: Final = "imports.lock"
_KEYS: Final = 5_000  # values in one statement; SQLite takes 32,766
WAIT: Final = 600.0  # seconds that a command waits for another process's import
_MOVE: Final = (
    update(consent_imports)
    .where(consent_imports.c.key == bindparam("at"))
    .values(progress=bindparam("to"), event=bindparam("wire"))
)
_DONE: Final = (
    update(consent_imports)
    .where(consent_imports.c.key == bindparam("at"))
    .values(progress="done", event=None, record=None)
)


class ImportUnderWay(AgentError):
    """Another process is handing imported decisions to the ledger."""

    reason = "consent.import_under_way"
    exit_code = 75  # EX_TEMPFAIL


@contextmanager
def alone(lock: Path, wait: float) -> Iterator[None]:
    """Keep other processes out: an exclusive transaction on an empty SQLite file.

    The operating system ends it with the process, also on a kill, on every platform.

    Raises:
        ImportUnderWay: another process is in, and stayed so.
    """
    lock.touch(mode=0o600, exist_ok=True)
    connection = sqlite3.connect(lock, timeout=wait, isolation_level=None)
    try:
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            raise ImportUnderWay(
                "another import is under way", next_step="wait until it has ended, then repeat"
            ) from None
        yield
    finally:
        connection.close()


@dataclass
class Imported:
    """What an import came to; rows are counted by record of the vault.

    Attributes:
        recorded: in the ledger.
        withdrawn: consents that were taken back.
        unchanged: withdrawals of what was taken back already.
        refused: (row, reason).
        waiting: on this disk and not in the ledger yet.
    """

    recorded: int = 0
    withdrawn: int = 0
    unchanged: int = 0
    waiting: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)


class ConsentImports:
    """This partner's imported decisions."""

    def __init__(
        self,
        home: Path,
        party: str,
        database: AgentDatabase,
        ledger: AgentLedger,
        consents: Consents,
        now: Callable[[], datetime],
    ) -> None:
        self._lock = home / LOCK
        self._party = party
        self._database = database
        self._ledger = ledger
        self._consents = consents
        self._now = now

    def stage(self, decisions: Iterable[Decision]) -> int:
        """Put decisions on the disk; how many were not imported before."""
        rows = [
            {
                "key": decision.key,
                "handle": decision.handle,
                "kind": decision.kind,
                "state": decision.state,
                "day": decision.day,
                "row": decision.row,
                "record": canonical_bytes(decision.record),
                "progress": "staged",
            }
            for decision in decisions
        ]
        if not rows:
            return 0
        statement = insert(consent_imports).on_conflict_do_nothing()
        with self._database.writing() as connection:
            before = _count(connection)
            connection.execute(statement, rows)
            return _count(connection) - before

    def unknown(self, decisions: Iterable[Decision]) -> list[Decision]:
        """Decisions that were not imported before."""
        wanted = {decision.key: decision for decision in decisions}
        statement = select(consent_imports.c.key).where(
            consent_imports.c.key.in_(bindparam("wanted", expanding=True))
        )
        keys, known = list(wanted), set[bytes]()
        with self._database.reading() as connection:
            for start in range(0, len(keys), _KEYS):
                part = {"wanted": keys[start : start + _KEYS]}
                known.update(connection.scalars(statement, part))
        return [decision for key, decision in wanted.items() if key not in known]

    def rehearse(self, decisions: Iterable[Decision], state: LedgerState) -> Imported:
        """What an import of decisions would come to; nothing is stored or sent."""
        done, known = Imported(), dict[tuple[bytes, str], Known]()
        said = self._consents.withdrawal_days()
        for at, one in enumerate(sorted(decisions, key=lambda d: (d.day, d.row))):
            place = (one.handle, one.kind)
            before = known.get(place) or self._known(state, said, *place)
            step = before.step(one.state, one.day)
            known[place] = before.after(step, one.state, one.day, f"planned {at}")
            if step is Step.WITHDRAW:
                done.withdrawn += len(before.to_withdraw(one.day))
            done.recorded += step is Step.RECORD
            done.unchanged += step is Step.NOTHING
            if step is Step.OLDER:
                done.refused.append((one.row, step.value))
        return done

    def withdraw_known(self, state: LedgerState) -> tuple[int, set[bytes]]:
        """Let staged withdrawals count here at once, before the ledger is asked for anything.

        Returns:
            How many consents were taken back, and the keys of the rows that did it.
        """
        said = self._consents.withdrawal_days()
        days: dict[str, str] = {}
        keys: set[bytes] = set()
        for row in self._rows("staged", withdrawn=True):
            known = self._known(state, said, row.handle, row.kind)
            for grant in known.to_withdraw(row.day):
                days[grant] = max(row.day, days.get(grant, ""))
                keys.add(row.key)
        if days:
            self._consents.withdraw(days, self._now(), days)
        return len(days), keys

    def apply(
        self, state: LedgerState, progress: Callable[[int], None] = lambda _done: None
    ) -> Imported:
        """Hand every staged decision to the ledger, by its day.

        Args:
            state: what the mirror holds.
            progress: told after each batch how many decisions it had.

        Returns:
            What it came to; ``waiting`` is not nought where the ledger is away.
        """
        taken_back, keys = self.withdraw_known(state)
        done = Imported(withdrawn=taken_back)
        try:
            with alone(self._lock, WAIT):
                self._hand_over(done, keys, progress)
        except LedgerUnavailableError:
            pass  # all of it is on this disk, and withdrawals count already
        done.waiting = self.waiting()
        return done

    def _hand_over(
        self, done: Imported, counted: set[bytes], progress: Callable[[int], None]
    ) -> None:
        state = self._ledger.sync()
        self._take_up(state)
        self._consents.log_withdrawals()  # those of an import that ended half-way
        for batch in self._batches():
            self._batch(batch, state, done, counted)
            progress(len(batch))
            state = self._ledger.sync()

    def waiting(self) -> int:
        """Decisions that the ledger does not have yet."""
        statement = select(func.count()).where(consent_imports.c.progress != "done")
        with self._database.reading() as connection:
            return int(connection.scalar(statement) or 0)

    def hand_in(self) -> int:
        """What the agent's loop does with imports that wait; how many still do."""
        waiting = self.waiting()
        if not waiting:
            return 0
        self.withdraw_known(self._ledger.state)  # of an import that ended before it came so far
        try:
            with alone(self._lock, wait=0):
                self._hand_over(Imported(), set(), lambda _done: None)
        except (ImportUnderWay, LedgerUnavailableError):
            return waiting
        return self.waiting()

    def _take_up(self, state: LedgerState) -> None:
        """After a crash: events that were written, and may or may not have arrived."""
        with self._database.writing() as connection:
            for row in self._rows("written"):
                if _event(row.event).leaf.id in state.consents.grants:
                    connection.execute(_DONE, {"at": row.key})
                else:
                    again = {"at": row.key, "to": "staged", "wire": row.event}
                    connection.execute(_MOVE, again)

    def _batches(self) -> Iterator[list[Any]]:
        """Staged rows by day, no record and kind twice in one batch; each leaves that state."""
        while rows := self._rows("staged", most=BATCH_EVENTS):
            batch: dict[tuple[bytes, str], Any] = {}
            for row in rows:
                if batch.setdefault((row.handle, row.kind), row) is not row:
                    break
            yield list(batch.values())

    def _batch(
        self, batch: list[Any], state: LedgerState, done: Imported, counted: set[bytes]
    ) -> None:
        said = self._consents.withdrawal_days()
        new: list[tuple[Any, Event]] = []
        back: dict[str, str] = {}
        over: list[Any] = []
        for row in batch:
            known = self._known(state, said, row.handle, row.kind)
            step = known.step(row.state, row.day)
            if step is Step.RECORD:
                new.append((row, self._written(row)))
            elif step is Step.WITHDRAW:
                back |= dict.fromkeys(known.to_withdraw(row.day), row.day)
            if step in {Step.WITHDRAW, Step.NOTHING}:
                over.append(row)
            elif step is Step.OLDER:
                self._refuse(row, Step.OLDER.value, done)
            done.unchanged += step is Step.NOTHING and row.key not in counted
        if back:
            done.withdrawn += len(self._consents.withdraw(back, self._now(), back))
        with self._database.writing() as connection:
            for row in over:
                connection.execute(_DONE, {"at": row.key})
            for row, event in new:
                wire = WireEvent.of(event).model_dump_json().encode()
                connection.execute(_MOVE, {"at": row.key, "to": "written", "wire": wire})
        self._send(new, done)

    def _send(self, new: list[tuple[Any, Event]], done: Imported) -> None:
        for batch in in_batches(new, lambda pair: pair[1]):
            outcomes = self._ledger.append_batch([event for _, event in batch])
            arrived = []
            for (row, _), outcome in zip(batch, outcomes, strict=True):
                if isinstance(outcome, LedgerRefusedError):
                    self._refuse(row, outcome.code, done)
                else:
                    arrived.append({"at": row.key})
            if arrived:
                with self._database.writing() as connection:
                    connection.execute(_DONE, arrived)
            done.recorded += len(arrived)

    def _written(self, row: Any) -> Event:
        """A decision's event: the one that was written for it before, if it did not arrive.

        Should that one still be on its way, the ledger knows the second for the same.
        """
        if row.event is not None:
            return _event(row.event)
        record = parse_model(parse_json(row.record), ConsentRecord)
        return self._ledger.author.write(EventType.CONSENT_RECORDED, record)

    def _refuse(self, row: Any, reason: str, done: Imported) -> None:
        with self._database.writing() as connection:
            connection.execute(delete(consent_imports).where(consent_imports.c.key == row.key))
        done.refused.append((row.row, reason))

    def _known(self, state: LedgerState, said: dict[str, str], handle: bytes, kind: str) -> Known:
        found = state.consents.about(self._party, handle.hex(), ConsentKind(kind))
        return Known.of(found, said)

    def _rows(
        self, progress: str, *, withdrawn: bool = False, most: int | None = None
    ) -> list[Any]:
        table = consent_imports.c
        statement = (
            select(consent_imports)
            .where(table.progress == progress)
            .order_by(table.day, table.row, table.key)
            .limit(most)
        )
        if withdrawn:
            statement = statement.where(table.state == WITHDRAWN)
        with self._database.reading() as connection:
            return list(connection.execute(statement).all())


def _count(connection: Connection) -> int:
    return int(connection.scalar(select(func.count()).select_from(consent_imports)) or 0)


def _event(data: bytes) -> Event:
    return parse_model(parse_json(data), WireEvent).event()
