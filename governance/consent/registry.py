"""Consent states, by replay of the ledger.

An inclusion proof of a grant says nothing about a later withdrawal; only replay does. Rules: a
party records consent for its own records, sources and purposes under an agreement; a permission
needs an agreement in force on the day it is written, a refusal never does; nothing is captured
after it is written; only the party that recorded a grant changes or erases it; a change takes
effect from ``refs`` alone. The newest decision of a subject and kind counts: the newest record, or
the withdrawal of any record that came after it.

Rules of erasure (ADR 17), in order: a record without its payload is *unopened*, and while one is,
nobody's permission can be read, since it may be a refusal; ``consent.erased`` names records of one
place, by the party that recorded them, each written so many days ago as an agreement that every
party has signed asks for; who still has their payloads checks that the place is theirs, and the
agreement the one of theirs or another version of it; the records are then forgotten and the place
is closed for good: it counts as withdrawn, whatever was said there before, and nothing more is
recorded about it; changes of a record that is unopened or erased do nothing.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Final

from governance.agreements.models import Agreement
from governance.agreements.policy import in_force
from governance.agreements.registry import AgreementRegistry
from governance.canonical import parse_time
from governance.consent.models import (
    PERMITTING,
    ConsentKind,
    ConsentRecord,
    ConsentState,
    place_of,
)
from governance.identity.registry import IdentityRegistry
from governance.ledger.admission import Commit, Entry, Handler, NotAdmissible, payload_of
from governance.ledger.errors import WithheldPayloadError
from governance.ledger.events import EventType
from governance.ledger.payloads import ConsentErased

_CAPTURE_TOLERANCE: Final = timedelta(days=1)  # bulk imports know the day only
_OWN: Final = ("subject", "captured", "expires")
_NOBODY: Final = {
    "subject": "0" * 32, "captured": "2000-01-01T00:00:00Z", "expires": "2000-01-02T00:00:00Z",
}  # fmt: skip
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
    """The record but for ``subject``, ``captured`` and ``expires``, which are nobody's here: all
    that differ in nothing else share one."""
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
    def party(self) -> str:
        """Who recorded it."""
        return self.terms.party

    @property
    def place(self) -> str:
        """What stands for it once it is erased."""
        return place_of(self.party, self.subject, self.terms.kind)

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


@dataclass(frozen=True, slots=True)
class Unopened:
    """A record whose payload is not there, and no word yet that it was erased."""

    party: str
    index: int
    recorded: str


@dataclass(frozen=True, slots=True)
class Erased:
    """What is left of a record whose payload was erased.

    Attributes:
        id: of the record.
        party: who recorded and who erased it.
        index: of the entry that held it.
        recorded: when it was written (RFC 3339).
        place: what stands for its subject and kind.
        entry: index of the entry that says that it was erased.
        since: when that was written (RFC 3339).
    """

    id: str
    party: str
    index: int
    recorded: str
    place: str
    entry: int
    since: str

    def state(self, _now: datetime) -> ConsentState:
        """Withdrawn, whatever the record said."""
        return ConsentState.WITHDRAWN


class ConsentRegistry:
    """Grants by id and by subject, and what was erased."""

    def __init__(self, identities: IdentityRegistry, agreements: AgreementRegistry) -> None:
        self._identities = identities
        self._agreements = agreements
        self.grants: dict[str, Grant] = {}
        self.unopened: dict[str, Unopened] = {}
        self.erased: dict[str, Erased] = {}
        self._closed: dict[str, Erased] = {}
        self._by_subject: dict[tuple[str, str], list[Grant]] = defaultdict(list)
        self._terms: dict[tuple[object, ...], ConsentRecord] = {}

    @property
    def handlers(self) -> dict[EventType, Handler]:
        """What each event type does here."""
        return {
            EventType.CONSENT_RECORDED: self._recorded,
            EventType.CONSENT_ERASED: self._erased,
            **dict.fromkeys(_CHANGES, self._changed),
        }

    def subjects(self) -> Collection[tuple[str, str]]:
        """Party and handle of every record that something is recorded about."""
        return self._by_subject.keys()

    def about(self, party: str, handle: str, kind: ConsentKind) -> list[Grant]:
        """Every record about one record of a party, of one kind, oldest first."""
        found = self._by_subject.get((party, handle), ())
        return [grant for grant in found if grant.terms.kind is kind]

    def current(self, party: str, handle: str, kind: ConsentKind) -> Grant | Erased | None:
        """The newest decision about one record, of one kind.

        Raises:
            WithheldPayloadError: see ``require_opened``.
        """
        self.require_opened()
        if self._closed and (last := self._closed.get(place_of(party, handle, kind))):
            return last
        found = [
            grant
            for grant in self.about(party, handle, kind)
            if grant.terms.state is not ConsentState.REQUESTED
            or grant.changed_to is ConsentState.WITHDRAWN
        ]
        return max(found, key=lambda grant: grant.decided, default=None)

    def require_opened(self) -> None:
        """Check that no record lacks its payload but those that their party has erased.

        Raises:
            WithheldPayloadError: one does; it may be a refusal of anybody.
        """
        for missing in self.unopened.values():
            raise WithheldPayloadError(
                f"entry {missing.index} has no payload, and nobody who may has said that it was "
                "erased: it may be a refusal",
                next_step="begin a new copy of the ledger; if it stays so, ask its operator why, "
                "and tell the other partners: nothing is released until it is resolved",
            )

    def erased_since(self, entry: int) -> list[int]:
        """Indexes of the entries whose payloads were erased by an entry or by a later one."""
        newest = takewhile(lambda each: each.entry >= entry, reversed(self.erased.values()))
        return [each.index for each in newest]

    def _recorded(self, entry: Entry) -> Commit:
        party, _ = self._identities.party_key(entry.author)
        leaf = entry.event.leaf
        if entry.event.payload is None:
            missing = Unopened(party, entry.index, leaf.time)
            return lambda: self.unopened.update({leaf.id: missing})
        record = payload_of(entry, ConsentRecord)
        standing = self._agreements.standing(record.agreement)
        agreement = standing.agreement
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
        if self._closed and place_of(party, record.subject, record.kind) in self._closed:
            raise NotAdmissible(
                "nothing more is recorded about a record whose consents were erased",
                next_step="prepare the person's row anew: it is given another handle",
            )
        key = tuple(value for name, value in record if name not in _OWN)
        grant = Grant(
            id=leaf.id,
            terms=self._terms.get(key) or record.model_copy(update=_NOBODY),
            subject=record.subject,
            captured=record.captured,
            expires=record.expires,
            index=entry.index,
            recorded=leaf.time,
            decided=entry.index,
        )

        def commit() -> None:
            self._terms.setdefault(key, grant.terms)
            self.grants[grant.id] = grant
            self._by_subject[party, record.subject].append(grant)

        return commit

    def _changed(self, entry: Entry) -> Commit:
        # ``refs`` is in the leaf: it stands when payloads are erased.
        refs = entry.event.leaf.refs
        party, _ = self._identities.party_key(entry.author)
        found = self._find(refs[0]) if len(refs) == 1 else None
        if found is None or party != found.party:
            raise NotAdmissible("a grant is changed by the party that recorded it")
        if not isinstance(found, Grant):
            return lambda: None  # its place is closed, or no permission is read until it is
        grant, state = found, _CHANGES[entry.kind]
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

    def _erased(self, entry: Entry) -> Commit:
        leaf, payload = entry.event.leaf, payload_of(entry, ConsentErased)
        place, (party, _) = payload.place, self._identities.party_key(entry.author)
        agreement, before = self._erasable(payload.agreement, party, parse_time(leaf.time))
        found = {ref: self._find(ref) for ref in leaf.refs}
        if not found or len(found) != len(leaf.refs):
            raise NotAdmissible("an erasure names records, each once")
        gone = []
        for id_, each in found.items():
            if each is None or isinstance(each, Erased) or each.party != party:
                raise NotAdmissible("a record is erased by the party that recorded it, once")
            if parse_time(each.recorded) > before:
                raise NotAdmissible("a record is kept for as long as the agreement asks for")
            if isinstance(each, Grant):
                self._require_theirs(each, place, agreement)
            gone.append(
                Erased(id_, party, each.index, each.recorded, place, entry.index, leaf.time)
            )

        def commit() -> None:
            for each in gone:
                self._forget(each.id)
                self.erased[each.id] = each
                self._closed.setdefault(place, each)

        return commit

    def _erasable(self, hash_: str, party: str, now: datetime) -> tuple[Agreement, datetime]:
        """The agreement that an erasure names, and before when a record has to be written."""
        standing = self._agreements.standing(hash_)
        agreement = standing.agreement
        days = agreement.retention.consent_payload_days
        if standing.complete_at is None or agreement.party(party) is None or days is None:
            raise NotAdmissible("no agreement that every party has signed lets this be erased")
        return agreement, now - timedelta(days=days)

    def _require_theirs(self, grant: Grant, place: str, agreement: Agreement) -> None:
        if grant.place != place:
            raise NotAdmissible("an erasure is of one place, which its records have")
        if self._agreements.standing(grant.terms.agreement).agreement.id != agreement.id:
            raise NotAdmissible("an erasure is under the records' agreement, or a version of it")

    def _find(self, id_: str) -> Grant | Unopened | Erased | None:
        return self.grants.get(id_) or self.unopened.get(id_) or self.erased.get(id_)

    def _forget(self, id_: str) -> None:
        self.unopened.pop(id_, None)
        grant = self.grants.pop(id_, None)
        if grant is not None:
            subject = (grant.party, grant.subject)
            rest = [each for each in self._by_subject.pop(subject) if each is not grant]
            if rest:
                self._by_subject[subject] = rest
