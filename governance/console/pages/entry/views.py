"""Signing in and out, and taking up an invitation.

Rules: whoever signs in comes to the page that they wanted, if it is one of this console; the secret
of a link stands behind its ``#``, which browsers send to nobody; each sign-in has a new session,
whatever cookie came with it, and the earlier one ends.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import Field
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from governance.canonical import Frozen
from governance.console import openid, openid_begun
from governance.console.access import place_of, signed_in
from governance.console.console import Console, Use
from governance.console.errors import ConsoleError
from governance.console.openid import CALLBACK, OpenIdProvider
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
    console: Use,
    request: Request,
    back: Annotated[str, Query(alias="next")] = "/",
    again: bool = False,
) -> HTMLResponse:
    """Asks for a passkey."""
    form: Form[SignInForm] = Form(values={"next": local_path(back)})
    return _sign_in_page(console, request, form, 200, again=again)


@router.post("/sign-in")
def sign_in_with(
    console: Use, request: Request, fields: Annotated[FormData, Depends(posted)]
) -> Response:
    """Takes what the passkey signed."""
    form = read_form(fields, SignInForm, console.pages.words, "entry.sign_in.")
    if form.value is None:
        return _sign_in_page(console, request, form, 422)
    try:
        with _audited(console, "POST /sign-in"):
            token = console.signin.sign_in(form.value.answer)
    except ConsoleError as error:
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
    with _audited(console, "POST /invitation"):
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
    with _audited(console, "POST /invitation/passkey"):
        token = console.signin.take_up(form.value.code, form.value.answer)
    return _begin(console, request, token, "/account")


@router.get(CALLBACK)
def came_back(console: Use, request: Request) -> Response:
    """Takes what the organisation's OpenID provider says of whoever comes back from it."""
    provider = console.openid
    if provider is None:
        raise HTTPException(404)
    with _audited(console, f"GET {CALLBACK}"):
        kept = request.cookies.get(openid.COOKIE, "")
        found = provider.finish(request.query_params, kept, place_of(request))
        if found.link:
            token = console.subjects.take_up(provider.issuer, found)
        else:
            token = console.subjects.sign_in(provider.issuer, found)
    # A redirection would still count as the provider's, and the strict cookie not be sent with it.
    answer = console.pages.bare(request, "entry/continue.html", target=local_path(found.back))
    answer.delete_cookie(openid.COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    return _with_session(console, request, answer, token)


@router.post("/sign-out")
def sign_out(console: Use, request: Request) -> Response:
    """Ends this session."""
    console.sessions.end(signed_in(request).token)
    answer = console.pages.bare(request, "entry/signed-out.html")
    take_back(answer)
    return answer


@contextmanager
def _audited(console: Console, route: str) -> Iterator[None]:
    """Have a refusal in the audit log."""
    try:
        yield
    except ConsoleError:
        console.audit.write(None, route, refused=True)
        raise


def _begin(console: Console, request: Request, token: str, path: str) -> Response:
    return _with_session(console, request, RedirectResponse(path, 303), token)


def _with_session(console: Console, request: Request, answer: Response, token: str) -> Response:
    if earlier := request.cookies.get(COOKIE):
        console.sessions.end(earlier)
    hand_out(answer, token)
    return answer


def _provider_page(
    console: Console,
    provider: OpenIdProvider,
    request: Request,
    template: str,
    back: str,
    link: str = "",
    *,
    again: bool = False,
    **values: Any,
) -> HTMLResponse:
    """A page that leads to the organisation's OpenID provider, and what its browser keeps."""
    address, kept = provider.begin(back, link, again=again)
    answer = console.page(request, template, address=address, again=again, **values)
    answer.set_cookie(
        openid.COOKIE, kept, max_age=int(openid_begun.WITHIN.total_seconds()), path="/",
        secure=True, httponly=True, samesite="lax",
    )  # fmt: skip
    return answer


def _sign_in_page(
    console: Console, request: Request, form: Form[SignInForm], status: int, *, again: bool = False
) -> HTMLResponse:
    if console.openid is not None:
        back = local_path(str(form.values.get("next", "/")))
        template = "entry/sign-in-openid.html"
        return _provider_page(console, console.openid, request, template, back, again=again)
    return console.page(
        request,
        "entry/sign-in.html",
        status=status,
        form=form,
        options=console.signin.request(),
        again=again,
    )


def _code_page(
    console: Console, request: Request, form: Form[CodeForm], status: int
) -> HTMLResponse:
    return console.page(request, "entry/invitation.html", status=status, form=form)


def _passkey_page(console: Console, request: Request, form: Form[CodeForm]) -> HTMLResponse:
    code = str(form.values["code"])
    account = console.accounts.invited(code)
    if console.openid is not None:
        template = "entry/invitation-openid.html"
        return _provider_page(
            console, console.openid, request, template, "/account", code, account=account
        )
    return console.page(
        request,
        "entry/passkey.html",
        code=code,
        account=account,
        options=console.signin.creation(account),
    )
