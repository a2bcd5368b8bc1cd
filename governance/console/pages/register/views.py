"""The public register: what anybody may see, without signing in.

Rules: what is shown is ``oversight.public`` and nothing else; nobody's visit makes the console ask
the ledger, so a page shows the copy as staff last needed it, of which only whole months count.
"""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from governance.console.console import Console, Use
from governance.disclosure.counts import Published
from governance.oversight.public import PublicAgreement, PublicFigures, public_register
from governance.ui.show import Cell, show_date, show_month

router = APIRouter()


@router.get("/register")
def register(console: Use, request: Request) -> HTMLResponse:
    """Agreements, and counts that tell nothing about anybody."""
    with console.outside.ledger.looking() as state:
        found = public_register(state, console.now())
    return console.page(
        request,
        "register/register.html",
        found=found,
        until=show_month(found.until, console.pages.words) if found.until else "",
        agreements=[(each, _agreement(console, each)) for each in found.agreements],
        figures=[(each, _figures(console, each)) for each in found.figures],
    )


def _agreement(console: Console, each: PublicAgreement) -> list[tuple[str, Cell]]:
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
        (words("public.dates"), words("agreement.from_to", start=start, end=end)),
        (words("public.review"), show_date(each.review_by, words)),
        (words("public.dpia"), each.dpia),
    ]


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
