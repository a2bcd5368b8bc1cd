"""Refusals as HTTP answers: problem+json (RFC 9457) with the reason code."""

import logging
from collections.abc import Mapping
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from governance.errors import FormatError, ReasonedError
from governance.web.headers import headers_of

_LOG: Final = logging.getLogger(__name__)


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


def add_problem_handlers(
    app: FastAPI, statuses: Mapping[type[ReasonedError], int], public_url: str | None
) -> None:
    """Translate every error at the edge; unforeseen ones give no detail away.

    Args:
        app: the service.
        statuses: HTTP status by error; the first class that an error is an instance of decides,
            and 400 stands where none is.
        public_url: how callers address it.
    """

    @app.exception_handler(ReasonedError)
    def _reasoned(request: Request, error: ReasonedError) -> JSONResponse:
        status = next((code for kind, code in statuses.items() if isinstance(error, kind)), 400)
        _LOG.info(
            "refused",
            extra={"path": request.url.path, "status": status, "reason": error.reason},
        )
        return problem(status, error.reason, error.message, error.next_step)

    @app.exception_handler(RequestValidationError)
    def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        reason = FormatError.reason
        _LOG.info("refused", extra={"path": request.url.path, "status": 400, "reason": reason})
        fields = ", ".join(sorted({str(item["loc"][-1]) for item in error.errors()}))
        return problem(400, reason, f"missing or not valid: {fields}")

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
        answer = problem(500, "internal", "the service failed; its log says where")
        # The server closes the connection after this; a client that is not told may send its next
        # request on it, and lose it (RFC 9112, section 9.6).
        answer.headers["Connection"] = "close"
        answer.headers.update(
            headers_of(public_url)
        )  # this answer is made outside of ``ServiceHeaders``
        return answer
