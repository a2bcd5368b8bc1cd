"""What a browser answers becomes a passkey or a signature, or is refused."""

from typing import Any

import pytest

from governance.errors import FormatError, SignatureError
from governance.identity.ceremonies import (
    creation_options,
    read_assertion,
    read_registration,
    signing_options,
)
from governance.identity.passkeys import verify_assertion
from tests.soft_authenticator import (
    BACKED_UP,
    ELIGIBLE,
    PRESENT,
    SITE,
    VERIFIED,
    SoftAuthenticator,
    base64url,
    new_key,
)

CHALLENGE = bytes(range(32))
ME = "sha256:" + "a" * 64
ORIGIN = f"https://{SITE}"


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256"])
@pytest.mark.parametrize("flags", [0, ELIGIBLE, ELIGIBLE | BACKED_UP])
def test_a_new_passkey_is_read_and_signs(algorithm: str, flags: int) -> None:
    """What is registered is what the authenticator holds, and its signature verifies."""
    new = SoftAuthenticator(algorithm, flags=PRESENT | VERIFIED | flags)
    passkey = read_registration(new.registration(CHALLENGE), CHALLENGE, SITE, ORIGIN)
    assert passkey == new.passkey
    verify_assertion(passkey, read_assertion(new.answer(CHALLENGE), ME), CHALLENGE)


@pytest.mark.parametrize(
    ("authenticator", "changes"),
    [
        ({}, {"challenge": f'"{base64url(bytes(32))}"'}),
        ({}, {"origin": '"https://evil.example.org"'}),
        ({}, {"type": '"webauthn.get"'}),
        ({"site": "evil.example.org", "origin": ORIGIN}, {}),
        ({"flags": PRESENT}, {}),
        ({"flags": VERIFIED}, {}),
    ],
)
def test_another_answer_is_no_new_passkey(
    authenticator: dict[str, Any], changes: dict[str, Any]
) -> None:
    """Another challenge, page, site or type, or nobody verified."""
    answer = SoftAuthenticator(**authenticator).registration(CHALLENGE, **changes)
    with pytest.raises(SignatureError, match="no new passkey"):
        read_registration(answer, CHALLENGE, SITE, ORIGIN)


@pytest.mark.parametrize("answer", [{}, {"id": "AAAA"}, {"id": 1, "rawId": [], "response": 3}])
def test_what_is_no_answer_is_refused(answer: dict[str, Any]) -> None:
    """Garbage from a page is refused without its words."""
    with pytest.raises(SignatureError):
        read_registration(answer, CHALLENGE, SITE, ORIGIN)
    with pytest.raises(FormatError, match="not a browser's answer"):
        read_assertion(answer, ME)


def test_an_answer_too_long_is_refused() -> None:
    """The bounds of an assertion hold for browsers too."""
    answer = SoftAuthenticator().answer(CHALLENGE)
    answer["response"]["authenticatorData"] += "AAAA"
    with pytest.raises(FormatError, match="authenticator_data"):
        read_assertion(answer, ME)


def test_pages_ask_for_verification_and_for_no_name() -> None:
    """The browser is asked to verify its user and learns no id; attestation is declined."""
    person = "d" * 32
    made = creation_options(SITE, person)
    challenge, handle = made.pop("challenge"), made["user"].pop("id")
    assert made == {
        "rp": {"id": SITE, "name": "hearthlink"},
        "user": {"name": "signing dddddddd", "displayName": ""},
        "pubKeyCredParams": [{"type": "public-key", "alg": kind} for kind in (-7, -8, -257)],
        "authenticatorSelection": {"userVerification": "required"},
        "attestation": "none",
    }
    assert len(challenge) == len(base64url(bytes(32)))
    another = creation_options(SITE, person)
    assert challenge != another["challenge"]
    assert handle != another["user"]["id"]  # or new keys would replace those in use
    passkey = SoftAuthenticator(key=new_key("ES256"), credential=b"\1" * 16).passkey
    assert signing_options(passkey, CHALLENGE) == {
        "challenge": base64url(CHALLENGE),
        "rpId": SITE,
        "allowCredentials": [{"type": "public-key", "id": base64url(b"\1" * 16)}],
        "userVerification": "required",
    }
