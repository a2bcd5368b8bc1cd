"""An authenticator in software: what a browser and a security key would make, byte for byte.

It is also the dishonest one: every part of an assertion can be changed before it is signed.
"""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from governance.canonical import b64, unb64
from governance.identity.envelope import Envelope, challenge_of
from governance.identity.passkeys import Assertion, Passkey

PRESENT, VERIFIED, ELIGIBLE, BACKED_UP, ATTESTED, EXTENDED = 1, 4, 8, 16, 64, 128
SITE: Final = "console.council.example.org"

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


def new_key(algorithm: str) -> PrivateKey:
    """A private key for ES256, EdDSA or RS256."""
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(65537, 2048)


def cose_key(key: PrivateKey) -> bytes:
    """The COSE key of a private key's public half, in canonical CBOR."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return b"\xa4\x01\x01\x03\x27\x20\x06\x21\x58\x20" + key.public_key().public_bytes_raw()
    if isinstance(key, rsa.RSAPrivateKey):
        modulus = key.public_key().public_numbers().n.to_bytes(256, "big")
        return b"\xa4\x01\x03\x03\x39\x01\x00\x20\x59\x01\x00" + modulus + b"\x21\x43\x01\x00\x01"
    point = key.public_key().public_numbers()
    x, y = point.x.to_bytes(32, "big"), point.y.to_bytes(32, "big")
    return b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20" + x + b"\x22\x58\x20" + y


def raw_signature(key: PrivateKey, data: bytes) -> bytes:
    """A signature as the key's algorithm makes it."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(data, ec.ECDSA(SHA256(), deterministic_signing=True))
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(data)
    return key.sign(data, PKCS1v15(), SHA256())


def base64url(data: bytes) -> str:
    """Base64 for URLs, without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _two(number: int) -> bytes:
    return number.to_bytes(2, "big")


@dataclass
class SoftAuthenticator:
    """One credential at one site; ``flags`` and ``counter`` are what it says of itself."""

    algorithm: str = "ES256"
    site: str = SITE
    origin: str = f"https://{SITE}"
    flags: int = PRESENT | VERIFIED
    counter: int = 0
    counts: bool = False
    credential: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: PrivateKey = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        self.key = self.key or new_key(self.algorithm)

    @property
    def passkey(self) -> Passkey:
        """The public side, as it is enrolled."""
        return Passkey(
            credential=b64(self.credential),
            public_key=b64(cose_key(self.key)),
            relying_party=self.site,
            origin=self.origin,
            backup_eligible=bool(self.flags & ELIGIBLE),
        )

    def client_data(self, challenge: bytes, /, **changes: Any) -> bytes:
        """What a browser would write; a change to None leaves a key out."""
        said = {
            "type": '"webauthn.get"',
            "challenge": f'"{base64url(challenge)}"',
            "origin": f'"{self.origin}"',
            "crossOrigin": "false",
        } | changes
        body = ",".join(f'"{key}":{value}' for key, value in said.items() if value is not None)
        return f"{{{body}}}".encode()

    def assertion(
        self,
        thumbprint: str,
        challenge: bytes,
        *,
        client_data: bytes | None = None,
        authenticator_data: bytes | None = None,
    ) -> Assertion:
        """Sign a challenge in the name of keys, over other data than an honest one where given."""
        self.counter += self.counts
        client_data = client_data or self.client_data(challenge)
        if authenticator_data is None:
            site = hashlib.sha256(self.site.encode()).digest()
            authenticator_data = site + bytes([self.flags]) + self.counter.to_bytes(4, "big")
        signed = authenticator_data + hashlib.sha256(client_data).digest()
        return Assertion(
            key=thumbprint,
            client_data=b64(client_data),
            authenticator_data=b64(authenticator_data),
            value=b64(raw_signature(self.key, signed)),
        )

    def registration(self, challenge: bytes, /, **changes: Any) -> dict[str, Any]:
        """A browser's answer to ``navigator.credentials.create()``, without attestation."""
        key = cose_key(self.key)
        data = hashlib.sha256(self.site.encode()).digest() + bytes([self.flags | ATTESTED])
        data += bytes(4 + 16) + len(self.credential).to_bytes(2, "big") + self.credential + key
        size = b"\x58" + bytes([len(data)]) if len(data) < 256 else b"\x59" + _two(len(data))
        client_data = self.client_data(challenge, **{"type": '"webauthn.create"'} | changes)
        attestation = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData" + size + data
        return {
            "id": base64url(self.credential),
            "rawId": base64url(self.credential),
            "type": "public-key",
            "response": {
                "clientDataJSON": base64url(client_data),
                "attestationObject": base64url(attestation),
            },
        }

    def answer(self, challenge: bytes) -> dict[str, Any]:
        """A browser's answer to ``navigator.credentials.get()``."""
        made = self.assertion("sha256:" + "0" * 64, challenge)
        return {
            "id": base64url(self.credential),
            "rawId": base64url(self.credential),
            "type": "public-key",
            "response": {
                "clientDataJSON": base64url(unb64(made.client_data)),
                "authenticatorData": base64url(unb64(made.authenticator_data)),
                "signature": base64url(unb64(made.value)),
            },
        }

    def sign(self, kind: str, payload: bytes, thumbprint: str) -> Envelope:
        """An envelope with this passkey's signature alone."""
        assertion = self.assertion(thumbprint, challenge_of(kind, payload))
        return Envelope(payload_type=kind, payload=b64(payload), signatures=(assertion,))
