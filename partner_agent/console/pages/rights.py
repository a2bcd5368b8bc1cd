"""What people ask for who have a right to it: requests, their days, and what is proven.

Rules: a request is opened for a person who was found by the partner's own record number; nobody
else learns who asked; carrying out asks once more, since what it destroys does not come back; what
needs the ledger is a task of the command's own step.
"""

from datetime import date
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from governance.rights.models import RightsKind
from governance.ui.forms import Form
from partner_agent.app import Agent
from partner_agent.console.pages.entry import go
from partner_agent.console.pages.extracts import UNPROCESSABLE, Fields, Here
from partner_agent.console.pages.people import this_case
from partner_agent.console.pages.work import to_work
from partner_agent.console.state import Console
from partner_agent.console.tasks import Task
from partner_agent.rights.page import forget_report, report_folder, written_report
from partner_agent.rights.view import RightsView
from partner_agent.steps.rights import report

OUTCOMES: Final = ("done", "not_proven", "refused", "withdrawn")
REASONS: Final = ("unfounded", "excessive", "exempt", "compelling_grounds", "unidentified")
router = APIRouter(include_in_schema=False)


@router.get("/rights")
def requests(request: Request, console: Here) -> Response:
    """Every request, the one that is due first comes first; closed ones after them."""
    with console.agent() as agent:
        views = list(agent.rights_views())
    views.sort(key=lambda view: (view.closed is not None, view.due))
    return console.pages.page(request, "console/rights.html", views=views)


@router.get("/people/{case}/right")
def ask(request: Request, console: Here, case: str) -> Response:
    """Which right, and when it came."""
    return _ask(request, console, case, Form())


@router.post("/people/{case}/right")
def open_(request: Request, console: Here, case: str, fields: Fields) -> Response:
    """Take the request and start its clock."""
    found = this_case(request, case)
    typed = {name: str(fields.get(name, "")).strip() for name in ("kind", "day", "month", "year")}
    words, errors = console.pages.words, dict[str, str]()
    with console.agent() as agent:
        today = agent.now().date()
    received = _day(typed, today)
    if typed["kind"] not in list(RightsKind):
        errors["kind"] = words("agent.rights.no_kind")
    if received is None or received > today:
        errors["received-day"] = words("agent.rights.no_day")
    if errors or received is None:
        return _ask(request, console, case, Form(values=typed, errors=errors))
    kind, day = RightsKind(typed["kind"]), received

    def work(agent: Agent, _task: Task) -> str:
        agreement = agent.standing(agent.ledger.sync_if_possible()).agreement
        record = (found.source, found.record_id)
        return agent.rights.open(agreement, kind, [record], day).id

    back = f"/people/{found.id}/right"
    task = console.tasks.start("right", work, then="/rights", back=back, quick=True)
    return to_work(request, task)


def _day(typed: dict[str, str], today: date) -> date | None:
    parts = [typed[name] for name in ("year", "month", "day")]
    if not any(parts):
        return today
    try:
        year, month, day = map(int, parts)
        return date(year, month, day)
    except ValueError:
        return None


def _ask(request: Request, console: Console, case: str, form: Form[Any]) -> Response:
    return console.pages.page(
        request,
        "console/right.html",
        status=UNPROCESSABLE if form.errors else 200,
        case=this_case(request, case),
        kinds=[kind.value for kind in RightsKind],
        form=form,
    )


@router.get("/rights/{id_}")
def show(request: Request, console: Here, id_: str) -> Response:
    """One request: what was done, what is proven, and what is not."""
    with console.agent() as agent:
        view = _view(agent, id_)
    return _show(request, console, view, Form())


def _show(request: Request, console: Console, view: RightsView, form: Form[Any]) -> Response:
    return console.pages.page(
        request,
        "console/right_shown.html",
        status=UNPROCESSABLE if form.errors else 200,
        view=view,
        outcomes=OUTCOMES,
        reasons=REASONS,
        form=form,
    )


@router.get("/rights/{id_}/carry-out")
def ask_carry_out(request: Request, console: Here, id_: str) -> Response:
    """Whether it is really to be carried out."""
    with console.agent() as agent:
        view = _view(agent, id_)
    return console.pages.page(request, "console/right_carry_out.html", view=view)


@router.post("/rights/{id_}/carry-out")
def carry_out(request: Request, console: Here, id_: str, _fields: Fields) -> Response:
    """Do what is asked: here at once, and at the hub as soon as it has read the ledger."""

    def work(agent: Agent, _task: Task) -> None:
        agent.rights.carry_out(id_, agent.ledger.sync_if_possible())
        agent.ledger.sync_if_possible()

    place = f"/rights/{id_}"
    task = console.tasks.start("carry_out", work, then=place, back=place, quick=True)
    return to_work(request, task)


@router.post("/rights/{id_}/report")
def write_report(request: Request, console: Here, id_: str, _fields: Fields) -> Response:
    """Write what is held of the person, to be looked through and handed over."""

    def work(agent: Agent, _task: Task) -> None:
        report(agent, id_)

    place = f"/rights/{id_}"
    task = console.tasks.start("report", work, then=f"{place}/report", back=place, quick=True)
    return to_work(request, task)


@router.get("/rights/{id_}/report")
def show_report(request: Request, console: Here, id_: str) -> Response:
    """Where the report is, if it was written."""
    with console.agent() as agent:
        view = _view(agent, id_)
    files = written_report(id_, report_folder(console.home))
    if not files:
        return go(request, f"/rights/{id_}")
    return console.pages.page(
        request, "console/right_report.html", view=view, files=[str(file) for file in files]
    )


@router.post("/rights/{id_}/close")
def close(request: Request, console: Here, id_: str, fields: Fields) -> Response:
    """Note that the person was answered."""
    typed = {name: str(fields.get(name, "")) for name in ("outcome", "reason")}
    words, errors = console.pages.words, dict[str, str]()
    if typed["outcome"] not in OUTCOMES:
        errors["outcome"] = words("agent.rights.no_outcome")
    elif typed["outcome"] == "refused" and typed["reason"] not in REASONS:
        errors["reason"] = words("agent.rights.no_reason")
    if errors:
        with console.agent() as agent:
            view = _view(agent, id_)
        return _show(request, console, view, Form(values=typed, errors=errors))
    outcome = typed["outcome"]
    reason = typed["reason"] if outcome == "refused" else None

    def work(agent: Agent, _task: Task) -> None:
        agent.rights.close(id_, outcome, reason, agent.ledger.sync_if_possible())
        forget_report(id_, report_folder(agent.home))

    place = f"/rights/{id_}"
    task = console.tasks.start("close", work, then=place, back=place, quick=True)
    return to_work(request, task)


def _view(agent: Agent, id_: str) -> RightsView:
    return next(view for view in agent.rights_views(id_))
