"""Reports of an agreement: the list, one of them with its charts and files, making one.

Rules: the hub is asked as the person who is signed in, and empties lists not meant for them; what
is said of a report that was shared stands before everything else; a page says how many lines of a
long table it leaves out, and the files have all.
"""

from typing import Annotated, Final

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import Field, ValidationInfo, field_validator
from starlette.datastructures import FormData

from governance.agreements.models import Action
from governance.canonical import Frozen, Hash, Hex128, Slug
from governance.console.access import signed_in
from governance.console.console import Console, Use
from governance.console.pages.reports.showing import (
    Maker,
    about,
    finished,
    makers,
    shown_parts,
    warnings_of,
)
from governance.console.pages.runs.choosing import agreements_of, chosen
from governance.exchange.report_api import Made, ReportSummary, ReportView
from governance.identity.models import Role
from governance.reports.charts import svg_of
from governance.reports.files import as_csv, as_workbook
from governance.reports.models import Report
from governance.reports.pdf import as_pdf
from governance.ui.forms import Form, posted, read_form
from governance.ui.show import Cell, Link, Slice, show_time

LINES = 20
"""Reports on a page."""
MAKING_SECONDS = 120.0
"""Of 97,000 families and two runs the hub takes 12.6 s of a processor (``benchmarks.reports``)."""
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_MAKING: Final = CapacityLimiter(2)
"""Who waits for a report that is being made takes none of the threads that answer others."""

router = APIRouter()


class MakeForm(Frozen):
    """What the hub is asked to make; the page that asks has said which runs."""

    agreement: Hash
    kind: Made
    catalogue: Annotated[Slug | None, Field(validate_default=True)] = None
    run: Hex128
    before: Hex128 | None = None

    @field_validator("catalogue")
    @classmethod
    def _by_criteria(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and info.data.get("kind") == "programme":
            raise ValueError("a programme's month goes by criteria")
        return value


@router.get("/reports")
def reports(
    console: Use,
    request: Request,
    agreement: str | None = None,
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
) -> HTMLResponse:
    """Every report of one agreement, newest first."""
    own = signed_in(request).account
    agreements = agreements_of(console, request, Action.ANALYSE)
    hash_, part = chosen(agreements, agreement), Slice(page, LINES, 0)
    rows: list[list[Cell]] = []
    if hash_ is not None:
        with console.outside.hub(own) as hub:
            found = hub.reports(hash_, part.offset, LINES)
        who = makers(console, request, found.reports)
        rows = [_line(console, each, who[each.id]) for each in found.reports]
        part = Slice(page, LINES, found.total)
    return console.page(
        request, "reports/reports.html", agreements=agreements, chosen=hash_, rows=rows, part=part,
        analyst=own.role is Role.ANALYST,
    )  # fmt: skip


@router.get("/reports/make")
def asking(console: Use, request: Request, agreement: str | None = None) -> Response:
    """Asks which report to make, and says of which runs."""
    return _asked(console, request, agreement, Form())


@router.post("/reports/make")
async def make(
    console: Use, request: Request, fields: Annotated[FormData, Depends(posted)]
) -> Response:
    """Have the hub make one; the same again leads to the same one."""
    return await to_thread.run_sync(_made, console, request, fields, limiter=_MAKING)


@router.get("/reports/{report}")
def one_report(console: Use, request: Request, report: Hash) -> HTMLResponse:
    """A report: what a reader has to know first, then its parts."""
    own, found = signed_in(request).account, _found(console, request, report)
    who = makers(console, request, [found.summary])[report]
    words = console.pages.words
    mine = found.summary.party == console.settings.party and own.role is Role.ANALYST
    return console.page(
        request,
        "reports/report.html",
        report=found.report,
        path_=f"/reports/{report}",
        warnings=warnings_of(found, who, words),
        parts=shown_parts(found.report, words, linked=own.role is Role.SERVICE_MANAGER),
        details=about(found, who, words),
        may_withdraw=mine or own.role is Role.IG_LEAD,
    )


@router.get("/reports/{report}/charts/{number}.svg")
def chart(
    console: Use, request: Request, report: Hash, number: Annotated[int, Path(ge=0, le=99)]
) -> Response:
    """The chart of one part, by the part's number from 0."""
    parts = _found(console, request, report).report.parts
    drawn = parts[number].chart if number < len(parts) else None
    if drawn is None:
        return Response(status_code=404)
    return Response(svg_of(drawn), media_type="image/svg+xml; charset=utf-8")


@router.get("/reports/{report}/report.pdf")
def pdf(console: Use, request: Request, report: Hash) -> Response:
    """All of it, to print or to keep."""
    found = _filed(console, request, report)
    return _file(found, as_pdf(found), "pdf", "application/pdf")


@router.get("/reports/{report}/report.csv")
def csv(console: Use, request: Request, report: Hash) -> Response:
    """Its figures, one a line."""
    found = _filed(console, request, report)
    return _file(found, as_csv(found), "csv", "text/csv; charset=utf-8")


@router.get("/reports/{report}/report.xlsx")
def workbook(console: Use, request: Request, report: Hash) -> Response:
    """Its tables as a workbook."""
    found = _filed(console, request, report)
    return _file(found, as_workbook(found), "xlsx", _XLSX)


@router.get("/reports/{report}/withdraw")
def withdrawing(console: Use, request: Request, report: Hash) -> HTMLResponse:
    """Asks whether to take it back."""
    found = _found(console, request, report)
    who = makers(console, request, [found.summary])[report]
    return console.page(
        request, "reports/withdraw.html", report=found.report, path_=f"/reports/{report}",
        details=about(found, who, console.pages.words),
    )  # fmt: skip


@router.post("/reports/{report}/withdraw")
def withdraw(console: Use, request: Request, report: Hash) -> Response:
    """Destroy it at the hub."""
    with console.outside.hub(signed_in(request).account) as hub:
        agreement = hub.report(report).summary.agreement
        hub.withdraw_report(report)
    return RedirectResponse(f"/reports?agreement={agreement}", 303)


def _made(console: Console, request: Request, fields: FormData) -> Response:
    form = read_form(fields, MakeForm, console.pages.words, "reports.form.")
    if form.value is None:
        agreement = str(form.values.get("agreement", ""))
        return _asked(console, request, agreement, form, status=422)
    wanted = form.value
    month = wanted.kind == "programme"
    with console.outside.hub(signed_in(request).account, MAKING_SECONDS) as hub:
        made = hub.make_report(
            wanted.agreement,
            wanted.kind,
            wanted.run,
            wanted.before if month else None,
            wanted.catalogue if month else None,
        )
    return RedirectResponse(f"/reports/{made.id}", 303)


def _found(console: Console, request: Request, report: Hash) -> ReportView:
    with console.outside.hub(signed_in(request).account) as hub:
        return hub.report(report)


def _asked(
    console: Console,
    request: Request,
    agreement: str | None,
    form: Form[MakeForm],
    *,
    status: int = 200,
) -> Response:
    words = console.pages.words
    hash_ = chosen(agreements_of(console, request, Action.ANALYSE), agreement)
    if hash_ is None:
        return RedirectResponse("/reports", 303)
    with console.outside.hub(signed_in(request).account) as hub:
        choices = hub.report_choices(hash_)
    no_before = words("reports.make.no_before")
    runs = [
        (
            words("reports.make." + name),
            no_before if run is None else show_time(run.finished, words),
        )
        for name, run in (("run", choices.run), ("before", choices.before))
    ]
    return console.page(
        request, "reports/make.html", status=status, form=form, agreement=hash_, choices=choices,
        runs=runs,
    )  # fmt: skip


def _line(console: Console, summary: ReportSummary, who: Maker) -> list[Cell]:
    words = console.pages.words
    told = words("reports.from.shared", who=who.words(words))
    return [
        Link(words("reports.kind." + summary.kind), f"/reports/{summary.id}"),
        finished(summary, words),
        show_time(summary.made, words),
        told if summary.shared else words("reports.from.hub"),
    ]


def _filed(console: Console, request: Request, report: Hash) -> Report:
    """A report as its files have it: they say what the page says in front of everything."""
    found = _found(console, request, report)
    who = makers(console, request, [found.summary])[report]
    said = warnings_of(found, who, console.pages.words)
    return found.report.model_copy(update={"warnings": tuple(said)})


def _file(found: Report, data: bytes, ending: str, kind: str) -> Response:
    headers = {
        "Content-Disposition": f'attachment; filename="{found.kind}-{found.made_on}.{ending}"'
    }
    return Response(data, media_type=kind, headers=headers)
