"""Ed25519 signing keys and HPKE sealing keys.

Sealing is HPKE (RFC 9180) with the hybrid KEM MLKEM768-X25519, HKDF-SHA256 and AES-256-GCM. A
sealing private key is kept as the 32-byte seed of X-Wing (draft-connolly-cfrg-xwing-kem), from
which both halves are expanded; its public key is the ML-KEM part followed by the X25519 part.
"""

import hashlib
import secrets
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from governance.errors import FormatError, GovernanceError, SignatureError

SEED_BYTES: Final = 32
SIGNING_PUBLIC_BYTES: Final = 32
SEALING_PUBLIC_BYTES: Final = 1184 + 32  # ML-KEM-768, then X25519

_SUITE: Final = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class UnsealError(GovernanceError):
    """A ciphertext does not open with this key and context."""

    reason = "seal.does_not_open"
    exit_code = 77  # EX_NOPERM


class Signer(Protocol):
    """Whatever can sign: a key in memory, a token, a security module."""

    def sign(self, message: bytes) -> bytes:
        """An Ed25519 signature, 64 bytes (RFC 8032)."""


@dataclass(frozen=True)
class SigningKey:
    """An Ed25519 private key; its text form never shows the secret."""

    seed: bytes

    @classmethod
    def generate(cls) -> "SigningKey":
        """A new random key."""
        return cls(secrets.token_bytes(SEED_BYTES))

    def __post_init__(self) -> None:
        if len(self.seed) != SEED_BYTES:
            raise FormatError(f"a signing key is {SEED_BYTES} bytes")

    def __repr__(self) -> str:
        return "SigningKey(...)"

    @property
    def public(self) -> bytes:
        """The public key, 32 bytes."""
        return Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """An Ed25519 signature, 64 bytes (RFC 8032)."""
        return Ed25519PrivateKey.from_private_bytes(self.seed).sign(message)


# Points of order 1, 2, 4 and 8, each in every encoding that decoders take, the sign bit cleared.
# One signature under such a key verifies for many messages, and nobody holds a secret for it.
_FIELD: Final = 2**255 - 19
_ORDER_8: Final = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_WEAK: Final = frozenset(
    y.to_bytes(32, "little")
    for y in (0, 1, _FIELD - 1, _FIELD, _FIELD + 1, _ORDER_8, _FIELD - _ORDER_8)
)


def is_weak(public: bytes) -> bool:
    """Whether an Ed25519 public key is a point of small order."""
    return public[:31] + bytes([public[31] & 0x7F]) in _WEAK


def verify_ed25519(public: bytes, signature: bytes, message: bytes) -> None:
    """Check an Ed25519 signature (RFC 8032).

    Raises:
        SignatureError: it does not verify.
    """
    try:
        _remembered(public, signature, message)
    except (InvalidSignature, ValueError):
        raise SignatureError("the signature does not verify") from None


# Ledger and agents meet a document again within moments: admitted, then replayed; verified, then
# looked at once more before anything leaves. Only what has verified is remembered.
VERIFIED: Final = 256  # documents


def _verify(public: bytes, signature: bytes, message: bytes) -> None:
    _public_key(public).verify(signature, message)


_remembered: Final = lru_cache(maxsize=VERIFIED)(_verify)


@lru_cache(maxsize=1024)  # a log of a million leaves has few authors
def _public_key(public: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public)


@dataclass(frozen=True)
class SealingKey:
    """An HPKE private key that opens what was sealed to its public key."""

    seed: bytes

    @classmethod
    def generate(cls) -> "SealingKey":
        """A new random key."""
        return cls(secrets.token_bytes(SEED_BYTES))

    def __post_init__(self) -> None:
        if len(self.seed) != SEED_BYTES:
            raise FormatError(f"a sealing key is {SEED_BYTES} bytes")

    def __repr__(self) -> str:
        return "SealingKey(...)"

    def _halves(self) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
        expanded = hashlib.shake_256(self.seed).digest(96)  # X-Wing expandDecapsulationKey
        return (
            MLKEM768PrivateKey.from_seed_bytes(expanded[:64]),
            X25519PrivateKey.from_private_bytes(expanded[64:]),
        )

    @property
    def public(self) -> bytes:
        """The public key, 1,216 bytes."""
        mlkem, x25519 = self._halves()
        return mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()

    def unseal(self, ciphertext: bytes, info: bytes) -> bytes:
        """Open a ciphertext made by :func:`seal` with the same ``info``.

        Raises:
            UnsealError: another key, another context, or altered bytes.
        """
        try:
            return bytes(
                _SUITE.decrypt(ciphertext, MLKEM768X25519PrivateKey(*self._halves()), info)
            )
        except Exception:  # noqa: BLE001 - the library raises several kinds; all mean the same here
            raise UnsealError(
                "the sealed items do not open with this key",
                next_step="check that you are using the key that the request named",
            ) from None


def seal(plaintext: bytes, public: bytes, info: bytes) -> bytes:
    """HPKE single-shot encryption to a public key of 1,216 bytes; ``info`` binds the context.

    Raises:
        FormatError: the public key is not one.
    """
    if len(public) != SEALING_PUBLIC_BYTES:
        raise FormatError(f"a sealing public key is {SEALING_PUBLIC_BYTES} bytes")
    try:
        key = MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(public[:1184]),
            X25519PublicKey.from_public_bytes(public[1184:]),
        )
    except ValueError:
        raise FormatError("not a sealing public key") from None
    return bytes(_SUITE.encrypt(plaintext, key, info))
