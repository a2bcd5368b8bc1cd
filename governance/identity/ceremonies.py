"""What a page asks a browser for, and what the browser answers: a new passkey, a signature.

Both sides are the JSON of WebAuthn 5.1 (``parseCreationOptionsFromJSON``, ``toJSON`` and so on).
This runs at the person's own side. What counts for others is verified by them: the key document by
its own passkey and the IG lead's countersignature, each document by :mod:`passkeys`.
"""

import secrets
from typing import Any, Final

from webauthn import verify_registration_response
from webauthn.helpers import bytes_to_base64url, parse_authentication_credential_json
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import CredentialDeviceType

from governance.canonical import b64, unb64
from governance.errors import FormatError, SignatureError
from governance.identity.envelope import parse_model
from governance.identity.passkeys import Assertion, Passkey

_ALGORITHMS: Final = (
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
)

_HANDLE_BYTES: Final = 32  # WebAuthn allows 64


def creation_options(relying_party: str, person: str) -> dict[str, Any]:
    """What a page asks ``navigator.credentials.create()`` for.

    The user handle is new each time: an authenticator keeps one discoverable passkey for each
    handle of a site, and would put keys that wait to be confirmed in the place of those in use.

    Args:
        relying_party: the console's domain.
        person: the person's random id; the authenticator is told no name.
    """
    return {
        "rp": {"id": relying_party, "name": "hearthlink"},
        "user": {
            "id": bytes_to_base64url(secrets.token_bytes(_HANDLE_BYTES)),
            "name": f"signing {person[:8]}",
            "displayName": "",
        },
        "challenge": bytes_to_base64url(secrets.token_bytes(32)),
        "pubKeyCredParams": [{"type": "public-key", "alg": int(kind)} for kind in _ALGORITHMS],
        "authenticatorSelection": {"userVerification": "required"},
        "attestation": "none",
    }


def read_registration(
    response: dict[str, Any], challenge: bytes, relying_party: str, origin: str
) -> Passkey:
    """Verify a browser's answer and take the passkey from it.

    Args:
        response: the browser's answer.
        challenge: of the options.
        relying_party: the console's domain.
        origin: the console's address.

    Raises:
        SignatureError: for another challenge or site, or the owner was not verified.
        FormatError: a key that is not taken.
    """
    try:
        found = verify_registration_response(
            credential=response,
            expected_challenge=challenge,
            expected_rp_id=relying_party,
            expected_origin=origin,
            require_user_verification=True,
        )
    except Exception:  # noqa: BLE001 - several kinds, whose words may hold values; all mean the same
        raise SignatureError("the browser's answer is no new passkey for this page") from None
    return parse_model(
        {
            "credential": b64(found.credential_id),
            "public_key": b64(found.credential_public_key),
            "relying_party": relying_party,
            "origin": origin,
            "backup_eligible": found.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
        },
        Passkey,
    )


def signing_options(passkey: Passkey, challenge: bytes) -> dict[str, Any]:
    """What a page asks ``navigator.credentials.get()`` for.

    Args:
        passkey: the person's own.
        challenge: of the document (``challenge_of``).
    """
    credential = bytes_to_base64url(unb64(passkey.credential))
    return {
        "challenge": bytes_to_base64url(challenge),
        "rpId": passkey.relying_party,
        "allowCredentials": [{"type": "public-key", "id": credential}],
        "userVerification": "required",
    }


def read_assertion(response: dict[str, Any], thumbprint: str) -> Assertion:
    """A browser's answer as a signature in the name of keys; it is not verified here.

    Raises:
        FormatError: not an answer to ``navigator.credentials.get()``.
    """
    try:
        found = parse_authentication_credential_json(response).response
    except Exception:  # noqa: BLE001 - as above
        raise FormatError("not a browser's answer to a request for a signature") from None
    return parse_model(
        {
            "key": thumbprint,
            "client_data": b64(found.client_data_json),
            "authenticator_data": b64(found.authenticator_data),
            "value": b64(found.signature),
        },
        Assertion,
    )
