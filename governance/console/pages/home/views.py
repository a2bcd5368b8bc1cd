"""The start page, and one's own account."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from governance.canonical import Hex128
from governance.console.access import signed_in
from governance.console.areas import OWN, menu_of
from governance.console.console import Use
from governance.console.errors import NotEnrolled
from governance.errors import ReasonedError

router = APIRouter()


@router.get("/")
def start(console: Use, request: Request) -> HTMLResponse:
    """What the role may open."""
    menu = [*menu_of(signed_in(request).account.role), *OWN]
    return console.page(request, "home/start.html", menu=menu)


@router.get("/account")
def account(console: Use, request: Request) -> HTMLResponse:
    """One's own account, whether its keys are in the ledger, and where it is signed in."""
    mine = signed_in(request)
    own = mine.account
    state = "enrolled"
    try:
        console.outside.enrolled(own)
    except NotEnrolled:
        state = "waiting" if console.keys.documents(own) else "none"
    except ReasonedError:
        state = "unknown"
    sessions = console.sessions.open(mine)
    return console.page(request, "home/account.html", account=own, state=state, sessions=sessions)


@router.post("/account/sessions/end")
def end_others(console: Use, request: Request) -> Response:
    """Ends every session of one's own but this one."""
    console.sessions.end_others(signed_in(request))
    return RedirectResponse("/account", 303)


@router.post("/account/sessions/{session}/end")
def end_one(console: Use, request: Request, session: Hex128) -> Response:
    """Ends one of them."""
    console.sessions.end_one(signed_in(request).account.id, session)
    return RedirectResponse("/account", 303)
