"""The way in and out: the link's page, the button that opens the session, and its end.

Opening the link changes nothing: a browser or a virus scanner may fetch addresses by itself. The
button does, and ends the session of another window.
"""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from governance.ui.forms import posted
from partner_agent.console.cookie import clear_cookie, set_cookie
from partner_agent.console.state import Console, console_of, form_of

SEE_OTHER: Final = 303
entry = APIRouter(include_in_schema=False)
"""Routes that need no session."""
leaving = APIRouter(include_in_schema=False)


def go(request: Request, path: str) -> RedirectResponse:
    """On to another page of the console."""
    return RedirectResponse(f"{request.scope.get('root_path', '')}{path}", SEE_OTHER)


@entry.get("/open")
def ask(
    request: Request, console: Annotated[Console, Depends(console_of)], key: str = ""
) -> Response:
    """Who this is for, and a button."""
    return console.pages.bare(request, "console/open.html", key=key, party=console.settings.party)


@entry.post("/open")
def open_(
    request: Request,
    console: Annotated[Console, Depends(console_of)],
    fields: Annotated[FormData, Depends(posted)],
) -> Response:
    """Open the session.

    Raises:
        LinkVoid: the link is of no use any more.
    """
    secret = console.door.enter(str(fields.get("key", "")))
    answer = go(request, "/")
    answer.headers["Set-Cookie"] = set_cookie(secret, request.scope.get("root_path", ""))
    return answer


@leaving.post("/sign-out", dependencies=[Depends(form_of)])
def sign_out(request: Request, console: Annotated[Console, Depends(console_of)]) -> Response:
    """End the session."""
    console.door.leave()
    del request.state.session
    answer = console.pages.bare(request, "console/signed_out.html")
    answer.headers["Set-Cookie"] = clear_cookie(request.scope.get("root_path", ""))
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer
