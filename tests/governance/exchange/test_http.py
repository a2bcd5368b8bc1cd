"""Signed requests: a clock that is wrong is told from a signature that is."""

import secrets
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from http_message_signatures import HTTPMessageSigner, algorithms

from governance.errors import SignatureError
from governance.exchange.http import TAG, NotFresh, RequestVerifier, SignedRequest, _OwnKey
from governance.identity.keys import SigningKey

KEY = SigningKey.generate()
URL = "http://127.0.0.1/v1/runs"


def signed(age: timedelta, key: SigningKey = KEY) -> SignedRequest:
    """A request that was signed some time ago."""
    request = httpx.Request("GET", URL)
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=_OwnKey(key))
    signer.sign(
        request,
        key_id="council",
        created=datetime.now(UTC) - age,
        nonce=secrets.token_hex(16),
        tag=TAG,
        covered_component_ids=("@method", "@target-uri"),
        body=b"",
    )
    return SignedRequest("GET", URL, request.headers)


def verifier() -> RequestVerifier:
    """It knows one key."""
    return RequestVerifier({"council": KEY.public}.__getitem__)


def test_a_request_is_good_for_a_minute() -> None:
    """By whoever signed it."""
    assert verifier().verify(signed(timedelta(seconds=20)), b"") == "council"


@pytest.mark.parametrize("minutes", [-2, 3])
def test_a_clock_that_is_wrong_is_said(minutes: int) -> None:
    """Slow or fast: keys have nothing to do with it."""
    with pytest.raises(NotFresh) as refused:
        verifier().verify(signed(timedelta(minutes=minutes)), b"")
    assert "clock" in refused.value.next_step


def test_another_key_is_no_wrong_clock() -> None:
    """Nor is a request that nobody signed."""
    unsigned = SignedRequest("GET", URL, {})
    for request in (signed(timedelta(0), SigningKey.generate()), unsigned):
        with pytest.raises(SignatureError) as refused:
            verifier().verify(request, b"")
        assert not isinstance(refused.value, NotFresh)
        assert "clock" not in refused.value.next_step
