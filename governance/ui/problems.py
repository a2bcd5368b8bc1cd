"""Refusals as pages: what could not be done, why, and what to do next.

Rules: the reason code, message and next step of the error itself are shown, as the command line
shows them; an unforeseen error gives no detail away; the log has route, status and reason, and
never what was on the page nor its address, which may hold an id or the console's secret word.
"""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from governance.errors import ReasonedError
from governance.ui.pages import Pages

_LOG: Final = logging.getLogger(__name__)
_TEMPLATE: Final = "ui/problem.html"
_TOLD: Final = frozenset({400, 403, 404, 405, 413, 421, 429, 500, 503})
"""Statuses that have words of their own."""


def status_page(pages: Pages, request: Request, status: int) -> HTMLResponse:
    """The page of a refusal of which no more is known than its HTTP status.

    It names nobody: it also answers requests whose sender is not known.
    """
    likest = 400 if status < HTTPStatus.INTERNAL_SERVER_ERROR else 500
    key = f"ui.status.{status if status in _TOLD else likest}"
    return pages.bare(
        request,
        _TEMPLATE,
        status=status,
        title=pages.words(key),
        message="",
        next_step=pages.words(f"{key}.next"),
        reason=f"http.{status}",
    )


def add_problem_pages(
    app: FastAPI, pages: Pages, statuses: Mapping[type[ReasonedError], int]
) -> None:
    """Translate every error at the edge.

    Args:
        app: the console.
        pages: make the pages.
        statuses: HTTP status by error; the first class that an error is an instance of decides,
            and 400 stands where none is.
    """

    @app.exception_handler(ReasonedError)
    def _reasoned(request: Request, error: ReasonedError) -> HTMLResponse:
        status = next((code for kind, code in statuses.items() if isinstance(error, kind)), 400)
        _LOG.info(
            "refused",
            extra={"route": _route(request), "status": status, "reason": error.told},
        )
        answer = pages.page(
            request,
            _TEMPLATE,
            status=status,
            title=pages.words("ui.problem"),
            message=error.message,
            next_step=error.next_step,
            reason=error.told,
        )
        if error.retry_after:
            answer.headers["Retry-After"] = str(error.retry_after)
        return answer

    @app.exception_handler(RequestValidationError)
    def _invalid(request: Request, _error: RequestValidationError) -> HTMLResponse:
        _LOG.info("refused", extra={"route": _route(request), "status": 404, "reason": "http.404"})
        return status_page(pages, request, 404)  # an address that no page has

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> HTMLResponse:
        status = error.status_code
        told = {"route": _route(request), "status": status, "reason": f"http.{status}"}
        _LOG.info("refused", extra=told)
        return status_page(pages, request, error.status_code)

    @app.exception_handler(Exception)
    def _unforeseen(request: Request, error: Exception) -> HTMLResponse:
        _LOG.error(
            "failed",
            extra={"route": _route(request), "error": type(error).__name__},
            exc_info=error,
        )
        answer = status_page(pages, request, 500)
        answer.headers["Connection"] = "close"  # as web/problems.py
        return answer


def _route(request: Request) -> str:
    """The path of a page as the program has it, with names in the place of what it is about."""
    return getattr(request.scope.get("route"), "path", "")
