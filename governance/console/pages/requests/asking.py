"""Asking who a family is: one question a page, check, sign.

Rules: answers stand in the address, so that every page works without a script and the way back is
the browser's; members are named there by their place and not by pseudonym; a page is shown only
once the answers before it are good; what is signed is made on the last page, from what the hub
shows then, and its digest of the members is worked out here; what comes back signed is for this
family and these keys.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, Field
from starlette.datastructures import FormData

from governance.agreements.models import Agreement
from governance.canonical import Frozen, Slug, canonical_bytes, write_time
from governance.console.access import signed_in
from governance.console.accounts import Account
from governance.console.console import Console, Use
from governance.console.labels import labels_of, persons_of, short_id
from governance.console.signing import own_passkey, read_signed
from governance.errors import SignatureError
from governance.exchange.hub_client import HubRefused
from governance.exchange.release_api import FamilyView
from governance.identity.envelope import parse_model
from governance.release.errors import MembersChanged
from governance.release.models import REQUEST, FamilyId
from governance.release.models import Request as Asked
from governance.ui.browser import signing_data
from governance.ui.forms import Form, asked, posted, read_form

HOURS: Final = (4, 12, 24)
"""How long a request may stand; the agents take 24 at most."""

router = APIRouter()


class PeopleForm(Frozen):
    """Places of the members that are asked about, from 1."""

    people: Annotated[tuple[Annotated[int, Field(ge=1, le=64)], ...], Field(min_length=1)]


class ItemsForm(Frozen):
    """What is asked for."""

    items: Annotated[tuple[Slug, ...], Field(min_length=1)]


class HoursForm(Frozen):
    """How long the request stands."""

    hours: Literal["4", "12", "24"]


_QUESTIONS: Final[Mapping[str, type[BaseModel]]] = {
    "people": PeopleForm,
    "items": ItemsForm,
    "hours": HoursForm,
}
_STEPS: Final = {"people": "/ask", "items": "/ask/items", "hours": "/ask/hours"}


@dataclass(frozen=True)
class Asking:
    """A family as it is asked about."""

    view: FamilyView
    agreement: Agreement
    persons: dict[str, str]

    @property
    def asks_people(self) -> bool:
        """Whether members may be left out."""
        return self.agreement.family_rule.subset_allowed and len(self.view.members) > 1

    @property
    def items(self) -> tuple[Any, ...]:
        """What may be asked for, in the agreement's order."""
        return tuple(item for item in self.agreement.items if item.releasable)


@router.get("/families/{family}/ask")
def people(console: Use, request: Request, family: FamilyId) -> HTMLResponse:
    """Whom do you need to reach?"""
    return _question(console, request, family, "people")


@router.get("/families/{family}/ask/items")
def items(console: Use, request: Request, family: FamilyId) -> HTMLResponse:
    """What do you need to know?"""
    return _question(console, request, family, "items")


@router.get("/families/{family}/ask/hours")
def hours(console: Use, request: Request, family: FamilyId) -> HTMLResponse:
    """How long may it stand?"""
    return _question(console, request, family, "hours")


@router.get("/families/{family}/ask/check")
def check(console: Use, request: Request, family: FamilyId) -> HTMLResponse:
    """Check and sign."""
    return _question(console, request, family, "")


@router.post("/families/{family}/ask")
def ask(
    console: Use, request: Request, family: FamilyId, fields: Annotated[FormData, Depends(posted)]
) -> Response:
    """Hands the signed request to the hub; where it is refused, its page says why."""
    own = signed_in(request).account
    keys = console.outside.enrolled(own).keys
    document, envelope = read_signed(fields, REQUEST, Asked, keys)
    if document.family != family or document.recipient != keys.thumbprint:
        raise SignatureError("the signed request is for another family or other keys")
    with console.outside.hub(own) as hub:
        try:
            hub.post_request(envelope)
        except HubRefused as refusal:
            if not _is_kept(lambda: hub.request(envelope.payload_hash)):
                raise refusal from None
    return RedirectResponse(f"/requests/{envelope.payload_hash}", 303)


def _is_kept(look: Callable[[], object]) -> bool:
    try:
        look()
    except HubRefused:
        return False
    return True


def _question(console: Console, request: Request, family: str, wanted: str) -> HTMLResponse:
    """The page that was asked for, or the first whose answer is not good."""
    own = signed_in(request).account
    asking = _asking(console, own, family)
    fields = asked(request)
    answers: dict[str, Any] = {}
    for name, model in _QUESTIONS.items():
        if name == "people" and not asking.asks_people:
            answers[name] = tuple(range(1, len(asking.view.members) + 1))
            if name == wanted:
                wanted = "items"
            continue
        form: Form[Any] = read_form(fields, model, console.pages.words, "asking.form.")
        form = _known(console, asking, name, form)
        if name == wanted and (form.value is not None or name not in fields):
            shown = form if form.value else Form(values=_at_first(asking, name))
            return _page(console, request, asking, name, shown, fields)
        if form.value is None:
            return _page(console, request, asking, name, form, fields, status=422)
        answers[name] = getattr(form.value, name)
    return _check_page(console, request, own, asking, answers)


def _known(console: Console, asking: Asking, name: str, form: Form[Any]) -> Form[Any]:
    """The form with an error where it names what is not there."""
    if form.value is None:
        return form
    known: dict[str, set[Any]] = {
        "people": set(range(1, len(asking.view.members) + 1)),
        "items": {item.id for item in asking.items},
    }
    if name in known and not set(getattr(form.value, name)) <= known[name]:
        return form.wrong(name, console.pages.words("asking.form." + name))
    return form


def _at_first(asking: Asking, name: str) -> dict[str, str | tuple[str, ...]]:
    if name == "people":
        return {name: tuple(str(place + 1) for place in range(len(asking.view.members)))}
    return {name: "12" if name == "hours" else ()}


def _asking(console: Console, own: Account, family: str) -> Asking:
    with console.outside.hub(own) as hub:
        view = hub.family(family)
    if view.digest != view.document.digest:  # never the hub's word for it
        raise MembersChanged("the hub's digest is not that of the members it shows")
    state = console.outside.state(own)
    agreement = state.agreements.standing(view.document.agreement).agreement
    return Asking(view, agreement, persons_of(view, console.pages.words))


def _page(
    console: Console,
    request: Request,
    asking: Asking,
    name: str,
    form: Form[Any],
    fields: FormData,
    status: int = 200,
) -> HTMLResponse:
    places = list(_QUESTIONS)
    first = "people" if asking.asks_people else "items"
    path = f"/families/{asking.view.summary.family}"
    before = path if name == first else path + _STEPS[places[places.index(name) - 1]]
    after = [*places[1:], "check"][places.index(name)]
    others = [(key, text) for key, text in fields.multi_items() if key in places and key != name]
    return console.page(
        request,
        "requests/ask.html",
        status=status,
        name=name,
        form=form,
        asking=asking,
        short=short_id,
        back=before,
        others=others,
        action=f"{path}/ask/{after}",
        hours=HOURS,
        labels=labels_of(asking.agreement, console.pages.words),
    )


def _check_page(
    console: Console, request: Request, own: Account, asking: Asking, answers: Mapping[str, Any]
) -> HTMLResponse:
    keys = console.outside.enrolled(own).keys
    document = _document(console, asking, answers, keys.thumbprint)
    labels = labels_of(asking.agreement, console.pages.words) | {"persons": asking.persons}
    data = signing_data(
        console.pages.words,
        REQUEST,
        canonical_bytes(document),
        own_passkey(keys, "release request"),
        named={"members": canonical_bytes(asking.view.document)},
        labels=labels,
    )
    path = f"/families/{asking.view.summary.family}"
    given = [(key, text) for key, text in asked(request).multi_items() if key in _QUESTIONS]
    return console.page(
        request,
        "requests/check.html",
        data=data,
        action=f"{path}/ask",
        changes=[
            (name, path + _STEPS[name])
            for name in _QUESTIONS
            if name != "people" or asking.asks_people
        ],
        given=given,
        asking=asking,
        short=short_id,
    )


def _document(
    console: Console, asking: Asking, answers: Mapping[str, Any], recipient: str
) -> Asked:
    """The request that the answers make."""
    now = console.now()
    members = [member.person for member in asking.view.members]
    chosen = {members[place - 1] for place in answers["people"]}
    purpose = next(each.id for each in asking.agreement.purposes if each.approach)
    return parse_model(
        {
            "id": secrets.token_hex(16),
            "agreement": asking.view.document.agreement,
            "purpose": purpose,
            "family": asking.view.summary.family,
            "members": asking.view.document.digest,
            "without": sorted(set(members) - chosen),
            "items": sorted(answers["items"]),
            "recipient": recipient,
            "created": write_time(now),
            "expires": write_time(now + timedelta(hours=int(answers["hours"]))),
        },
        Asked,
    )
