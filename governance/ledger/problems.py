"""Refusals as HTTP answers: problem+json (RFC 9457) with the reason code."""

import logging
from collections.abc import Mapping
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from governance.errors import FormatError, GovernanceError, ReasonedError, SignatureError
from governance.ledger.admission import NotAdmissible
from governance.ledger.errors import (
    DuplicateEventError,
    EventTooLargeError,
    ForeignCheckpointError,
    OutOfRangeError,
    RateLimitError,
    StoreError,
)

# the first class that an error is an instance of decides
STATUS: Final[Mapping[type[ReasonedError], int]] = {
    EventTooLargeError: 413,
    FormatError: 400,
    SignatureError: 403,
    DuplicateEventError: 409,
    ForeignCheckpointError: 409,
    NotAdmissible: 422,
    OutOfRangeError: 404,
    RateLimitError: 429,
    StoreError: 503,
    GovernanceError: 422,
}
_LOG: Final = logging.getLogger(__name__)


class RequestSignatureError(SignatureError):
    """A request is not signed by a key that the ledger knows."""

    reason = "request.signature"


def problem(status: int, reason: str, detail: str, next_step: str = "") -> JSONResponse:
    """One problem+json answer."""
    body = {
        "type": f"urn:hearthlink:reason:{reason}",
        "title": reason,
        "status": status,
        "detail": detail,
        "reason": reason,
        "next_step": next_step,
    }
    return JSONResponse(body, status, media_type="application/problem+json")


def add_problem_handlers(app: FastAPI) -> None:
    """Translate every error at the edge; unforeseen ones give no detail away."""

    @app.exception_handler(ReasonedError)
    def _reasoned(request: Request, error: ReasonedError) -> JSONResponse:
        if isinstance(error, RequestSignatureError):
            status = 401
        else:
            status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 400)
        _LOG.info(
            "refused",
            extra={"path": request.url.path, "status": status, "reason": error.reason},
        )
        return problem(status, error.reason, error.message, error.next_step)

    @app.exception_handler(RequestValidationError)
    def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        fields = ", ".join(sorted({str(item["loc"][-1]) for item in error.errors()}))
        return problem(400, FormatError.reason, f"missing or not valid: {fields}")

    @app.exception_handler(HTTPException)
    def _http(_request: Request, error: HTTPException) -> JSONResponse:
        return problem(error.status_code, "http", str(error.detail))

    @app.exception_handler(Exception)
    def _unforeseen(request: Request, error: Exception) -> JSONResponse:
        _LOG.error(
            "failed",
            extra={"path": request.url.path, "error": type(error).__name__},
            exc_info=error,
        )
        return problem(500, "internal", "the ledger failed; its log says where")
