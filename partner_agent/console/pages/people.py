"""One person: found by the partner's own record number, what they decided, and their withdrawal.

Rules: names and record numbers stand on pages and in forms, never in an address; the search is a
POST that the browser is asked not to remember; a withdrawal takes one step and counts on this
computer before the page answers, whether or not the ledger can be reached.
"""

from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from governance.ui.forms import Form
from partner_agent.app import Agent
from partner_agent.console.cases import Case, CaseUnknown, case_of, open_case
from partner_agent.console.pages.entry import go
from partner_agent.console.pages.extracts import UNPROCESSABLE, Fields, Here
from partner_agent.console.pages.work import to_work
from partner_agent.console.state import Console, own_sources, session_of
from partner_agent.console.tasks import Task, unsaid
from partner_agent.receipts.issue import issue
from partner_agent.receipts.page import said_of
from partner_agent.steps.deciding import decisions
from partner_agent.steps.withdrawing import (
    Whose,
    newly_known,
    withdraw_everywhere,
    withdraw_here,
)
from partner_agent.vault.store import StoredRow

SHOWN: Final = ("first_name", "middle_name", "surname", "date_of_birth", "address", "postcode")
router = APIRouter(include_in_schema=False)


@router.get("/people")
def ask(request: Request, console: Here) -> Response:
    """Which record."""
    return _ask(request, console, Form())


@router.post("/people")
def find(request: Request, console: Here, fields: Fields) -> Response:
    """On to the person, if the vault has them."""
    typed = {name: str(fields.get(name, "")).strip() for name in ("source", "record_id")}
    words, errors = console.pages.words, {}
    with console.agent() as agent:
        sources = [source.id for source in own_sources(agent)]
        if len(sources) == 1:
            typed["source"] = sources[0]
        if typed["source"] not in sources:
            errors["source"] = words("agent.people.no_source")
        if not typed["record_id"]:
            errors["record_id"] = words("agent.people.no_record_id")
        elif not errors and not agent.vault.find(typed["source"], typed["record_id"]):
            errors["record_id"] = words("agent.people.unknown")
    if errors:
        return _ask(request, console, Form(values=typed, errors=errors))
    case = open_case(session_of(request), typed["source"], typed["record_id"])
    return go(request, f"/people/{case.id}")


def _ask(request: Request, console: Console, form: Form[Any]) -> Response:
    with console.agent() as agent:
        sources = own_sources(agent)
    return console.pages.page(
        request,
        "console/people.html",
        status=UNPROCESSABLE if form.errors else 200,
        sources=sources,
        form=form,
    )


def this_case(request: Request, case: str) -> Case:
    """The case that an address names, as a dependency of a view.

    Raises:
        CaseUnknown: the session has none.
    """
    return case_of(session_of(request), case)


@router.get("/people/{case}")
def person(request: Request, console: Here, case: str) -> Response:
    """Who it is, and what they decided."""
    found = this_case(request, case)
    with console.agent() as agent:
        handles = agent.vault.find(found.source, found.record_id)
        rows = list(agent.vault.get_many(handles).values())
        said = decisions(agent, found.source, found.record_id)
        protected = bool(agent.protections.entries_of(found.source, found.record_id))
        guard = agent.protections.guard()
        protected = protected or any(guard.stored(row) for row in rows)
    return console.pages.page(
        request,
        "console/person.html",
        case=found,
        rows=[shown(row) for row in rows],
        said=said,
        withdrawable=any(one.state not in _ENDED for one in said),
        protected=protected,
    )


_ENDED: Final = frozenset({"withdrawn", "refused"})


def shown(row: StoredRow) -> list[tuple[str, str]]:
    """What a page shows of a row, by which somebody is recognised: (role, text); dates as ISO."""
    return [
        (
            name,
            row.clean[name] if name == "date_of_birth" else row.source.get(name) or row.clean[name],
        )
        for name in SHOWN
        if row.clean.get(name)
    ]


@router.post("/people/{case}/withdraw")
def withdraw_person(request: Request, console: Here, case: str, _fields: Fields) -> Response:
    """Take back everything that this person agreed to: one step."""
    found = this_case(request, case)
    whose = Whose(source=found.source, record_id=found.record_id)
    return _withdraw(request, console, whose)


@router.get("/withdraw")
def ask_number(request: Request, console: Here) -> Response:
    """The number of a receipt."""
    return console.pages.page(request, "console/withdraw.html", form=Form())


@router.post("/withdraw")
def withdraw_number(request: Request, console: Here, fields: Fields) -> Response:
    """Take back by the number of a receipt: one step."""
    typed = str(fields.get("number", "")).strip()
    if not typed:
        form: Form[Any] = Form(errors={"number": console.pages.words("agent.withdraw.no_number")})
        return console.pages.page(request, "console/withdraw.html", status=UNPROCESSABLE, form=form)
    return _withdraw(request, console, Whose(number=typed))


def _withdraw(request: Request, console: Console, whose: Whose) -> Response:
    """Here first; then, as a task, wherever else."""
    with console.agent() as agent:
        known = withdraw_here(agent, whose)

    def work(agent: Agent, _task: Task) -> int:
        found = newly_known(agent, whose, known, unsaid)
        return len(withdraw_everywhere(agent, found, unsaid))

    task = console.tasks.start("withdraw", work, then="/", back="/withdraw", quick=True)
    if not known:
        task.then = f"/withdrawn/{task.id}"
        return to_work(request, task)
    task.here = len(known)
    return go(request, f"/withdrawn/{task.id}")


@router.get("/withdrawn/{task}")
def withdrawn(request: Request, console: Here, task: str) -> Response:
    """What counts here already, and whether the ledger has it."""
    found = console.tasks.get(task)
    if found is None:
        return console.pages.page(request, "console/work_gone.html", status=404)
    found.ended.wait(2.0)
    with console.agent() as agent:
        waiting = len(agent.consents.withdrawn_here(logged=False))
    return console.pages.page(
        request,
        "console/withdrawn.html",
        count=found.result or found.here,
        waiting=waiting,
        ended=found.ended.is_set(),
        task=found,
    )


@router.get("/people/{case}/receipt/{number}")
def receipt(request: Request, console: Here, case: str, number: int) -> Response:
    """A decision's receipt, to be printed: it holds no name.

    Raises:
        CaseUnknown: there is no such decision.
    """
    found = this_case(request, case)
    with console.agent() as agent:
        said = decisions(agent, found.source, found.record_id)
        if not 1 <= number <= len(said) or said[number - 1].waiting:
            raise CaseUnknown(
                "there is no receipt of this decision yet",
                next_step="once the ledger has it: go back to the person",
            )
        made = issue(
            agent.ledger, agent.ledger.state, agent.settings.party, said[number - 1].grant,
            agent.now(),
        )  # fmt: skip
    return console.pages.page(request, "console/receipt.html", case=found, **said_of(made))
