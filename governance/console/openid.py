"""The organisation's OpenID provider: authorization code flow (OpenID Connect Core 1.0, 3.1).

Rules, in order: the provider's own description names it as issuer, and its addresses are HTTPS; one
visitor at a time waits for it, and when it fails, nobody asks again for ``_FAILED_FOR``; a browser
comes back with the state that its own sealed cookie holds, within ten minutes, and, where the
provider says who answers (RFC 9207), it is this one; the code is redeemed with PKCE (RFC 7636) and
the client's secret; the ID token is signed by a key that the provider publishes now, by an
asymmetric algorithm, for this client, with this browser's nonce, and fresh. Whatever fails is told
alike. Claims are checked by authlib, signatures by joserfc, on which authlib builds.
"""

import base64
import hmac
import json
import logging
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, cast
from urllib.parse import quote, urlencode

import httpx
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import ValidationError

from governance.canonical import Frozen, canonical_bytes, parse_json
from governance.console.errors import OpenIdUnavailable, SignInRefused
from governance.console.settings import is_safe
from governance.errors import FormatError
from governance.web.deadline import bounded_client, deadline

COOKIE: Final = "__Host-console-openid"
WITHIN: Final = timedelta(minutes=10)
CALLBACK: Final = "/openid/callback"
_ALGORITHMS: Final = ("RS256", "PS256", "ES256", "RS384", "ES384", "RS512")
_ANSWER_MOST: Final = 1024 * 1024  # bytes
_SECONDS: Final = 15.0
_KNOWN_FOR: Final = 3600.0  # seconds that a provider's description is kept
_FAILED_FOR: Final = 10.0  # seconds that a failure to get it is
_ADDRESSES: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_LEEWAY: Final = 60  # seconds between two clocks
_PURPOSE: Final = b"hearthlink/console-openid/v1"
_NONCE_BYTES: Final = 12
_LATER: Final = "try again later, or tell the people who run it"
_LOG: Final = logging.getLogger(__name__)


class _Begun(Frozen):
    """What a browser keeps while its user is at the provider."""

    state: str
    nonce: str
    verifier: str
    back: str
    link: str
    begun: int


class Found(NamedTuple):
    """Who came back.

    Attributes:
        subject: the provider's name of the person, which never changes.
        back: the page that they wanted.
        link: the secret of the link that they are using up; empty when signing in.
    """

    subject: str
    back: str
    link: str


class OpenIdProvider:
    """One provider.

    Args:
        issuer: its identifier, an address.
        client: the console's id there.
        secret: the console's secret there.
        origin: of the console.
        key: seals what browsers keep.
        now: the clock.
    """

    def __init__(
        self,
        issuer: str,
        client: str,
        secret: str,
        origin: str,
        key: bytes,
        now: Callable[[], datetime],
    ) -> None:
        self.issuer = issuer
        self._client = client
        self._secret = secret
        self._callback = origin + CALLBACK
        self._seal = AESGCM(hmac.digest(key, _PURPOSE, "sha256"))
        self._now = now
        self._known: tuple[float, dict[str, str]] | None = None
        self._failed: tuple[float, str] | None = None  # when, and why
        self._asking = threading.Lock()

    def begin(self, back: str, link: str = "", *, again: bool = False) -> tuple[str, str]:
        """Where to send a browser, and the cookie that it is to keep.

        Args:
            back: the page that its user wants.
            link: the secret of a link to use up.
            again: whether the provider should ask for more than which account.

        Raises:
            OpenIdUnavailable: the provider does not answer as it should.
        """
        from authlib.oauth2.rfc7636 import create_s256_code_challenge  # noqa: PLC0415 - see below

        begun = _Begun(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            back=back,
            link=link,
            begun=int(self._now().timestamp()),
        )
        query = urlencode(
            {
                "response_type": "code",
                "client_id": self._client,
                "redirect_uri": self._callback,
                "scope": "openid",
                "state": begun.state,
                "nonce": begun.nonce,
                "code_challenge": create_s256_code_challenge(begun.verifier),
                "code_challenge_method": "S256",
                "prompt": "login" if again else "select_account",
            }
        )
        return f"{self._address('authorization_endpoint')}?{query}", self._sealed(begun)

    def finish(self, query: Mapping[str, str], cookie: str) -> Found:
        """Who a browser is that comes back from the provider.

        Raises:
            SignInRefused: by the first rule that fails.
            OpenIdUnavailable: the provider does not answer as it should.
        """
        begun = self._opened(cookie)
        if not hmac.compare_digest(query.get("state", "").encode(), begun.state.encode()):
            raise _refused()
        if query.get("iss", self.issuer) != self.issuer or not query.get("code"):
            raise _refused()
        answer = self._redeem(query["code"], begun.verifier)
        subject = self._subject(answer.get("id_token"), begun.nonce)
        return Found(subject, begun.back, begun.link)

    def _redeem(self, code: str, verifier: str) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._callback,
            "code_verifier": verifier,
        }
        names = (quote(self._client, safe=""), quote(self._secret, safe=""))  # RFC 6749, 2.3.1
        return self._ask("POST", self._address("token_endpoint"), data=form, auth=names)

    def _subject(self, token: object, nonce: str) -> str:
        from authlib.oidc.core import CodeIDToken  # noqa: PLC0415 - needed by few, slow to load
        from joserfc import jwt  # noqa: PLC0415 - likewise
        from joserfc.jwk import KeySet  # noqa: PLC0415 - likewise

        keys = self._ask("GET", self._address("jwks_uri"))
        try:
            read = jwt.decode(
                str(token), KeySet.import_key_set(cast(Any, keys)), algorithms=_ALGORITHMS
            )
            claims = CodeIDToken(
                read.claims,
                read.header,
                {
                    "iss": {"essential": True, "value": self.issuer},
                    "aud": {"essential": True, "value": self._client},
                    "sub": {"essential": True},
                },
                {"nonce": nonce, "client_id": self._client},
            )
            claims.validate(now=int(self._now().timestamp()), leeway=_LEEWAY)
            subject = claims["sub"]
        except Exception:  # noqa: BLE001 - several kinds, whose words may hold values
            raise _refused() from None
        if not isinstance(subject, str) or not 1 <= len(subject) <= 255:  # noqa: PLR2004 - Core, 2
            raise _refused()
        return subject

    def _address(self, name: str) -> str:
        """One of the provider's addresses, by its description (OpenID Connect Discovery 1.0)."""
        known, failed = self._known, self._failed
        if known is not None and time.monotonic() - known[0] <= _KNOWN_FOR:
            return known[1][name]
        if failed is not None and time.monotonic() - failed[0] <= _FAILED_FOR:
            raise OpenIdUnavailable(failed[1], next_step=_LATER)
        if not self._asking.acquire(blocking=False):
            if known is not None:
                return known[1][name]
            raise _unavailable("it is being asked for its description at this moment")
        try:
            addresses = self._described()
            self._known = time.monotonic(), addresses
        except OpenIdUnavailable as error:
            self._failed = time.monotonic(), error.message
            _LOG.warning("sign-in service away", extra={"reason": error.reason})
            raise
        finally:
            self._asking.release()
        return addresses[name]

    def _described(self) -> dict[str, str]:
        found = self._ask("GET", f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != self.issuer:
            raise _unavailable("its description is of another issuer")
        addresses = {}
        for name in _ADDRESSES:
            address = found.get(name)
            if not isinstance(address, str) or not is_safe(address):
                raise _unavailable(f"its description has no HTTPS address as {name}")
            addresses[name] = address
        return addresses

    def _ask(self, method: str, address: str, **what: Any) -> dict[str, Any]:
        """What the provider answers.

        Raises:
            SignInRefused: it takes no such code (RFC 6749, 5.2).
            OpenIdUnavailable: anything else went wrong.
        """
        try:
            with (
                deadline(_SECONDS),
                bounded_client(_SECONDS) as client,
                client.stream(
                    method, address, headers={"Accept-Encoding": "identity"}, **what
                ) as answer,
            ):
                data = bytearray()
                for part in answer.iter_raw():
                    data += part
                    if len(data) > _ANSWER_MOST:
                        raise _unavailable("its answer is too large")
        except httpx.HTTPError:
            raise _unavailable("no answer, or none in time") from None
        status = answer.status_code
        if method == "POST" and status == httpx.codes.BAD_REQUEST:
            raise _refused()
        if status != httpx.codes.OK:
            raise _unavailable(f"its answer has HTTP status {status}")
        try:
            found = parse_json(bytes(data))
        except FormatError:
            found = None
        if not isinstance(found, dict):
            raise _unavailable("its answer is no JSON object")
        return found

    def _sealed(self, begun: _Begun) -> str:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._seal.encrypt(nonce, canonical_bytes(begun), _PURPOSE)
        return base64.urlsafe_b64encode(nonce + sealed).decode()

    def _opened(self, cookie: str) -> _Begun:
        try:
            data = base64.urlsafe_b64decode(cookie)
            opened = self._seal.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], _PURPOSE)
            begun = _Begun.model_validate(json.loads(opened))
        except (ValueError, InvalidTag, ValidationError):
            raise _refused() from None
        if not 0 <= self._now().timestamp() - begun.begun <= WITHIN.total_seconds():
            raise _refused()
        return begun


def _refused() -> SignInRefused:
    return SignInRefused(
        "your organisation's sign-in did not confirm who you are",
        next_step="go back to the sign-in page and try once more",
    )


def _unavailable(why: str) -> OpenIdUnavailable:
    return OpenIdUnavailable(
        f"your organisation's sign-in service does not answer as it should: {why}",
        next_step=_LATER,
    )
