"""A person's sealing key as it is stored: wrapped in the browser that made it, opened only there.

Whoever stores it cannot open it. The key is AES-256-GCM's, from HKDF-SHA-256 over the PRF output of
the person's signing passkey for ``salt`` (WebAuthn, 10.1.4), or over PBKDF2-HMAC-SHA-256 of a
passphrase with ``salt``. HKDF's info and the additional data are the canonical bytes of all fields
but ``nonce`` and ``ciphertext``. Made and opened by ``assets/scripts/lib/wrapping.js``; whoever
loses passkey or passphrase enrols anew.

Persisted format ``wrapped-sealing-key/v1``: fields are never reordered, renamed or removed.
"""

from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from governance.canonical import Base64, Frozen, unb64
from governance.identity.models import SealingPublic

ITERATIONS_LEAST: Final = 600_000  # OWASP Password Storage Cheat Sheet, PBKDF2-HMAC-SHA256
ITERATIONS_MOST: Final = 10_000_000  # seconds of an office computer, not minutes
SALT_BYTES: Final = 32
NONCE_BYTES: Final = 12  # AES-GCM
CIPHERTEXT_BYTES: Final = 32 + 16  # the seed and AES-GCM's tag


def _of(size: int) -> AfterValidator:
    def check(text: str) -> str:
        if len(unb64(text)) != size:
            raise ValueError(f"expected {size} bytes")
        return text

    return AfterValidator(check)


class WrappedKey(Frozen):
    """A wrapped sealing key; ``iterations`` is PBKDF2's count, 0 where a passkey wraps."""

    format: Literal["wrapped-sealing-key/v1"] = "wrapped-sealing-key/v1"
    public: SealingPublic
    by: Literal["passkey", "passphrase"]
    iterations: Annotated[int, Field(ge=0, le=ITERATIONS_MOST)]
    salt: Annotated[Base64, _of(SALT_BYTES)]
    nonce: Annotated[Base64, _of(NONCE_BYTES)]
    ciphertext: Annotated[Base64, _of(CIPHERTEXT_BYTES)]

    @model_validator(mode="after")
    def _costly(self) -> Self:
        if self.by == "passphrase" and self.iterations < ITERATIONS_LEAST:
            raise ValueError(f"a passphrase takes {ITERATIONS_LEAST} iterations or more")
        if self.by == "passkey" and self.iterations:
            raise ValueError("a passkey's output is not stretched")
        return self
