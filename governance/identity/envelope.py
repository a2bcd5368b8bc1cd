"""Signed documents: DSSE envelopes (https://github.com/secure-systems-lab/dsse, version 1.0).

Rules, in order: the payload type is the one expected; every signature names a key that the caller
knows; each verifies over the exact payload bytes; only then is the payload parsed, and it must be
in canonical form, so that one document has one hash. A passkey signs the SHA-256 of what an Ed25519
key signs, as its challenge, and only documents of which the caller says so.

Signed format: fields are never reordered, renamed or removed.
"""

import hashlib
from collections.abc import Callable
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, Field, ValidationError

from governance.canonical import (
    Base64,
    Frozen,
    Hash,
    b64,
    canonical_bytes,
    parse_json,
    sha256,
    unb64,
)
from governance.errors import FormatError, SignatureError
from governance.identity.keys import Signer, verify_ed25519
from governance.identity.passkeys import Assertion, Passkey, PasskeyLookup, verify_assertion

PAYLOAD_MAX_BYTES = 4 * 1024 * 1024

Model = TypeVar("Model", bound=BaseModel)
KeyLookup = Callable[[str], bytes]
"""From a thumbprint to an Ed25519 public key; raises SignatureError when it is not known."""


class Signature(Frozen):
    """An Ed25519 signature, by the key whose thumbprint is ``key``."""

    scheme: Literal["ed25519"] = "ed25519"
    key: Hash
    value: Base64


class Envelope(Frozen):
    """A DSSE envelope: exact payload bytes with the signatures over them."""

    payload_type: Annotated[str, Field(max_length=100)]
    payload: Base64
    signatures: Annotated[
        tuple[Annotated[Signature | Assertion, Field(discriminator="scheme")], ...],
        Field(min_length=1, max_length=64),
    ]

    @property
    def payload_bytes(self) -> bytes:
        """The exact bytes that were signed."""
        return unb64(self.payload)

    @property
    def payload_hash(self) -> str:
        """``sha256:<hex>`` of the exact payload bytes."""
        return sha256(self.payload_bytes)


def pre_auth_encoding(payload_type: str, payload: bytes) -> bytes:
    """DSSE PAE: what is really signed, so that one type never passes for another."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def challenge_of(payload_type: str, payload: bytes) -> bytes:
    """What a passkey is asked to sign for a document, 32 bytes.

    Persisted in signatures: never changed.
    """
    return hashlib.sha256(pre_auth_encoding(payload_type, payload)).digest()


def sign_bytes(payload_type: str, payload: bytes, key: Signer, thumbprint: str) -> Signature:
    """A detached signature over payload bytes of one type."""
    return Signature(key=thumbprint, value=b64(key.sign(pre_auth_encoding(payload_type, payload))))


def verify_signature(
    payload_type: str, payload: bytes, signature: Signature, keys: KeyLookup
) -> None:
    """Check a detached signature.

    Raises:
        SignatureError: the key is unknown or the signature wrong.
    """
    verify_ed25519(
        keys(signature.key), unb64(signature.value), pre_auth_encoding(payload_type, payload)
    )


def no_passkeys(_thumbprint: str) -> Passkey:
    """The lookup of documents that passkeys do not sign."""
    raise SignatureError("a document of this kind is not signed by a passkey")


def sign(payload_type: str, document: BaseModel, key: Signer, thumbprint: str) -> Envelope:
    """Put a document into an envelope with one signature."""
    payload = canonical_bytes(document)
    return Envelope(
        payload_type=payload_type,
        payload=b64(payload),
        signatures=(sign_bytes(payload_type, payload, key, thumbprint),),
    )


def open_envelope(
    envelope: Envelope,
    payload_type: str,
    model: type[Model],
    keys: KeyLookup,
    passkeys: PasskeyLookup = no_passkeys,
) -> tuple[Model, tuple[str, ...]]:
    """Verify every signature, then parse.

    Args:
        envelope: as it came.
        payload_type: the type that it must have.
        model: what its payload must be.
        keys: Ed25519 keys by thumbprint.
        passkeys: passkeys by the thumbprint of their person's keys; none without it.

    Returns:
        The document, and the thumbprints that signed it.

    Raises:
        FormatError: another type, too long, or not the canonical form of ``model``.
        SignatureError: any signature does not verify or its key is not known.
    """
    if envelope.payload_type != payload_type:
        raise FormatError(f"expected a {payload_type} document")
    payload = envelope.payload_bytes
    if len(payload) > PAYLOAD_MAX_BYTES:
        raise FormatError(f"a signed document has at most {PAYLOAD_MAX_BYTES} bytes")
    for signature in envelope.signatures:
        if isinstance(signature, Assertion):
            challenge = challenge_of(payload_type, payload)
            verify_assertion(passkeys(signature.key), signature, challenge)
        else:
            verify_signature(payload_type, payload, signature, keys)
    if len({(one.scheme, one.key) for one in envelope.signatures}) != len(envelope.signatures):
        raise SignatureError("one key signed twice")
    return parse_canonical(payload, model), tuple(one.key for one in envelope.signatures)


def parse_canonical(payload: bytes, model: type[Model]) -> Model:
    """Parse bytes that must be the canonical form of a model.

    Raises:
        FormatError: not JSON, not the model, or not canonical; names fields, never values.
    """
    document = parse_model(parse_json(payload), model)
    if canonical_bytes(document) != payload:
        raise FormatError(f"not the canonical form of {model.__name__}")
    return document


def parse_model(data: object, model: type[Model]) -> Model:
    """Plain data to a model.

    Raises:
        FormatError: lists the fields that are wrong and what was expected, never the values.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in item['loc']) or model.__name__}: {item['msg']}"
            for item in error.errors(include_url=False, include_input=False, include_context=False)
        )
        raise FormatError(f"not a valid {model.__name__}: {wrong}") from None
