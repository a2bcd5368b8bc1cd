"""A small world of real keys, parties, staff and an in-memory replay for the governance tests."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from governance.agreements.models import AGREEMENT, Agreement
from governance.canonical import b64, canonical_bytes, sha256, write_time
from governance.consent.models import ConsentKind, ConsentRecord, place_of
from governance.identity.envelope import Envelope, challenge_of, sign, sign_bytes
from governance.identity.keys import SealingKey, SigningKey
from governance.identity.models import (
    PERSON_ENROLMENT,
    PERSON_KEYS,
    PartyKeys,
    PersonEnrolment,
    PersonKeys,
    Role,
    publish_party_keys,
    publish_person_keys,
)
from governance.ledger.events import Author, Event, EventType
from governance.ledger.payloads import (
    AgreementProposed,
    AgreementSigned,
    ConsentChange,
    ConsentErased,
    Decided,
    Genesis,
    PersonEnrolled,
    Requested,
)
from governance.ledger.state import LedgerState
from governance.release.models import (
    APPROVAL,
    REQUEST,
    Approval,
    CheckpointRef,
    Member,
    Members,
    RecordRef,
    Request,
)
from tests.soft_authenticator import SoftAuthenticator

ORIGIN = "ledger.example.org/county"
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NOTICE = sha256(b"privacy notice, version 1")
KEPT = timedelta(days=7)
"""For how long a consent record of the tests' agreement is not erased."""


def name_of(party: str) -> str:
    """What a party is called."""
    return {"nhs": "NHS"}.get(party, party.title())


@lru_cache(maxsize=64)  # a world asks for them at each event
def _party_keys(
    name: str, signing: SigningKey, witness: SigningKey, sealing: SealingKey
) -> PartyKeys:
    return PartyKeys(
        party=name,
        name=name_of(name),
        signing=b64(signing.public),
        witness=b64(witness.public),
        sealing=b64(sealing.public),
    )


@lru_cache(maxsize=64)
def _public(signing: SigningKey, sealing: SealingKey) -> dict[str, str]:
    return {"signing": b64(signing.public), "sealing": b64(sealing.public)}


@dataclass
class Party:
    """A party with its private keys."""

    name: str
    signing: SigningKey = field(default_factory=SigningKey.generate)
    witness: SigningKey = field(default_factory=SigningKey.generate)
    sealing: SealingKey = field(default_factory=SealingKey.generate)

    @property
    def keys(self) -> PartyKeys:
        """The public document."""
        return _party_keys(self.name, self.signing, self.witness, self.sealing)

    def author(self, now: datetime = NOON) -> Author:
        """A writer of events."""
        return Author(self.keys.thumbprint, self.signing, lambda: now, ORIGIN)


@dataclass
class Staff:
    """A member of staff with private keys, and a passkey where one is given."""

    party: str
    role: Role
    id: str
    signing: SigningKey = field(default_factory=SigningKey.generate)
    sealing: SealingKey = field(default_factory=SealingKey.generate)
    authenticator: SoftAuthenticator | None = None

    @property
    def keys(self) -> PersonKeys:
        """The public document."""
        return PersonKeys(
            person=self.id,
            party=self.party,
            role=self.role,
            **_public(self.signing, self.sealing),
            created=write_time(NOON),
            passkey=self.authenticator and self.authenticator.passkey,
        )

    def published(self) -> Envelope:
        """The public document, signed by its own keys."""
        keys, assertion = self.keys, None
        if self.authenticator is not None:
            challenge = challenge_of(PERSON_KEYS, canonical_bytes(keys))
            assertion = self.authenticator.assertion(keys.thumbprint, challenge)
        return publish_person_keys(keys, self.signing, assertion)

    def sign(self, kind: str, document: BaseModel) -> Envelope:
        """Sign a document as this person: with the passkey, or else with the key file."""
        if self.authenticator is not None:
            payload = canonical_bytes(document)
            return self.authenticator.sign(kind, payload, self.keys.thumbprint)
        return self.sign_with_file(kind, document)

    def sign_with_file(self, kind: str, document: BaseModel) -> Envelope:
        """Sign a document with the key file."""
        return sign(kind, document, self.signing, self.keys.thumbprint)


def agreement_data(parties: list[Party]) -> dict[str, Any]:
    """A small valid agreement between parties, as plain data."""
    gateway = {
        "legal_gateway": "Crime and Disorder Act 1998 s115",
        "article_6_basis": "6(1)(e) public task",
        "article_9_condition": "9(2)(g) with DPA 2018 Schedule 1 paragraph 18",
        "article_10_condition": "DPA 2018 Schedule 1 paragraph 18",
        "common_law_route": "not applicable",
    }
    return {
        "id": "county-families",
        "version": 1,
        "supersedes": None,
        "title": "Families with several needs",
        "parties": [
            {
                "party": party.name,
                "name": name_of(party.name),
                "role": "controller",
                "dpo_contact": f"dpo@{party.name}.example.org",
                "keys": party.keys.thumbprint,
                "gateway": gateway,
            }
            for party in parties
        ],
        "purposes": [
            {"id": "find-families", "description": "Find families", "approach": False},
            {"id": "offer-help", "description": "Offer early help", "approach": True},
        ],
        "items": [
            {"id": "first_name", "description": "First name", "releasable": True},
            {"id": "surname", "description": "Surname", "releasable": True},
            {"id": "date_of_birth", "description": "Date of birth", "releasable": False},
            {"id": "address", "description": "Address", "releasable": True},
        ],
        "indicators": [
            {
                "id": "offence",
                "description": "Offence in twelve months",
                "owners": [parties[0].name],
                "window_months": 12,
            }
        ],
        "sources": [
            {
                "id": f"{party.name}_records",
                "party": party.name,
                "description": "Records",
                "items": ["first_name", "surname", "date_of_birth", "address"],
                "indicators": ["offence"] if party is parties[0] else [],
                "max_records": 100_000,
            }
            for party in parties
        ],
        "encoding": {"profile": "clk", "epoch": 1, "linkage_schema": {"version": 3}},
        "actions": ["encode", "submit", "link", "analyse", "release"],
        "recipients": [parties[-1].name],
        "staff_signatures": ["passkey", "key_file"],
        "family_rule": {
            "adults": "every_adult",
            "children": "own_or_parental_responsibility",
            "subset_allowed": True,
        },
        "witnessing": {"quorum": 2, "max_age_minutes": 15, "merge_delay_minutes": 5},
        "limits": {"submissions_per_source_per_day": 10, "releases_per_party_per_day": 20},
        "retention": {
            "encodings_days": 365,
            "link_results_days": 365,
            "released_items_days": 30,
            "vault_days": 365,
        },
        "opt_out": "national_data_opt_out_upheld",
        "suppression_threshold": 7,
        "minimum_needs": 2,
        "dpia": {"reference": "DPIA-1", "outcome": "approved", "approved_on": "2026-10-01"},
        "valid_from": "2026-11-01",
        "expires": "2027-11-01",
        "review_by": "2027-05-01",
    }


class World:
    """Three partners (the last is the council), one manager, one IG lead, one signed agreement.

    Args:
        passkeys: whether manager and lead sign with passkeys.
    """

    def __init__(self, *, passkeys: bool = False) -> None:
        self.operator = Party("ledger")
        self.hub = Party("hub")
        self.partners = [Party("police"), Party("nhs"), Party("council")]
        self.council = self.partners[-1]
        self.manager = Staff("council", Role.SERVICE_MANAGER, "a" * 32)
        self.lead = Staff("council", Role.IG_LEAD, "b" * 32)
        if passkeys:
            self.manager.authenticator = SoftAuthenticator("EdDSA")
            self.lead.authenticator = SoftAuthenticator()
        data = agreement_data(self.partners)
        data["retention"]["consent_payload_days"] = KEPT.days
        self.agreement = Agreement.model_validate(data)
        self._hashed: tuple[Agreement, str] | None = None
        self.events: list[Event] = []
        self.state = LedgerState()
        self._found()

    @property
    def agreement_hash(self) -> str:
        """The agreement's hash, computed once for each."""
        if self._hashed is None or self._hashed[0] is not self.agreement:
            self._hashed = (self.agreement, self.agreement.hash)
        return self._hashed[1]

    def append(self, event: Event) -> Event:
        """Admit and replay an event, as the ledger would."""
        self.state.check(event)
        self.state.apply(event)
        self.events.append(event)
        return event

    def write(
        self,
        party: Party,
        kind: EventType,
        payload: BaseModel,
        refs: tuple[str, ...] = (),
        now: datetime = NOON,
    ) -> Event:
        """Write an event as a party and append it."""
        return self.append(party.author(now).write(kind, payload, refs))

    def _found(self) -> None:
        everyone = [self.operator, self.hub, *self.partners]
        self.write(
            self.operator,
            EventType.GENESIS,
            Genesis(
                origin=ORIGIN,
                parties=tuple(publish_party_keys(p.keys, p.signing) for p in everyone),
            ),
        )
        self.enrol(self.lead, self.council.signing, self.council.keys.thumbprint)
        self.vouch(self.manager)
        self.write(
            self.council,
            EventType.AGREEMENT_PROPOSED,
            AgreementProposed(agreement=self.agreement),
        )
        for party in self.partners:
            self.sign_agreement(party)

    def sign_agreement(self, party: Party) -> Event:
        """Sign the agreement as a party."""
        signature = sign_bytes(
            AGREEMENT, canonical_bytes(self.agreement), party.signing, party.keys.thumbprint
        )
        payload = AgreementSigned(agreement=self.agreement.hash, signature=signature)
        return self.write(party, EventType.AGREEMENT_SIGNED, payload)

    def enrol(self, staff: Staff, key: SigningKey, thumbprint: str) -> Event:
        """Enrol a person, countersigned with ``key``."""
        enrolment = sign(PERSON_ENROLMENT, self.enrolment(staff), key, thumbprint)
        return self.log_enrolment(staff, enrolment)

    def vouch(self, staff: Staff) -> Event:
        """Enrol a person, countersigned by the lead as the lead signs."""
        enrolment = self.lead.sign(PERSON_ENROLMENT, self.enrolment(staff))
        return self.log_enrolment(staff, enrolment)

    @staticmethod
    def enrolment(staff: Staff) -> PersonEnrolment:
        """What is countersigned."""
        keys = staff.keys
        return PersonEnrolment(
            keys=keys.thumbprint, role=keys.role, party=keys.party, created=write_time(NOON)
        )

    def log_enrolment(self, staff: Staff, enrolment: Envelope) -> Event:
        """Log a person's keys and the countersignature, as the party's agent."""
        party = next(p for p in (self.hub, *self.partners) if p.name == staff.party)
        payload = PersonEnrolled(keys=staff.published(), enrolment=enrolment)
        return self.write(party, EventType.PERSON_ENROLLED, payload)

    def consent(self, party: Party, handle: str, /, now: datetime = NOON, **changes: Any) -> Event:
        """Record a consent of one record's subject."""
        record = self.consent_record(party, handle, **changes)
        return self.write(party, EventType.CONSENT_RECORDED, record, now=now)

    def consent_record(self, party: Party, handle: str, /, **changes: Any) -> ConsentRecord:
        """What is recorded."""
        return ConsentRecord.model_validate(
            {
                "agreement": self.agreement_hash,
                "party": party.name,
                "source": f"{party.name}_records",
                "subject": handle,
                "kind": "approach",
                "purpose": "offer-help",
                "items": ["first_name", "surname", "address"],
                "recipients": ["council"],
                "state": "given",
                "capacity": "self",
                "parental_basis": None,
                "method": "in_person",
                "notice": NOTICE,
                "notice_language": "en-GB",
                "lawful_basis": "public_task",
                "special_category_condition": "safeguarding",
                "jurisdiction": "GB-EAW",
                "withdrawal_method": "any-partner",
                "captured": write_time(NOON),
                "expires": write_time(NOON + timedelta(days=365)),
                **changes,
            }
        )

    def erase(
        self,
        party: Party,
        handle: str,
        *grants: Event,
        kind: str = "approach",
        now: datetime = NOON + KEPT,
    ) -> Event:
        """Erase records, as their party."""
        place = place_of(party.name, handle, ConsentKind(kind))
        payload = ConsentErased(agreement=self.agreement_hash, place=place)
        refs = tuple(grant.leaf.id for grant in grants)
        return self.write(party, EventType.CONSENT_ERASED, payload, refs, now)

    def withdraw(self, party: Party, grant: Event) -> Event:
        """Withdraw a consent."""
        payload = ConsentChange(grant=grant.leaf.id)
        return self.write(party, EventType.CONSENT_WITHDRAWN, payload, (grant.leaf.id,))

    def members(self, *people: tuple[str, bool, list[tuple[Party, str]]]) -> Members:
        """A family document from (letter, adult, records)."""
        return Members(
            family="f-" + "0" * 32,
            agreement=self.agreement_hash,
            members=tuple(
                Member(
                    person="p-" + letter * 32,
                    adult=adult,
                    records=tuple(
                        RecordRef(party=p.name, source=f"{p.name}_records", handle=h)
                        for p, h in records
                    ),
                )
                for letter, adult, records in people
            ),
        )

    def request(self, members: Members, signer: Staff | None = None, **changes: Any) -> Envelope:
        """A signed request for a family, by the manager unless somebody else signs."""
        document = Request.model_validate(
            {
                "id": sha256(repr(sorted(changes.items())).encode())[7:39],
                "agreement": self.agreement_hash,
                "purpose": "offer-help",
                "family": members.family,
                "members": members.digest,
                "without": [],
                "items": ["first_name", "address"],
                "recipient": self.manager.keys.thumbprint,
                "created": write_time(NOON),
                "expires": write_time(NOON + timedelta(hours=12)),
                **changes,
            }
        )
        return (signer or self.manager).sign(REQUEST, document)

    def approval(self, request: Envelope, signer: Staff | None = None, **changes: Any) -> Envelope:
        """A signed approval, by the lead unless somebody else signs."""
        document = Approval.model_validate(
            {
                "request": request.payload_hash,
                "decision": "approve",
                "reason": "proportionate",
                "checkpoint": CheckpointRef(size=1, root=b64(bytes(32))),
                "created": write_time(NOON),
                **changes,
            }
        )
        return (signer or self.lead).sign(APPROVAL, document)

    def log_release(self, request: Envelope, approval: Envelope) -> None:
        """Log a request and its approval."""
        self.write(self.hub, EventType.RELEASE_REQUESTED, Requested(request=request))
        self.write(self.hub, EventType.RELEASE_APPROVED, Decided(approval=approval))
