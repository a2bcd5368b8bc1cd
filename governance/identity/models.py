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
from governance.errors import FormatError, SignatureError
from governance.identity.envelope import Envelope, open_envelope, parse_canonical, sign
from governance.identity.keys import (
    SEALING_PUBLIC_BYTES,
    SIGNING_PUBLIC_BYTES,
    SigningKey,
    is_weak,
)
from governance.identity.passkeys import Assertion, Passkey

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
    """The public keys of a member of staff in one role, on one device.

    ``signing`` signs HTTP requests. Documents are signed by ``passkey`` where there is one, and
    else by ``signing``, for agreements that accept key files.
    """

    format: Literal["person-keys/v1"] = "person-keys/v1"
    person: Hex128
    party: Slug
    role: Role
    signing: SigningPublic
    sealing: SealingPublic
    created: Time
    passkey: Passkey | None = None

    @property
    def thumbprint(self) -> str:
        """The name of these keys."""
        return hash_of(self)

    @property
    def public_keys(self) -> frozenset[str]:
        """Every public key in the document; each is of one person and no other."""
        passkey = () if self.passkey is None else (self.passkey.public_key,)
        return frozenset((self.signing, self.sealing, *passkey))


Keys = TypeVar("Keys", PartyKeys, PersonKeys)


class PersonEnrolment(Frozen):
    """An IG lead's (or, for the first IG lead, the party's own) word for a person's keys.

    Of other parties' IG leads, for a lead of a party that has none left (ADR 36).

    Attributes:
        in_place_of: keys of the lead whom that party lost last, where other parties vouch, so that
            their word is about this loss and no later one; else nothing.
    """

    format: Literal["person-enrolment/v1"] = "person-enrolment/v1"
    keys: Hash
    role: Role
    party: Slug
    created: Time
    in_place_of: Hash | None = Field(default=None, exclude_if=lambda value: value is None)


def require_plain_name(keys: PartyKeys) -> None:
    """Check that a party's name is what it looks like, before a ledger has it.

    Replay takes whatever the operator once admitted.

    Raises:
        FormatError: it has characters that do not show, or turn the text beside them around.
    """
    if not keys.name.isprintable():
        raise FormatError(
            f"the name of {keys.party} has characters that do not show",
            next_step="its keys are made anew, with a name of letters, digits, spaces and marks",
        )


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


def publish_person_keys(
    keys: PersonKeys, signing: SigningKey, assertion: Assertion | None = None
) -> Envelope:
    """The document signed by its own keys, as proof that the person holds them.

    Args:
        keys: the document.
        signing: its Ed25519 key.
        assertion: by its passkey over the document, where it has one.
    """
    envelope = sign(PERSON_KEYS, keys, signing, keys.thumbprint)
    if assertion is None:
        return envelope
    return envelope.model_copy(update={"signatures": (*envelope.signatures, assertion)})


def read_person_keys(envelope: Envelope) -> PersonKeys:
    """Open a self-signed key document.

    Raises:
        FormatError: not a person's keys.
        SignatureError: not signed by the key inside, and by the passkey inside if it has one.
    """
    keys = _self_signed(envelope, PERSON_KEYS, PersonKeys)
    schemes = [signature.scheme for signature in envelope.signatures]
    if schemes != (["ed25519"] if keys.passkey is None else ["ed25519", "webauthn"]):
        raise SignatureError("a key document is signed by each of its own keys")
    return keys


def _self_signed(envelope: Envelope, kind: str, model: type[Keys]) -> Keys:
    keys = parse_canonical(envelope.payload_bytes, model)

    def own(thumbprint: str) -> Keys:
        if thumbprint != keys.thumbprint:
            raise SignatureError("a key document is signed by its own key and no other")
        return keys

    return open_envelope(
        envelope,
        kind,
        model,
        lambda thumbprint: unb64(own(thumbprint).signing),
        lambda thumbprint: passkey_of(own(thumbprint)),
    )[0]


def passkey_of(keys: PartyKeys | PersonKeys) -> Passkey:
    """The passkey of a person's keys.

    Raises:
        SignatureError: these keys have none.
    """
    passkey = keys.passkey if isinstance(keys, PersonKeys) else None
    if passkey is None:
        raise SignatureError("signed by a passkey where these keys have none")
    return passkey
