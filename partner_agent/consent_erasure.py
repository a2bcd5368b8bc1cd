"""Consent records of rows that are gone, erased in the ledger once nobody has to show them.

Rules, in order: nothing is erased unless the agreement says after how many days
(``retention.consent_payload_days``); a record's handle is dead from the day on which the agent
first sees that its vault holds no row under it, by whatever the row ended (retention, a right, an
opt-out), and lives if the row is there again. Until the days are over the partner has to be able to
show that it had consent (UK GDPR Articles 7(1) and 17(3)(e)). They count from the last release that
can have rested on it: results that name the handle end at the hub with ``link_results_days``, or
did when the hub confirmed, for a right, that it had taken the record out. Then the ledger is told
to erase what it holds about the record, by an event for each place.

What is due follows from the ledger, the vault and the days that were noted, so a crash loses
nothing and nothing is told twice.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.sqlite import insert

from governance.agreements.models import Agreement
from governance.canonical import parse_time
from governance.consent.models import ConsentKind, place_of
from governance.ledger.events import REFS_MOST, EventType
from governance.ledger.payloads import ConsentErased
from governance.ledger.state import LedgerState
from partner_agent.ledger import AgentLedger
from partner_agent.store.database import AgentDatabase
from partner_agent.store.tables import dead_handles
from partner_agent.vault.store import Vault

EVENTS_A_DAY: Final = 1_000
"""At most: every copy of the ledger writes its state anew after an erasure. What is left follows
the next day."""
_LOG: Final = logging.getLogger(__name__)
_NOTE: Final = insert(dead_handles).on_conflict_do_nothing()
_DROP: Final = delete(dead_handles).where(dead_handles.c.handle == bindparam("gone"))


class ConsentErasure:
    """Ends the payloads of one party's consent records.

    Args:
        party: this agent's.
        database: the agent's.
        vault: the encrypted rows.
        ledger: the mirror and pen.
        taken_out: handles of records that the hub has confirmed to hold no more.
        now: the clock.
    """

    def __init__(
        self,
        party: str,
        database: AgentDatabase,
        vault: Vault,
        ledger: AgentLedger,
        taken_out: Callable[[], set[bytes]],
        now: Callable[[], datetime],
    ) -> None:
        self._party = party
        self._database = database
        self._vault = vault
        self._ledger = ledger
        self._taken_out = taken_out
        self._now = now
        self._done_on = ""

    def due(self, agreement: Agreement) -> int:
        """How many consent records ``erase`` would erase now, were the limit of a day none."""
        state = self._ledger.state
        due = self._due(agreement, state)
        return sum(len(refs) for _, refs in self._events(agreement, state, due))

    def erase(self, agreement: Agreement) -> int:
        """Note which handles are dead, and erase what is due; how many records that were.

        Raises:
            LedgerError: the ledger cannot be reached, or refuses.
        """
        if agreement.retention.consent_payload_days is None:
            return 0
        state = self._ledger.sync()
        due = self._due(agreement, state, note=True)
        done = 0
        for number, (place, refs) in enumerate(self._events(agreement, state, due)):
            if number == EVENTS_A_DAY:
                break
            payload = ConsentErased(agreement=agreement.hash, place=place)
            self._ledger.write(EventType.CONSENT_ERASED, payload, refs)
            done += len(refs)
        if done:
            _LOG.info("consent records erased", extra={"consents": done})
            self._ledger.sync()
        return done

    def daily(self, agreement: Agreement) -> None:
        """Erase once a day.

        Raises:
            LedgerError: see ``erase``.
        """
        today = self._now().date().isoformat()
        if self._done_on != today:
            self.erase(agreement)
            self._done_on = today

    def _due(self, agreement: Agreement, state: LedgerState, *, note: bool = False) -> list[bytes]:
        """Dead handles whose days are over."""
        days = agreement.retention.consent_payload_days
        if days is None:
            return []
        today = self._now().date()
        since = self._dead_since(state, today)
        if note:
            self._note(since)
        at_hub = timedelta(days=agreement.retention.link_results_days)
        gone = self._taken_out()
        return [
            handle
            for handle, day in sorted(since.items())
            if day + timedelta(days=days) + (timedelta(0) if handle in gone else at_hub) <= today
        ]

    def _dead_since(self, state: LedgerState, today: date) -> dict[bytes, date]:
        """Handles of consents whose row is not there, with the day on which that was first seen."""
        own = {
            bytes.fromhex(grant.subject)
            for grant in state.consents.grants.values()
            if grant.party == self._party
        }
        with self._database.reading() as connection:
            noted = {row.handle: row.day for row in connection.execute(select(dead_handles))}
        return {
            handle: date.fromisoformat(noted[handle]) if handle in noted else today
            for handle in own - self._vault.has(own)
        }

    def _note(self, since: dict[bytes, date]) -> None:
        with self._database.writing() as connection:
            noted = set(connection.scalars(select(dead_handles.c.handle)))
            for handle in noted - since.keys():  # erased by now, or there again
                connection.execute(_DROP, {"gone": handle})
            for handle in since.keys() - noted:
                connection.execute(_NOTE, {"handle": handle, "day": since[handle].isoformat()})

    def _events(
        self, agreement: Agreement, state: LedgerState, handles: Iterable[bytes]
    ) -> Iterable[tuple[str, tuple[str, ...]]]:
        """A place, and records of it that fit into one event and that the ledger lets be erased."""
        before = self._now() - timedelta(days=agreement.retention.consent_payload_days or 0)
        for handle in handles:
            for kind in ConsentKind:
                about = state.consents.about(self._party, handle.hex(), kind)
                refs = [
                    grant.id
                    for grant in about
                    if parse_time(grant.recorded) <= before
                    and state.agreements.standing(grant.terms.agreement).agreement.id
                    == agreement.id
                ]
                place = place_of(self._party, handle.hex(), kind)
                for start in range(0, len(refs), REFS_MOST):
                    yield place, tuple(refs[start : start + REFS_MOST])
