"""What protects people: the register of people and homes of whom nothing is ever released.

Rules: an entry counts at once and leaves this computer in no form; a home is typed into a form that
the browser is asked not to remember; ending a protection asks once more.
"""

from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from governance.ui.forms import Form
from partner_agent.console.pages.entry import go
from partner_agent.console.pages.extracts import UNPROCESSABLE, Fields, Here, SourceUnknown
from partner_agent.console.pages.people import this_case
from partner_agent.protection.errors import ProtectionInput

_HOME: Final = ("uprn", "address", "postcode")
router = APIRouter(include_in_schema=False)


@router.get("/protected")
def register(request: Request, console: Here) -> Response:
    """The entries: what and since when, never whom."""
    with console.agent() as agent:
        entries = agent.protections.entries()
    return console.pages.page(request, "console/protected.html", entries=entries)


@router.post("/people/{case}/protect")
def protect_person(request: Request, console: Here, case: str, _fields: Fields) -> Response:
    """Protect this person, at once."""
    found = this_case(request, case)
    with console.agent() as agent:
        agent.protections.add_person(found.source, found.record_id, agent.now())
    return go(request, f"/people/{found.id}")


@router.get("/protected/home")
def ask_home(request: Request, console: Here) -> Response:
    """Which home."""
    return console.pages.page(request, "console/protect_home.html", form=Form())


@router.post("/protected/home")
def protect_home(request: Request, console: Here, fields: Fields) -> Response:
    """Protect a home and everybody there, at once."""
    typed = {name: str(fields.get(name, "")).strip() for name in _HOME}
    try:
        with console.agent() as agent:
            agent.protections.add_home(**typed, now=agent.now())
    except ProtectionInput:
        error = console.pages.words("agent.protect.wrong")
        form: Form[Any] = Form(values=typed, errors={"address": error})
        return console.pages.page(
            request, "console/protect_home.html", status=UNPROCESSABLE, form=form
        )
    return go(request, "/protected")


@router.get("/protected/{entry}/end")
def ask_end(request: Request, console: Here, entry: int) -> Response:
    """Whether the protection is really to end.

    Raises:
        SourceUnknown: there is no such entry.
    """
    with console.agent() as agent:
        found = next((each for each in agent.protections.entries() if each.entry == entry), None)
    if found is None:
        raise SourceUnknown("the register has no such entry", next_step="look at the list")
    return console.pages.page(request, "console/protect_end.html", entry=found)


@router.post("/protected/{entry}/end")
def end(request: Request, console: Here, entry: int, _fields: Fields) -> Response:
    """End a protection."""
    with console.agent() as agent:
        agent.protections.remove(entry)
    return go(request, "/protected")
