"""What ``assets/scripts/lib/wrapping.js`` does, in Python: tests open what a browser wrapped."""

import hashlib
import unicodedata

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from governance.canonical import b64, canonical_bytes, unb64
from governance.identity.keys import SealingKey
from governance.identity.wrapped import WrappedKey


def stretched(passphrase: str, salt: bytes, iterations: int) -> bytes:
    """PBKDF2-HMAC-SHA-256 of a passphrase, 32 bytes."""
    typed = unicodedata.normalize("NFKC", passphrase).encode()
    return hashlib.pbkdf2_hmac("sha256", typed, salt, iterations)


def _cipher(wrapped: WrappedKey, secret: bytes) -> tuple[AESGCM, bytes]:
    about = canonical_bytes(wrapped.model_dump(exclude={"nonce", "ciphertext"}))
    return AESGCM(HKDF(SHA256(), 32, salt=None, info=about).derive(secret)), about


def unwrap(wrapped: WrappedKey, secret: bytes) -> SealingKey:
    """The key that a PRF output, or a stretched passphrase, opens."""
    cipher, about = _cipher(wrapped, secret)
    return SealingKey(cipher.decrypt(unb64(wrapped.nonce), unb64(wrapped.ciphertext), about))


def wrap(key: SealingKey, secret: bytes, *, salt: bytes, iterations: int = 0) -> WrappedKey:
    """A key wrapped by a PRF output, or by a stretched passphrase where there are iterations."""
    wrapped = WrappedKey(
        public=b64(key.public),
        by="passphrase" if iterations else "passkey",
        iterations=iterations,
        salt=b64(salt),
        nonce=b64(bytes(12)),
        ciphertext=b64(bytes(48)),
    )
    cipher, about = _cipher(wrapped, secret)
    sealed = cipher.encrypt(bytes(12), key.seed, about)
    return wrapped.model_copy(update={"ciphertext": b64(sealed)})
