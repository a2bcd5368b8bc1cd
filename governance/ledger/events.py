"""Leaves and payloads of the ledger.

A leaf is public to every party and lasts for ever; it holds a type, random ids, a time and
hashes, never a value about a person. The payload lies beside it. That of a consent record may be
erased with its salt: the leaf commits to ``SHA-256(salt || payload)`` and every proof still
verifies. What changes or erases a record names it in ``refs``, in clear, so that it stands all the
same.

Leaves are signed by parties, for one ledger: the signature covers the log's name. What a member of
staff signs (a request, an approval) is an envelope inside the payload.

Signed format ``v`` 1: fields are never reordered, renamed or removed.
"""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field

from governance.canonical import (
    Base64,
    Frozen,
    Hash,
    Hex128,
    Time,
    b64,
    canonical_bytes,
    parse_json,
    sha256,
    unb64,
    write_time,
)
from governance.errors import FormatError
from governance.identity.envelope import (
    KeyLookup,
    Signature,
    parse_canonical,
    sign_bytes,
    verify_signature,
)
from governance.identity.keys import Signer

LEAF: Final = "ledger-leaf/v1"
LEAF_MAX_BYTES: Final = 2_048
PAYLOAD_MAX_BYTES: Final = 1024 * 1024
SALT_BYTES: Final = 32
REFS_MOST: Final = 8
"""Further entries that a leaf names."""


class EventType(StrEnum):
    """Everything that the ledger records."""

    GENESIS = "ledger.genesis"
    PARTY_ADMITTED = "party.admitted"
    PERSON_ENROLLED = "person.enrolled"
    PERSON_REVOKED = "person.revoked"
    AGREEMENT_PROPOSED = "agreement.proposed"
    AGREEMENT_SIGNED = "agreement.signed"
    AGREEMENT_SUSPENDED = "agreement.suspended"
    AGREEMENT_RESUMED = "agreement.resumed"
    REGISTER_WANTED = "register.wanted"
    REGISTER_MOVED = "register.moved"
    REGISTER_OVERRIDDEN = "register.overridden"
    SUBMISSION_ACCEPTED = "submission.accepted"
    SUBMISSION_REFUSED = "submission.refused"
    LINK_RUN_FINISHED = "link_run.finished"
    REFINEMENT_OPENED = "refinement.opened"
    REFINEMENT_ANSWERED = "refinement.answered"
    SENTINELS_OPENED = "sentinels.opened"
    REVIEW_RULED = "review.ruled"
    RETENTION_PURGED = "retention.purged"
    EPSILON_SPENT = "epsilon.spent"
    CONSENT_RECORDED = "consent.recorded"
    CONSENT_REAFFIRMED = "consent.reaffirmed"
    CONSENT_WITHDRAWN = "consent.withdrawn"
    CONSENT_INVALIDATED = "consent.invalidated"
    CONSENT_TERMINATED = "consent.terminated"
    CONSENT_ERASED = "consent.erased"
    RELEASE_REQUESTED = "release.requested"
    RELEASE_APPROVED = "release.approved"
    RELEASE_DECLINED = "release.declined"
    RELEASE_SEALED = "release.sealed"
    RELEASE_REFUSED = "release.refused"
    RELEASE_OUTCOME = "release.outcome"
    RIGHTS_OPENED = "rights.opened"
    RIGHTS_EXTENDED = "rights.extended"
    RIGHTS_CARRIED_OUT = "rights.carried_out"
    RIGHTS_CONFIRMED = "rights.confirmed"
    RIGHTS_CLOSED = "rights.closed"
    RIGHTS_LIFTED = "rights.lifted"
    REFUSED = "refused"


class LeafBody(Frozen):
    """What the author signs."""

    v: Literal[1] = 1
    type: EventType
    id: Hex128
    time: Time
    author: Hash
    refs: Annotated[tuple[Hex128, ...], Field(max_length=REFS_MOST)]
    payload_sha256: Hash


class Leaf(LeafBody):
    """A leaf: its canonical bytes are what the tree hashes."""

    signature: Base64

    @property
    def body_bytes(self) -> bytes:
        """The canonical bytes of the signed part, a ``LeafBody``."""
        return canonical_bytes(self.model_dump(mode="json", exclude={"signature"}))


@dataclass(frozen=True)
class Event:
    """A leaf with its payload and salt, which are None once erased."""

    leaf: Leaf
    salt: bytes | None
    payload: bytes | None

    @cached_property
    def leaf_bytes(self) -> bytes:
        """The bytes that the Merkle tree hashes."""
        return canonical_bytes(self.leaf)

    def payload_data(self) -> dict[str, Any]:
        """The payload as plain data.

        Raises:
            FormatError: it was erased or is not a JSON object.
        """
        if self.payload is None:
            raise FormatError("the payload of this event was erased")
        data = parse_json(self.payload)
        if not isinstance(data, dict):
            raise FormatError("a payload is a JSON object")
        return data


class WireEvent(Frozen):
    """An event as it travels and as ``POST /v1/events`` takes it; all three in base64."""

    leaf: Annotated[Base64, Field(max_length=2 * LEAF_MAX_BYTES)]
    salt: Base64 | None
    payload: Annotated[Base64, Field(max_length=2 * PAYLOAD_MAX_BYTES)] | None

    @classmethod
    def of(cls, event: Event) -> "WireEvent":
        """The form that travels."""
        return cls(
            leaf=b64(event.leaf_bytes),
            salt=None if event.salt is None else b64(event.salt),
            payload=None if event.payload is None else b64(event.payload),
        )

    def event(self) -> Event:
        """Parse and check sizes and the payload's commitment.

        Raises:
            FormatError: not a leaf, too large, or the payload is not the one committed to.
        """
        salt = None if self.salt is None else unb64(self.salt)
        payload = None if self.payload is None else unb64(self.payload)
        return read_event(unb64(self.leaf), salt, payload)


def read_event(leaf_bytes: bytes, salt: bytes | None, payload: bytes | None) -> Event:
    """Parse a leaf and check that salt and payload are what it commits to.

    Raises:
        FormatError: not a leaf, too large, or the payload is not the one committed to.
    """
    if len(leaf_bytes) > LEAF_MAX_BYTES:
        raise FormatError(f"a leaf has at most {LEAF_MAX_BYTES} bytes")
    leaf = parse_canonical(leaf_bytes, Leaf)
    if (salt is None) != (payload is None):
        raise FormatError("salt and payload are kept and erased together")
    if salt is not None and payload is not None:
        if len(salt) != SALT_BYTES:
            raise FormatError(f"a salt has {SALT_BYTES} bytes")
        if len(payload) > PAYLOAD_MAX_BYTES:
            raise FormatError(f"a payload has at most {PAYLOAD_MAX_BYTES} bytes")
        if sha256(salt + payload) != leaf.payload_sha256:
            raise FormatError("the payload is not the one that the leaf commits to")
    event = Event(leaf, salt, payload)
    vars(event)["leaf_bytes"] = leaf_bytes  # parse_canonical has just compared them
    return event


def signed_type(origin: str) -> str:
    """What a leaf is signed as: an event counts in the ledger it was written for and in no other.

    Persisted in signatures: never changed.
    """
    return f"{LEAF};origin={origin}"


def verify_author(leaf: Leaf, origin: str, keys: KeyLookup) -> None:
    """Check the author's signature.

    Raises:
        SignatureError: the author is unknown or did not sign this leaf for this ledger.
    """
    signature = Signature(key=leaf.author, value=leaf.signature)
    verify_signature(signed_type(origin), leaf.body_bytes, signature, keys)


@dataclass(frozen=True)
class Author:
    """A party that writes events: its keys' thumbprint, a signer, a clock, and the log's name."""

    thumbprint: str
    key: Signer
    now: Callable[[], datetime]
    origin: str

    def write(
        self,
        kind: EventType,
        payload: BaseModel,
        refs: tuple[str, ...] = (),
        id_: str | None = None,
    ) -> Event:
        """A signed event with a fresh salt and, unless one is given, a fresh id."""
        salt = secrets.token_bytes(SALT_BYTES)
        data = canonical_bytes(payload)
        body = LeafBody(
            type=kind,
            id=id_ or secrets.token_hex(16),
            time=write_time(self.now()),
            author=self.thumbprint,
            refs=refs,
            payload_sha256="sha256:" + hashlib.sha256(salt + data).hexdigest(),
        )
        signature = sign_bytes(
            signed_type(self.origin), canonical_bytes(body), self.key, self.thumbprint
        )
        leaf = Leaf(**body.model_dump(), signature=signature.value)
        return Event(leaf, salt, data)
