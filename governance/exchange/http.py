"""Signed HTTP requests (RFC 9421) between agents, staff, ledger and hub.

Rules of verification, in order: one signature with this project's tag; Ed25519; it covers method,
target URI and, with a body, its digest (RFC 9530); it is fresh; its key is known; its nonce was
not seen before. The library ``http-message-signatures`` does the first four.
"""

import secrets
import threading
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    algorithms,
)
from http_message_signatures.exceptions import HTTPMessageSignaturesException, InvalidSignature

from governance.errors import SignatureError
from governance.identity.keys import SigningKey

TAG: Final = "hearthlink"
MAX_AGE: Final = timedelta(seconds=60)
NONCES_MAX: Final = 200_000  # within MAX_AGE; about 3,000 requests a second
_COVERED: Final = ("@method", "@target-uri")


class _OwnKey(HTTPSignatureKeyResolver):
    def __init__(self, key: SigningKey) -> None:
        self._key = key

    def resolve_private_key(self, key_id: str) -> Ed25519PrivateKey:
        del key_id
        return Ed25519PrivateKey.from_private_bytes(self._key.seed)


class RequestSigner(httpx.Auth):
    """Signs every request of an ``httpx.Client(auth=...)`` as one party or person."""

    requires_request_body = True

    def __init__(self, thumbprint: str, key: SigningKey) -> None:
        self._thumbprint = thumbprint
        self._signer = HTTPMessageSigner(
            signature_algorithm=algorithms.ED25519, key_resolver=_OwnKey(key)
        )

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the signature's headers; called by httpx."""
        self._signer.sign(
            request,
            key_id=self._thumbprint,
            nonce=secrets.token_hex(16),
            tag=TAG,
            covered_component_ids=_COVERED,
            body=request.content,
        )
        yield request


@dataclass(frozen=True)
class SignedRequest:
    """What verification needs of a request."""

    method: str
    url: str
    headers: Mapping[str, str]


class NotFresh(SignatureError):
    """A request was signed too long ago, or in the future, by the clock of whoever signed it."""

    reason = "signature.time"


class _NotFresh(InvalidSignature):
    """Likewise, on its way through the library."""


class _Verifier(HTTPMessageVerifier):
    """Tells a clock that is wrong from a signature that is."""

    def validate_created_and_expires(
        self, sig_input: Any, max_age: timedelta | None = None
    ) -> None:
        """Check when a request was signed; called by the library before all else."""
        try:
            super().validate_created_and_expires(  # type: ignore[no-untyped-call]
                sig_input, max_age=max_age
            )
        except InvalidSignature as wrong:
            if type(sig_input.params.get("created")) is not int:
                raise
            raise _NotFresh(str(wrong)) from wrong


class _KnownKeys(HTTPSignatureKeyResolver):
    def __init__(self, lookup: Callable[[str], bytes]) -> None:
        self._lookup = lookup

    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(self._lookup(key_id))


class RequestVerifier:
    """Checks signed requests and remembers nonces for as long as they would be fresh."""

    def __init__(
        self, lookup: Callable[[str], bytes], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._verifier = _Verifier(
            signature_algorithm=algorithms.ED25519, key_resolver=_KnownKeys(lookup)
        )
        self._clock = clock
        self._seen: dict[str, float] = {}
        self._lock = threading.Lock()

    def verify(self, request: SignedRequest, body: bytes) -> str:
        """Check a request.

        Returns:
            The thumbprint of the keys that signed it.

        Raises:
            NotFresh: signed more than a minute ago, or in the future.
            SignatureError: unsigned, altered, replayed, or by a key that is not known.
        """
        try:
            results = self._verifier.verify(
                request, max_age=MAX_AGE, expect_tag=TAG, require_components=_COVERED, body=body
            )
        except _NotFresh:
            raise NotFresh(
                "the request was signed more than a minute ago, or in the future",
                next_step="set the clock of the machine that signed it, then try again",
            ) from None
        except (HTTPMessageSignaturesException, ValueError, TypeError):
            raise SignatureError(
                "the request's signature does not verify",
                next_step="check that your keys are enrolled, and the address that you call",
            ) from None
        if len(results) != 1:
            raise SignatureError("expected exactly one signature on the request")
        parameters = results[0].parameters
        self._once(str(parameters.get("nonce") or ""))
        return str(parameters["keyid"])

    def _once(self, nonce: str) -> None:
        now = self._clock()
        with self._lock:
            if not nonce or nonce in self._seen:
                raise SignatureError("a signed request may be sent once only")
            horizon = now - 2 * MAX_AGE.total_seconds()
            while self._seen and next(iter(self._seen.values())) < horizon:
                self._seen.pop(next(iter(self._seen)))
            if len(self._seen) >= NONCES_MAX:  # forgetting one early would allow a replay
                raise SignatureError("too many requests", next_step="try again in a minute")
            self._seen[nonce] = now
