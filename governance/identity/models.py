"""Parties and staff, as their public key documents.

A key document's thumbprint (the hash of its canonical bytes) names it everywhere: in agreements,
signatures and HTTP requests. Staff are random ids: no name of a member of staff is in the ledger.

Signed formats ``party-keys/v1``, ``person-keys/v1``, ``person-enrolment/v1``: fields are never
reordered, renamed or removed.
"""

from enum import StrEnum
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, Field

from governance.canonical import Base64, Frozen, Hash, Hex128, Slug, Time, hash_of, unb64
from governance.errors import SignatureError
from governance.identity.envelope import Envelope, open_envelope, parse_canonical, sign
from governance.identity.keys import (
    SEALING_PUBLIC_BYTES,
    SIGNING_PUBLIC_BYTES,
    SigningKey,
    is_weak,
)

PARTY_KEYS = "party-keys/v1"
PERSON_KEYS = "person-keys/v1"
PERSON_ENROLMENT = "person-enrolment/v1"


def _signing(text: str) -> str:
    if len(unb64(text)) != SIGNING_PUBLIC_BYTES:
        raise ValueError(f"an Ed25519 public key is {SIGNING_PUBLIC_BYTES} bytes")
    if is_weak(unb64(text)):
        raise ValueError("not a public key that anybody holds: a point of small order")
    return text


def _sealing(text: str) -> str:
    if len(unb64(text)) != SEALING_PUBLIC_BYTES:
        raise ValueError(f"a sealing public key is {SEALING_PUBLIC_BYTES} bytes")
    return text


SigningPublic = Annotated[Base64, AfterValidator(_signing)]
SealingPublic = Annotated[Base64, AfterValidator(_sealing)]


class Role(StrEnum):
    """What a member of staff may do."""

    SERVICE_MANAGER = "service_manager"
    IG_LEAD = "ig_lead"
    ANALYST = "analyst"


class PartyKeys(Frozen):
    """The public keys of an organisation or service."""

    format: Literal["party-keys/v1"] = "party-keys/v1"
    party: Slug
    name: Annotated[str, Field(min_length=1, max_length=100)]
    signing: SigningPublic
    witness: SigningPublic
    sealing: SealingPublic

    @property
    def thumbprint(self) -> str:
        """The name of these keys."""
        return hash_of(self)


class PersonKeys(Frozen):
    """The public keys of a member of staff in one role."""

    format: Literal["person-keys/v1"] = "person-keys/v1"
    person: Hex128
    party: Slug
    role: Role
    signing: SigningPublic
    sealing: SealingPublic
    created: Time

    @property
    def thumbprint(self) -> str:
        """The name of these keys."""
        return hash_of(self)


Keys = TypeVar("Keys", PartyKeys, PersonKeys)


class PersonEnrolment(Frozen):
    """An IG lead's (or, for the first IG lead, the party's own) word for a person's keys."""

    format: Literal["person-enrolment/v1"] = "person-enrolment/v1"
    keys: Hash
    role: Role
    party: Slug
    created: Time


def publish_party_keys(keys: PartyKeys, signing: SigningKey) -> Envelope:
    """The document signed by its own key, as proof that the party holds it."""
    return sign(PARTY_KEYS, keys, signing, keys.thumbprint)


def read_party_keys(envelope: Envelope) -> PartyKeys:
    """Open a self-signed key document.

    Raises:
        FormatError: not a party's keys.
        SignatureError: not signed by the key inside.
    """
    return _self_signed(envelope, PARTY_KEYS, PartyKeys)


def publish_person_keys(keys: PersonKeys, signing: SigningKey) -> Envelope:
    """The document signed by its own key, as proof that the person holds it."""
    return sign(PERSON_KEYS, keys, signing, keys.thumbprint)


def read_person_keys(envelope: Envelope) -> PersonKeys:
    """Open a self-signed key document.

    Raises:
        FormatError: not a person's keys.
        SignatureError: not signed by the key inside.
    """
    return _self_signed(envelope, PERSON_KEYS, PersonKeys)


def _self_signed(envelope: Envelope, kind: str, model: type[Keys]) -> Keys:
    keys = parse_canonical(envelope.payload_bytes, model)

    def own_key(thumbprint: str) -> bytes:
        if thumbprint != keys.thumbprint:
            raise SignatureError("a key document is signed by its own key and no other")
        return unb64(keys.signing)

    return open_envelope(envelope, kind, model, own_key)[0]
