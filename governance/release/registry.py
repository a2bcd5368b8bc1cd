"""Requests and what became of them, by replay of the ledger.

Rules: a request is signed by one enrolled service manager, to that person's own keys, and lives at
most 24 hours; a decision is signed by one enrolled IG lead of a partner of the request's agreement,
who is another person, while the request lives; a passkey that counts its signatures counts upwards;
each partner seals at most once for a request, and only after an approval; who logged the request
says what came of it.
"""

from dataclasses import dataclass, field
from datetime import timedelta

from governance.agreements.models import Agreement
from governance.agreements.registry import AgreementRegistry
from governance.canonical import parse_time
from governance.errors import SignatureError
from governance.identity.envelope import Envelope, KeyLookup, open_envelope
from governance.identity.models import PersonKeys, Role
from governance.identity.registry import IdentityRegistry
from governance.ledger.admission import Commit, Entry, Handler, NotAdmissible, payload_of
from governance.ledger.events import EventType
from governance.ledger.payloads import Decided, Outcome, ReleaseRefused, Requested, Sealed
from governance.release.errors import (
    NotApproved,
    NotAServiceManager,
    RecipientMismatch,
    RequestExpired,
    SamePerson,
)
from governance.release.models import APPROVAL, REQUEST, REQUEST_MAX_HOURS, Approval, Request


@dataclass
class RequestRecord:
    """A request, its decision, and each party's answer."""

    request: Request
    requester: PersonKeys
    logged_by: str
    """The party, a hub, that logged it."""
    decision: Approval | None = None
    decision_index: int | None = None
    approver: PersonKeys | None = None
    sealed_by: set[str] = field(default_factory=set)
    refused_by: dict[str, str] = field(default_factory=dict)
    outcome: str | None = None
    outcomes: int = 0
    """How many outcomes were told; ``outcome`` is the newest of them."""
    logged: str = ""
    """When, as the ledger's entry states it."""


def read_request(envelope: Envelope, identities: IdentityRegistry) -> tuple[Request, PersonKeys]:
    """Verify a request's signature, role, recipient and lifetime.

    Raises:
        SignatureError, FormatError: not signed by an enrolled person, or malformed.
        NotAServiceManager, RecipientMismatch, RequestExpired: see the module's rules.
    """
    request, signers = open_envelope(
        envelope, REQUEST, Request, _person_key(identities), identities.passkey
    )
    requester = identities.person(signers[0])
    if len(signers) != 1 or requester.role is not Role.SERVICE_MANAGER:
        raise NotAServiceManager("a request is signed by one service manager")
    if request.recipient != requester.thumbprint:
        raise RecipientMismatch("items are sealed to the requester's own keys and to no other")
    created, expires = parse_time(request.created), parse_time(request.expires)
    if not timedelta(0) < expires - created <= timedelta(hours=REQUEST_MAX_HOURS):
        raise RequestExpired(f"a request lives at most {REQUEST_MAX_HOURS} hours")
    return request, requester


def read_approval(
    envelope: Envelope, identities: IdentityRegistry, requester: PersonKeys
) -> tuple[Approval, PersonKeys]:
    """Verify a decision's signature, and that its author is an IG lead and another person.

    Raises:
        SignatureError, FormatError: not signed by an enrolled person, or malformed.
        NotApproved: not an IG lead.
        SamePerson: requester and approver share an id or a key.
    """
    approval, signers = _open_approval(envelope, identities)
    approver = identities.person(signers[0])
    if len(signers) != 1:
        raise NotApproved("a decision is signed by one information-governance lead")
    require_second(approver, requester)
    return approval, approver


def require_second(approver: PersonKeys, requester: PersonKeys) -> None:
    """Check that who decides is an IG lead, and not who asks.

    Raises:
        NotApproved: not an IG lead.
        SamePerson: requester and approver share an id or a key.
    """
    if approver.role is not Role.IG_LEAD:
        raise NotApproved("a decision is signed by one information-governance lead")
    if approver.person == requester.person or approver.public_keys & requester.public_keys:
        raise SamePerson("requester and approver are two different people")


def require_partners_lead(approver: PersonKeys, agreement: Agreement) -> None:
    """Check that who decides works for a partner of the request's agreement.

    Raises:
        NotApproved: for none.
    """
    if agreement.partner(approver.party) is None:
        raise NotApproved("the approver works for no partner of the agreement")


def _open_approval(
    envelope: Envelope, identities: IdentityRegistry
) -> tuple[Approval, tuple[str, ...]]:
    return open_envelope(envelope, APPROVAL, Approval, _person_key(identities), identities.passkey)


def _person_key(identities: IdentityRegistry) -> KeyLookup:
    def lookup(thumbprint: str) -> bytes:
        if thumbprint in identities.parties:
            raise SignatureError("signed by a party where a person was expected")
        return identities.document_key(thumbprint)

    return lookup


class ReleaseRegistry:
    """Requests by the hash of their exact bytes."""

    def __init__(self, identities: IdentityRegistry, agreements: AgreementRegistry) -> None:
        self._identities = identities
        self._agreements = agreements
        self.requests: dict[str, RequestRecord] = {}
        self._ids: set[str] = set()

    @property
    def handlers(self) -> dict[EventType, Handler]:
        """What each event type does here."""
        return {
            EventType.RELEASE_REQUESTED: self._requested,
            EventType.RELEASE_APPROVED: self._decided,
            EventType.RELEASE_DECLINED: self._decided,
            EventType.RELEASE_SEALED: self._sealed,
            EventType.RELEASE_REFUSED: self._refused,
            EventType.RELEASE_OUTCOME: self._outcome,
        }

    def _record(self, request: str) -> RequestRecord:
        found = self.requests.get(request)
        if found is None:
            raise NotAdmissible("the ledger holds no request with this hash")
        return found

    def _agreement(self, record: RequestRecord) -> Agreement:
        return self._agreements.standing(record.request.agreement).agreement

    def _requested(self, entry: Entry) -> Commit:
        party, _ = self._identities.party_key(entry.author)
        envelope = payload_of(entry, Requested).request
        request, requester = read_request(envelope, self._identities)
        if request.id in self._ids:
            raise NotAdmissible("a request is logged once")
        counted = self._identities.counted(envelope)

        def commit() -> None:
            counted()
            self._ids.add(request.id)
            self.requests[envelope.payload_hash] = RequestRecord(
                request, requester, party, logged=entry.event.leaf.time
            )

        return commit

    def _decided(self, entry: Entry) -> Commit:
        self._identities.party_key(entry.author)
        envelope = payload_of(entry, Decided).approval
        claimed, _ = _open_approval(envelope, self._identities)
        record = self._record(claimed.request)
        approval, approver = read_approval(envelope, self._identities, record.requester)
        require_partners_lead(approver, self._agreement(record))
        approving = entry.kind is EventType.RELEASE_APPROVED
        if approving != (approval.decision == "approve") or record.decision is not None:
            raise NotAdmissible("a request is decided once, as its decision says")
        if parse_time(approval.created) >= parse_time(record.request.expires):
            raise NotAdmissible("a request is decided while it lives")
        counted = self._identities.counted(envelope)

        def commit() -> None:
            counted()
            record.decision, record.approver = approval, approver
            record.decision_index = entry.index

        return commit

    def _sealed(self, entry: Entry) -> Commit:
        payload = payload_of(entry, Sealed)
        record = self._record(payload.request)
        if self._identities.party_key(entry.author)[0] != payload.party:
            raise NotAdmissible("a receipt is written by the party that sealed")
        if self._agreement(record).partner(payload.party) is None:
            raise NotAdmissible("a receipt is written by a partner of the agreement")
        if record.decision is None or record.decision.decision != "approve":
            raise NotAdmissible("only an approved request is answered with sealed items")
        if payload.party in record.sealed_by:
            raise NotAdmissible("a party seals once for a request")
        if payload.checkpoint is not None and payload.checkpoint.size > entry.index:
            raise NotAdmissible("a receipt names a state of the ledger that was there before it")
        return lambda: record.sealed_by.add(payload.party)

    def _refused(self, entry: Entry) -> Commit:
        payload = payload_of(entry, ReleaseRefused)
        if self._identities.party_key(entry.author)[0] != payload.party:
            raise NotAdmissible("a refusal is written by the party that refused")
        record = self.requests.get(payload.request)  # a request may be refused before it is logged

        def commit() -> None:
            if record is not None:
                record.refused_by[payload.party] = payload.reason

        return commit

    def _outcome(self, entry: Entry) -> Commit:
        payload = payload_of(entry, Outcome)
        record = self._record(payload.request)
        if self._identities.party_key(entry.author)[0] != record.logged_by:
            raise NotAdmissible("what came of an approach is told by who logged the request")

        def commit() -> None:
            record.outcome = payload.outcome
            record.outcomes += 1

        return commit
