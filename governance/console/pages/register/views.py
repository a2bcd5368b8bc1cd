"""The public register: what anybody may see, without signing in.

Rules: what is shown is ``oversight.public`` and nothing else; nobody's visit makes the console ask
the ledger, so a page shows the copy as staff last needed it, of which only whole months count. A
transparency record is shown as somebody laid it into the folder of the settings, and only where it
is of a version of the agreement that all parties have signed.
"""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from governance.canonical import canonical_bytes
from governance.console.console import Console, Use
from governance.console.errors import NoRecord
from governance.disclosure.counts import Published
from governance.errors import ReasonedError
from governance.oversight.public import (
    PublicAgreement,
    PublicFigures,
    PublicRegister,
    public_register,
)
from governance.terminal import read_document
from governance.transparency.models import TransparencyRecord
from governance.transparency.shown import MISSING, VARIABLE_HEADS, hash_lines, variable_cells
from governance.ui.show import Cell, Link, show_date, show_id, show_month

router = APIRouter()


@router.get("/register")
def register(console: Use, request: Request) -> HTMLResponse:
    """Agreements, and counts that tell nothing about anybody."""
    found = _register(console)
    records = _records(console, found)
    return console.page(
        request,
        "register/register.html",
        found=found,
        until=show_month(found.until, console.pages.words) if found.until else "",
        agreements=[
            (each, _agreement(console, each, records.get(each.hash))) for each in found.agreements
        ],
        figures=[(each, _figures(console, each)) for each in found.figures],
    )


@router.get("/register/{agreement}/record")
def record(console: Use, request: Request, agreement: str) -> HTMLResponse:
    """An agreement's Algorithmic Transparency Record."""
    found = _record(console, agreement)
    return console.page(
        request,
        "register/record.html",
        about=[(title, show_id(text)) for title, text in hash_lines(found)],
        parts=[
            (heading, [(title, MISSING if text is None else text) for title, text in part.lines()])
            for heading, part in found.parts()
        ],
        heads=VARIABLE_HEADS,
        variables=[variable_cells(each) for each in found.variables],
        least=found.minimum_needs,
        json=f"/register/{agreement}/record.json",
    )


@router.get("/register/{agreement}/record.json")
def record_json(console: Use, agreement: str) -> Response:
    """The same for programs: the bytes that its hash is of."""
    found = _record(console, agreement)
    return Response(canonical_bytes(found), media_type="application/json")


def record_of(console: Console, agreement: str) -> str | None:
    """Where the transparency record of an agreement (its hash) is; None where there is none."""
    found = _records(console, _register(console)).get(agreement)
    return None if found is None else f"/register/{found.agreement}/record"


def _register(console: Console) -> PublicRegister:
    with console.outside.ledger.looking() as state:
        return public_register(state, console.now())


def _record(console: Console, agreement: str) -> TransparencyRecord:
    records = _records(console, _register(console)).values()
    found = next((each for each in records if each.agreement == agreement), None)
    if found is None:
        raise NoRecord("there is no record of such an agreement")
    return found


def _records(console: Console, found: PublicRegister) -> dict[str, TransparencyRecord]:
    """Records by the hash of the agreement that each is of; names of files come from the ledger."""
    folder = console.settings.transparency
    if folder is None:
        return {}
    signed = {each.hash for each in found.agreements}
    records: dict[str, TransparencyRecord] = {}
    for id_ in {each.id for each in found.agreements}:
        try:
            record = read_document(folder / f"{id_}.json", TransparencyRecord)
        except ReasonedError:  # none is there, or one that is none
            continue
        if record.agreement == id_ and record.agreement_hash in signed:
            records[record.agreement_hash] = record
    return records


def _agreement(
    console: Console, each: PublicAgreement, record: TransparencyRecord | None
) -> list[tuple[str, Cell]]:
    words = console.pages.words
    used = (*each.items.values(), *each.indicators.values())
    names = {party.party: party.name for party in each.parties}
    kept = [words(f"agreement.kept.{name}", count=count) for name, count in each.kept_days.items()]
    start, end = show_date(each.valid_from, words), show_date(each.expires, words)
    return [
        (words("public.state"), words(f"agreement.is.{each.state}")),
        (words("public.purposes"), "; ".join(each.purposes.values())),
        (words("public.items"), "; ".join(used)),
        (words("public.released"), "; ".join(each.items[item] for item in each.released)),
        (words("public.recipients"), ", ".join(names[party] for party in each.recipients)),
        (words("public.kept"), "; ".join(kept)),
        (words("public.models"), _models(console, each)),
        (words("public.dates"), words("agreement.from_to", start=start, end=end)),
        (words("public.review"), show_date(each.review_by, words)),
        (words("public.dpia"), each.dpia),
        *(
            [(words("record.title"), Link(words("record.read"), f"/register/{each.id}/record"))]
            if record is not None
            else []
        ),
    ]


def _models(console: Console, each: PublicAgreement) -> str:
    """What is agreed about models that learn from families."""
    words, budget = console.pages.words, each.privacy_budget
    return (
        words("public.no_models")
        if budget is None
        else words("public.models_cost", budget=budget.words)
    )


def _figures(console: Console, figures: PublicFigures) -> dict[str, list[list[Cell]]]:
    months: list[list[Cell]] = [
        [
            show_month(each.month, console.pages.words),
            _count(console, each.released),
            _count(console, each.refused),
        ]
        for each in figures.months
    ]
    years: list[list[Cell]] = [
        [year.year, console.pages.words(f"rights.{each.kind}"), _count(console, each.asked),
         _count(console, each.late), each.half_within_weeks or ""]
        for year in figures.years
        for each in year.rights
    ]  # fmt: skip
    return {"months": months, "years": years, "linked": _linked(console, figures)}


def _linked(console: Console, figures: PublicFigures) -> list[list[Cell]]:
    found = (("people", figures.people), ("families", figures.families),
             ("considered", figures.considered))  # fmt: skip
    return [
        [console.pages.words(f"public.{name}"), _count(console, count)]
        for name, count in found
        if count is not None
    ]


def _count(console: Console, count: Published) -> str:
    words = console.pages.words
    if count.about is None:
        return words("public.few", most=count.most)
    return words("public.about_count", about=f"{count.about:,}")
