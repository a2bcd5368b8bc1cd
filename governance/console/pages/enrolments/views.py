"""An IG lead confirms colleagues' signing keys, after comparing fingerprints with them.

Rules: keys are confirmed one by one, with the lead's own passkey, which is in the ledger; what the
form holds is the enrolment of these keys, in this role and party, made now; the console lays it
down for the party's agent, and logs nothing itself. The first lead of a party is nobody's to
confirm here: the party's own key does it, by hand; nor is a new one where each was revoked: leads
of its partners vouch for that one, and whom they have vouched for is shown to every lead (ADR 36).
"""

from typing import Annotated, Literal, NamedTuple

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import FormData

from governance.canonical import Hash, canonical_bytes, write_time
from governance.console.access import signed_in
from governance.console.accounts import Account
from governance.console.console import Console, Use
from governance.console.enrolments import Stage
from governance.console.errors import AccountRefused, UnknownAccount
from governance.console.keys import KeyDocument
from governance.console.signing import own_passkey, read_signed, require_new
from governance.errors import SignatureError
from governance.identity.models import PERSON_ENROLMENT, PersonEnrolment, Role
from governance.identity.vouching import enrolment_of
from governance.ledger.payloads import PersonEnrolled
from governance.ui.browser import signing_data
from governance.ui.forms import posted

router = APIRouter()


class Waiting(NamedTuple):
    """Keys that are not in the ledger."""

    document: KeyDocument
    account: Account
    stage: Stage


@router.get("/enrolments")
def enrolments(console: Use, request: Request) -> HTMLResponse:
    """Keys that wait to be confirmed, and for the agent."""
    console.outside.refresh(signed_in(request).account)
    people = list(console.outside.ledger.state.identities.people.values())
    return console.page(
        request,
        "enrolments/enrolments.html",
        waiting=_waiting(console),
        lacking=_lacking(console),
        outside=[each for each in people if each.vouched_by],
    )


@router.get("/enrolments/{keys}")
def confirm(console: Use, request: Request, keys: Hash) -> HTMLResponse:
    """Asks a lead to compare fingerprints, and to sign."""
    lead = console.outside.enrolled(signed_in(request).account).keys
    found = _find(console, keys)
    enrolment = enrolment_of(found.document.keys, None, write_time(console.now()), None)
    words = console.pages.words
    data = signing_data(
        words,
        PERSON_ENROLMENT,
        canonical_bytes(enrolment),
        own_passkey(lead, "person countersign"),
        named={"keys": canonical_bytes(found.document.keys)},
        labels={"roles": {role.value: words("role." + role.value) for role in Role}},
    )
    return console.page(request, "enrolments/confirm.html", data=data, found=found)


@router.post("/enrolments/{keys}")
def confirmed(
    console: Use, request: Request, keys: Hash, fields: Annotated[FormData, Depends(posted)]
) -> Response:
    """Lays the enrolment down for the party's agent."""
    lead = console.outside.enrolled_now(signed_in(request).account).keys
    held = _find(console, keys).document
    enrolment, envelope = read_signed(fields, PERSON_ENROLMENT, PersonEnrolment, lead)
    if enrolment != enrolment_of(held.keys, None, enrolment.created, None):
        raise SignatureError("what was signed is not the enrolment of these keys")
    require_new(enrolment.created, console.now())
    console.enrolments.lay(keys, PersonEnrolled(keys=held.envelope, enrolment=envelope))
    return RedirectResponse("/enrolments", 303)


def _waiting(console: Console) -> list[Waiting]:
    known = console.outside.ledger.state.identities.people
    accounts = {each.account.id: each.account for each in console.accounts.colleagues()}
    return [
        Waiting(document, account, console.enrolments.stage(document.keys.thumbprint))
        for document in console.keys.every_document()
        if document.keys.thumbprint not in known
        and (account := accounts[document.keys.person]).closed is None
    ]


def _lacking(console: Console) -> Literal["first", "unrevoked"] | None:
    """Which lead the ledger lacks, without whom nobody's keys can be confirmed here.

    The party's own key vouches for its first lead only (``identity/registry.py``).
    """
    leads = console.outside.ledger.state.identities.leads(console.settings.party)
    if not leads:
        return "first"
    return "unrevoked" if all(each.revoked for each in leads) else None


def _find(console: Console, keys: str) -> Waiting:
    """Keys that a lead may confirm now.

    Raises:
        UnknownAccount, AccountRefused: there are none such, or they were confirmed.
    """
    for each in _waiting(console):
        if each.document.keys.thumbprint == keys:
            if each.stage in {"confirmed", "logged"}:
                raise AccountRefused(
                    "these keys are confirmed already",
                    next_step="wait until the agent has put them into the ledger",
                )
            return each
    raise UnknownAccount("no such keys wait to be confirmed", next_step="go back to the list")
