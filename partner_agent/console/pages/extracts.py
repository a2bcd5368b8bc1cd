"""An extract from the file to the outbox, one question a page.

Rules: the browser's file goes to the agent's folder and nowhere else, and is destroyed once its
rows are prepared; reading and preparing are tasks; nothing leaves this computer on any page here.
No address holds more than a random id and the name of a source system.
"""

import shutil
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.datastructures import FormData
from starlette.requests import ClientDisconnect

from governance.agreements.models import Source
from governance.ui.forms import CSRF_FIELD, Form
from partner_agent.app import Agent
from partner_agent.cleansing.errors import OutputNotWrittenError
from partner_agent.cleansing.profile import profile
from partner_agent.console.drafts import Draft
from partner_agent.console.pages.entry import go
from partner_agent.console.pages.work import to_work
from partner_agent.console.state import (
    Console,
    console_of,
    form_of,
    own_sources,
    session_of,
)
from partner_agent.console.tasks import Task
from partner_agent.console.uploads import Upload, UploadRefused

MIB: Final = 2**20  # bytes
SPARE: Final = 256 * MIB  # bytes of the disk that stay free
UNPROCESSABLE: Final = 422
Here = Annotated[Console, Depends(console_of)]
Fields = Annotated[FormData, Depends(form_of)]
router = APIRouter(prefix="/extracts", include_in_schema=False)


class SourceUnknown(UploadRefused):
    """The agreement lists no such source of this partner."""

    reason = "console.source"


@router.get("/new")
def which_source(request: Request, console: Here) -> Response:
    """Which source the extract is of; not asked where there is one only."""
    with console.agent() as agent:
        sources = own_sources(agent)
    if len(sources) == 1:
        return go(request, f"/extracts/new/{sources[0].id}")
    return _ask_source(request, console, sources, Form())


@router.post("/new")
def choose_source(request: Request, console: Here, fields: Fields) -> Response:
    """On to the file."""
    with console.agent() as agent:
        sources = own_sources(agent)
    chosen = str(fields.get("source", ""))
    if chosen not in {source.id for source in sources}:
        wrong: Form[Any] = Form(errors={"source": console.pages.words("agent.source.choose")})
        return _ask_source(request, console, sources, wrong)
    return go(request, f"/extracts/new/{chosen}")


def _ask_source(
    request: Request, console: Console, sources: list[Source], form: Form[Any]
) -> Response:
    return console.pages.page(
        request,
        "console/source_of.html",
        status=UNPROCESSABLE if form.errors else 200,
        sources=sources,
        form=form,
    )


@router.get("/new/{source}")
def which_file(request: Request, console: Here, source: str) -> Response:
    """The file."""
    return _ask_file(request, console, source, Form())


@router.post("/new/{source}")
async def take_file(request: Request, console: Here, source: str) -> Response:
    """Take the file as it comes, and begin to read it.

    Raises:
        TokenMissing, SourceUnknown: nothing of it was kept.
    """
    session = session_of(request)
    found = _source(console, source)
    id_, target = console.drafts.reserve()
    try:
        most = min(console.settings.console_upload_mib * MIB, _room(target))
        upload = Upload(request.headers.get("content-type", ""), target, most, session.check)
        await upload.receive(request.stream())
        console.drafts.keep(id_, found.id, upload.name, upload.size)
    except BaseException as error:
        console.drafts.destroy(id_)
        if isinstance(error, OSError):
            error = OutputNotWrittenError("the disk is full, or cannot be written to")
        if not isinstance(error, UploadRefused | OutputNotWrittenError):
            raise
        await _drain(request)
        return _ask_file(request, console, source, Form(errors={"file": _sentence(error)}))
    return to_work(request, _read(console, id_))


def _room(target: Path) -> int:
    """Bytes that a file may take of the disk."""
    return max(0, shutil.disk_usage(target.parent).free - SPARE)


async def _drain(request: Request) -> None:
    """Let the rest of a refused file pass by: a browser that is still sending reads no answer."""
    try:
        async for _ in request.stream():
            pass
    except (ClientDisconnect, RuntimeError):  # gone, or nothing is left
        return


def _sentence(error: UploadRefused | OutputNotWrittenError) -> str:
    text = error.message[0].upper() + error.message[1:]
    return f"{text}: {error.next_step}" if error.next_step else text


def _ask_file(request: Request, console: Console, source: str, form: Form[Any]) -> Response:
    return console.pages.page(
        request,
        "console/file_of.html",
        status=UNPROCESSABLE if form.errors else 200,
        source=_source(console, source),
        most=console.settings.console_upload_mib,
        form=form,
        csrf_name=CSRF_FIELD,
    )


def _source(console: Console, name: str) -> Source:
    with console.agent() as agent:
        for source in own_sources(agent):
            if source.id == name:
                return source
    raise SourceUnknown(
        "the agreement lists no such source of this organisation",
        next_step="begin again at the start page",
    )


def _read(console: Console, id_: str) -> Task:
    """Look at what a draft's file holds, as a task."""

    def work(_agent: Agent, _task: Task) -> None:
        draft = console.drafts.get(id_)
        console.drafts.change(id_, profile=profile(console.drafts.file(draft)))

    place = f"/extracts/{id_}"
    return console.tasks.start("read", work, then=place, back=place)


@router.get("/{draft}")
def holds(request: Request, console: Here, draft: str) -> Response:
    """What the file holds, by its columns."""
    found = console.drafts.get(draft)
    if found.profile is None:
        return console.pages.page(request, "console/unread.html", draft=found)
    return console.pages.page(request, "console/holds.html", draft=found, profile=found.profile)


@router.post("/{draft}/read")
def read_again(request: Request, console: Here, draft: str, _fields: Fields) -> Response:
    """Read the file once more, after the program was started anew or the file could not be read."""
    return to_work(request, _read(console, console.drafts.get(draft).id))


@router.get("/{draft}/destroy")
def ask_destroy(request: Request, console: Here, draft: str) -> Response:
    """Whether it is really to be thrown away."""
    return console.pages.page(request, "console/destroy.html", draft=console.drafts.get(draft))


@router.post("/{draft}/destroy")
def destroy(request: Request, console: Here, draft: str, _fields: Fields) -> Response:
    """Destroy a draft and its file."""
    console.drafts.destroy(draft)
    return go(request, "/")


def read_draft(console: Console, draft: str) -> Draft:
    """A draft whose file was read.

    Raises:
        DraftUnknown: there is none.
        SourceUnknown: it was not read yet.
    """
    found = console.drafts.get(draft)
    if found.profile is None:
        raise SourceUnknown("this file was not read yet", next_step="read it first")
    return found
