"""A typed client of the hub, for agents, staff and analysts. Every request is signed.

Rules: an answer has a largest size, and with all attempts at it a deadline, also when it drips
(``web/deadline.py``); nothing is decompressed and no redirection followed; a refusal by the hub
becomes ``HubRefused`` with the hub's own reason and next step; a hub that cannot be reached becomes
``HubUnavailable`` after a few attempts. Requests that change something are idempotent by id, so
repeating one is safe.
"""

import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, Final, Self
from urllib.parse import urlencode

import httpx
from pydantic import BaseModel

from governance.canonical import canonical_bytes, parse_json
from governance.errors import FormatError, GovernanceError, plain
from governance.exchange.agent_client import AgentCalls
from governance.exchange.analysis_api import PAGE
from governance.exchange.analysis_client import AnalysisCalls
from governance.exchange.http import RequestSigner
from governance.exchange.hub_api import (
    TOO_FAST,
    Mode,
    QualityTable,
    ReviewList,
    RulingList,
    RulingPost,
    RunList,
    RunPost,
    RunView,
    Solver,
)
from governance.exchange.release_api import (
    ApprovalPost,
    FamilyList,
    FamilyQuery,
    FamilyView,
    OutcomePost,
    ReleaseView,
    RequestList,
    RequestPost,
    RequestView,
)
from governance.exchange.report_client import ReportCalls
from governance.identity.envelope import Envelope, Model, parse_model
from governance.identity.keys import SigningKey
from governance.web.addresses import safe_address
from governance.web.deadline import bounded_client, deadline

ANSWER_BYTES: Final = 64 * 1024 * 1024
ATTEMPTS: Final = 4
FIRST_WAIT: Final = 0.25  # seconds; doubled after each attempt
TIMEOUT: Final = 30.0  # seconds for connecting and for each part of a question or an answer
DEADLINE: Final = 60.0  # seconds for all attempts together; what moves earns more
_QUOTA: Final = 429
"""By the hub itself: an agreed quota, which is not over in seconds, or that the caller is too fast
(``TOO_FAST``), which is. Else by what is before it."""
_TRY_AGAIN: Final = frozenset({_QUOTA, 502, 503, 504})


class HubUnavailable(GovernanceError):
    """The hub cannot be reached."""

    reason = "hub.unavailable"
    exit_code = 69  # EX_UNAVAILABLE


class HubRefused(GovernanceError):
    """The hub refused; ``hub_reason`` and ``status`` are its own."""

    reason = "hub.refused"
    exit_code = 77  # EX_NOPERM

    def __init__(self, message: str, *, next_step: str, hub_reason: str, status: int) -> None:
        super().__init__(message, next_step=next_step)
        self.hub_reason = hub_reason
        self.status = status

    @property
    def told(self) -> str:
        """The hub's own reason."""
        return self.hub_reason


class HubAnswerError(GovernanceError):
    """The hub answered with something else than agreed."""

    reason = "hub.answer"
    exit_code = 76  # EX_PROTOCOL


_Sink = Callable[[], Callable[[bytes], object]]
"""Called before each attempt at a large answer; gives what takes its parts."""


class HubClient(AgentCalls, AnalysisCalls, ReportCalls):
    """The hub as one party or person sees it.

    Args:
        base_url: its address.
        thumbprint: of the keys of the caller.
        key: their signing key.
        wait: sleeps between attempts.
        within: seconds for all attempts together.
        http: connections of whoever made them (``bounded_client``), which are left open; without
            it, ones of its own. Nothing of a caller stays with them: each request is signed.
    """

    def __init__(
        self,
        base_url: str,
        thumbprint: str,
        key: SigningKey,
        *,
        wait: Callable[[float], None] = time.sleep,
        within: float = DEADLINE,
        http: httpx.Client | None = None,
    ) -> None:
        self._base = safe_address(base_url)
        self._own = http is None
        self._http = bounded_client(TIMEOUT) if http is None else http
        self._within = within
        self._auth = RequestSigner(thumbprint, key)
        self._wait = wait

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close its own connections."""
        if self._own:
            self._http.close()

    # --- staff ------------------------------------------------------------------------------

    def start_run(
        self,
        agreement: str,
        mode: Mode | None = None,
        *,
        questions: bool = True,
        solver: Solver = "average",
        id_: str | None = None,
    ) -> RunView:
        """Start a link run; with the same ``id_`` again, none but the first."""
        post = RunPost(
            agreement=agreement,
            mode=mode,
            questions=questions,
            solver=solver,
            id=id_ or secrets.token_hex(16),
        )
        return self._post("/v1/runs", post, RunView)

    def run(self, id_: str) -> RunView:
        """A link run."""
        return self._get(f"/v1/runs/{id_}", RunView)

    def review(self, agreement: str, offset: int = 0, limit: int = PAGE) -> ReviewList:
        """Pairs to rule on, those first whose ruling would change most."""
        return self._get(f"/v1/review/{agreement}?offset={offset}&limit={limit}", ReviewList)

    def rulings(self, agreement: str) -> RulingList:
        """Rulings that count."""
        return self._get(f"/v1/review/{agreement}/rulings", RulingList)

    def rule(self, agreement: str, post: RulingPost) -> RulingList:
        """Rule on a pair; the same again changes nothing."""
        return self._post(f"/v1/review/{agreement}/rulings", post, RulingList)

    def runs(self, offset: int = 0, limit: int = PAGE) -> RunList:
        """Link runs of the caller's agreements, newest first."""
        return self._get(f"/v1/runs?offset={offset}&limit={limit}", RunList)

    def quality(self, run: str) -> QualityTable:
        """How good a run's links are."""
        return self._get(f"/v1/runs/{run}/quality", QualityTable)

    def export(self, run: str, name: str, file: BinaryIO) -> None:
        """Write one file of a run's exports, of any size, into an empty file.

        Raises:
            OSError: the file cannot be written.
        """

        def begin() -> Callable[[bytes], object]:
            file.seek(0)
            file.truncate()
            return file.write

        self._send("GET", f"/v1/runs/{run}/exports/{name}", sink=begin)

    def families(self, query: FamilyQuery) -> FamilyList:
        """Families for professional consideration."""
        wanted = query.model_dump(mode="json", exclude_defaults=True)
        text = urlencode({key: str(value).lower() for key, value in wanted.items()})
        return self._get(f"/v1/families?{text}" if text else "/v1/families", FamilyList)

    def family(self, family: str) -> FamilyView:
        """One family, with the members' document that a request names."""
        return self._get(f"/v1/families/{family}", FamilyView)

    def post_request(self, request: Envelope) -> RequestView:
        """Ask to re-identify a family."""
        return self._post("/v1/requests", RequestPost(request=request), RequestView)

    def request(self, request: str) -> RequestView:
        """A request and what became of it."""
        return self._get(f"/v1/requests/{request}", RequestView)

    def requests(self) -> RequestList:
        """Requests that the caller may see."""
        return self._get("/v1/requests", RequestList)

    def post_approval(self, request: str, approval: Envelope) -> RequestView:
        """Approve or decline a request."""
        body = ApprovalPost(approval=approval)
        return self._post(f"/v1/requests/{request}/approval", body, RequestView)

    def release(self, request: str) -> ReleaseView:
        """The partners' sealed answers."""
        return self._get(f"/v1/requests/{request}/release", ReleaseView)

    def post_outcome(self, request: str, outcome: OutcomePost) -> RequestView:
        """Record what came of an approach."""
        return self._post(f"/v1/requests/{request}/outcome", outcome, RequestView)

    # --- the wire ---------------------------------------------------------------------------

    def _get(self, path: str, model: type[Model]) -> Model:
        return self._parse(self._send("GET", path), model)

    def _post(self, path: str, body: BaseModel, model: type[Model]) -> Model:
        return self._parse(self._call("POST", path, body), model)

    def _call(self, method: str, path: str, body: BaseModel) -> bytes:
        return self._send(
            method, path, canonical_bytes(body), headers={"Content-Type": "application/json"}
        )

    @staticmethod
    def _parse(answer: bytes, model: type[Model]) -> Model:
        try:
            return parse_model(parse_json(answer), model)
        except FormatError as error:
            raise HubAnswerError(f"the hub's answer has another form: {error.message}") from None

    def _send(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        sink: _Sink | None = None,
    ) -> bytes:
        with deadline(self._within):
            return self._attempts(method, path, body, headers or {}, sink)

    def _attempts(
        self,
        method: str,
        path: str,
        body: bytes,
        headers: Mapping[str, str],
        sink: _Sink | None,
    ) -> bytes:
        failure = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                self._wait(FIRST_WAIT * 2 ** (attempt - 1))
            try:
                status, answer = self._once(method, path, body, headers, sink)
            except httpx.TransportError as error:
                failure = type(error).__name__
                continue
            if status < 300:  # noqa: PLR2004 - 2xx
                return answer
            if status not in _TRY_AGAIN or (status == _QUOTA and _is_quota(answer)):
                raise _refusal(status, answer)
            failure = f"HTTP {status}"
        raise HubUnavailable(
            f"the hub cannot be reached ({failure})",
            next_step="try again later: what was sent so far is kept",
        )

    def _once(
        self,
        method: str,
        path: str,
        body: bytes,
        headers: Mapping[str, str],
        sink: _Sink | None,
    ) -> tuple[int, bytes]:
        headers = {"Accept-Encoding": "identity", **headers}
        with self._http.stream(
            method, self._base + path, content=body, headers=headers, auth=self._auth
        ) as response:
            if response.headers.get("content-encoding", "identity") != "identity":
                raise HubAnswerError("the hub's answer is compressed, which was not asked for")
            if sink is not None and response.status_code < 300:  # noqa: PLR2004 - 2xx
                write = sink()
                for part in response.iter_raw():
                    write(part)
                return response.status_code, b""
            answer = bytearray()
            for part in response.iter_raw():
                answer += part
                if len(answer) > ANSWER_BYTES:
                    raise HubAnswerError(f"the hub's answer has more than {ANSWER_BYTES} bytes")
            return response.status_code, bytes(answer)


def _is_quota(answer: bytes) -> bool:
    return _problem(answer).get("reason") not in (None, TOO_FAST)  # whatever it is, hashable or not


def _problem(answer: bytes) -> dict[str, Any]:
    """The hub's own account of why it refuses; empty where it is another's."""
    try:
        problem = parse_json(answer)
    except FormatError:
        return {}
    return problem if isinstance(problem, dict) else {}


def _refusal(status: int, answer: bytes) -> HubRefused:
    problem = _problem(answer)
    return HubRefused(
        plain(str(problem.get("detail", f"the hub answered with HTTP {status}"))[:500]),
        next_step=plain(str(problem.get("next_step", ""))[:500]),
        hub_reason=plain(str(problem.get("reason", "hub.refused"))[:80]),
        status=status,
    )
