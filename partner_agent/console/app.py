"""The console's application: every route, behind the door.

In order: the guard (host, who caused the request, size, headers; ``governance/ui/security.py``);
the program's random word, without which there is nothing; a session, for all but the entry and the
style sheet; a token of it, for every form.
"""

from typing import Final

from fastapi import Depends, FastAPI, Request
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from governance.errors import ReasonedError
from governance.ui.problems import add_problem_pages, status_page
from governance.ui.security import Guard
from governance.ui.static_files import static_routes
from partner_agent.console.cases import CaseUnknown
from partner_agent.console.door import LinkVoid, SignedOut, TokenMissing
from partner_agent.console.drafts import DraftUnknown
from partner_agent.console.notices import NOTICE_MOST
from partner_agent.console.pages import (
    answers,
    deciding,
    entry,
    extracts,
    mapping,
    people,
    protecting,
    rights,
    sources,
    standing,
    start,
    work,
)
from partner_agent.console.pages.extracts import MIB, SourceUnknown
from partner_agent.console.state import Console, session_of
from partner_agent.rights.errors import UnknownRightsRequest

TEXT_BYTES: Final = 2 * MIB
"""The largest form, which is a mapping as text."""
PAGES: Final = (
    entry.leaving, start.router, extracts.router, mapping.router, sources.router, people.router,
    deciding.router, protecting.router, rights.router, answers.router, standing.router, work.router,
)  # fmt: skip
_STATUSES: Final[dict[type[ReasonedError], int]] = {
    SignedOut: 403,
    LinkVoid: 403,
    TokenMissing: 403,
    DraftUnknown: 404,
    CaseUnknown: 404,
    UnknownRightsRequest: 404,
    SourceUnknown: 404,
}


def create_app(console: Console, word: str, port: int) -> ASGIApp:
    """The application.

    Args:
        console: what pages are given.
        word: the program's random word, the first part of every path.
        port: where it listens on 127.0.0.1.
    """
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.state.console = console
    add_problem_pages(app, console.pages, _STATUSES)
    app.include_router(static_routes())
    app.include_router(entry.entry)
    for router in PAGES:
        app.include_router(router, dependencies=[Depends(session_of)])
    outer = Starlette(routes=[Mount(f"/{word}", app=app)])

    def refuse(request: Request, status: int) -> object:
        return status_page(console.pages, request, status)

    biggest = (console.settings.console_upload_mib + 1) * MIB  # the form's own limit is the file's
    return Guard(
        outer,
        f"http://127.0.0.1:{port}",
        refuse,  # type: ignore[arg-type]
        limits={
            f"/{word}/extracts/new/": 1024 * biggest,
            f"/{word}/extracts/": TEXT_BYTES,
            f"/{word}/people/": NOTICE_MOST + MIB,
        },
    )
