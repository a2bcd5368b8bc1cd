"""What was prepared of a source: its quality, the rows that were refused, and the way to the hub.

Rules: refused rows are shown on this page and nowhere else, a few at a time; what would leave is
said before the button; what is sent is what the page with the button has shown; sending is a task
that goes on where it was.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import ValidationError

from governance.ui.show import Slice
from governance.ui.words import Words
from partner_agent.app import Agent
from partner_agent.cleansing.outcome import NOTES, REJECTS
from partner_agent.cleansing.quality import QualityReport
from partner_agent.console.pages.extracts import Fields, Here, SourceUnknown
from partner_agent.console.pages.work import to_work
from partner_agent.console.state import own_sources
from partner_agent.console.tasks import Task
from partner_agent.encoding.likeness import too_alike
from partner_agent.extracts.model import MAX_FIELD
from partner_agent.steps.extracts import UNSENT, may_send, would_send
from partner_agent.submissions.errors import NothingToSubmitError
from partner_agent.submissions.upload import OutboxItem, submit

ROWS_A_PAGE: Final = 20
CELL_MOST: Final = 300  # characters of a cell that a page shows
router = APIRouter(prefix="/sources/{source}", include_in_schema=False)


@dataclass(frozen=True)
class Refused:
    """A row that was not accepted, as it came."""

    row: str
    column: str
    reason: str
    cells: list[tuple[str, str]]


@router.get("")
def source_page(request: Request, console: Here, source: str) -> Response:
    """Where the newest extract of a source stands."""
    with console.agent() as agent:
        item = _newest(agent, source)
        held = agent.vault.counts().get(source, 0)
    report = _report(console.home, source)
    return console.pages.page(
        request,
        "console/prepared.html",
        source=source,
        item=item,
        counts=item.manifest.counts,
        send=would_send(item),
        unsent=item.state in UNSENT,
        warning=None if report is None else too_alike(source, report.likeness),
        report=report,
        held=held,
    )


@router.get("/quality")
def quality(request: Request, console: Here, source: str) -> Response:
    """The quality report: counts by column and reason.

    Raises:
        SourceUnknown: there is none.
    """
    with console.agent() as agent:
        _newest(agent, source)
    report = _report(console.home, source)
    if report is None:
        raise SourceUnknown("its owner has deleted the report", next_step="prepare it again")
    return console.pages.page(
        request,
        "console/quality.html",
        source=source,
        report=report,
        notes=_notes(report),
        label=partial(_label, console.pages.words),
    )


@router.get("/refused")
def refused(
    request: Request,
    console: Here,
    source: str,
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
) -> Response:
    """Rows that were refused, a few at a time."""
    with console.agent() as agent:
        _newest(agent, source)
    file = console.home / "reports" / f"{source}.rejects.csv"
    total = sum(1 for _ in _rows(file))
    part = Slice(page, ROWS_A_PAGE, total)
    rows = list(islice(_rows(file), part.offset, part.offset + ROWS_A_PAGE))
    return console.pages.page(
        request,
        "console/refused.html",
        source=source,
        rows=rows,
        part=part,
        reasons=REJECTS,
        file=str(file),
    )


@router.post("/send")
def send(request: Request, console: Here, source: str, fields: Fields) -> Response:
    """Send what was shown; after an interruption it goes on where it was.

    Raises:
        NothingToSubmitError: it does not wait, or not any more.
    """
    shown = str(fields.get("submission", ""))
    with console.agent() as agent:
        _unsent(agent, source, shown)

    def work(agent: Agent, task: Task) -> str:
        item = _unsent(agent, source, shown)
        may_send(agent, [item])
        return submit(agent.hub, agent.outbox, item, progress=task.progress).state

    place = f"/sources/{source}"
    task = console.tasks.start("send", work, then=place, back=place, unit="bytes", once=shown)
    return to_work(request, task)


def _unsent(agent: Agent, source: str, shown: str) -> OutboxItem:
    """The submission that a page has shown, while it waits."""
    item = _newest(agent, source)
    if item.state not in UNSENT:
        raise NothingToSubmitError(
            "nothing of this source waits to be sent", next_step="begin with a new extract"
        )
    if item.id != shown:
        raise NothingToSubmitError(
            "another extract of this source was prepared since this page was shown, and nothing "
            "was sent",
            next_step="open the page of the source again: it says what would leave now",
        )
    return item


def _newest(agent: Agent, source: str) -> OutboxItem:
    if source in {each.id for each in own_sources(agent)}:
        for item in agent.outbox.newest():
            if item.source == source:
                return item
    raise SourceUnknown(
        "nothing of such a source was prepared here", next_step="begin at the start page"
    )


def _report(home: Path, source: str) -> QualityReport | None:
    try:
        data = (home / "reports" / f"{source}.json").read_bytes()
        return QualityReport.model_validate_json(data)
    except (OSError, ValidationError):
        return None  # its owner has deleted it, which is their right


def _label(words: Words, column: str) -> str:
    """What a column of the prepared rows is called."""
    kind, _, need = column.partition(".")
    if kind == "indicator":
        return words("agent.role.need", need=need.replace("_", " "))
    key = "agent.role." + ("record_id" if column == "source_record_id" else column)
    return words(key) if key in words else column.replace("_", " ")


def _notes(report: QualityReport) -> list[tuple[str, str, str, int]]:
    """(column, kind, words, count), the most frequent first."""
    found = [
        (name, NOTES[note][0].value, NOTES[note][1], count)
        for name, column in report.columns.items()
        for note, count in column.reasons.items()
        if note in NOTES
    ]
    return sorted(found, key=lambda each: -each[3])


def _rows(file: Path) -> Iterator[Refused]:
    csv.field_size_limit(MAX_FIELD)
    try:
        with file.open(encoding="utf-8", errors="replace", newline="") as stream:
            rows = csv.reader(stream)
            heads = next(rows, [])[3:]
            for row in filter(None, rows):  # its owner may have edited it
                cells: list[Any] = [
                    (head, cell[:CELL_MOST])
                    for head, cell in zip(heads, row[3:], strict=False)
                    if cell
                ]
                number, column, reason, *_ = [*row, "", "", ""]
                yield Refused(number, column, reason, cells)
    except (OSError, csv.Error):
        return
