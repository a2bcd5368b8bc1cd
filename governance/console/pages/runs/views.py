"""Runs of the hub, starting one, and how good one is.

Rules: the hub is asked as the analyst who is signed in, and holds them to their agreements; a form
that is sent twice starts one run, by the id that the page was given.
"""

import secrets
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import FormData

from governance.canonical import Frozen, Hash, Hex128
from governance.console.access import signed_in
from governance.console.console import Console, Use
from governance.console.pages.runs import inside
from governance.console.pages.runs.charts import (
    EffectBar,
    effects_chart,
    quality_chart,
    threshold_chart,
)
from governance.console.pages.runs.choosing import (
    agreements_of,
    effect_name,
    share,
    state_of,
    title_of,
    told,
)
from governance.exchange.analysis_api import NO_EFFECTS, LinkageEffects
from governance.exchange.hub_api import QualityRow, RunView, Share3
from governance.exchange.hub_client import HubClient, HubRefused
from governance.reports.charts import svg_of
from governance.reports.models import Chart
from governance.ui.forms import Form, posted, read_form
from governance.ui.show import Cell, Link, Slice, show_time

LINES = 20
"""Runs on a page."""
_TWO = 2  # needs, of a line that only the table has

router = APIRouter()
router.include_router(inside.router)


class StartForm(Frozen):
    """What a run is started with."""

    agreement: Hash
    mode: Literal["choose", "exact", "fast"]
    questions: Literal["yes", "no"]
    id: Hex128


@router.get("/runs")
def runs(
    console: Use, request: Request, page: Annotated[int, Query(ge=1, le=1_000_000)] = 1
) -> HTMLResponse:
    """Every run of the own agreements, newest first."""
    own = signed_in(request).account
    part = Slice(page, LINES, 0)
    with console.outside.hub(own) as hub:
        found = hub.runs(part.offset, LINES)
    rows = [_line(console, view) for view in found.runs]
    return console.page(request, "runs/runs.html", rows=rows, part=Slice(page, LINES, found.total))


@router.get("/runs/start")
def starting(console: Use, request: Request) -> HTMLResponse:
    """Asks how to start one."""
    return _asked(console, request, Form(values={"mode": "choose", "questions": "yes"}))


@router.post("/runs/start")
def start(console: Use, request: Request, fields: Annotated[FormData, Depends(posted)]) -> Response:
    """Start a run; the same form again leads to the same one."""
    own = signed_in(request).account
    form = read_form(fields, StartForm, console.pages.words, "runs.form.")
    if form.value is None:
        return _asked(console, request, form, status=422)
    wanted = form.value
    with console.outside.hub(own) as hub:
        view = hub.start_run(
            wanted.agreement,
            None if wanted.mode == "choose" else wanted.mode,
            questions=wanted.questions == "yes",
            id_=wanted.id,
        )
    return RedirectResponse(f"/runs/{view.id}", 303)


@router.get("/runs/{run}")
def one_run(console: Use, request: Request, run: Hex128) -> HTMLResponse:
    """How far a run is, or what it found, and where to look further."""
    own = signed_in(request).account
    with console.outside.hub(own) as hub:
        view = hub.run(run)
        older = _before(hub, view)
    return console.page(
        request,
        "runs/run.html",
        view=view,
        older=older,
        state=state_of(view, console.pages.words),
        share=lambda value: share(value, console.pages.words),
        told=lambda value: told(value, console.pages.words),
        short=title_of,
        minutes=None if view.seconds_left is None else max(1, round(view.seconds_left / 60)),
    )


@router.get("/runs/{run}/quality")
def quality(console: Use, request: Request, run: Hex128) -> HTMLResponse:
    """How good a run's links are, by group."""
    own = signed_in(request).account
    with console.outside.hub(own) as hub:
        table = hub.quality(run)
    rows: list[list[Cell]] = [
        [
            _group(row),
            "" if row.records is None else row.records,
            _interval(row.predicted_precision),
            _interval(row.predicted_recall),
            _interval(row.sentinel_precision),
            _interval(row.sentinel_recall),
            row.note,
        ]
        for row in table.rows
    ]
    return console.page(request, "runs/quality.html", run=run, rows=rows, short=title_of)


@router.get("/runs/{run}/quality.svg")
def quality_svg(console: Use, request: Request, run: Hex128) -> Response:
    """Its chart."""
    words = console.pages.words
    with console.outside.hub(signed_in(request).account) as hub:
        table = hub.quality(run)
    names = words("runs.precision"), words("runs.recall")
    return _svg(quality_chart(table, names, words("runs.chart.share")))


@router.get("/runs/{run}/effects")
def effects(console: Use, request: Request, run: Hex128) -> HTMLResponse:
    """What errors of linkage do to a run's figures."""
    words = console.pages.words
    found = _effects(console, request, run)
    rows: list[list[Cell]] = [
        [
            effect_name(row, words),
            row.found,
            row.value or 0,
            words("runs.effects.range", low=f"{row.low:,}", high=f"{row.high:,}"),
            f"{row.false_links:+,}",
            f"{row.missed_links:+,}",
        ]
        for row in (() if found is None else found.rows)
        if row.found is not None
    ]
    hidden = 0 if found is None else len(found.rows) - len(rows)
    return console.page(
        request, "runs/effects.html", run=run, rows=rows, hidden=hidden, found=found,
        precision=None if found is None else _interval(found.precision),
        recall=None if found is None else _interval(found.recall), short=title_of,
    )  # fmt: skip


@router.get("/runs/{run}/effects.svg")
def effects_svg(console: Use, request: Request, run: Hex128) -> Response:
    """Its chart."""
    words = console.pages.words
    found = _effects(console, request, run)
    rows = () if found is None else found.rows
    bars = tuple(
        EffectBar(effect_name(row, words), row.found, row.value or 0, row.low or 0, row.high or 0)
        for row in rows
        if row.found and len(row.needs) < _TWO
    )
    return _svg(effects_chart(bars, words("runs.effects.axis")))


@router.get("/runs/{run}/thresholds")
def thresholds(console: Use, request: Request, run: Hex128) -> HTMLResponse:
    """What other thresholds would give."""
    words = console.pages.words
    with console.outside.hub(signed_in(request).account) as hub:
        table = hub.thresholds(run)
    rows: list[list[Cell]] = [
        [
            words("runs.thresholds.own", threshold=f"{row.threshold:.2f}")
            if row.own
            else f"{row.threshold:.2f}",
            row.persons,
            row.joined,
            row.parted,
            f"{row.estimated_precision:.1%}",
            f"{row.estimated_recall:.1%}",
            row.families_touched,
            told(row.flagged_touched, words),
        ]
        for row in table.rows
    ]
    return console.page(
        request, "runs/thresholds.html", run=run, table_=table, rows=rows, short=title_of
    )


@router.get("/runs/{run}/thresholds.svg")
def thresholds_svg(console: Use, request: Request, run: Hex128) -> Response:
    """Its chart."""
    words = console.pages.words
    with console.outside.hub(signed_in(request).account) as hub:
        table = hub.thresholds(run)
    names = words("runs.precision"), words("runs.recall")
    axes = words("runs.chart.threshold"), words("runs.chart.share")
    return _svg(threshold_chart(table, names, axes))


def _effects(console: Console, request: Request, run: Hex128) -> LinkageEffects | None:
    """Of a run; None where nobody worked them out."""
    with console.outside.hub(signed_in(request).account) as hub:
        try:
            return hub.effects(run)
        except HubRefused as refused:
            if refused.hub_reason != NO_EFFECTS:
                raise
            return None


def _svg(chart: Chart) -> Response:
    return Response(svg_of(chart).encode(), media_type="image/svg+xml; charset=utf-8")


def _asked(
    console: Console, request: Request, form: Form[StartForm], *, status: int = 200
) -> HTMLResponse:
    id_ = form.values.get("id") or secrets.token_hex(16)
    return console.page(
        request,
        "runs/start.html",
        status=status,
        form=form,
        agreements=agreements_of(console, request),
        id_=id_,
    )


def _line(console: Console, view: RunView) -> list[Cell]:
    words = console.pages.words
    return [
        Link(show_time(view.created, words), f"/runs/{view.id}"),
        state_of(view, words),
        view.records,
        view.persons,
        view.families,
        told(view.flagged, words),
        share(view.estimated_precision, words),
        share(view.estimated_recall, words),
    ]


def _before(hub: HubClient, view: RunView) -> RunView | None:
    """The finished run of the same agreement before a finished one."""
    if view.finished is None or view.state != "finished":
        return None
    for each in hub.runs().runs:
        same = each.agreement == view.agreement and each.state == "finished"
        if same and each.created < view.created:
            return each
    return None


def _group(row: QualityRow) -> str:
    return f"{row.group}: {row.value}".strip(": ").replace("_", " ")


def _interval(found: Share3 | None) -> str:
    if found is None:
        return ""
    return f"{found.value:.1%} ({found.low:.1%} to {found.high:.1%})"
