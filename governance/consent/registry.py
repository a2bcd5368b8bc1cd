"""Consent states, by replay of the ledger.

An inclusion proof of a grant says nothing about a later withdrawal; only replay does. Rules: a
party records consent for its own records, sources and purposes under an agreement; a permission
needs an agreement in force on the day it is written, a refusal never does; nothing is captured
after it is written; only the party that recorded a grant changes it; a withdrawal takes effect from
``refs`` alone, so erasing its payload does not undo it. The newest decision of a subject and kind
counts: the newest record, or the withdrawal of any record that came after it.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from governance.agreements.policy import in_force
from governance.agreements.registry import AgreementRegistry
from governance.canonical import parse_time
from governance.consent.models import PERMITTING, ConsentKind, ConsentRecord, ConsentState
from governance.identity.registry import IdentityRegistry
from governance.ledger.admission import Commit, Entry, Handler, NotAdmissible, payload_of
from governance.ledger.events import EventType

_CAPTURE_TOLERANCE: Final = timedelta(days=1)  # bulk imports know the day only
_OWN: Final = ("subject", "captured", "expires")
_CHANGES: Final = {
    EventType.CONSENT_REAFFIRMED: ConsentState.REAFFIRMED,
    EventType.CONSENT_WITHDRAWN: ConsentState.WITHDRAWN,
    EventType.CONSENT_INVALIDATED: ConsentState.INVALIDATED,
    EventType.CONSENT_TERMINATED: ConsentState.TERMINATED,
}


@dataclass(slots=True)
class Grant:
    """A consent record and what became of it; small, since a ledger may hold a million."""

    id: str
    terms: ConsentRecord
    """The record, of which ``subject``, ``captured`` and ``expires`` may be another's: all that
    differ in nothing else share one."""
    subject: str
    captured: str
    expires: str
    index: int
    """Of the entry that holds the record."""
    recorded: str
    """When the record was written (RFC 3339)."""
    decided: int
    """Index of the entry that holds the person's newest word: the record or its withdrawal."""
    changed_to: ConsentState | None = None
    changes: tuple[tuple[str, ConsentState], ...] = ()
    """When it was changed, and to what, oldest first."""

    @property
    def record(self) -> ConsentRecord:
        """The consent record as it was recorded; made anew at each call."""
        return self.terms.model_copy(update={name: getattr(self, name) for name in _OWN})

    def state(self, now: datetime) -> ConsentState:
        """Its state at a time."""
        state = self.changed_to or self.terms.state
        if state in PERMITTING and now >= parse_time(self.expires):
            return ConsentState.EXPIRED
        return state

    def permits(self, now: datetime) -> bool:
        """Whether it permits at a time."""
        return self.state(now) in PERMITTING


class ConsentRegistry:
    """Grants by id and by subject."""

    def __init__(self, identities: IdentityRegistry, agreements: AgreementRegistry) -> None:
        self._identities = identities
        self._agreements = agreements
        self.grants: dict[str, Grant] = {}
        self._by_subject: dict[tuple[str, str], list[Grant]] = defaultdict(list)
        self._terms: dict[tuple[object, ...], ConsentRecord] = {}

    @property
    def handlers(self) -> dict[EventType, Handler]:
        """What each event type does here."""
        return {
            EventType.CONSENT_RECORDED: self._recorded,
            **dict.fromkeys(_CHANGES, self._changed),
        }

    def about(self, party: str, handle: str, kind: ConsentKind) -> list[Grant]:
        """Every record about one record of a party, of one kind, oldest first."""
        found = self._by_subject.get((party, handle), ())
        return [grant for grant in found if grant.terms.kind is kind]

    def current(self, party: str, handle: str, kind: ConsentKind) -> Grant | None:
        """The newest decision about one record, of one kind."""
        found = [
            grant
            for grant in self.about(party, handle, kind)
            if grant.terms.state is not ConsentState.REQUESTED
            or grant.changed_to is ConsentState.WITHDRAWN
        ]
        return max(found, key=lambda grant: grant.decided, default=None)

    def _recorded(self, entry: Entry) -> Commit:
        record = payload_of(entry, ConsentRecord)
        party, _ = self._identities.party_key(entry.author)
        standing = self._agreements.standing(record.agreement)
        agreement = standing.agreement
        leaf = entry.event.leaf
        written = parse_time(leaf.time)
        source = agreement.source(record.source)
        if record.party != party or source is None or source.party != party:
            raise NotAdmissible("a party records consent for its own sources")
        if record.purpose not in {p.id for p in agreement.purposes if p.approach}:
            raise NotAdmissible("the agreement lists no such purpose for an approach")
        if record.state in PERMITTING:
            in_force(standing, written)
        if parse_time(record.captured) > written + _CAPTURE_TOLERANCE:
            raise NotAdmissible("consent is captured before it is recorded")
        key = tuple(value for name, value in record if name not in _OWN)
        grant = Grant(
            id=leaf.id,
            terms=self._terms.get(key, record),
            subject=record.subject,
            captured=record.captured,
            expires=record.expires,
            index=entry.index,
            recorded=leaf.time,
            decided=entry.index,
        )

        def commit() -> None:
            self._terms.setdefault(key, record)
            self.grants[grant.id] = grant
            self._by_subject[party, record.subject].append(grant)

        return commit

    def _changed(self, entry: Entry) -> Commit:
        # ``refs`` is in the leaf: it stands when payloads are erased.
        refs = entry.event.leaf.refs
        grant = self.grants.get(refs[0]) if len(refs) == 1 else None
        if grant is None or self._identities.party_key(entry.author)[0] != grant.terms.party:
            raise NotAdmissible("a grant is changed by the party that recorded it")
        state = _CHANGES[entry.kind]
        if state is ConsentState.REAFFIRMED and (grant.changed_to or grant.terms.state) not in (
            PERMITTING
        ):
            raise NotAdmissible("only a grant that stands can be reaffirmed; record a new one")

        def commit() -> None:
            if grant.changed_to is not ConsentState.WITHDRAWN:  # a withdrawal is final
                grant.changed_to = state
                grant.changes += ((entry.event.leaf.time, state),)
            if state is ConsentState.WITHDRAWN:  # said again, it is the newest word again
                grant.decided = entry.index

        return commit
