"""The organisation's OpenID provider: authorization code flow (OpenID Connect Core 1.0, 3.1).

Rules, in order: the provider's own description names it as issuer, and its addresses are HTTPS; one
visitor at a time waits for it; a browser comes back with the state that its own sealed cookie
holds, within ten minutes, and, where the provider says who answers (RFC 9207), it is this one; few
at a time redeem a code, half of them at most from one address; where the provider is silent about
one, the next visitor finds out by its description, which no visitor has a say in, whether it is
away, and then nobody asks it for ``_FAILED_FOR``; the code is redeemed with PKCE (RFC 7636) and the
client's secret; the ID token is signed by a key that the provider publishes now, by an asymmetric
algorithm, for this client, with this browser's nonce, and fresh; it names a context (``acr``) that
settings take, where they name any; it says when its person proved who they are (``auth_time``), not
long ago, where that was asked for (``max_age``; Core 1.0, 2, 3.1.2.1 and 3.1.3.7). What a liar
could learn from is told alike. Claims are checked by authlib, signatures by joserfc, on which
authlib builds.
"""

import hmac
import logging
import math
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, cast
from urllib.parse import quote, urlencode

import httpx

from governance.canonical import parse_json
from governance.console.errors import OpenIdUnavailable, SignInRefused
from governance.console.openid_begun import Begun, BegunCookies
from governance.console.sessions import RECENT
from governance.console.settings import is_safe
from governance.errors import FormatError
from governance.web.deadline import bounded_client, deadline

COOKIE: Final = "__Host-console-openid"
CALLBACK: Final = "/openid/callback"
_ALGORITHMS: Final = ("RS256", "PS256", "ES256", "RS384", "ES384", "RS512")
_ANSWER_MOST: Final = 1024 * 1024  # bytes
_SECONDS: Final = 15.0
_KNOWN_FOR: Final = 3600.0  # seconds that a provider's description is kept
_FAILED_FOR: Final = float(OpenIdUnavailable.retry_after)  # seconds that a failure is
_AT_ONCE: Final = 8  # who redeem codes; each holds a thread of the server's forty
_OF_ONE: Final = _AT_ONCE // 2  # of them from one place: an office may share an address
_ADDRESSES: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_LEEWAY: Final = 60  # seconds between two clocks
_LATER: Final = "try again later, or tell the people who run it"
_SETTINGS: Final = "tell the people who run it that docs/consoles.md says what to set there"
_LOG: Final = logging.getLogger(__name__)


class _Silent(OpenIdUnavailable):
    """The provider does not answer, or not in time."""


class Found(NamedTuple):
    """Who came back.

    Attributes:
        subject: the provider's name of the person, which never changes.
        authenticated: when they proved there who they are; None where it does not say.
        back: the page that they wanted.
        link: the secret of the link that they are using up; empty when signing in.
    """

    subject: str
    authenticated: datetime | None
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
        contexts: authentication context classes (``acr``) one of which is required; empty for any.
    """

    def __init__(
        self,
        issuer: str,
        client: str,
        secret: str,
        origin: str,
        key: bytes,
        now: Callable[[], datetime],
        contexts: Sequence[str] = (),
    ) -> None:
        self.issuer = issuer
        self._client = client
        self._secret = secret
        self._callback = origin + CALLBACK
        self._kept = BegunCookies(key, now)
        self._now = now
        self._contexts = tuple(contexts)
        self._known: tuple[float, dict[str, str]] | None = None
        self._failed: tuple[float, str] | None = None  # when, and why
        self._asking = threading.Lock()
        self._redeeming: Counter[str] = Counter()  # by place
        self._places = threading.Lock()

    def begin(self, back: str, link: str = "", *, again: bool = False) -> tuple[str, str]:
        """Where to send a browser, and the cookie that it is to keep.

        Args:
            back: the page that its user wants.
            link: the secret of a link to use up.
            again: whether its user has to prove anew who they are.

        Raises:
            OpenIdUnavailable: the provider does not answer as it should.
        """
        from authlib.oauth2.rfc7636 import create_s256_code_challenge  # noqa: PLC0415 - see below

        begun = Begun(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            back=back,
            link=link,
            again=again,
            begun=int(self._now().timestamp()),
        )
        asked = {"prompt": "select_account"}
        if again:  # max_age alone may be met by a session there; prompt alone is not told of after
            asked = {"prompt": "login", "max_age": str(int(RECENT.total_seconds()))}
        if self._contexts:
            asked["acr_values"] = " ".join(self._contexts)
        query = urlencode(
            asked
            | {
                "response_type": "code",
                "client_id": self._client,
                "redirect_uri": self._callback,
                "scope": "openid",
                "state": begun.state,
                "nonce": begun.nonce,
                "code_challenge": create_s256_code_challenge(begun.verifier),
                "code_challenge_method": "S256",
            }
        )
        return f"{self._address('authorization_endpoint')}?{query}", self._kept.sealed(begun)

    def finish(self, query: Mapping[str, str], cookie: str, place: str) -> Found:
        """Who a browser is that comes back from the provider.

        Args:
            query: of the address by which it comes.
            cookie: what it kept meanwhile.
            place: where it is, as far as callers are counted.

        Raises:
            SignInRefused: by the first rule that fails.
            OpenIdUnavailable: the provider does not answer as it should.
        """
        begun = self._kept.opened(cookie)
        if begun is None:
            raise _refused()
        if not hmac.compare_digest(query.get("state", "").encode(), begun.state.encode()):
            raise _refused()
        if query.get("iss", self.issuer) != self.issuer or not query.get("code"):
            raise _refused()
        claims = self._redeemed(query["code"], begun, place)
        self._require_context(claims.get("acr"))
        authenticated = self._authenticated(claims.get("auth_time"), begun.again)
        return Found(claims["sub"], authenticated, begun.back, begun.link)

    def _redeemed(self, code: str, begun: Begun, place: str) -> Mapping[str, Any]:
        """The claims of a code, unless the provider keeps as many waiting as may wait."""
        token, keys = self._address("token_endpoint"), self._address("jwks_uri")
        self._require_awake()
        with self._one_of_few(place):
            try:
                answer = self._redeem(token, code, begun.verifier)
                return self._claims(answer.get("id_token"), begun.nonce, self._ask("GET", keys))
            except _Silent:
                self._doubt()
                raise

    @contextmanager
    def _one_of_few(self, place: str) -> Iterator[None]:
        """Be among those who redeem a code, unless they are as many as may, in all or of a place.

        Raises:
            OpenIdUnavailable: they are.
        """
        with self._places:
            if self._redeeming.total() >= _AT_ONCE or self._redeeming[place] >= _OF_ONE:
                raise _unavailable("too many are waiting for it")
            self._redeeming[place] += 1
        try:
            yield
        finally:
            with self._places:
                self._redeeming[place] -= 1
                if not self._redeeming[place]:
                    del self._redeeming[place]

    def _redeem(self, address: str, code: str, verifier: str) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._callback,
            "code_verifier": verifier,
        }
        names = (quote(self._client, safe=""), quote(self._secret, safe=""))  # RFC 6749, 2.3.1
        return self._ask("POST", address, data=form, auth=names)

    def _claims(self, token: object, nonce: str, keys: dict[str, Any]) -> Mapping[str, Any]:
        from authlib.oidc.core import CodeIDToken  # noqa: PLC0415 - needed by few, slow to load
        from joserfc import jwt  # noqa: PLC0415 - likewise
        from joserfc.jwk import KeySet  # noqa: PLC0415 - likewise

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
        found: Mapping[str, Any] = claims
        return found

    def _require_context(self, told: object) -> None:
        if self._contexts and told not in self._contexts:
            raise SignInRefused(
                "your organisation's sign-in does not say that you proved enough (acr)",
                next_step=f"sign in with your second factor; if you did, {_SETTINGS}",
            )

    def _authenticated(self, told: object, again: bool) -> datetime | None:
        """When somebody proved who they are, as their provider tells it."""
        if told is None:
            if again:
                raise SignInRefused(
                    "your organisation's sign-in does not say when you signed in there (auth_time)",
                    next_step=_SETTINGS,
                )
            return None
        now = self._now().timestamp()
        if isinstance(told, bool) or not isinstance(told, int | float):
            raise _refused()
        if not 0 <= told <= now + _LEEWAY:
            raise _refused()
        if again and now - told >= RECENT.total_seconds():
            raise SignInRefused(
                "your organisation's sign-in did not ask you to sign in anew",
                next_step=f"sign in once more; if this comes again, {_SETTINGS}",
            )
        return datetime.fromtimestamp(min(told, now), UTC)

    def _address(self, name: str) -> str:
        """One of the provider's addresses, by its description (OpenID Connect Discovery 1.0)."""
        known = self._known
        if known is not None and time.monotonic() - known[0] <= _KNOWN_FOR:
            return known[1][name]
        self._require_awake()
        if not self._asking.acquire(blocking=False):
            if known is not None:
                return known[1][name]
            raise _unavailable("it is being asked for its description at this moment")
        try:
            addresses = self._described()
            self._known = time.monotonic(), addresses
        except OpenIdUnavailable as error:
            self._pause(error)
            raise
        finally:
            self._asking.release()
        return addresses[name]

    def _require_awake(self) -> None:
        failed = self._failed
        if failed is not None and time.monotonic() - failed[0] <= _FAILED_FOR:
            raise OpenIdUnavailable(failed[1], next_step=_LATER)

    def _doubt(self) -> None:
        """Have the description asked for anew.

        Not a pause: the code was a visitor's, and a filter before the provider may be silent about
        one that was made up to that end, which would keep everybody out.
        """
        if (known := self._known) is not None:
            self._known = -math.inf, known[1]

    def _pause(self, error: OpenIdUnavailable) -> None:
        """Have nobody else wait for the same."""
        self._failed = time.monotonic(), error.message
        _LOG.warning("sign-in service away", extra={"reason": error.reason})

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
        except httpx.InvalidURL:
            raise _unavailable("one of its addresses is none") from None
        except httpx.HTTPError:
            raise _unavailable("no answer, or none in time", _Silent) from None
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


def _refused() -> SignInRefused:
    return SignInRefused(
        "your organisation's sign-in did not confirm who you are",
        next_step="go back to the sign-in page and try once more",
    )


def _unavailable(why: str, kind: type[OpenIdUnavailable] = OpenIdUnavailable) -> OpenIdUnavailable:
    return kind(
        f"your organisation's sign-in service does not answer as it should: {why}",
        next_step=_LATER,
    )
