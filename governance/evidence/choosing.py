"""Which entries of the ledger one approach rests on.

Rules: who is known (parties, staff) and every agreement, since signatures and standing rest on
them; the request, its decision, answers and outcomes; where the family's members are given, every
consent about their records, also one that was erased since, and every change and erasure of one;
what was destroyed under the agreement. Nothing about any other family.
"""

from collections.abc import Collection, Iterable

from governance.consent.models import ConsentKind, ConsentRecord, place_of
from governance.errors import FormatError
from governance.evidence.stream import COUNTED, Glance
from governance.identity.envelope import parse_canonical
from governance.ledger.events import Event, EventType
from governance.ledger.export import RawEntry, event_of
from governance.ledger.payloads import (
    ConsentErased,
    Decided,
    Outcome,
    Refused,
    ReleaseRefused,
    Requested,
    RetentionPurged,
    Sealed,
    read_payload,
)
from governance.release.models import Approval, Members, Request

GROUND = frozenset(
    {
        EventType.GENESIS,
        EventType.PARTY_ADMITTED,
        EventType.PERSON_ENROLLED,
        EventType.PERSON_REVOKED,
        EventType.AGREEMENT_PROPOSED,
        EventType.AGREEMENT_SIGNED,
        EventType.AGREEMENT_SUSPENDED,
        EventType.AGREEMENT_RESUMED,
    }
)
"""Events that everything else rests on."""


class ApproachChooser:
    """Says of each event in turn whether it belongs; events must come in the ledger's order.

    Args:
        request: hash of the request.
        members: the family, where it was given.
        erased: see ``erased_of``.
    """

    def __init__(self, request: str, members: Members | None, erased: Collection[str] = ()) -> None:
        self._request = request
        self._records = _records(members)
        self._handles = {handle.encode() for _, handle in self._records}
        self._grants = set(erased)
        self._agreement: str | None = None

    def may_concern(self, seen: Glance, payload: bytes | None) -> bool:
        """Whether an entry may belong, by its bytes: of many consents few have to be parsed."""
        if seen.kind not in COUNTED:
            return True
        named = seen.id in self._grants or not self._grants.isdisjoint(seen.refs)
        return named or any(handle in (payload or b"") for handle in self._handles)

    def __call__(self, event: Event) -> bool:
        """Whether an event belongs."""
        if event.leaf.type in GROUND:
            return True
        if event.leaf.id in self._grants or self._grants.intersection(event.leaf.refs):
            return True
        try:
            payload = read_payload(event)
        except FormatError:  # erased, or of no form: it cannot count
            return False
        return self._belongs(event, payload)

    def _belongs(self, event: Event, payload: object) -> bool:
        if isinstance(payload, ConsentRecord):
            if (payload.party, payload.subject) not in self._records:
                return False
            self._grants.add(event.leaf.id)
            return True
        if isinstance(payload, RetentionPurged):
            return payload.agreement == self._agreement
        if request_of(payload) != self._request:
            return False
        if isinstance(payload, Requested):
            self._agreement = _agreement_of(payload)
        return True


def erased_of(entries: Iterable[RawEntry], members: Members | None) -> set[str]:
    """Ids of the consents about a family's records that were erased.

    Their own entries do not say any more whom they are about; the entry that erased them does, to
    who knows the records' handles.

    Args:
        entries: of the whole ledger.
        members: the family, where it was given.
    """
    places = {
        place_of(party, handle, kind) for party, handle in _records(members) for kind in ConsentKind
    }
    found: set[str] = set()
    for entry in entries if places else ():
        if not entry.erases:
            continue
        event = event_of(entry)
        try:
            payload = read_payload(event)
        except FormatError:  # of no form: it cannot count
            continue
        if isinstance(payload, ConsentErased) and payload.place in places:
            found.update(event.leaf.refs)
    return found


def _records(members: Members | None) -> set[tuple[str, str]]:
    return {
        (record.party, record.handle)
        for member in (members.members if members else ())
        for record in member.records
    }


def request_of(payload: object) -> str | None:
    """The request that an event of a release is about."""
    match payload:
        case Requested():
            return payload.request.payload_hash
        case Decided():
            return _decided_request(payload)
        case Sealed() | ReleaseRefused() | Outcome():
            return payload.request
        case Refused():
            return payload.about
        case _:
            return None


def _agreement_of(payload: Requested) -> str | None:
    try:
        return parse_canonical(payload.request.payload_bytes, Request).agreement
    except FormatError:
        return None


def _decided_request(payload: Decided) -> str | None:
    try:
        return parse_canonical(payload.approval.payload_bytes, Approval).request
    except FormatError:
        return None
