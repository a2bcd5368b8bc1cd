"""Recording what a person decided: one question a page, then check your answers.

Rules: what was answered is in the session's memory alone; an earlier question can be answered again
and later answers stay; what is recorded is what the page has shown, by the task that the command's
own step is, once however often the button is pressed, and again where that has failed; another
answer makes another decision.
"""

from datetime import date
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from governance.canonical import write_time
from governance.consent.models import ParentalBasis
from governance.ui.forms import CSRF_FIELD, Form
from partner_agent.app import Agent
from partner_agent.console.cases import Case, CaseUnknown
from partner_agent.console.notices import NOTICE_MOST, Notice, keep_notice, notices
from partner_agent.console.pages.entry import go
from partner_agent.console.pages.extracts import UNPROCESSABLE, Fields, Here
from partner_agent.console.pages.people import shown, this_case
from partner_agent.console.pages.work import to_work
from partner_agent.console.state import Console, session_of
from partner_agent.console.tasks import Task, unsaid
from partner_agent.console.uploads import Upload, UploadRefused
from partner_agent.steps.deciding import record

QUESTIONS: Final[dict[str, tuple[str, ...]]] = {
    "state": ("given", "refused", "requested"),
    "kind": ("approach", "confidentiality", "explicit_gdpr"),
    "capacity": ("self", "parental_responsibility"),
    "parental_basis": tuple(basis.value for basis in ParentalBasis),
    "method": ("in_person", "paper_form", "telephone", "online"),
    "expires": (),
    "notice": (),
}
"""Questions in their order, and the answers to choose from."""
_DATE: Final = ("day", "month", "year")
router = APIRouter(prefix="/people/{case}/decision", include_in_schema=False)


def _asked(case: Case) -> list[str]:
    """The questions that this case has."""
    parental = case.answers.get("capacity") == "parental_responsibility"
    return [name for name in QUESTIONS if parental or name != "parental_basis"]


def _next(case: Case) -> str:
    """Where to go on: the first question without an answer, or the check."""
    left = [name for name in _asked(case) if not case.answers.get(name)]
    return f"/people/{case.id}/decision/{left[0] if left else 'check'}"


@router.get("")
def begin(request: Request, case: str) -> Response:
    """A new decision."""
    found = this_case(request, case)
    found.begin()
    return go(request, _next(found))


@router.get("/check")
def check(request: Request, console: Here, case: str) -> Response:
    """Check your answers."""
    found = this_case(request, case).now()
    if (step := _next(found)).rpartition("/")[2] != "check":
        return go(request, step)
    with console.agent() as agent:
        handles = agent.vault.find(found.source, found.record_id)
        rows = [shown(row) for row in agent.vault.get_many(handles).values()]
        agreement = agent.standing(agent.ledger.state).agreement
    names = {notice.hash: notice.name for notice in notices(console.home)}
    return console.pages.page(
        request,
        "console/decision_check.html",
        case=found,
        rows=rows,
        asked=_asked(found),
        questions=QUESTIONS,
        notice=names.get(found.answers["notice"], ""),
        purpose=next(each for each in agreement.purposes if each.approach),
        items=[item.description for item in agreement.items if item.releasable],
    )


@router.post("/check")
def keep(request: Request, console: Here, case: str, fields: Fields) -> Response:
    """Record what was shown, once; where an answer has changed since, show it first."""
    here = this_case(request, case)
    found = here.now()
    answers, decision = dict(found.answers), found.decision
    step = _next(found)
    if step.rpartition("/")[2] != "check" or fields.get("decision") != decision:
        return go(request, step)
    notice = answers.pop("notice")
    basis = answers.pop("parental_basis", None)
    parental = answers["capacity"] == "parental_responsibility"
    given: dict[str, Any] = {
        **answers, "source": found.source, "parental_basis": basis if parental else None,
    }  # fmt: skip

    def work(agent: Agent, _task: Task) -> list[str]:
        agent.ledger.sync_if_possible()
        when = {"captured": here.captured(decision, write_time(agent.now()))}
        return record(agent, found.record_id, notice, given | when, unsaid)

    place = f"/people/{found.id}"
    task = console.tasks.start(
        "record",
        work,
        then=f"{place}/decision/done",
        back=f"{place}/decision/check",
        quick=True,
        once=decision,
    )
    return to_work(request, task)


@router.get("/done")
def done(request: Request, console: Here, case: str) -> Response:
    """What was recorded, and the way to its receipt."""
    found = this_case(request, case)
    return console.pages.page(request, "console/decision_done.html", case=found)


@router.post("/notice-file")
async def take_notice(request: Request, console: Here, case: str) -> Response:
    """Keep a notice that was not shown to anybody recorded here before."""
    session = session_of(request)
    found = this_case(request, case)
    id_, target = console.drafts.reserve()
    try:
        upload = Upload(request.headers.get("content-type", ""), target, NOTICE_MOST, session.check)
        await upload.receive(request.stream())
        kept = keep_notice(console.home, upload.name, target.read_bytes())
        found.answer("notice", kept.hash)
    except UploadRefused as error:
        text = error.message[0].upper() + error.message[1:]
        return _page(request, console, found, "notice", Form(errors={"file": text}))
    finally:
        console.drafts.destroy(id_)
    return go(request, _next(found))


@router.get("/{question}")
def ask(request: Request, console: Here, case: str, question: str) -> Response:
    """One question."""
    found = this_case(request, case)
    values = {question: found.answers.get(question, "")}
    if question == "expires" and values[question]:
        day = date.fromisoformat(values[question])
        values |= {"day": str(day.day), "month": str(day.month), "year": str(day.year)}
    return _page(request, console, found, question, Form(values=values))


@router.post("/{question}")
def answer(request: Request, console: Here, case: str, question: str, fields: Fields) -> Response:
    """Keep the answer, and ask what is left."""
    found = this_case(request, case)
    if question not in QUESTIONS:
        raise _no_question()
    if question == "expires":
        typed = {name: str(fields.get(name, "")).strip() for name in _DATE}
        day = _date(typed)
        with console.agent() as agent:
            today = agent.now().date()
        if day is None or day <= today:
            error = console.pages.words(
                "agent.decision.wrong." + ("expires" if day is None else "past")
            )
            form: Form[Any] = Form(values=typed, errors={"expires-day": error})
            return _page(request, console, found, question, form)
        found.answer(question, day.isoformat())
        return go(request, _next(found))
    chosen = str(fields.get(question, ""))
    known = QUESTIONS[question] or [notice.hash for notice in notices(console.home)]
    if chosen not in known:
        error = console.pages.words("agent.decision.wrong." + question)
        return _page(request, console, found, question, Form(errors={question: error}))
    found.answer(question, chosen)
    return go(request, _next(found))


def _date(typed: dict[str, str]) -> date | None:
    try:
        return date(int(typed["year"]), int(typed["month"]), int(typed["day"]))
    except ValueError:
        return None


def _page(
    request: Request, console: Console, case: Case, question: str, form: Form[Any]
) -> Response:
    if question not in QUESTIONS:
        raise _no_question()
    kept: list[Notice] = notices(console.home)
    asked = _asked(case)
    at = asked.index(question) if question in asked else 0
    before = f"/people/{case.id}" + (f"/decision/{asked[at - 1]}" if at else "")
    return console.pages.page(
        request,
        "console/decision.html",
        status=UNPROCESSABLE if form.errors else 200,
        case=case,
        question=question,
        choices_of=QUESTIONS[question],
        notices=kept,
        before=before,
        csrf_name=CSRF_FIELD,
        form=form,
    )


def _no_question() -> CaseUnknown:
    return CaseUnknown("there is no such question", next_step="go back to the person")
