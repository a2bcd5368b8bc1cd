"""The start page, and one's own account."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from governance.console.access import signed_in
from governance.console.areas import OWN, menu_of
from governance.console.console import Use
from governance.console.errors import NotEnrolled
from governance.console.sessions import take_back
from governance.errors import ReasonedError

router = APIRouter()


@router.get("/")
def start(console: Use, request: Request) -> HTMLResponse:
    """What the role may open."""
    menu = [*menu_of(signed_in(request).account.role), *OWN]
    return console.page(request, "home/start.html", menu=menu)


@router.get("/account")
def account(console: Use, request: Request) -> HTMLResponse:
    """One's own account, and whether its keys are in the ledger."""
    own = signed_in(request).account
    state = "enrolled"
    try:
        console.outside.enrolled(own)
    except NotEnrolled:
        state = "waiting" if console.keys.documents(own) else "none"
    except ReasonedError:
        state = "unknown"
    return console.page(request, "home/account.html", account=own, state=state)


@router.post("/account/sign-out-everywhere")
def everywhere(console: Use, request: Request) -> Response:
    """Ends every session of one's own."""
    console.sessions.end_all(signed_in(request).account.id)
    answer = RedirectResponse("/sign-in", 303)
    take_back(answer)
    return answer
