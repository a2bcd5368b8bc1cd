"""Who may open what: one table, which the routes use, a test walks and docs/consoles.md prints.

Rules, in order: a route that is not in the table is refused; one for anyone needs no session, and
what tries to sign in comes no faster than people at one address do; every other route needs a
session; no account asks faster than a person can; it has the role; what changes something carries
the token of the session's forms; what gives somebody access, or takes it, is for who has just
proved who they are; each request is in the audit log before it is answered, refused ones too, but
for those that came too fast, which would fill it.
"""

import time
from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final, Literal

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from governance.console.audit import AuditLog
from governance.console.errors import (
    ConsoleError,
    FormNotOurs,
    NotSignedIn,
    RoleRefused,
    SignInAgain,
    TooManyAttempts,
)
from governance.console.sessions import COOKIE, Sessions, SignedIn
from governance.identity.models import Role
from governance.ledger.errors import RateLimitError
from governance.ledger.limits import RateLimit
from governance.ui.forms import CSRF_FIELD, posted, posted_with_file

ANYONE: Final = "anyone"
Who = Role | Literal["anyone"]

_ANYONE: Final[frozenset[Who]] = frozenset({ANYONE})
_STAFF: Final[frozenset[Who]] = frozenset(Role)
_MANAGER: Final[frozenset[Who]] = frozenset({Role.SERVICE_MANAGER})
_LEAD: Final[frozenset[Who]] = frozenset({Role.IG_LEAD})
_ANALYST: Final[frozenset[Who]] = frozenset({Role.ANALYST})

ACCESS: Final[Mapping[str, frozenset[Who]]] = {
    # entry
    "GET /sign-in": _ANYONE,
    "POST /sign-in": _ANYONE,
    "GET /invitation": _ANYONE,
    "POST /invitation": _ANYONE,
    "POST /invitation/passkey": _ANYONE,
    "GET /openid/callback": _ANYONE,
    "POST /sign-out": _STAFF,
    # home
    "GET /": _STAFF,
    "GET /account": _STAFF,
    "POST /account/sessions/end": _STAFF,
    "POST /account/sessions/{session}/end": _STAFF,
    # families
    "GET /families": _MANAGER,
    "GET /families/by-area": _MANAGER,
    "GET /families/{family}": _MANAGER,
    # requests
    "GET /families/{family}/ask": _MANAGER,
    "GET /families/{family}/ask/items": _MANAGER,
    "GET /families/{family}/ask/hours": _MANAGER,
    "GET /families/{family}/ask/check": _MANAGER,
    "POST /families/{family}/ask": _MANAGER,
    "GET /requests": _MANAGER,
    "GET /requests/{request_hash}": _MANAGER,
    "GET /requests/{request_hash}/open": _MANAGER,
    "GET /requests/{request_hash}/outcome": _MANAGER,
    "POST /requests/{request_hash}/outcome": _MANAGER,
    # runs
    "GET /runs": _ANALYST,
    "GET /runs/start": _ANALYST,
    "POST /runs/start": _ANALYST,
    "GET /runs/{run}": _ANALYST,
    "GET /runs/{run}/quality": _ANALYST,
    "GET /runs/{run}/quality.svg": _ANALYST,
    "GET /runs/{run}/effects": _ANALYST,
    "GET /runs/{run}/effects.svg": _ANALYST,
    "GET /runs/{run}/thresholds": _ANALYST,
    "GET /runs/{run}/thresholds.svg": _ANALYST,
    "GET /runs/{run}/persons": _ANALYST,
    "GET /runs/{run}/persons/{person}": _ANALYST,
    "GET /runs/{run}/unlinked": _ANALYST,
    "GET /runs/{run}/compare/{other}": _ANALYST,
    "GET /sources": _ANALYST,
    # models
    "GET /models": _ANALYST | _LEAD,
    # reports
    "GET /reports": _STAFF,
    "GET /reports/make": _ANALYST,
    "POST /reports/make": _ANALYST,
    "GET /reports/{report}": _STAFF,
    "GET /reports/{report}/charts/{number}.svg": _STAFF,
    "GET /reports/{report}/report.pdf": _STAFF,
    "GET /reports/{report}/report.csv": _STAFF,
    "GET /reports/{report}/report.xlsx": _STAFF,
    "GET /reports/{report}/withdraw": _ANALYST | _LEAD,
    "POST /reports/{report}/withdraw": _ANALYST | _LEAD,
    # risk
    "GET /risk": _ANALYST,
    "GET /risk/{model}": _STAFF,
    "GET /risk/{model}/families": _ANALYST,
    # review
    "GET /review": _ANALYST,
    "GET /review/{left}/{right}": _ANALYST,
    "POST /review/{left}/{right}": _ANALYST,
    # keys
    "GET /keys": _STAFF,
    "GET /keys/new": _STAFF,
    "POST /keys/new": _STAFF,
    "POST /keys": _STAFF,
    "GET /keys/{thumbprint}/person.keys.json": _STAFF,
    # people
    "GET /people": _LEAD,
    "GET /people/invite": _LEAD,
    "POST /people/invite": _LEAD,
    "POST /people/{account}/link": _LEAD,
    "POST /people/links/{link}/revoke": _LEAD,
    "POST /people/{account}/sessions/end": _LEAD,
    "GET /people/{account}/close": _LEAD,
    "POST /people/{account}/close": _LEAD,
    "GET /audit": _LEAD,
    # decide
    "GET /decide": _LEAD,
    "GET /decide/{request_hash}": _LEAD,
    "GET /decide/{request_hash}/sign": _LEAD,
    "POST /decide/{request_hash}": _LEAD,
    # oversight
    "GET /oversight": _LEAD,
    "GET /oversight/agreements": _LEAD,
    "GET /oversight/agreements/{agreement}": _LEAD,
    "GET /oversight/register": _LEAD,
    "GET /oversight/consents": _LEAD,
    "GET /oversight/refusals": _LEAD,
    "GET /oversight/rights": _LEAD,
    "GET /oversight/retention": _LEAD,
    "GET /oversight/witnesses": _LEAD,
    "GET /oversight/risks": _LEAD,
    "GET /oversight/ledger": _LEAD,
    "GET /oversight/ledger/{index}": _LEAD,
    "GET /oversight/ledger/{index}/proof": _LEAD,
    "GET /oversight/evidence": _LEAD,
    "POST /oversight/evidence": _LEAD,
    # public register
    "GET /register": _ANYONE,
    "GET /register/{agreement}/record": _ANYONE,
    "GET /register/{agreement}/record.json": _ANYONE,
    # enrolments
    "GET /enrolments": _LEAD,
    "GET /enrolments/{keys}": _LEAD,
    "POST /enrolments/{keys}": _LEAD,
    # vouching
    "GET /vouching": _LEAD,
    "POST /vouching": _LEAD,
    "GET /vouching/{keys}": _LEAD,
    "POST /vouching/{keys}": _LEAD,
    "GET /vouching/{keys}/person.enrolment.json": _LEAD,
}

_PAGES_PER_SECOND: Final = 5.0
_PAGES_AT_ONCE: Final = 100
_ATTEMPTS_PER_SECOND: Final = 1.0
_SAFE: Final = frozenset({"GET", "HEAD"})
RECENT: Final = frozenset(
    {
        "GET /people/invite",
        "POST /people/invite",
        "POST /people/{account}/link",
        "POST /people/{account}/sessions/end",
        "GET /people/{account}/close",
        "POST /people/{account}/close",
        "POST /account/sessions/end",
        "POST /account/sessions/{session}/end",
    }
)
"""What is done only after signing in within the last minutes (``sessions.RECENT``).

It lets somebody in, or keeps a colleague out. A link may be taken back at any time: it is a way in.
What a signing passkey signs is not among it: that takes PIN, fingerprint or face each time.
"""
WITH_FILE: Final = frozenset({"POST /vouching"})
"""Forms that hold a file; no other form takes one."""
_TRIES: Final = frozenset({"GET /openid/callback"})
"""Attempts to sign in that are no forms."""
_SUBNET: Final = 64  # bits that one customer of an IPv6 network is given (RFC 6177)


class Gate:
    """Lets requests in, as a dependency of every route.

    Args:
        sessions: who is signed in.
        audit: what is written first.
        attempts_at_once: of one address that is not signed in.
    """

    def __init__(self, sessions: Sessions, audit: AuditLog, attempts_at_once: int) -> None:
        self._sessions = sessions
        self._audit = audit
        self._pages = RateLimit(_PAGES_PER_SECOND, _PAGES_AT_ONCE, time.monotonic)
        self._attempts = RateLimit(_ATTEMPTS_PER_SECOND, attempts_at_once, time.monotonic)

    async def admit(self, request: Request) -> None:
        """Admit a request, and note in its state who makes it.

        Raises:
            NotSignedIn, TooManyAttempts, RoleRefused, FormNotOurs, SignInAgain: by the first rule
                that fails.
        """
        route = f"{request.method} {request.scope['route'].path}"
        allowed = ACCESS.get(route, frozenset())
        signed_in = await run_in_threadpool(self._who, request)
        request.state.signed_in = signed_in
        if ANYONE in allowed:
            if request.method not in _SAFE or route in _TRIES:
                self._take(self._attempts, place_of(request))
            return
        if signed_in is None:
            raise NotSignedIn("you are not signed in, or no longer", next_step="sign in")
        self._take(self._pages, signed_in.account.id)
        refusal: ConsoleError | None = (
            _role(signed_in, allowed)
            or await _form(signed_in, request, route)
            or _recent(signed_in, route)
        )
        about = " ".join(str(value) for value in request.path_params.values())
        await run_in_threadpool(
            self._audit.write, signed_in.account.id, route, about, refused=refusal is not None
        )
        if refusal is not None:
            raise refusal

    def _who(self, request: Request) -> SignedIn | None:
        token = request.cookies.get(COOKIE)
        return None if token is None else self._sessions.find(token)

    @staticmethod
    def _take(limit: RateLimit, key: str) -> None:
        try:
            limit.take(key)
        except RateLimitError:
            raise TooManyAttempts(
                "more requests came than a person makes", next_step="wait a minute, then try again"
            ) from None


def _role(signed_in: SignedIn, allowed: frozenset[Who]) -> RoleRefused | None:
    if signed_in.account.role in allowed:
        return None
    return RoleRefused(
        "your role does not include this page",
        next_step="ask your information-governance lead whether it should",
    )


async def _form(signed_in: SignedIn, request: Request, route: str) -> FormNotOurs | None:
    if request.method in _SAFE:
        return None
    with_file = route in WITH_FILE
    fields = (await posted_with_file(request)).fields if with_file else await posted(request)
    try:
        signed_in.require_form(fields.get(CSRF_FIELD))
    except FormNotOurs as refusal:
        return refusal
    return None


def _recent(signed_in: SignedIn, route: str) -> SignInAgain | None:
    if signed_in.recent or route not in RECENT:
        return None
    return SignInAgain("you signed in too long ago for this", next_step="sign in once more")


def place_of(request: Request) -> str:
    """Where whoever asks is, as ``place`` has it."""
    return place(request.client.host if request.client else "")


def place(host: str) -> str:
    """Where a caller is, as far as attempts are counted: an address, or the subnet of an IPv6 one.

    Whatever is no address, as a proxy may hand on what a caller made up, is one place.
    """
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return ""
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ip_network((address, _SUBNET), strict=False))


def signed_in(request: Request) -> SignedIn:
    """Who makes an admitted request.

    Raises:
        NotSignedIn: nobody: the route is for anyone.
    """
    found: SignedIn | None = getattr(request.state, "signed_in", None)
    if found is None:
        raise NotSignedIn("you are not signed in", next_step="sign in")
    return found
