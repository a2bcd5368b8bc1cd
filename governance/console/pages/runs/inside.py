"""What is in a run: persons, what is not linked, another run beside it; and how fresh sources are.

Everything is pseudonymous: handles, ids, sources and how alike encodings are, never a value.
"""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from governance.canonical import Hex128
from governance.console.access import signed_in
from governance.console.console import Console, Use
from governance.console.labels import short_id, why
from governance.console.pages.runs.choosing import agreements_of, chosen, share, title_of, told
from governance.exchange.analysis_api import (
    Changes,
    PersonId,
    PersonLink,
    PersonView,
    SourceFreshness,
)
from governance.ui.show import Cell, Link, Slice, show_date, show_id

LINES = 25
"""Persons, records or changes on a page."""
Page = Annotated[int, Query(ge=1, le=1_000_000)]
BARRIERS = ("namesakes", "few_fields", "no_birth_date", "in_doubt")
_FIGURES = (
    "records", "persons", "families", "flagged", "pairs_asked", "pairs_answered", "rulings",
)  # fmt: skip

router = APIRouter()


@router.get("/runs/{run}/persons")
def persons(console: Use, request: Request, run: Hex128, page: Page = 1) -> HTMLResponse:
    """Persons, those with most records first."""
    part = Slice(page, LINES, 0)
    with console.outside.hub(signed_in(request).account) as hub:
        found = hub.persons(run, part.offset, LINES)
    rows: list[list[Cell]] = [
        [Link(short_id(each.person), _path(run, each.person)), each.records, each.sources]
        for each in found.persons
    ]
    return console.page(
        request,
        "runs/persons.html",
        run=run,
        rows=rows,
        part=Slice(page, LINES, found.total),
        short=title_of,
    )


@router.get("/runs/{run}/persons/{person}")
def one_person(console: Use, request: Request, run: Hex128, person: PersonId) -> HTMLResponse:
    """One person: records, what holds them together, who is near."""
    with console.outside.hub(signed_in(request).account) as hub:
        view = hub.person(run, person)
    numbers = {record.handle: number for number, record in enumerate(view.records, 1)}
    return console.page(
        request,
        "runs/person.html",
        view=view,
        records=[[number, view.records[number - 1].party, view.records[number - 1].source,
                  show_id(handle)] for handle, number in numbers.items()],
        pairs=[_link(console, link, numbers) for link in view.links],
        near=_near(console, view, numbers),
        rulings=[
            [
                *(_named(console, each, numbers) for each in (ruling.left, ruling.right)),
                console.pages.words("runs.person.same" if ruling.same else "runs.person.two"),
                ruling.party,
            ]
            for ruling in view.rulings
        ],
        weakest=None if view.weakest is None else f"{view.weakest.probability:.0%}",
        unsupported=[numbers[handle] for handle in view.unsupported],
        short=short_id,
    )  # fmt: skip


@router.get("/runs/{run}/unlinked")
def unlinked(console: Use, request: Request, run: Hex128, page: Page = 1) -> HTMLResponse:
    """What was not linked, by source and by what stood in the way."""
    words = console.pages.words
    part = Slice(page, LINES, 0)
    with console.outside.hub(signed_in(request).account) as hub:
        found = hub.unlinked(run, part.offset, LINES)
    few = words("runs.unlinked.few")
    sources: list[list[Cell]] = [
        [
            each.source,
            each.records,
            each.alone,
            *(each.barriers.get(barrier, 0) for barrier in BARRIERS),  # type: ignore[call-overload]
            each.rejected,
            few if each.opted_out is None else each.opted_out,
        ]
        for each in found.sources
    ]
    records: list[list[Cell]] = [
        [show_id(each.handle), each.source, words("runs.barrier." + each.barrier)]
        for each in found.records
    ]
    return console.page(
        request,
        "runs/unlinked.html",
        run=run,
        sources=sources,
        records=records,
        part=Slice(page, LINES, found.total),
        short=title_of,
    )


@router.get("/runs/{run}/compare/{other}")
def compare(
    console: Use, request: Request, run: Hex128, other: Hex128, page: Page = 1
) -> HTMLResponse:
    """Two runs side by side."""
    words = console.pages.words
    part = Slice(page, LINES, 0)
    with console.outside.hub(signed_in(request).account) as hub:
        found = hub.compare(run, other, part.offset, LINES)
    older, newer = found.older, found.newer
    figures: list[list[Cell]] = [
        [
            words("runs.figure." + name),
            *(told(getattr(each, name), words) for each in (older, newer)),
        ]
        for name in _FIGURES
    ]
    figures += [
        [words("runs.figure." + name), *(share(getattr(each, "estimated_" + name), words)
                                         for each in (older, newer))]
        for name in ("precision", "recall")
    ]  # fmt: skip
    changes = [
        _changes(console, kind, counts)
        for kind, counts in (("persons", found.persons), ("families", found.families))
        if counts is not None
    ]
    sources: list[list[Cell]] = [
        [
            each.source,
            words("runs.none") if each.older_records is None else each.older_records,
            words("runs.none") if each.newer_records is None else each.newer_records,
            words("runs.compare.changed" if each.changed else "runs.compare.unchanged"),
        ]
        for each in found.sources
    ]
    changed: list[list[Cell]] = [
        [
            Link(
                short_id(each.person),
                _path(newer.id if each.kind == "merged" else older.id, each.person),
            ),
            words("runs.compare." + each.kind),
            ", ".join(short_id(one) for one in each.others),
        ]
        for each in found.changed
    ]
    return console.page(
        request,
        "runs/compare.html",
        older=older,
        newer=newer,
        figures=figures,
        changes=changes,
        sources=sources,
        changed=changed,
        part=Slice(page, LINES, found.total),
        short=title_of,
    )


@router.get("/sources")
def sources(
    console: Use, request: Request, agreement: Annotated[str | None, Query(max_length=71)] = None
) -> HTMLResponse:
    """How fresh each source of an agreement is."""
    own = signed_in(request).account
    agreements = agreements_of(console, request)
    hash_ = chosen(agreements, agreement)
    rows: list[list[Cell]] = []
    if hash_ is not None:
        with console.outside.hub(own) as hub:
            rows = [_source(console, each) for each in hub.freshness(hash_).sources]
    return console.page(
        request, "runs/sources.html", agreements=agreements, chosen=hash_, rows=rows
    )


def _path(run: str, person: str) -> str:
    return f"/runs/{run}/persons/{person}"


def _named(console: Console, handle: str, numbers: dict[str, int]) -> Cell:
    """A record of the person by its number in the first table, another by its handle."""
    if handle in numbers:
        return console.pages.words("runs.person.record", number=numbers[handle])
    return show_id(handle)


def _link(console: Console, link: PersonLink, numbers: dict[str, int]) -> list[Cell]:
    alike = console.pages.words("runs.person.agent")
    return [
        _named(console, link.left, numbers),
        _named(console, link.right, numbers),
        alike if link.similarity is None else f"{link.similarity:.2f}",
        f"{link.probability:.0%}",
    ]


def _near(console: Console, view: PersonView, numbers: dict[str, int]) -> list[list[Cell]]:
    return [
        [
            _named(console, each.own, numbers),
            Link(short_id(each.other_person), _path(view.run, each.other_person)),
            each.other_source,
            console.pages.words("runs.person.agent")
            if each.similarity is None
            else f"{each.similarity:.2f}",
            f"{each.probability:.0%}",
        ]
        for each in view.near
    ]


def _changes(console: Console, kind: str, counts: Changes) -> list[Cell]:
    return [
        console.pages.words("runs.figure." + kind),
        counts.kept,
        counts.merged,
        counts.split,
        counts.new,
        counts.gone,
    ]


def _source(console: Console, each: SourceFreshness) -> list[Cell]:
    words = console.pages.words
    if each.submission is None:
        said = why(words, each.last_refusal) if each.last_refusal else words("sources.never")
        return [each.source, each.party, said, "", "", "", each.refused, each.replaced]
    return [
        each.source,
        each.party,
        words("sources.no_day")
        if each.age_days is None
        else words("sources.age", count=each.age_days),
        each.records or 0,
        words("sources.used" if each.in_current_run else "sources.not_used"),
        show_date((each.kept_until or "")[:10], words),
        each.refused,
        each.replaced,
    ]
