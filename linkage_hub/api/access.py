"""Who may call what: one matrix, which the routes use and a test walks.

Rules, in order: every request is signed by keys that the ledger knows; these keys are held to a
rate, whatever they ask for; a party calls as a party, a person in the one role of the keys;
anything not listed for a caller is refused; what a person asks, and what anybody is refused for the
role, is logged with the keys, ids and files that it is about, and nothing else of the address.
"""

import logging
import re
from dataclasses import dataclass
from typing import Final

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from governance.errors import SignatureError
from governance.exchange.http import RequestVerifier
from governance.exchange.hub_api import EXPORTS, TOO_FAST
from governance.identity.models import PersonKeys, Role
from governance.ledger.errors import RateLimitError
from governance.ledger.limits import RateLimit
from governance.ledger.party import PartyLedger
from governance.web.signed import read_body, verify_request
from linkage_hub.errors import HubError

PARTY: Final = "party"
_LOG: Final = logging.getLogger(__name__)
_ID: Final = re.compile(r"sha256:[0-9a-f]{64}|([fp]-)?[0-9a-f]{32}|[0-9a-f]{64}")
"""What the hub's ids look like; an address may hold anything else, a name among it."""

ACCESS: Final[dict[str, frozenset[str]]] = {
    "POST /v1/secrets": frozenset({PARTY}),
    "GET /v1/secrets/{agreement}/{epoch}": frozenset({PARTY}),
    "POST /v1/submissions": frozenset({PARTY}),
    "GET /v1/submissions": frozenset({PARTY}),
    "GET /v1/submissions/{id_}": frozenset({PARTY}),
    "PATCH /v1/submissions/{id_}": frozenset({PARTY}),
    "GET /v1/orders": frozenset({PARTY}),
    "POST /v1/orders/{request_hash}/answer": frozenset({PARTY}),
    "GET /v1/rounds": frozenset({PARTY}),
    "GET /v1/rounds/{round_hash}/questions/{batch}": frozenset({PARTY}),
    "POST /v1/rounds/{round_hash}/answers/{batch}": frozenset({PARTY}),
    "POST /v1/rounds/{round_hash}/profiles": frozenset({PARTY}),
    "POST /v1/rounds/{round_hash}/refusal": frozenset({PARTY}),
    "GET /v1/reveals": frozenset({PARTY}),
    "POST /v1/runs/{run}/reveals/{submission}": frozenset({PARTY}),
    "POST /v1/runs": frozenset({Role.ANALYST}),
    "GET /v1/runs": frozenset({Role.ANALYST}),
    "GET /v1/runs/{run}": frozenset({Role.ANALYST}),
    "GET /v1/runs/{run}/exports/{name}": frozenset({Role.ANALYST}),
    "GET /v1/runs/{run}/quality": frozenset({Role.ANALYST, Role.IG_LEAD}),
    "GET /v1/runs/{run}/effects": frozenset({Role.ANALYST}),
    "GET /v1/runs/{run}/thresholds": frozenset({Role.ANALYST}),
    "GET /v1/runs/{run}/comparison/{other}": frozenset({Role.ANALYST}),
    "GET /v1/runs/{run}/persons": frozenset({Role.ANALYST}),
    "GET /v1/runs/{run}/persons/{person}": frozenset({Role.ANALYST}),
    "GET /v1/runs/{run}/unlinked": frozenset({Role.ANALYST}),
    "GET /v1/agreements/{agreement}/sources": frozenset({Role.ANALYST}),
    "GET /v1/agreements/{agreement}/reports": frozenset(Role),
    "GET /v1/agreements/{agreement}/reports/choices": frozenset({Role.ANALYST}),
    "POST /v1/agreements/{agreement}/reports": frozenset({Role.ANALYST}),
    "POST /v1/agreements/{agreement}/reports/shared": frozenset({Role.ANALYST}),
    "GET /v1/reports/{report}": frozenset(Role),
    "DELETE /v1/reports/{report}": frozenset({Role.ANALYST, Role.IG_LEAD}),
    "GET /v1/review/{agreement}": frozenset({Role.ANALYST}),
    "GET /v1/review/{agreement}/rulings": frozenset({Role.ANALYST}),
    "POST /v1/review/{agreement}/rulings": frozenset({Role.ANALYST}),
    "GET /v1/risk": frozenset({Role.ANALYST, Role.SERVICE_MANAGER, Role.IG_LEAD}),
    "GET /v1/risk/{model}/families": frozenset({Role.ANALYST}),
    "GET /v1/areas": frozenset({Role.SERVICE_MANAGER}),
    "GET /v1/families": frozenset({Role.SERVICE_MANAGER}),
    "GET /v1/families/{family}": frozenset({Role.SERVICE_MANAGER, Role.IG_LEAD}),
    "POST /v1/requests": frozenset({Role.SERVICE_MANAGER}),
    "GET /v1/requests": frozenset({Role.SERVICE_MANAGER, Role.IG_LEAD}),
    "GET /v1/requests/{request_hash}": frozenset({Role.SERVICE_MANAGER, Role.IG_LEAD}),
    "POST /v1/requests/{request_hash}/approval": frozenset({Role.IG_LEAD}),
    "GET /v1/requests/{request_hash}/release": frozenset({Role.SERVICE_MANAGER}),
    "POST /v1/requests/{request_hash}/outcome": frozenset({Role.SERVICE_MANAGER}),
}


class NotAllowed(HubError):
    """The caller's role may not do this."""

    reason = "access.role"
    exit_code = 77  # EX_NOPERM


class BodyTooLarge(HubError):
    """A request's body is larger than allowed."""

    reason = "request.too_large"


class TooFast(HubError):
    """A caller sends more requests than the hub takes."""

    reason = TOO_FAST
    exit_code = 75  # EX_TEMPFAIL


@dataclass(frozen=True)
class Caller:
    """A verified caller and the request's body."""

    party: str
    person: PersonKeys | None
    body: bytes

    @property
    def staff(self) -> PersonKeys:
        """The person.

        Raises:
            NotAllowed: the caller is a party.
        """
        if self.person is None:
            raise NotAllowed("this is for members of staff")
        return self.person


class Gate:
    """Verifies callers.

    Args:
        ledger: knows their keys.
        limit: of requests, by keys.
        public_url: how callers address the hub when a proxy stands before it.
    """

    def __init__(self, ledger: PartyLedger, limit: RateLimit, public_url: str | None) -> None:
        self._ledger = ledger
        self._limit = limit
        self._public_url = public_url
        self._verifier = RequestVerifier(self._key)

    async def admit(self, request: Request, most: int) -> Caller:
        """Verify a request and its caller's right to it.

        Args:
            request: as it came.
            most: bytes that its body may have.

        Raises:
            BodyTooLarge, RequestSignatureError, TooFast, NotAllowed: by the first rule that fails.
        """
        body = await read_body(request, most, BodyTooLarge)
        thumbprint = await verify_request(request, body, self._verifier, self._public_url)
        self._take(thumbprint)
        route = f"{request.method} {request.scope['route'].path}"
        identities = await run_in_threadpool(lambda: self._ledger.state.identities)
        if thumbprint in identities.parties:
            caller = Caller(identities.parties[thumbprint].party, None, body)
            kind: str = PARTY
        else:
            person = identities.person(thumbprint)
            caller, kind = Caller(person.party, person, body), person.role.value
        allowed = kind in ACCESS[route]
        if caller.person is not None or not allowed:
            about = " ".join(filter(_is_told, map(str, request.path_params.values())))
            told = {"route": route, "about": about, "caller": thumbprint, "allowed": allowed}
            _LOG.info("asked", extra=told)
        if not allowed:
            raise NotAllowed(f"{kind.replace('_', ' ')} may not do this")
        return caller

    def _take(self, thumbprint: str) -> None:
        try:
            self._limit.take(thumbprint)
        except RateLimitError as error:  # the ledger's would be told as a ledger that is away
            raise TooFast(error.message, next_step=error.next_step) from None

    def _key(self, thumbprint: str) -> bytes:
        try:
            return self._ledger.state.identities.key(thumbprint)
        except SignatureError:
            return self._ledger.sync().identities.key(thumbprint)  # perhaps enrolled just now


def _is_told(part: str) -> bool:
    """Whether a part of an address is an id or one of a run's files."""
    return part in EXPORTS or _ID.fullmatch(part) is not None
