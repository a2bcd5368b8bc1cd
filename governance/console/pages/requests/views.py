"""A manager's requests: where they stand, what partners sent, what came of it.

Rules: a request is the one whose hash the page is about, by its exact bytes, and the members are
those that it names by hash; each partner's answer is verified here with the keys of the console's
copy of the ledger, is of a partner that holds a record of the family, and handed to the page
sealed; only the page opens it (``ui/keys.html``), under a policy that lets it connect nowhere.
"""

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import FormData

from governance.agreements.models import Agreement
from governance.canonical import Frozen, Hash
from governance.console.access import signed_in
from governance.console.accounts import Account
from governance.console.console import Console, Use
from governance.console.keys import KeyDocument
from governance.console.labels import labels_of, name_of, persons_of, short_id, why
from governance.console.pages.requests import asking
from governance.errors import FormatError, SignatureError
from governance.exchange.hub_client import HubClient, HubRefused
from governance.exchange.release_api import FamilyView, OutcomePost, ReleaseView, RequestView
from governance.identity.envelope import parse_canonical
from governance.release.errors import MembersChanged
from governance.release.forms import HeldNeed, held_needs
from governance.release.models import Request as Asked
from governance.release.models import SealedItems
from governance.release.seal import verify_sealed
from governance.ui.browser import opening_data
from governance.ui.forms import Form, posted, read_form
from governance.ui.words import Words

router = APIRouter()
router.include_router(asking.router)


class OutcomeForm(Frozen):
    """What came of an approach."""

    outcome: Literal["helped", "declined", "wrong_family", "not_needed"]


@router.get("/requests")
def requests(console: Use, request: Request) -> HTMLResponse:
    """One's own requests, newest first."""
    own = signed_in(request).account
    with console.outside.hub(own) as hub:
        found = hub.requests().requests
    return console.page(request, "requests/requests.html", requests=found, short=short_id)


@router.get("/requests/{request_hash}")
def one_request(console: Use, request: Request, request_hash: Hash) -> HTMLResponse:
    """One request, and what to do next."""
    own = signed_in(request).account
    with console.outside.hub(own) as hub:
        view = hub.request(request_hash)
    document, agreement = _checked(console, own, view, request_hash)
    labels = labels_of(agreement, console.pages.words)
    return console.page(
        request,
        "requests/request.html",
        view=view,
        asked=document,
        name=lambda kind, code: name_of(labels, kind, code),
        why=lambda reason: why(console.pages.words, reason),
        short=short_id,
    )


@router.get("/requests/{request_hash}/open")
def open_release(console: Use, request: Request, request_hash: Hash) -> HTMLResponse:
    """What partners sent, sealed; the page opens it."""
    own = signed_in(request).account
    with console.outside.hub(own) as hub:
        view = hub.request(request_hash)
        release = hub.release(request_hash)
        family = _family(hub, view)
    document, agreement = _checked(console, own, view, request_hash)
    document_keys = _keys(console, own, document.recipient)
    sealed = _verified(console, release, view, document)
    data = None
    if document_keys is not None and document_keys.wrapped is not None:
        words = console.pages.words
        labels = labels_of(agreement, words) | {"persons": _persons(words, family, view)}
        data = opening_data(
            words,
            request=view.request.payload_bytes,
            request_hash=request_hash,
            members=view.document,
            keys=document_keys.keys,
            wrapped=document_keys.wrapped,
            sealed=sealed,
            items=[item.id for item in agreement.items],
            labels=labels,
            needs=_needs(words, family, document.members, labels["needs"]),
        )
    days = agreement.retention.released_items_days
    return console.page(
        request,
        "requests/open.html",
        view=view,
        data=data,
        sealed=len(sealed),
        unverified=len(release.sealed) - len(sealed),
        short=short_id,
        days=days,
        destroy=(console.now() + timedelta(days=days)).date(),
    )


@router.get("/requests/{request_hash}/outcome")
def outcome(console: Use, request: Request, request_hash: Hash) -> HTMLResponse:
    """Asks what came of it."""
    own = signed_in(request).account
    with console.outside.hub(own) as hub:
        view = hub.request(request_hash)
    form: Form[OutcomeForm] = Form(values={"outcome": view.outcome or ""})
    return console.page(request, "requests/outcome.html", form=form, id_=request_hash)


@router.post("/requests/{request_hash}/outcome")
def conclude(
    console: Use,
    request: Request,
    request_hash: Hash,
    fields: Annotated[FormData, Depends(posted)],
) -> Response:
    """Records it."""
    own = signed_in(request).account
    form = read_form(fields, OutcomeForm, console.pages.words, "outcome.form.")
    if form.value is None:
        return console.page(
            request, "requests/outcome.html", status=422, form=form, id_=request_hash
        )
    with console.outside.hub(own) as hub:
        hub.post_outcome(request_hash, OutcomePost(outcome=form.value.outcome))
    return RedirectResponse(f"/requests/{request_hash}", 303)


def _checked(
    console: Console, own: Account, view: RequestView, request_hash: str
) -> tuple[Asked, Agreement]:
    """The request that a page is about, by its own bytes, and its agreement.

    Raises:
        FormatError, MembersChanged: the hub shows another request, or other members.
    """
    if view.request.payload_hash != request_hash:
        raise FormatError("the hub showed another request than the one asked for")
    document = parse_canonical(view.request.payload_bytes, Asked)
    if document.members != view.document.digest:
        raise MembersChanged("the members shown are not those that the request names")
    state = console.outside.state(own)
    return document, state.agreements.standing(document.agreement).agreement


def _verified(
    console: Console, release: ReleaseView, view: RequestView, document: Asked
) -> list[tuple[SealedItems, bytes]]:
    """Answers of holders of the family's records, for this request and these keys; no others."""
    found = []
    for envelope in release.sealed:
        try:
            sealed = verify_sealed(
                envelope,
                recipient=document.recipient,
                request=view.request.payload_hash,
                holders=view.document.holders,
                party_key=console.outside.ledger.state.identities.party_key,
            )
        except (FormatError, SignatureError):
            continue
        found.append((sealed, envelope.payload_bytes))
    return found


def _keys(console: Console, own: Account, thumbprint: str) -> KeyDocument | None:
    documents = console.keys.documents(own)
    return next((each for each in documents if each.keys.thumbprint == thumbprint), None)


def _family(hub: HubClient, view: RequestView) -> FamilyView | None:
    """The family as it is now; None where the results have changed."""
    try:
        return hub.family(view.family)
    except HubRefused:
        return None


def _needs(
    words: Words, family: FamilyView | None, members: str, names: dict[str, str]
) -> list[HeldNeed] | None:
    """The family's needs, where it is the one that was asked about still: else they are not its."""
    if family is None or family.digest != members:
        return None
    return held_needs(family.needs, words, names)


def _persons(words: Words, family: FamilyView | None, view: RequestView) -> dict[str, str]:
    """What members are called: by role and age, or where the results have changed, by age alone."""
    plain = {
        member.person: words("labels.person.adult" if member.adult else "labels.person.child")
        for member in view.document.members
    }
    return plain if family is None else plain | persons_of(family, words)
