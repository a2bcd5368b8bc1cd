"""The ledger itself: search, an entry with its proof, packs of evidence to download.

Rules: an entry is shown once its proof has verified, with the checkpoint that it is proved under;
a pack is verified before it is given out.
"""

from datetime import date
from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from pydantic import Field
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from governance.canonical import Frozen, Hash, Slug
from governance.console.access import signed_in
from governance.console.console import Console, Use
from governance.console.looking import looking
from governance.console.pages.oversight.show import tag
from governance.errors import FormatError
from governance.evidence.keys import AuditKeys
from governance.evidence.stream import Days
from governance.ledger.events import EventType
from governance.ledger.note import Note
from governance.oversight import search as searching
from governance.oversight.packs import approach_pack, keys_of, period_pack, quorum_of, require_held
from governance.oversight.search import PAGE, Proven, asked_for, proven, search
from governance.oversight.state import Overseen
from governance.ui.forms import Form, posted, read_form
from governance.ui.show import Cell, Link, Slice, show_id, show_time

router = APIRouter(prefix="/oversight")
_PAGES = 100_000


class SearchForm(Frozen):
    """What is searched."""

    text: Annotated[str | None, Field(max_length=100)] = None
    party: Slug | None = None
    kind: EventType | None = None
    since: date | None = None
    until: date | None = None


class EvidenceForm(Frozen):
    """What a pack is about."""

    about: Literal["period", "request"]
    first: date | None = None
    last: date | None = None
    request: Hash | None = None


@router.get("/ledger")
def search_ledger(
    console: Use, request: Request, page: Annotated[int, Query(ge=1, le=_PAGES)] = 1
) -> HTMLResponse:
    """Search: by id, hash or family, party, type and days; the newest entries without any."""
    words = console.pages.words
    asked = cast(FormData, request.query_params)
    form = read_form(asked, SearchForm, words, "ledger.form.")
    part, found = Slice(page, PAGE, 0), searching.Found(0, ())
    with looking(console, request) as state:
        if form.value is not None:
            try:
                query = _query(state, form.value)
                mirror = console.outside.ledger.mirror
                note, _ = mirror.cosigned()
                found = search(state, mirror, note, query, part.offset, PAGE)
            except FormatError:
                form = form.wrong("text", words("ledger.form.text"))
        parties = sorted(keys.party for keys in state.identities.parties.values())
    return console.page(
        request,
        "oversight/ledger.html",
        status=422 if form.errors else 200,
        form=form,
        parties=parties,
        kinds=[each.value for each in EventType],
        lines=[_line(console, each) for each in found.entries],
        size=found.entries[0].size if found.entries else 0,
        part=Slice(page, PAGE, found.total),
        asked={name: text for name, text in form.values.items() if text},
    )


def _query(state: Overseen, form: SearchForm) -> searching.Query:
    asked = searching.Query() if form.text is None else asked_for(state, form.text)
    more = {name: getattr(form, name) for name in ("party", "kind", "since", "until")}
    return asked.model_copy(update=more)


def _line(console: Console, entry: Proven) -> list[Cell]:
    return [
        Link(str(entry.index), f"/oversight/ledger/{entry.index}"),
        show_time(entry.time, console.pages.words),
        entry.kind.value,
        entry.party,
    ]


@router.get("/ledger/{index}")
def entry(console: Use, request: Request, index: int) -> HTMLResponse:
    """One entry, with its proof."""
    words = console.pages.words
    found = _proven(console, request, index)
    counts = words("oversight.yes") if found.counts else tag(words("ledger.not_counted"), "red")
    refs = ", ".join(found.refs) or words("ledger.none")
    return console.page(
        request,
        "oversight/entry.html",
        entry=found,
        summary_lines=[
            (words("ledger.kind"), found.kind.value),
            (words("ledger.time"), show_time(found.time, words)),
            (words("ledger.party"), found.party),
            (words("ledger.id"), show_id(found.id)),
            (words("ledger.refs"), refs),
            (words("ledger.counts"), counts),
        ],
        fields=list(_flat("", found.fields)),
    )


@router.get("/ledger/{index}/proof")
def proof(console: Use, request: Request, index: int) -> PlainTextResponse:
    """The entry's proof as other programs read it (C2SP ``tlog-proof``)."""
    found = _proven(console, request, index)
    headers = {"Content-Disposition": f'attachment; filename="{found.index}.tlog-proof"'}
    return PlainTextResponse(found.proof, headers=headers)


def _proven(console: Console, request: Request, index: int) -> Proven:
    with looking(console, request) as state:
        mirror = console.outside.ledger.mirror
        note, checkpoint = mirror.cosigned()
        if not 0 <= index < min(checkpoint.size, state.size):  # the copy may have grown since
            raise HTTPException(404)
        return proven(state, mirror, note, index)


def _flat(name: str, value: Any) -> list[tuple[str, Cell]]:
    """Fields of a payload, one below the other; names are the format's own."""
    if isinstance(value, dict):
        below = f"{name}." if name else ""
        return [line for key, inner in value.items() for line in _flat(f"{below}{key}", inner)]
    if isinstance(value, list) and any(isinstance(each, dict) for each in value):
        return [line for at, each in enumerate(value, 1) for line in _flat(f"{name}.{at}", each)]
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    return [(name, "" if value is None else str(value))]


@router.get("/evidence")
def evidence(console: Use, request: Request) -> HTMLResponse:
    """Asks what a pack should be about."""
    asked = str(request.query_params.get("request", ""))
    return console.page(request, "oversight/evidence.html", form=Form(values={"request": asked}))


@router.post("/evidence")
def make_evidence(
    console: Use, request: Request, fields: Annotated[FormData, Depends(posted)]
) -> Response:
    """Makes the pack, and gives it out."""
    form = _checked(console, read_form(fields, EvidenceForm, console.pages.words, "evidence.form."))
    if form.value is None:
        return console.page(request, "oversight/evidence.html", status=422, form=form)
    asked, mirror = form.value, console.outside.ledger.mirror
    note, keys = _witnessed(console, request)
    if asked.about == "period" and asked.first and asked.last:
        name = f"evidence-{asked.first}-{asked.last}.zip"
        data = period_pack(mirror, note, keys, Days(asked.first, asked.last))
    else:
        about = str(asked.request)
        name = f"evidence-{about[7:23]}.zip"
        with console.outside.hub(signed_in(request).account) as hub:
            members = hub.request(about).document
        data = approach_pack(mirror, note, keys, about, members)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(data, media_type="application/zip", headers=headers)


def _witnessed(console: Console, request: Request) -> tuple[Note, AuditKeys]:
    """The newest checkpoint that enough witnesses cosigned, which the copy holds, and the keys."""
    outside = console.outside
    with looking(console, request) as state:
        quorum = quorum_of(state)
    with outside.public() as client:  # while nobody waits for the copy
        note = client.checkpoint(witnesses=quorum)
    outside.refresh(signed_in(request).account)  # it may be newer than the copy was
    require_held(outside.ledger.mirror, note)
    with looking(console, request) as state:
        return note, keys_of(state, outside.ledger.mirror)


def _checked(console: Console, form: Form[EvidenceForm]) -> Form[EvidenceForm]:
    """What one field alone does not tell."""
    asked, words = form.value, console.pages.words
    if asked is None:
        return form
    if asked.about == "request":
        lacks = asked.request is None
        return form.wrong("request", words("evidence.form.request")) if lacks else form
    if asked.first is None:
        return form.wrong("first", words("evidence.form.first"))
    if asked.last is None or asked.last < asked.first:
        return form.wrong("last", words("evidence.form.last"))
    return form
