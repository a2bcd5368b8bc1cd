"""Requests of data subjects, by replay of the ledger.

Rules: a party opens a request for itself, under an agreement in which it owns a source; it is due
within one month of its receipt, within three once extended, and it is extended once and before it
is due; it is carried out once, by the party that opened it; whoever was told which records it is
about confirms once, and nobody else does; it is called done only when all of them have, or when
nobody had to be told; it is lifted after it was carried out. ``refs`` names the request in clear.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from governance.agreements.registry import AgreementRegistry
from governance.canonical import parse_time
from governance.identity.registry import IdentityRegistry
from governance.ledger.admission import Commit, Entry, Handler, NotAdmissible, payload_of
from governance.ledger.events import EventType
from governance.ledger.payloads import (
    RightsCarriedOut,
    RightsClosed,
    RightsConfirmed,
    RightsExtended,
    RightsLifted,
    RightsOpened,
)
from governance.rights.models import MONTHS, MONTHS_EXTENDED, TAKES_OUT, RightsKind, months_after

_TOLERANCE: Final = timedelta(days=1)  # the day of receipt is a local one


@dataclass
class RightsRequest:
    """A request and what became of it.

    Attributes:
        confirmed: by the thumbprint of who was told.
    """

    id: str
    author: str
    opened: RightsOpened
    due: str
    extended: bool = False
    carried_out: RightsCarriedOut | None = None
    confirmed: dict[str, RightsConfirmed] = field(default_factory=dict)
    closed: RightsClosed | None = None
    lifted: bool = False

    @property
    def told(self) -> frozenset[str]:
        """Thumbprints of those who were told which records it is about."""
        sealed = () if self.carried_out is None else self.carried_out.sealed
        return frozenset(each.recipient for each in sealed)

    @property
    def unproven(self) -> frozenset[str]:
        """Thumbprints of those who were told and have not confirmed."""
        return self.told - self.confirmed.keys()


class RightsRegistry:
    """Every request that the ledger holds, by its id."""

    def __init__(self, identities: IdentityRegistry, agreements: AgreementRegistry) -> None:
        self._identities = identities
        self._agreements = agreements
        self.requests: dict[str, RightsRequest] = {}

    @property
    def handlers(self) -> dict[EventType, Handler]:
        """What this registry replays."""
        return {
            EventType.RIGHTS_OPENED: self._opened,
            EventType.RIGHTS_EXTENDED: self._extended,
            EventType.RIGHTS_CARRIED_OUT: self._carried_out,
            EventType.RIGHTS_CONFIRMED: self._confirmed,
            EventType.RIGHTS_CLOSED: self._closed,
            EventType.RIGHTS_LIFTED: self._lifted,
        }

    def _opened(self, entry: Entry) -> Commit:
        payload = payload_of(entry, RightsOpened)
        party, _ = self._identities.party_key(entry.author)
        agreement = self._agreements.standing(payload.agreement).agreement
        owns = any(source.party == party for source in agreement.sources)
        if payload.party != party or not owns:
            raise NotAdmissible("who owns a source opens requests that it received itself")
        received = date.fromisoformat(payload.received)
        if received > (parse_time(entry.event.leaf.time) + _TOLERANCE).date():
            raise NotAdmissible("a request is received before it is opened")
        if date.fromisoformat(payload.due) > months_after(received, MONTHS):
            raise NotAdmissible("a request is due within one month")
        request = RightsRequest(entry.event.leaf.id, entry.author, payload, payload.due)
        return lambda: self.requests.update({request.id: request})

    def _extended(self, entry: Entry) -> Commit:
        payload, request = payload_of(entry, RightsExtended), self._own(entry)
        received = date.fromisoformat(request.opened.received)
        due, most = date.fromisoformat(payload.due), months_after(received, MONTHS_EXTENDED)
        today = parse_time(entry.event.leaf.time).date()
        if request.extended or today > date.fromisoformat(request.due):
            raise NotAdmissible("a request is extended once, and before it is due")
        if not date.fromisoformat(request.due) < due <= most:
            raise NotAdmissible("a request is extended by two months at most")

        def commit() -> None:
            request.extended, request.due = True, payload.due

        return commit

    def _carried_out(self, entry: Entry) -> Commit:
        payload, request = payload_of(entry, RightsCarriedOut), self._own(entry)
        if request.carried_out is not None:
            raise NotAdmissible("a request is carried out once; open another for other records")
        if (payload.replaced_by is not None) != (request.opened.kind is RightsKind.RECTIFICATION):
            raise NotAdmissible("a rectification names the submission that corrects, no other does")
        told = [each.recipient for each in payload.sealed]
        if len(set(told)) != len(told) or not set(told) <= self._identities.parties.keys():
            raise NotAdmissible("records are sealed to known parties, once to each")

        def commit() -> None:
            request.carried_out = payload

        return commit

    def _confirmed(self, entry: Entry) -> Commit:
        payload, request = payload_of(entry, RightsConfirmed), self._named(entry)
        if entry.author not in request.unproven:
            raise NotAdmissible("who was told of a request confirms it, and once")
        return lambda: request.confirmed.update({entry.author: payload})

    def _closed(self, entry: Entry) -> Commit:
        payload, request = payload_of(entry, RightsClosed), self._own(entry)
        if (payload.outcome == "refused") != (payload.reason is not None):
            raise NotAdmissible("a refusal, and nothing else, has a reason")
        acts = request.opened.kind is not RightsKind.ACCESS
        carried_out = request.carried_out is not None
        if payload.outcome in ("done", "not_proven") and acts and not carried_out:
            raise NotAdmissible("a request is carried out before it is called done")
        if payload.outcome == "done" and request.unproven:
            raise NotAdmissible("a request is done once everybody who was told has confirmed it")

        def commit() -> None:
            request.closed = payload

        return commit

    def _lifted(self, entry: Entry) -> Commit:
        payload_of(entry, RightsLifted)
        request = self._named(entry)
        self._by_its_party(entry, request)
        if request.carried_out is None or request.opened.kind not in TAKES_OUT or request.lifted:
            raise NotAdmissible("what is lifted was carried out, and was not lifted before")

        def commit() -> None:
            request.lifted = True

        return commit

    def _own(self, entry: Entry) -> RightsRequest:
        """The open request that an event of the party that opened it is about."""
        request = self._named(entry)
        self._by_its_party(entry, request)
        if request.closed is not None:
            raise NotAdmissible("the request is closed; open another")
        return request

    def _by_its_party(self, entry: Entry, request: RightsRequest) -> None:
        if self._identities.party_key(entry.author)[0] != request.opened.party:
            raise NotAdmissible("the party that opened a request says what became of it")

    def _named(self, entry: Entry) -> RightsRequest:
        refs = entry.event.leaf.refs
        request = self.requests.get(refs[0]) if len(refs) == 1 else None
        if request is None:
            raise NotAdmissible("no such request was opened")
        return request
