"""Consents that this partner records for the people whom it meets.

Rules: consent is recorded for each of the partner's own rows about the person, all in one batch,
and once however often that is tried again; a withdrawal counts here from the moment it is on this
machine's disk, whether or not the ledger can be reached, and is handed to the ledger as soon as it
can.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.sqlite import insert

from governance.agreements.models import Agreement
from governance.canonical import canonical_bytes, parse_json, parse_time, write_time
from governance.consent.models import ConsentKind, ConsentRecord, ConsentState
from governance.consent.registry import Grant
from governance.errors import GovernanceError
from governance.identity.envelope import parse_model
from governance.ledger.batch import in_batches
from governance.ledger.client import Receipt
from governance.ledger.errors import LedgerRefusedError, LedgerUnavailableError
from governance.ledger.events import Event, EventType, WireEvent
from governance.ledger.payloads import ConsentChange
from governance.ledger.state import LedgerState
from partner_agent.errors import AgentError
from partner_agent.ledger import AgentLedger
from partner_agent.store.database import AgentDatabase
from partner_agent.store.tables import withdrawals
from partner_agent.vault.store import Vault

_CHANGES: Final = {
    ConsentState.REAFFIRMED: EventType.CONSENT_REAFFIRMED,
    ConsentState.INVALIDATED: EventType.CONSENT_INVALIDATED,
    ConsentState.TERMINATED: EventType.CONSENT_TERMINATED,
}

_SAME: Final = timedelta(days=1)
"""Within which the same words about the same row are one decision, said once more."""
_DAY: Final = len("2026-11-29")
_LOGGED: Final = (
    update(withdrawals).where(withdrawals.c.grant_id == bindparam("at")).values(logged=True)
)


class ConsentInputError(AgentError):
    """The person's record or grant is not known here."""

    reason = "consent.input"
    exit_code = 65  # EX_DATAERR


@dataclass(frozen=True)
class Withdrawn:
    """A withdrawal that is durable here, and whether the ledger has it too."""

    grant: str
    logged: bool


class Consents:
    """This partner's consent desk."""

    def __init__(self, database: AgentDatabase, vault: Vault, ledger: AgentLedger) -> None:
        self._database = database
        self._vault = vault
        self._ledger = ledger

    def record(self, template: dict[str, object], record_id: str) -> list[str]:
        """Record one decision for every row of a record id, all rows together.

        A row about which the same was recorded within a day, and stands as its newest word, keeps
        that consent: so a decision that failed half-way is whole when it is tried again.

        Args:
            template: fields of ``ConsentRecord`` but ``subject``.
            record_id: the partner's own id.

        Returns:
            Ids of the grants, by row.

        Raises:
            ConsentInputError: the vault holds no such row.
            LedgerRefusedError: the ledger refused a row; what it took of others stands.
            LedgerError: it is away, or did not prove that it took them all: try again.
        """
        handles = self._vault.find(str(template["source"]), record_id)
        if not handles:
            raise ConsentInputError(
                f"no prepared row of {template['source']} has this record id",
                next_step="prepare the extract that holds the person first",
            )
        records = [
            parse_model({**template, "subject": handle.hex()}, ConsentRecord) for handle in handles
        ]
        state, here = self._ledger.sync(), self.withdrawn_here()
        known = [_standing(state, here, record) for record in records]
        new = [
            self._ledger.author.write(
                EventType.CONSENT_RECORDED, record, id_=self._decision_id(state, record)
            )
            for record, grant in zip(records, known, strict=True)
            if grant is None
        ]
        for batch in in_batches(new, lambda event: event):
            for event, outcome in zip(batch, self._ledger.append_batch(batch), strict=True):
                self._require_taken(event, outcome)
        written = iter(new)
        return [grant or next(written).leaf.id for grant in known]

    def _decision_id(self, state: LedgerState, record: ConsentRecord) -> str:
        """An id that a second try has too while the first is still on its way to the ledger.

        It follows from what was decided, on which day, and after which word about the row.
        """
        newest = _newest(state, record)
        said = record.model_copy(update={"captured": record.captured[:_DAY]})
        before = "" if newest is None else newest.id
        return self._ledger.own_id(f"consent:{before}:{canonical_bytes(said).decode()}")

    def _require_taken(self, event: Event, outcome: Receipt | LedgerRefusedError) -> None:
        """Check that an event is in the ledger, or the one of an earlier try."""
        if not isinstance(outcome, LedgerRefusedError):
            return
        if outcome.code != "ledger.event.duplicate":
            raise outcome
        self._ledger.require_own(event.leaf.id)

    def withdrawable_of(
        self, state: LedgerState, party: str, source: str, record_id: str
    ) -> list[str]:
        """Ids of what can be withdrawn, or was, about a record id's rows."""
        return self._withdrawable(
            state, party, self._vault.find(source, record_id), list(ConsentKind)
        )

    def withdrawable_with(self, state: LedgerState, party: str, number: str) -> list[str]:
        """Ids of what can be withdrawn by a receipt's number.

        Every consent of its kind about any row of the same record id: whoever shows an old receipt
        takes the newer one back as well, and the hub gains nothing by parting a person's rows.
        """
        grant = state.consents.grants.get(number)
        if grant is None or grant.record.party != party:
            return []
        handle = bytes.fromhex(grant.record.subject)
        rows = self._vault.siblings(handle) or [handle]
        return self._withdrawable(state, party, rows, [grant.record.kind])

    def _withdrawable(
        self, state: LedgerState, party: str, rows: Iterable[bytes], kinds: Iterable[ConsentKind]
    ) -> list[str]:
        return [
            grant.id
            for handle in rows
            for kind in kinds
            for grant in state.consents.about(party, handle.hex(), kind)
            if grant.record.state is not ConsentState.REFUSED
        ]

    def own(self, state: LedgerState, party: str) -> list[Grant]:
        """Every grant that this partner recorded, oldest first."""
        return [grant for grant in state.consents.grants.values() if grant.terms.party == party]

    def withdraw(
        self, grants: Iterable[str], now: datetime, said: Mapping[str, str] = MappingProxyType({})
    ) -> list[Withdrawn]:
        """Withdraw consents: on this disk first, then in the ledger.

        Args:
            grants: their ids.
            now: the time.
            said: ISO date of the person's word, by id, where it was not today.
        """
        accepted = self.accept_withdrawals(grants, now, said)
        self.log_withdrawals()
        waiting = self.withdrawn_here(logged=False)
        return [Withdrawn(grant, grant not in waiting) for grant in accepted]

    def accept_withdrawals(
        self, grants: Iterable[str], now: datetime, said: Mapping[str, str] = MappingProxyType({})
    ) -> list[str]:
        """Withdraw consents on this disk, where they count at once; their ids."""
        accepted = []
        with self._database.writing() as connection:
            for grant in grants:
                event = self._ledger.author.write(
                    EventType.CONSENT_WITHDRAWN, ConsentChange(grant=grant), (grant,)
                )
                connection.execute(
                    insert(withdrawals)
                    .values(
                        grant_id=grant,
                        event=WireEvent.of(event).model_dump_json().encode(),
                        accepted=write_time(now),
                        logged=False,
                        said=said.get(grant),
                    )
                    .on_conflict_do_nothing()
                )
                accepted.append(grant)
        return accepted

    def change(self, grant: Grant, to: ConsentState) -> None:
        """Reaffirm, invalidate or terminate a consent, in the ledger.

        Raises:
            LedgerRefusedError, LedgerUnavailableError: nothing has changed.
        """
        self._ledger.write(_CHANGES[to], ConsentChange(grant=grant.id), (grant.id,))

    def log_withdrawals(self) -> int:
        """Hand to the ledger what it does not have yet; how many it took.

        An unreachable ledger is no error here: the agent's loop tries again.
        """
        with self._database.reading() as connection:
            waiting = connection.execute(
                select(withdrawals).where(withdrawals.c.logged.is_(False))
            ).all()
        events = [(row.grant_id, _event(row.event)) for row in waiting]
        done = 0
        for batch in in_batches(events, lambda pair: pair[1]):
            try:
                outcomes = self._ledger.append_batch([event for _, event in batch])
            except LedgerUnavailableError:
                return done
            except GovernanceError:
                continue  # not proved to be there: handed in again the next time
            logged = [
                {"at": grant}
                for (grant, _), outcome in zip(batch, outcomes, strict=True)
                if isinstance(outcome, Receipt)  # what is refused stays in force here
            ]
            if logged:
                with self._database.writing() as connection:
                    connection.execute(_LOGGED, logged)
            done += len(logged)
        return done

    def withdrawn_here(self, *, logged: bool | None = None) -> set[str]:
        """Ids of the grants that were withdrawn at this partner."""
        statement = select(withdrawals.c.grant_id)
        if logged is not None:
            statement = statement.where(withdrawals.c.logged.is_(logged))
        with self._database.reading() as connection:
            return set(connection.scalars(statement))

    def accepted(self) -> dict[str, datetime]:
        """When each withdrawal was accepted here, by consent."""
        return accepted_withdrawals(self._database)

    def withdrawal_days(self) -> dict[str, str]:
        """ISO date of the person's word, by withdrawn consent."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(withdrawals.c.grant_id, withdrawals.c.accepted, withdrawals.c.said)
            ).all()
        return {row.grant_id: row.said or row.accepted[:10] for row in rows}


def _standing(state: LedgerState, here: Collection[str], record: ConsentRecord) -> str | None:
    """Id of the newest decision about a row and kind, if it is this one, lately recorded."""
    newest = _newest(state, record)
    if newest is None or newest.changed_to is not None or newest.id in here:
        return None
    since = parse_time(record.captured) - parse_time(newest.captured)
    same = newest.record == record.model_copy(update={"captured": newest.captured})
    return newest.id if same and abs(since) < _SAME else None


def _newest(state: LedgerState, record: ConsentRecord) -> Grant | None:
    """The newest decision about a row and kind."""
    said = state.consents.about(record.party, record.subject, record.kind)
    return max(said, key=lambda grant: grant.decided, default=None)


def accepted_withdrawals(database: AgentDatabase) -> dict[str, datetime]:
    """When each withdrawal was accepted here, by grant."""
    with database.reading() as connection:
        rows = connection.execute(select(withdrawals.c.grant_id, withdrawals.c.accepted)).all()
    return {row.grant_id: parse_time(row.accepted) for row in rows}


def consent_number(text: str) -> str:
    """The id that a person or a page gives as a receipt's number, without spaces and in small."""
    return "".join(text.split()).lower()


def consent_template(
    agreement: Agreement, party: str, notice: str, **fields: object
) -> dict[str, object]:
    """Fields of a consent record that are the same for many people.

    Args:
        agreement: under which it is asked.
        party: who asks.
        notice: hash of the privacy notice that was shown.
        fields: the rest, over these defaults.

    Raises:
        ConsentInputError: a purpose or item that the agreement does not list; words that were
            mistyped would stay in the ledger.
    """
    template: dict[str, Any] = {
        "agreement": agreement.hash,
        "party": party,
        "purpose": next(purpose.id for purpose in agreement.purposes if purpose.approach),
        "items": [item.id for item in agreement.items if item.releasable],
        "recipients": list(agreement.recipients),
        "notice": notice,
        "notice_language": "en-GB",
        "lawful_basis": "public_task",
        "special_category_condition": "safeguarding-of-children",
        "jurisdiction": "GB-EAW",
        "withdrawal_method": "any-contact-with-the-partner",
        "parental_basis": None,
        "capacity": "self",
        "state": "given",
        **fields,
    }
    purposes = {purpose.id for purpose in agreement.purposes if purpose.approach}
    items = {item.id for item in agreement.items}
    if template["purpose"] not in purposes or not items.issuperset(template["items"]):
        raise ConsentInputError(
            "the purpose or an item is none of the agreement's",
            next_step="partner-agent agreement show lists them",
        )
    return template


def _event(data: bytes) -> Event:
    return parse_model(parse_json(data), WireEvent).event()
