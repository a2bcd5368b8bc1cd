"""Signing in and out, and taking up an invitation.

Rules: whoever signs in comes to the page that they wanted, if it is one of this console; the secret
of a link stands behind its ``#``, which browsers send to nobody; each sign-in has a new session,
whatever cookie came with it, and the earlier one ends.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import Field
from starlette.datastructures import FormData

from governance.canonical import Frozen
from governance.console.access import signed_in
from governance.console.console import Console, Use
from governance.console.errors import ConsoleError
from governance.console.sessions import COOKIE, hand_out, take_back
from governance.ui.forms import Form, posted, read_form
from governance.ui.show import local_path

_ANSWER_MOST = 20_000  # characters


class SignInForm(Frozen):
    """A browser's answer, and where its user wants to go."""

    answer: Annotated[str, Field(max_length=_ANSWER_MOST)]
    next: str = "/"


class CodeForm(Frozen):
    """The secret of a link."""

    code: Annotated[str, Field(min_length=20, max_length=100)]


class PasskeyForm(CodeForm):
    """The same with the new passkey."""

    answer: Annotated[str, Field(max_length=_ANSWER_MOST)]


router = APIRouter()


@router.get("/sign-in")
def sign_in(
    console: Use, request: Request, back: Annotated[str, Query(alias="next")] = "/"
) -> HTMLResponse:
    """Asks for a passkey."""
    return _sign_in_page(console, request, Form(values={"next": local_path(back)}), 200)


@router.post("/sign-in")
def sign_in_with(
    console: Use, request: Request, fields: Annotated[FormData, Depends(posted)]
) -> Response:
    """Takes what the passkey signed."""
    form = read_form(fields, SignInForm, console.pages.words, "entry.sign_in.")
    if form.value is None:
        return _sign_in_page(console, request, form, 422)
    try:
        token = console.signin.sign_in(form.value.answer)
    except ConsoleError as error:
        console.audit.write(None, "POST /sign-in", refused=True)
        wrong = form.wrong("answer", f"{error.message}: {error.next_step}".capitalize())
        return _sign_in_page(console, request, wrong, 403)
    return _begin(console, request, token, local_path(form.value.next))


@router.get("/invitation")
def invitation(console: Use, request: Request) -> HTMLResponse:
    """Asks for a link's code, which a script takes from the address."""
    return _code_page(console, request, Form(), 200)


@router.post("/invitation")
def invited(
    console: Use, request: Request, fields: Annotated[FormData, Depends(posted)]
) -> HTMLResponse:
    """Asks for the passkey that the link is to be used up with."""
    form = read_form(fields, CodeForm, console.pages.words, "entry.invitation.")
    if form.value is None:
        return _code_page(console, request, form, 422)
    return _passkey_page(console, request, form)


@router.post("/invitation/passkey")
def made(console: Use, request: Request, fields: Annotated[FormData, Depends(posted)]) -> Response:
    """Takes the new passkey."""
    form = read_form(fields, PasskeyForm, console.pages.words, "entry.invitation.")
    if form.value is None:
        code = read_form(fields, CodeForm, console.pages.words, "entry.invitation.")
        if code.value is None:
            return _code_page(console, request, code, 422)
        return _passkey_page(console, request, code)
    token = console.signin.take_up(form.value.code, form.value.answer)
    return _begin(console, request, token, "/account")


@router.post("/sign-out")
def sign_out(console: Use, request: Request) -> Response:
    """Ends this session."""
    console.sessions.end(signed_in(request).token)
    answer = console.pages.bare(request, "entry/signed-out.html")
    take_back(answer)
    return answer


def _begin(console: Console, request: Request, token: str, path: str) -> Response:
    if earlier := request.cookies.get(COOKIE):
        console.sessions.end(earlier)
    answer = RedirectResponse(path, 303)
    hand_out(answer, token)
    return answer


def _sign_in_page(
    console: Console, request: Request, form: Form[SignInForm], status: int
) -> HTMLResponse:
    options = console.signin.request()
    return console.page(request, "entry/sign-in.html", status=status, form=form, options=options)


def _code_page(
    console: Console, request: Request, form: Form[CodeForm], status: int
) -> HTMLResponse:
    return console.page(request, "entry/invitation.html", status=status, form=form)


def _passkey_page(console: Console, request: Request, form: Form[CodeForm]) -> HTMLResponse:
    code = str(form.values["code"])
    account = console.accounts.invited(code)
    return console.page(
        request,
        "entry/passkey.html",
        code=code,
        account=account,
        options=console.signin.creation(account),
    )
