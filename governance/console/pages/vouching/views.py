"""IG leads vouch for a lead of another organisation that has lost every one (ADR 36).

Rules: a file of at most ``FILE_MOST`` is read in memory, judged by ``console/vouching.py``, and
kept nowhere: the page that shows what would be signed holds it; what comes back is judged anew by
the ledger as it is then, and what was signed is exactly what follows from the file, made now where
nobody else has signed. Signing takes the passkey and its owner's PIN or finger, however long ago
the session began. What came of it is every lead's of this console, to hand on by hand.
"""

from typing import Annotated, Any, Final, NamedTuple

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import FormData

from governance.canonical import Hash, b64, canonical_bytes, unb64, write_time
from governance.console.access import signed_in
from governance.console.console import Console, Use
from governance.console.errors import VouchingRefused
from governance.console.labels import labels_of
from governance.console.looking import looking
from governance.console.signing import own_passkey, read_signed, require_new
from governance.console.vouching import Case, Say, Standing, judge, sign, standing
from governance.errors import FormatError, SignatureError, plain
from governance.identity.models import (
    PERSON_ENROLMENT,
    PersonEnrolment,
    Role,
    read_person_keys,
)
from governance.identity.vouching import Handed, read_handed
from governance.ledger.admission import NotAdmissible
from governance.ledger.payloads import PersonRevoked, read_payload
from governance.oversight.state import Overseen, read_entry
from governance.ui.browser import signing_data
from governance.ui.forms import Form, WithFile, posted, posted_with_file
from governance.ui.show import Cell, Link, show_time

FILE_MOST: Final = 32 * 1024
"""Bytes of a file, which comes back inside a form of at most 64 KiB; an enrolment has a few KiB."""
_REFUSED: Final = (FormatError, SignatureError, NotAdmissible, VouchingRefused)

router = APIRouter()


class _Shown(NamedTuple):
    """What a page says about a case or a result.

    Attributes:
        party: its name and short name.
        says: rows: agreement, whose signature it needs, who has signed.
    """

    party: str
    says: list[list[Cell]]


@router.get("/vouching")
def vouching(console: Use, request: Request) -> HTMLResponse:
    """Asks for the file, and lists what leads of this console have signed."""
    return _asking(console, request, Form())


@router.post("/vouching")
def handed(
    console: Use, request: Request, form: Annotated[WithFile, Depends(posted_with_file)]
) -> HTMLResponse:
    """Shows what would be signed, and what to ask before that."""
    words, now = console.pages.words, write_time(console.now())
    lead = console.outside.enrolled(signed_in(request).account).keys
    if not form.file or len(form.file) > FILE_MOST:
        key = "vouching.form.file.too_large" if form.file else "vouching.form.file"
        return _asking(console, request, Form(errors={"file": words(key)}), 422)
    try:
        file = _read(console, form.file)
        with looking(console, request) as state:
            case = judge(state.identities, file, console.settings.party, now)
            shown = _shown(console, state, case.keys.party, case.says)
            loss = _loss(console, state, case)
    except _REFUSED as error:
        told = f"{error.message}: {error.next_step}" if error.next_step else error.message
        return _asking(console, request, Form(errors={"file": told[0].upper() + told[1:]}), 422)
    signing = signing_data(
        words,
        PERSON_ENROLMENT,
        canonical_bytes(case.enrolment),
        own_passkey(lead, "person countersign"),
        named={"keys": canonical_bytes(case.keys)},
        labels={"roles": {Role.IG_LEAD.value: words(f"role.{Role.IG_LEAD}")},
                "parties": {case.keys.party: shown.party}},
    )  # fmt: skip
    return console.page(
        request, "vouching/sign.html", data=signing, handed=b64(case.handed.data), keys=case.keys,
        shown=shown, loss=loss,
    )  # fmt: skip


@router.post("/vouching/{keys}")
def signed(
    console: Use, request: Request, keys: Hash, fields: Annotated[FormData, Depends(posted)]
) -> Response:
    """Keeps the file with the lead's signature."""
    lead = console.outside.enrolled_now(signed_in(request).account).keys
    enrolment, envelope = read_signed(fields, PERSON_ENROLMENT, PersonEnrolment, lead)
    file = _again(fields)
    with looking(console, request) as state:
        case = judge(state.identities, file, console.settings.party, enrolment.created)
        if case.keys.thumbprint != keys or case.enrolment != enrolment:
            raise SignatureError("what was signed is not the enrolment of these keys")
        if case.handed.signed is None:
            require_new(enrolment.created, console.now())
        enrolled = sign(state.identities, case, envelope.signatures[0])
        console.vouched.tidy(state.identities, console.now())
    console.vouched.keep(keys, enrolled)
    return RedirectResponse(f"/vouching/{keys}", 303)


@router.get("/vouching/{keys}")
def done(console: Use, request: Request, keys: Hash) -> HTMLResponse:
    """What was signed, what is missing, and what to do with it."""
    enrolled = console.vouched.find(keys)
    with looking(console, request) as state:
        found = standing(state.identities, enrolled)
        shown = _shown(console, state, found.keys.party, found.says)
    return console.page(request, "vouching/done.html", found=found, shown=shown)


@router.get("/vouching/{keys}/person.enrolment.json")
def download(console: Use, keys: Hash) -> Response:
    """The file, to hand on."""
    headers = {"Content-Disposition": 'attachment; filename="person.enrolment.json"'}
    data = canonical_bytes(console.vouched.find(keys))
    return Response(data, media_type="application/json", headers=headers)


def _asking(console: Console, request: Request, form: Form[Any], status: int = 200) -> HTMLResponse:
    own = console.settings.party
    with looking(console, request) as state:
        identities = state.identities
        lost = [
            _name(state, each.party)
            for each in identities.parties.values()
            if each.party != own
            and identities.lost_lead(each.party)
            and any(own in bond.partners for bond in identities.bonds_of(each.party).values())
        ]
        console.vouched.tidy(identities, console.now())
        kept = [standing(identities, each) for each in console.vouched.every()]
        names = {each.keys.party: _name(state, each.keys.party) for each in kept}
    newest = sorted(kept, key=lambda each: each.created, reverse=True)
    return console.page(
        request, "vouching/vouching.html", status=status, form=form, lost=lost,
        rows=[_row(console, each, names) for each in newest],
    )  # fmt: skip


def _row(console: Console, kept: Standing, names: dict[str, str]) -> list[Cell]:
    words = console.pages.words
    return [
        Link(names[kept.keys.party], f"/vouching/{kept.keys.thumbprint}"),
        show_time(kept.created, words),
        words(f"vouching.stage.{kept.stage}"),
    ]


def _read(console: Console, data: bytes) -> Handed:
    """The file as it came.

    Raises:
        VouchingRefused: it is none of the two.
        SignatureError: the keys are not signed by themselves.
    """
    try:
        file = read_handed(data)
        read_person_keys(file.published)
    except FormatError:
        raise VouchingRefused(console.pages.words("vouching.form.file.other")) from None
    return file


def _again(fields: FormData) -> Handed:
    """The file as the page brought it back.

    Raises:
        FormatError: it is none.
    """
    return read_handed(unb64(str(fields.get("handed", ""))))


def _name(state: Overseen, party: str) -> str:
    """A party's name and short name: what it calls itself could be like another's."""
    return f"{plain(state.identities.party_named(party).name)} ({party})"


def _shown(console: Console, state: Overseen, party: str, says: list[Say]) -> _Shown:
    words = console.pages.words
    rows: list[list[Cell]] = []
    for say in says:
        labels = labels_of(state.agreements.standing(say.agreement).agreement, words)
        title = labels["agreements"][say.agreement]
        rows.append(
            [
                Link(title, f"/oversight/agreements/{say.agreement}"),
                ", ".join(say.partners),
                ", ".join(say.signed) or words("vouching.nobody"),
            ]
        )
    return _Shown(_name(state, party), rows)


def _loss(console: Console, state: Overseen, case: Case) -> list[tuple[str, Cell]]:
    """When the last lead's keys were revoked, and why."""
    words, index = console.pages.words, case.lost.revoked_at
    if index is None:  # lost_lead gives none such
        return []
    event = read_entry(state, console.outside.ledger.mirror, index)
    revoked: PersonRevoked = read_payload(event)
    return [
        (words("vouching.lost.when"), show_time(event.leaf.time, words)),
        (words("vouching.lost.why"), words(f"vouching.reason.{revoked.reason}")),
        (words("vouching.lost.entry"), Link(str(index), f"/oversight/ledger/{index}")),
    ]
