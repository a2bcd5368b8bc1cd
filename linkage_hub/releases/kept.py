"""Requests as the hub keeps them: one row each, the partners' answers beside it.

Rules: a refusal is in the ledger before it is in the row, and ends an open request only; a request
whose time is over shows as expired.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select, update

from governance.canonical import parse_json, parse_time
from governance.consent.models import ConsentKind
from governance.exchange.release_api import PartyAnswer, RequestView
from governance.identity.envelope import Envelope, parse_canonical, parse_model
from governance.ledger.events import EventType
from governance.ledger.party import PartyLedger
from governance.ledger.payloads import ReleaseRefused
from governance.ledger.state import LedgerState
from governance.release.models import Members
from linkage_hub.releases.errors import UnknownRequest
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import answers, requests
from linkage_hub.submissions.service import log_once

_OPEN: Final = ("waiting_for_approval", "approved")


class KeptRequests:
    """The hub's rows of requests and answers."""

    def __init__(
        self,
        database: HubDatabase,
        ledger: PartyLedger,
        party: str,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._party = party
        self._now = now

    def captured(self, party: str, document: Members, state: LedgerState) -> bool:
        """Whether a party has recorded a decision about any record of a family."""
        return any(
            state.consents.current(party, record.handle, ConsentKind.APPROACH) is not None
            for member in document.members
            for record in member.records
            if record.party == party
        )

    def answers(self, row: Any) -> tuple[PartyAnswer, ...]:
        """What each partner that has to answer a request has said."""
        document = parse_canonical(row.document, Members)
        state = self._ledger.state
        parties = sorted({r.party for member in document.members for r in member.records})
        with self._database.reading() as connection:
            given = {
                answer.party: answer
                for answer in connection.execute(select(answers).where(answers.c.request == row.id))
            }
        return tuple(
            PartyAnswer(
                party=party,
                state="waiting"
                if party not in given
                else ("sealed" if given[party].sealed else "refused"),
                reason=given[party].reason if party in given else None,
            )
            for party in parties
            if party in given or self.captured(party, document, state)
        )

    def refuse(self, id_: str, reason: str) -> None:
        """Refuse a request that is open, in the ledger first."""
        self.log_refusal(id_, reason)
        with self._database.writing() as connection:
            connection.execute(
                update(requests)
                .where(requests.c.id == id_, requests.c.state.in_(_OPEN))
                .values(state="refused", reason=reason)
            )

    def log_refusal(self, id_: str, reason: str) -> None:
        """Tell the ledger that the hub has refused."""
        payload = ReleaseRefused(request=id_, party=self._party, reason=reason)
        log_once(self._ledger, EventType.RELEASE_REFUSED, payload, f"refused:{id_}")

    def over(self, row: Any) -> bool:
        """Whether a request's time is over."""
        return self._now() >= parse_time(row.expires)

    def row(self, id_: str) -> Any:
        """A request's row, if there is one."""
        with self._database.reading() as connection:
            return connection.execute(select(requests).where(requests.c.id == id_)).first()

    def known(self, id_: str) -> Any:
        """A request's row.

        Raises:
            UnknownRequest: there is none.
        """
        row = self.row(id_)
        if row is None:
            raise UnknownRequest("no such request")
        return row

    @staticmethod
    def envelope(row: Any) -> Envelope:
        """The request as it was signed."""
        return parse_model(parse_json(row.envelope), Envelope)

    def state(self, row: Any) -> Any:
        """Where a request stands."""
        return "expired" if row.state in _OPEN and self.over(row) else row.state

    def view(self, row: Any) -> RequestView:
        """A request as staff see it."""
        return RequestView(
            id=row.id,
            family=row.family,
            state=self.state(row),
            request=self.envelope(row),
            approval=None
            if row.approval is None
            else parse_model(parse_json(row.approval), Envelope),
            document=parse_canonical(row.document, Members),
            answers=self.answers(row),
            reason=row.reason,
            created=row.created,
            expires=row.expires,
            outcome=row.outcome,
        )
