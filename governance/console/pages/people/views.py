"""Colleagues' accounts and their links, and the audit log: for information-governance leads.

Rules: a link is shown once, to whoever made it, and to be handed over in person; nobody closes
their own account; what is asked for on one page is confirmed on the next.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import FormData

from governance.canonical import Frozen, Hex128
from governance.console.access import signed_in
from governance.console.accounts import Account, Label
from governance.console.console import Console, Use
from governance.console.errors import AccountRefused
from governance.identity.models import Role
from governance.ui.forms import Form, posted, read_form
from governance.ui.show import Slice

_ENTRIES = 50  # of the audit log on a page


class InviteForm(Frozen):
    """Whom to invite."""

    label: Label
    role: Role


router = APIRouter()


@router.get("/people")
def people(console: Use, request: Request) -> HTMLResponse:
    """The list of colleagues."""
    found = console.accounts.colleagues()
    return console.page(
        request,
        "people/people.html",
        people=[each for each in found if each.account.closed is None],
        closed=[each for each in found if each.account.closed is not None],
        signed_in=console.sessions.accounts(),
        own=signed_in(request).account.id,
    )


@router.get("/people/invite")
def invite(console: Use, request: Request) -> HTMLResponse:
    """Asks whom to invite."""
    return console.page(request, "people/invite.html", form=Form(), roles=list(Role))


@router.post("/people/invite")
def invited(
    console: Use, request: Request, fields: Annotated[FormData, Depends(posted)]
) -> HTMLResponse:
    """Makes the account, and shows its link."""
    form = read_form(fields, InviteForm, console.pages.words, "people.form.")
    if form.value is None:
        return console.page(request, "people/invite.html", status=422, form=form, roles=list(Role))
    own = signed_in(request).account
    account, token = console.accounts.invite(form.value.role, form.value.label, own.id)
    return _link_page(console, request, account, token)


@router.post("/people/{account}/link")
def link(console: Use, request: Request, account: Hex128) -> HTMLResponse:
    """Shows a new link for an account."""
    found = console.accounts.account(account)
    return _link_page(console, request, found, console.accounts.new_link(account))


@router.post("/people/links/{link}/revoke")
def revoke(console: Use, link: Hex128) -> Response:
    """Ends a link."""
    console.accounts.revoke_link(link)
    return RedirectResponse("/people", 303)


@router.post("/people/{account}/sessions/end")
def end_sessions(console: Use, account: Hex128) -> Response:
    """Ends every session of an account."""
    console.sessions.end_all(console.accounts.account(account).id)
    return RedirectResponse("/people", 303)


@router.get("/people/{account}/close")
def closing(console: Use, request: Request, account: Hex128) -> HTMLResponse:
    """Asks whether to close an account."""
    found = console.accounts.account(account)
    return console.page(request, "people/close.html", account=found)


@router.post("/people/{account}/close")
def close(console: Use, request: Request, account: Hex128) -> Response:
    """Closes it."""
    if account == signed_in(request).account.id:
        raise AccountRefused(
            "nobody closes their own account", next_step="ask another lead to do it"
        )
    console.accounts.close(account)
    return RedirectResponse("/people", 303)


@router.get("/audit")
def audit(
    console: Use, request: Request, page: Annotated[int, Query(ge=1, le=1_000_000)] = 1
) -> HTMLResponse:
    """The audit log."""
    part = Slice(page, _ENTRIES, 0)
    entries, total = console.audit.entries(part.offset, _ENTRIES)
    return console.page(
        request,
        "people/audit.html",
        entries=entries,
        part=Slice(page, _ENTRIES, total),
        head=console.audit.head(),
    )


def _link_page(console: Console, request: Request, account: Account, token: str) -> HTMLResponse:
    address = f"{console.settings.origin}/invitation#{token}"
    return console.page(request, "people/link.html", account=account, address=address)
