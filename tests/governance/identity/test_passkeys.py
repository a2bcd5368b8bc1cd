"""A passkey's assertion is taken over the exact document, at the enrolled site, and no other."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA384
from hypothesis import given
from hypothesis import strategies as st

from governance.canonical import b64, unb64
from governance.errors import FormatError, SignatureError
from governance.identity.envelope import parse_model
from governance.identity.passkeys import Assertion, Passkey, verify_assertion
from tests.soft_authenticator import (
    ATTESTED,
    BACKED_UP,
    ELIGIBLE,
    EXTENDED,
    PRESENT,
    SITE,
    VERIFIED,
    SoftAuthenticator,
    base64url,
    cose_key,
    new_key,
    raw_signature,
)

ME = "sha256:" + "a" * 64
CHALLENGE = bytes(range(32))
ES256 = SoftAuthenticator()


def verify(authenticator: SoftAuthenticator, assertion: Assertion) -> None:
    """Verify an assertion over the challenge."""
    verify_assertion(authenticator.passkey, assertion, CHALLENGE)


def with_client_data(data: bytes) -> Assertion:
    """An assertion that is signed over any client data."""
    return ES256.assertion(ME, CHALLENGE, client_data=data)


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256"])
def test_an_honest_assertion_verifies(algorithm: str) -> None:
    """Each of the three algorithms is verified."""
    authenticator = SoftAuthenticator(algorithm)
    verify(authenticator, authenticator.assertion(ME, CHALLENGE))


@pytest.mark.parametrize("other", [bytes(32), CHALLENGE[:31], CHALLENGE + b"\0"])
def test_another_challenge_is_refused(other: bytes) -> None:
    """What was signed for one document is not a signature of another."""
    with pytest.raises(SignatureError, match="another document"):
        verify(ES256, ES256.assertion(ME, other))


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"type": '"webauthn.create"'}, "type"),
        ({"type": '"payment.get"'}, "type"),
        ({"type": None}, "type"),
        ({"challenge": None}, "another document"),
        ({"challenge": f'"{base64url(CHALLENGE)}="'}, "another document"),
        ({"challenge": f'"{base64url(CHALLENGE)}!"'}, "another document"),
        ({"challenge": f'["{base64url(CHALLENGE)}"]'}, "another document"),
        ({"origin": '"https://evil.example.org"'}, "address"),
        ({"origin": f'"https://{SITE}.evil.example.org"'}, "address"),
        ({"origin": f'"https://{SITE}:8443"'}, "address"),
        ({"origin": f'"http://{SITE}"'}, "address"),
        ({"origin": f'["https://{SITE}"]'}, "address"),
        ({"origin": None}, "address"),
        ({"crossOrigin": "true"}, "another site"),
        ({"crossOrigin": "0"}, "another site"),
        ({"crossOrigin": "null"}, "another site"),
        ({"topOrigin": f'"https://{SITE}"'}, "another site"),
        ({"topOrigin": "null"}, "another site"),
    ],
)  # fmt: skip
def test_client_data_say_type_document_and_site(changes: dict[str, Any], what: str) -> None:
    """Signed client data count only when each of their statements is the expected one."""
    with pytest.raises(SignatureError, match=what):
        verify(ES256, with_client_data(ES256.client_data(CHALLENGE, **changes)))


@pytest.mark.parametrize("changes", [{"crossOrigin": None}, {"hint": '"other keys may be added"'}])
def test_what_browsers_may_write_is_taken(changes: dict[str, Any]) -> None:
    """Older browsers leave crossOrigin out, and newer ones may say more than is asked."""
    verify(ES256, with_client_data(ES256.client_data(CHALLENGE, **changes)))


HONEST = ES256.client_data(CHALLENGE)


@pytest.mark.parametrize(
    "data",
    [
        HONEST[:-1],
        HONEST + b"}",
        HONEST[:-1] + b',"origin":"https://evil.example.org"}',
        HONEST[:-1] + b',"challenge":"AAAA"}',
        HONEST.decode().encode("utf-16"),
        b"\xff" + HONEST,
        b"[" + HONEST + b"]",
        b"null",
        b"\xef\xbb\xbf" + HONEST,
        b"[" * 2_000,
    ],
)
def test_client_data_are_one_json_object(data: bytes) -> None:
    """Truncated, doubled or otherwise coded client data are refused although they are signed."""
    with pytest.raises(SignatureError):
        verify(ES256, with_client_data(data))


@pytest.mark.parametrize(
    "flags",
    [
        0,
        PRESENT,
        VERIFIED,
        PRESENT | VERIFIED | ELIGIBLE,
        PRESENT | VERIFIED | BACKED_UP,
        PRESENT | VERIFIED | ATTESTED,
        PRESENT | VERIFIED | EXTENDED,
        PRESENT | VERIFIED | 2,
        PRESENT | VERIFIED | 32,
        255,
    ],
)
def test_the_owner_is_present_and_verified(flags: int) -> None:
    """Neither a touch alone nor a credential of another kind will do."""
    enrolled = SoftAuthenticator(key=ES256.key, credential=ES256.credential)
    authenticator = SoftAuthenticator(key=ES256.key, credential=ES256.credential, flags=flags)
    with pytest.raises(SignatureError, match=r"verified|kind"):
        verify(enrolled, authenticator.assertion(ME, CHALLENGE))


def test_a_synced_passkey_says_so() -> None:
    """Backup state may change, eligibility may not (WebAuthn 7.2, step 18)."""
    synced = SoftAuthenticator(flags=PRESENT | VERIFIED | ELIGIBLE)
    verify(synced, synced.assertion(ME, CHALLENGE))
    passkey = synced.passkey
    synced.flags |= BACKED_UP
    verify_assertion(passkey, synced.assertion(ME, CHALLENGE), CHALLENGE)
    synced.flags = PRESENT | VERIFIED
    with pytest.raises(SignatureError, match="kind"):
        verify_assertion(passkey, synced.assertion(ME, CHALLENGE), CHALLENGE)


def test_another_relying_party_is_refused() -> None:
    """The authenticator's own statement of the site counts, not the page's alone."""
    elsewhere = SoftAuthenticator(
        key=ES256.key, site="evil.example.org", credential=ES256.credential
    )
    with pytest.raises(SignatureError, match="does not verify"):
        verify(ES256, elsewhere.assertion(ME, CHALLENGE, client_data=HONEST))


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256"])
def test_another_persons_key_is_refused(algorithm: str) -> None:
    """A signature by any other key, of the same algorithm or not, does not verify."""
    stranger = SoftAuthenticator(algorithm)
    with pytest.raises(SignatureError, match="does not verify"):
        verify(ES256, stranger.assertion(ME, CHALLENGE))
    with pytest.raises(SignatureError, match="does not verify"):
        verify(stranger, ES256.assertion(ME, CHALLENGE))


def test_the_enrolled_keys_algorithm_is_the_only_one() -> None:
    """The right key with another hash, or a signature in another form, is refused."""
    key = ES256.key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    honest = ES256.assertion(ME, CHALLENGE)
    signed = unb64(honest.authenticator_data) + unb64(honest.client_data)
    for value in (key.sign(signed, ec.ECDSA(SHA384())), bytes(64), b"\x30\x00"):
        with pytest.raises(SignatureError, match="does not verify"):
            verify(ES256, honest.model_copy(update={"value": b64(value)}))


@given(st.integers(0, 36), st.integers(1, 255))
def test_no_byte_of_authenticator_data_can_change(at: int, flip: int) -> None:
    """Whatever byte is changed after signing, the assertion is refused."""
    honest = ES256.assertion(ME, CHALLENGE)
    data = bytearray(unb64(honest.authenticator_data))
    data[at] ^= flip
    with pytest.raises(SignatureError):
        verify(ES256, honest.model_copy(update={"authenticator_data": b64(bytes(data))}))


@given(st.integers(0, len(HONEST) - 1), st.integers(1, 255))
def test_no_byte_of_client_data_can_change(at: int, flip: int) -> None:
    """Client data are what was hashed, byte for byte, whatever they mean."""
    honest = ES256.assertion(ME, CHALLENGE)
    data = bytearray(HONEST)
    data[at] ^= flip
    with pytest.raises(SignatureError):
        verify(ES256, honest.model_copy(update={"client_data": b64(bytes(data))}))


def test_respelled_client_data_are_another_signature() -> None:
    """The same statements in another spelling do not hash to what was signed."""
    honest = ES256.assertion(ME, CHALLENGE)
    respelled = json.dumps(json.loads(HONEST)).encode()
    with pytest.raises(SignatureError, match="does not verify"):
        verify(ES256, honest.model_copy(update={"client_data": b64(respelled)}))


@pytest.mark.parametrize(
    ("field", "size"),
    [
        ("client_data", 2_049),
        ("authenticator_data", 36),
        ("authenticator_data", 38),
        ("value", 513),
    ],
)
def test_parts_have_bounds(field: str, size: int) -> None:
    """An assertion too short or too long is refused before anything in it is read."""
    data = ES256.assertion(ME, CHALLENGE).model_dump(mode="json") | {field: b64(bytes(size))}
    with pytest.raises(FormatError, match=field):
        parse_model(data, Assertion)
    with pytest.raises(FormatError, match="Extra"):
        parse_model(ES256.assertion(ME, CHALLENGE).model_dump() | {"more": 1}, Assertion)


def test_the_bounds_themselves_are_taken() -> None:
    """The longest that WebAuthn and RS256 allow, and the shortest, are no refusal."""
    for credential in (b"\1", bytes(1_023)):
        assert SoftAuthenticator(credential=credential).passkey.credential == b64(credential)
    with pytest.raises(ValueError, match="credential"):
        _ = SoftAuthenticator(credential=bytes(1_024)).passkey
    filler = 2_048 - len(ES256.client_data(CHALLENGE, filler='""'))
    longest = ES256.client_data(CHALLENGE, filler=f'"{"x" * filler}"')
    verify(ES256, with_client_data(longest))
    honest = ES256.assertion(ME, CHALLENGE).model_dump(mode="json")
    parse_model(honest | {"value": b64(bytes(512))}, Assertion)


KEY = cose_key(ES256.key)
P384 = ec.generate_private_key(ec.SECP384R1()).public_key().public_numbers()
ED = cose_key(new_key("EdDSA"))
RSA = cose_key(new_key("RS256"))


OTHER_SPELLINGS = [
    b"",
    KEY[:-1],
    KEY + b"\0",
    b"\xa6" + KEY[1:] + b"\x04\x41\x00",  # one key more
    b"\xa6" + KEY[1:3] + KEY[1:],  # one key twice
    KEY[:3] + b"\x03\x38\x22" + KEY[5:],  # ES384 on P-256
    KEY[:4] + b"\x27" + KEY[5:],  # EdDSA on P-256
    KEY[:2] + b"\x01" + KEY[3:],  # an Edwards key with x and y
    KEY[:1] + b"\x18\x01" + KEY[2:],  # a number in a longer spelling
    b"\xbf" + KEY[1:] + b"\xff",  # a map of indefinite length
    KEY[:-32] + bytes(32),  # no point of the curve
    b"\x04" + KEY[10:42] + KEY[45:],  # a point without its algorithm, as U2F had it
    b"\xa5\x01\x02\x03\x38\x22\x20\x02\x21\x58\x30" + P384.x.to_bytes(48, "big")
    + b"\x22\x58\x30" + P384.y.to_bytes(48, "big"),
    ED[:-32] + bytes(32),  # small order
    ED[:-1],
    b"\xa3" + ED[1:],
    RSA[:4] + b"\x39\xff\xfe" + RSA[7:],  # RS1, with SHA-1
    RSA[:-3] + b"\x00\x00\x03",  # exponent 3
    RSA[:11] + b"\x7f" + RSA[12:],  # a modulus of fewer bits than it has bytes for
    RSA[:10] + b"\x00" + RSA[10:],
    b"\xa4\x01\x03\x03\x39\x01\x00\x20\x58\x80" + b"\xff" * 128 + b"\x21\x43\x01\x00\x01",
    b"\x5b" + b"\xff" * 8,  # a length beyond all bytes
    b"\xd9\xd9\xf7" + KEY,  # tagged
    b"\x81" * 900,
]  # fmt: skip


@pytest.mark.parametrize("key", OTHER_SPELLINGS, ids=range(len(OTHER_SPELLINGS)))
def test_public_keys_have_one_spelling(key: bytes) -> None:
    """Truncated, oversized, respelled and weak keys, and those of other algorithms, are refused."""
    data = ES256.passkey.model_dump(mode="json") | {"public_key": b64(key)}
    with pytest.raises(FormatError, match="public_key"):
        parse_model(data, Passkey)


@given(st.binary(max_size=120))
def test_public_keys_that_are_noise_are_refused(noise: bytes) -> None:
    """No bytes make anything but a refusal."""
    data = ES256.passkey.model_dump(mode="json") | {"public_key": b64(noise)}
    with pytest.raises(FormatError):
        parse_model(data, Passkey)


@pytest.mark.parametrize(
    ("site", "origin"),
    [
        ("example.org", "https://evil.org"),
        ("example.org", "https://evilexample.org"),
        ("example.org", "http://example.org"),
        ("example.org", "https://example.org/"),
        ("example.org", "https://user@example.org"),
        ("example.org", "https://example.org:0"),
        ("example.org", "https://Example.org"),
        ("example.org", "http://localhost:80"),
        ("example.org", "https://example.org\n"),
        ("org", "https://example.org"),
        ("localhost", "http://127.0.0.1"),
        ("localhost", "http://localhost.evil.org"),
        ("127.0.0.1", "https://127.0.0.1"),
    ],
)
def test_the_origin_is_of_the_relying_party(site: str, origin: str) -> None:
    """A page of another site, or one without TLS beyond this computer, is no place to sign."""
    data = ES256.passkey.model_dump(mode="json") | {"relying_party": site, "origin": origin}
    with pytest.raises(FormatError):
        parse_model(data, Passkey)


def test_a_page_below_the_relying_party_and_a_port_are_fine() -> None:
    """What WebAuthn allows within one site, and a console on one's own computer."""
    for site, origin in (
        ("example.org", "https://console.example.org:8443"),
        ("localhost", "http://localhost:8400"),
    ):
        there = SoftAuthenticator(site=site, origin=origin)
        verify(there, there.assertion(ME, CHALLENGE))


def test_refusals_hold_no_values() -> None:
    """No message repeats what an assertion said."""
    said = ES256.client_data(CHALLENGE, origin='"https://secret.example.net"')
    with pytest.raises(SignatureError) as caught:
        verify(ES256, with_client_data(said))
    assert "secret" not in str(caught.value)
    assert "secret" not in repr(caught.value.__cause__)


def test_a_raw_signature_is_over_hash_and_data() -> None:
    """A signature over the challenge alone, as an Ed25519 key file makes it, is no assertion."""
    authenticator = SoftAuthenticator("EdDSA")
    honest = authenticator.assertion(ME, CHALLENGE)
    raw = raw_signature(authenticator.key, CHALLENGE)
    with pytest.raises(SignatureError, match="does not verify"):
        verify(authenticator, honest.model_copy(update={"value": b64(raw)}))
