"""One's own signing passkey and sealing key, made in the browser, for the ledger.

Rules: the browser makes both keys and wraps the sealing key; the console sees public keys and
wrapped bytes only; the key document names this console's own address, and is kept once the new
passkey has signed it beside the account's Ed25519 key; an IG lead confirms it before anybody
outside takes it.
"""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import Field
from starlette.datastructures import FormData
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from governance.canonical import Frozen, Hash, b64, canonical_bytes, parse_json, write_time
from governance.console.access import signed_in
from governance.console.accounts import Account
from governance.console.console import Console, Use
from governance.console.errors import UnknownAccount
from governance.console.keys import KeyDocument
from governance.console.signing import read_signed_keys
from governance.errors import FormatError, SignatureError
from governance.identity.ceremonies import read_registration
from governance.identity.envelope import parse_model
from governance.identity.models import (
    PERSON_KEYS,
    PersonKeys,
    passkey_of,
    publish_person_keys,
)
from governance.identity.passkeys import Passkey
from governance.identity.wrapped import WrappedKey
from governance.ui.browser import enrolling_data, signing_data
from governance.ui.forms import posted

_MOST: Final = 20_000  # characters

router = APIRouter()


class MadeForm(Frozen):
    """What the browser made."""

    registration: Annotated[str, Field(min_length=1, max_length=_MOST)]
    wrapped: Annotated[str, Field(min_length=1, max_length=_MOST)]


@router.get("/keys")
def keys(console: Use, request: Request) -> HTMLResponse:
    """The keys of whoever is signed in, and where they stand."""
    own = signed_in(request).account
    documents = console.keys.documents(own)
    states = [(document, _state(console, document)) for document in documents]
    return console.page(request, "keys/keys.html", documents=states)


@router.get("/keys/new")
def new(console: Use, request: Request) -> HTMLResponse:
    """Asks the browser to make keys."""
    own = signed_in(request).account
    data = enrolling_data(console.pages.words, console.settings.relying_party, own.id)
    challenge = console.challenges.issue(_purpose(own))
    data["options"]["challenge"] = bytes_to_base64url(challenge)
    return console.page(request, "keys/new.html", data=data)


@router.get("/keys/{thumbprint}/person.keys.json")
def document(console: Use, request: Request, thumbprint: Hash) -> Response:
    """One's own key document, for a lead who confirms it outside this console."""
    own = signed_in(request).account
    for found in console.keys.documents(own):
        if found.keys.thumbprint == thumbprint:
            headers = {"Content-Disposition": 'attachment; filename="person.keys.json"'}
            return Response(
                canonical_bytes(found.envelope), media_type="application/json", headers=headers
            )
    raise UnknownAccount("there are no such keys of yours")


@router.post("/keys/new")
def made(
    console: Use, request: Request, fields: Annotated[FormData, Depends(posted)]
) -> HTMLResponse:
    """Shows the key document of what was made, for its passkey to sign."""
    own = signed_in(request).account
    form = parse_model({name: fields.get(name) for name in MadeForm.model_fields}, MadeForm)
    passkey = _passkey(console, own, form.registration)
    wrapped = _wrapped(form.wrapped)
    document = PersonKeys(
        person=own.id,
        party=console.settings.party,
        role=own.role,
        signing=b64(console.outside.key_for_new(own).public),
        sealing=wrapped.public,
        created=write_time(console.now()),
        passkey=passkey,
    )
    words = console.pages.words
    labels = {"roles": {own.role.value: words("role." + own.role.value)}}
    data = signing_data(words, PERSON_KEYS, canonical_bytes(document), passkey, labels=labels)
    return console.page(request, "keys/sign.html", data=data, wrapped=form.wrapped)


@router.post("/keys")
def signed(
    console: Use, request: Request, fields: Annotated[FormData, Depends(posted)]
) -> Response:
    """Keeps a key document that its passkey has signed."""
    own = signed_in(request).account
    document, assertion = read_signed_keys(fields, PERSON_KEYS)
    passkey = passkey_of(document)
    here = (console.settings.relying_party, console.settings.origin)
    if (passkey.relying_party, passkey.origin) != here:
        raise SignatureError("these keys are for another console")
    wrapped = _wrapped(str(fields.get("wrapped", "")))
    envelope = publish_person_keys(document, console.outside.key_for_new(own), assertion)
    console.keys.add(own, envelope, wrapped)
    return RedirectResponse("/keys", 303)


def _wrapped(text: str) -> WrappedKey:
    """The sealing key as the browser wrapped it.

    Raises:
        FormatError: it is none.
    """
    return parse_model(parse_json(text.encode("utf-8", "replace")), WrappedKey)


def _passkey(console: Console, own: Account, answer: str) -> Passkey:
    """The passkey that was made for this page, at this time."""
    response: Any = parse_json(answer.encode("utf-8", "replace"))
    try:
        said = parse_json(base64url_to_bytes(response["response"]["clientDataJSON"]))
        challenge = base64url_to_bytes(said["challenge"])
    except Exception:  # noqa: BLE001 - anything may have been sent
        raise FormatError("not a browser's answer to a request for a passkey") from None
    settings = console.settings
    found = read_registration(response, challenge, settings.relying_party, settings.origin)
    with console.database.writing() as connection:
        console.challenges.take(connection, challenge, _purpose(own))
    return found


def _purpose(own: Account) -> str:
    return f"signing passkey of {own.id}"


def _state(console: Console, document: KeyDocument) -> str:
    """Where a key document stands: ``enrolled``, ``revoked`` or ``waiting``."""
    people = console.outside.ledger.state.identities.people
    person = people.get(document.keys.thumbprint)
    if person is None:
        return "waiting"
    return "revoked" if person.revoked else "enrolled"
