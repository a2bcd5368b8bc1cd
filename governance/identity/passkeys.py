"""Passkeys: WebAuthn assertions over a document's exact bytes (W3C Web Authentication, level 3).

Rules, in order: a passkey's public key is ES256 on P-256, EdDSA on Ed25519 or RS256, in the one
spelling that CTAP2's canonical CBOR has for it, so that no parser meets bytes of another shape; the
client data is JSON without a key twice, of the type ``webauthn.get``, over exactly the expected
challenge, at exactly the enrolled origin, and neither cross-origin nor inside another site; the
authenticator data is 37 bytes, says that somebody was present and was verified, and says of backups
what the enrolment says; then the ``webauthn`` package verifies the relying party's hash and the
signature, whose algorithm is the enrolled key's and nobody's choice.

Attestation is neither asked for nor kept: an IG lead vouches for the person and the device.

Signed format (inside ``person-keys/v1``) and persisted format (an ``Assertion``): fields are never
reordered, renamed or removed.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, StringConstraints, model_validator
from webauthn import verify_authentication_response
from webauthn.helpers import (
    bytes_to_base64url,
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
)
from webauthn.helpers.structs import AuthenticationCredential, AuthenticatorAssertionResponse

from governance.canonical import Base64, Frozen, Hash, parse_json, unb64
from governance.errors import FormatError, SignatureError
from governance.identity.keys import VERIFIED, is_weak

CREDENTIAL_MAX_BYTES: Final = 1_023  # WebAuthn 4, credential ID
CLIENT_DATA_MAX_BYTES: Final = 2_048
AUTHENTICATOR_DATA_BYTES: Final = 37  # RP id hash, flags, counter; neither credential nor extension
SIGNATURE_MAX_BYTES: Final = 512  # RS256 with a modulus of 4,096 bits

_PRESENT, _VERIFIED, _BACKUP_ELIGIBLE, _BACKED_UP = 0x01, 0x04, 0x08, 0x10  # WebAuthn 6.1

# COSE keys (RFC 9053) as CTAP2's canonical CBOR writes them: kty, alg, then the key itself.
_ES256: Final = re.compile(
    rb"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20.{32}\x22\x58\x20.{32}", re.DOTALL
)
_EDDSA: Final = re.compile(rb"\xa4\x01\x01\x03\x27\x20\x06\x21\x58\x20(.{32})", re.DOTALL)
_RS256: Final = re.compile(
    rb"\xa4\x01\x03\x03\x39\x01\x00\x20\x59"
    rb"(?:\x01\x00[\x80-\xff].{255}|\x01\x80[\x80-\xff].{383}|\x02\x00[\x80-\xff].{511})"
    rb"\x21\x43\x01\x00\x01",
    re.DOTALL,
)


class CounterNotRisen(SignatureError):
    """An authenticator has counted no further since it last signed: there may be a copy of it."""

    reason = "signature.counter"


def _sized(least: int, most: int) -> AfterValidator:
    def check(text: str) -> str:
        if not least <= len(unb64(text)) <= most:
            raise ValueError(f"expected {least} to {most} bytes")
        return text

    return AfterValidator(check)


def _cose_key(text: str) -> str:
    data = unb64(text)
    edwards = _EDDSA.fullmatch(data)
    if not (edwards or _ES256.fullmatch(data) or _RS256.fullmatch(data)):
        raise ValueError("expected a COSE key for ES256, EdDSA or RS256 in canonical CBOR")
    if edwards and is_weak(edwards[1]):
        raise ValueError("not a public key that anybody holds: a point of small order")
    try:
        decoded_public_key_to_cryptography(decode_credential_public_key(data))
    except ValueError:
        raise ValueError("not a public key: no point of its curve, or no modulus") from None
    return text


CoseKey = Annotated[Base64, AfterValidator(_cose_key)]
_DOMAIN: Final = r"(?:localhost|(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9])"


class Passkey(Frozen):
    """A WebAuthn credential of one person, at one site."""

    credential: Annotated[Base64, _sized(1, CREDENTIAL_MAX_BYTES)]
    public_key: CoseKey
    relying_party: Annotated[str, StringConstraints(pattern=rf"^{_DOMAIN}$", max_length=253)]
    origin: Annotated[
        str,
        StringConstraints(
            pattern=rf"^(?:https://{_DOMAIN}|http://localhost)(?::[1-9][0-9]{{0,4}})?$",
            max_length=300,
        ),
    ]
    """The one page address that may ask for signatures: the person's own party's console."""
    backup_eligible: bool
    """Whether it may be copied to the person's other devices (a synced passkey)."""

    @model_validator(mode="after")
    def _same_site(self) -> Self:
        host = self.origin.split("://")[1].split(":")[0]
        if host != self.relying_party and not host.endswith(f".{self.relying_party}"):
            raise ValueError("the origin is not of the relying party")
        return self


class Assertion(Frozen):
    """A signature by the passkey in the keys whose thumbprint is ``key``."""

    scheme: Literal["webauthn"] = "webauthn"
    key: Hash
    client_data: Annotated[Base64, _sized(1, CLIENT_DATA_MAX_BYTES)]  # the exact bytes
    authenticator_data: Annotated[
        Base64, _sized(AUTHENTICATOR_DATA_BYTES, AUTHENTICATOR_DATA_BYTES)
    ]
    value: Annotated[Base64, _sized(1, SIGNATURE_MAX_BYTES)]

    @property
    def counter(self) -> int:
        """How often the authenticator says it has signed; always 0 where it does not count."""
        return int.from_bytes(unb64(self.authenticator_data)[33:], "big")


PasskeyLookup = Callable[[str], Passkey]
"""From a thumbprint to that person's passkey; raises SignatureError when there is none."""


def verify_assertion(passkey: Passkey, assertion: Assertion, challenge: bytes) -> None:
    """Check an assertion by an enrolled passkey, without any network.

    Args:
        passkey: as enrolled.
        assertion: as the browser returned it.
        challenge: 32 bytes, made from the document.

    Raises:
        SignatureError: it does not verify; says what was expected.
    """
    client_data = unb64(assertion.client_data)
    authenticator_data = unb64(assertion.authenticator_data)
    _check_client_data(client_data, passkey.origin, bytes_to_base64url(challenge))
    _check_flags(authenticator_data[32], passkey)
    try:
        _remembered(passkey, assertion, challenge)
    except Exception:  # noqa: BLE001 - several kinds, whose words may hold values; all mean the same
        raise SignatureError("the passkey's signature does not verify") from None


def _verify(passkey: Passkey, assertion: Assertion, challenge: bytes) -> None:
    credential = unb64(passkey.credential)
    response = AuthenticatorAssertionResponse(
        client_data_json=unb64(assertion.client_data),
        authenticator_data=unb64(assertion.authenticator_data),
        signature=unb64(assertion.value),
    )
    verify_authentication_response(
        credential=AuthenticationCredential(
            id=bytes_to_base64url(credential), raw_id=credential, response=response
        ),
        expected_challenge=challenge,
        expected_rp_id=passkey.relying_party,
        expected_origin=passkey.origin,
        credential_public_key=unb64(passkey.public_key),
        credential_current_sign_count=0,  # the ledger's replay compares counters
        require_user_verification=True,
    )


_remembered: Final = lru_cache(maxsize=VERIFIED)(_verify)


def _check_client_data(data: bytes, origin: str, challenge: str) -> None:
    """Hold exactly what the package takes loosely; other keys may stand beside (WebAuthn 5.8.1)."""
    try:
        said: Any = parse_json(data)
    except FormatError:
        raise SignatureError("the passkey's client data are not JSON") from None
    if not isinstance(said, dict) or said.get("type") != "webauthn.get":
        raise SignatureError("expected a passkey's signature of the type webauthn.get")
    if said.get("challenge") != challenge:
        raise SignatureError("the passkey signed another document")
    if said.get("origin") != origin:
        raise SignatureError("the passkey signed at another address than the enrolled one")
    if said.get("crossOrigin", False) is not False or "topOrigin" in said:
        raise SignatureError("the passkey signed inside a page of another site")


def _check_flags(flags: int, passkey: Passkey) -> None:
    expected = _PRESENT | _VERIFIED
    if flags & expected != expected:
        raise SignatureError(
            "the passkey's owner was not verified",
            next_step="sign again and confirm with PIN, fingerprint or face",
        )
    allowed = {expected}
    if passkey.backup_eligible:
        allowed = {expected | _BACKUP_ELIGIBLE, expected | _BACKUP_ELIGIBLE | _BACKED_UP}
    if flags not in allowed:  # WebAuthn 7.2 step 18; credential and extension data are not taken
        raise SignatureError("the passkey is not of the kind that was enrolled")
