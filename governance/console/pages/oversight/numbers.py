"""Consents, refusals, requests of data subjects, retention, and the DPIA's risks."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from governance.canonical import Slug
from governance.consent.models import ConsentState
from governance.console.console import Console, Use
from governance.console.looking import looking
from governance.console.pages.oversight.show import tag
from governance.errors import FormatError
from governance.oversight.consents import states, trend
from governance.oversight.refusals import refusals as count_refusals
from governance.oversight.retention import destroyed
from governance.oversight.retention import retention as list_retention
from governance.oversight.rights import rights as list_rights
from governance.oversight.risks import Guard, Risk, read_results
from governance.oversight.risks import risks as list_risks
from governance.terminal import read_bytes
from governance.ui.show import Cell, show_date, show_month, show_time

router = APIRouter(prefix="/oversight")
MONTHS = 24  # shown
LINES = 200  # of refusals shown

Party = Annotated[Slug | None, Query()]


@router.get("/consents")
def consents(console: Use, request: Request) -> HTMLResponse:
    """Records by state and party, and month by month."""
    words, today = console.pages.words, console.now().date()
    with looking(console, request) as state:
        figures = state.chronicle.consents
        now, months = states(figures, today), trend(figures, today)[-MONTHS:]
    kept = [each for each in ConsentState if any(line.states[each] for line in now)]
    return console.page(
        request,
        "oversight/consents.html",
        head=[words("consents.party"), words("consents.kind"),
              *(words(f"consents.{each}") for each in kept), words("consents.erased")],
        lines=[
            [line.party, words(f"consents.kind.{line.kind}"),
             *(line.states[each] for each in kept), line.erased]
            for line in now
        ],
        months=[
            [show_month(each.month, words), each.recorded.get(ConsentState.GIVEN, 0),
             each.recorded.get(ConsentState.REFUSED, 0),
             each.changed.get(ConsentState.WITHDRAWN, 0), each.permitting]
            for each in reversed(months)
        ],
    )  # fmt: skip


@router.get("/refusals")
def refusals(console: Use, request: Request, party: Party = None) -> HTMLResponse:
    """Refusals with reasons, by month and party."""
    words = console.pages.words
    with looking(console, request) as state:
        found = count_refusals(state, party)
        parties = sorted({each.party for each in count_refusals(state)})
    lines: list[list[Cell]] = [
        [show_month(each.month, words), each.party, each.what.replace(".", " ").replace("_", " "),
         each.meaning, each.count]
        for each in found[:LINES]
    ]  # fmt: skip
    return console.page(
        request, "oversight/refusals.html", lines=lines, more=len(found) > LINES, party=party or "",
        parties=parties,
    )  # fmt: skip


@router.get("/rights")
def rights(console: Use, request: Request) -> HTMLResponse:
    """Requests of data subjects and their deadlines."""
    words, today = console.pages.words, console.now().date()
    with looking(console, request) as state:
        found = list_rights(state, today)
    pending: list[list[Cell]] = [
        [
            words(f"rights.{each.kind}"),
            each.party,
            show_date(each.received, words),
            show_date(each.due, words),
            tag(words("rights.days_late", count=-(each.days_left or 0)), "red")
            if each.late
            else words("rights.days_left", count=each.days_left or 0),
            ", ".join(each.unproven) or (words("rights.carried_out") if each.carried_out else ""),
        ]
        for each in found
        if not each.outcome
    ]
    done: list[list[str]] = [
        [
            words(f"rights.{each.kind}"),
            each.party,
            show_date(each.received, words),
            show_date(each.answered, words),
            words(f"rights.outcome.{each.outcome}"),
            words("oversight.late") if each.late else words("rights.in_time"),
        ]
        for each in found
        if each.outcome
    ][:LINES]
    return console.page(request, "oversight/rights.html", pending=pending, done=done)


@router.get("/retention")
def retention(console: Use, request: Request) -> HTMLResponse:
    """What was destroyed and when, and what is overdue."""
    words = console.pages.words
    with looking(console, request) as state:
        kept, gone = list_retention(state, console.now()), destroyed(state)
    lines: list[list[Cell]] = [
        [
            words(f"retention.{each.what}"),
            each.party,
            f"{each.agreement} {each.version}",
            each.days,
            show_date(each.next, words) if each.next else "",
            tag(words("retention.since", date=show_date(each.overdue_since, words)), "red")
            if each.overdue_since
            else "",
            show_date(each.last, words) if each.last else words("retention.never"),
        ]
        for each in kept
    ]
    told: list[list[Cell]] = [
        [show_time(each.time, words), each.party,
         "; ".join(words(f"retention.count.{name}", count=count)
                   for name, count in each.counts.items())]
        for each in gone
    ]  # fmt: skip
    return console.page(request, "oversight/retention.html", lines=lines, told=told)


@router.get("/risks")
def risks(console: Use, request: Request) -> HTMLResponse:
    """The DPIA's risks, the tests that guard each, and when those last passed."""
    found, results = _risks(console)
    return console.page(
        request,
        "oversight/risks.html",
        found=None if found is None else [(risk, _guards(console, risk)) for risk in found],
        results=results,
    )


def _risks(console: Console) -> tuple[list[Risk] | None, int]:
    """Risks, None where no assessment is named; and how many recorded runs were read."""
    settings = console.settings
    if settings.dpia_file is None:
        return None, 0
    try:
        assessment = read_bytes(settings.dpia_file).decode("utf-8")
    except UnicodeDecodeError:
        raise FormatError(f"{settings.dpia_file.name}: not UTF-8") from None
    runs = [read_results(path) for path in settings.test_results]
    return list_risks(assessment, runs), len(runs)


def _guards(console: Console, risk: Risk) -> list[list[Cell]]:
    words = console.pages.words
    colours = {"passed": "green", "failed": "red", "not run": "grey"}

    def said(guard: Guard) -> str:
        if guard.state == "not run":
            return words("risks.not_run")
        if guard.state == "failed":
            return words("risks.failed", count=guard.failed)
        return words("risks.passed", count=guard.passed)

    return [
        [guard.file.removeprefix("tests/"), tag(said(guard), colours[guard.state]),
         show_time(guard.time, words) if guard.time else "", guard.commit[:12]]
        for guard in risk.guards
    ]  # fmt: skip
