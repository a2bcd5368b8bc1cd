"""The documents of a release.

A manager signs a request; an IG lead, another person, signs an approval over the request's hash
and a checkpoint; the hub puts both into an order with the members that the request's digest names;
a partner answers with items sealed to the manager's key.

Signed formats: fields are never reordered, renamed or removed.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from governance.canonical import Base64, Frozen, Hash, Hex128, Slug, Time, hash_of
from governance.identity.envelope import Envelope

REQUEST = "release-request/v1"
APPROVAL = "release-approval/v1"
SEALED = "release-sealed/v1"
REQUEST_MAX_HOURS = 24
MEMBERS_MAX = 64

PersonId = Annotated[str, StringConstraints(pattern=r"^p-[0-9a-f]{32}$")]
FamilyId = Annotated[str, StringConstraints(pattern=r"^f-[0-9a-f]{32}$")]


class RecordRef(Frozen):
    """A record by its party and random handle."""

    party: Slug
    source: Slug
    handle: Hex128


class Member(Frozen):
    """A member of a family, as the hub sees it."""

    person: PersonId
    adult: bool
    records: Annotated[tuple[RecordRef, ...], Field(min_length=1, max_length=500)]


class Members(Frozen):
    """A family's members; the digest of this document is what a request names."""

    format: Literal["family-members/v1"] = "family-members/v1"
    family: FamilyId
    agreement: Hash
    members: Annotated[tuple[Member, ...], Field(min_length=1, max_length=MEMBERS_MAX)]

    @model_validator(mode="after")
    def _once_each(self) -> Self:
        persons = [member.person for member in self.members]
        records = [record for member in self.members for record in member.records]
        if len(set(persons)) != len(persons) or len(set(records)) != len(records):
            raise ValueError("a member or record is listed twice")
        return self

    @property
    def digest(self) -> str:
        """What a request and an approval bind to."""
        return hash_of(self)

    @property
    def holders(self) -> frozenset[str]:
        """Parties that hold a record of a member."""
        return frozenset(record.party for member in self.members for record in member.records)


class Request(Frozen):
    """What a service manager asks for (payload type ``release-request/v1``)."""

    format: Literal["release-request/v1"] = "release-request/v1"
    id: Hex128
    agreement: Hash
    purpose: Slug
    family: FamilyId
    members: Hash
    without: tuple[PersonId, ...]  # members whose data are left out
    items: Annotated[tuple[Slug, ...], Field(min_length=1)]
    recipient: Hash  # thumbprint of the requester's own keys
    created: Time
    expires: Time


class CheckpointRef(Frozen):
    """A state of the ledger."""

    size: Annotated[int, Field(ge=1)]
    root: Base64


class Approval(Frozen):
    """An IG lead's decision (payload type ``release-approval/v1``)."""

    format: Literal["release-approval/v1"] = "release-approval/v1"
    request: Hash
    decision: Literal["approve", "decline"]
    reason: Slug
    checkpoint: CheckpointRef
    created: Time


class Order(Frozen):
    """What the hub hands to a partner; every part of it is verified by the partner."""

    format: Literal["release-order/v1"] = "release-order/v1"
    request: Envelope
    approval: Envelope
    members: Members
    checkpoint: Annotated[str, Field(max_length=16_384)]  # C2SP note with cosignatures

    @property
    def hash(self) -> str:
        """What a receipt names."""
        return hash_of(self)


class ReleasedRecord(Frozen):
    """The items of one record; exists only sealed, at the partner and at the manager."""

    person: PersonId
    source: Slug
    items: dict[Slug, str]


class SealedItems(Frozen):
    """A partner's answer (payload type ``release-sealed/v1``)."""

    format: Literal["release-sealed/v1"] = "release-sealed/v1"
    request: Hash
    order: Hash
    party: Slug
    recipient: Hash
    checkpoint: CheckpointRef
    created: Time
    ciphertext: Base64
