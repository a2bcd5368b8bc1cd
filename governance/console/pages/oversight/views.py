"""What an information-governance lead looks after: everything is read from the copy of the ledger.

Rules: one question a page; what is late comes first; a page says what its numbers leave out.
"""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from governance.agreements.models import Agreement
from governance.canonical import Hash
from governance.console.console import Console, Use
from governance.console.looking import looking
from governance.console.pages.oversight import ledger, numbers
from governance.console.pages.oversight.show import tag
from governance.ledger.errors import LedgerUnavailableError
from governance.oversight.agreements import AgreementLine, Due, DueKind, agreements, due
from governance.oversight.witnesses import Notes, Seen, health, newest_notes, wanted
from governance.register.table import rows
from governance.ui.show import Cell, Link, show_date, show_id, show_time

router = APIRouter()
router.include_router(numbers.router)
router.include_router(ledger.router)

AREAS = (
    "agreements", "register", "consents", "refusals", "rights", "retention", "ledger", "witnesses",
    "risks", "evidence",
)  # fmt: skip


@router.get("/oversight")
def overview(console: Use, request: Request) -> HTMLResponse:
    """What waits for somebody, and the way to everything else."""
    with looking(console, request) as state:
        found = due(state, console.now())
    own = console.settings.party
    mine = [each for each in found if not each.who or own in each.who]
    return console.page(
        request,
        "oversight/overview.html",
        mine=[_due(console, each) for each in mine],
        others=[_due(console, each) for each in found if each not in mine],
        areas=AREAS,
    )


def _due(console: Console, each: Due) -> list[Cell]:
    words = console.pages.words
    text = words(f"oversight.due.{each.kind}", detail=each.detail.replace("_", " "),
                 name=each.name)  # fmt: skip
    links = {
        DueKind.DECIDE: f"/decide/{each.about}",
        DueKind.ANSWER: "/oversight/rights",
        DueKind.AGREE: f"/oversight/agreements/{each.about}",
        DueKind.DESTROY: "/oversight/retention",
        DueKind.VOUCH: "/vouching",
    }
    moment = "T" in each.by
    by = show_time(each.by, words) if moment else show_date(each.by, words) if each.by else ""
    late = tag(words("oversight.late"), "red") if each.late else ""
    return [Link(text, links[each.kind]), by, late, ", ".join(each.who)]


@router.get("/oversight/agreements")
def list_agreements(console: Use, request: Request) -> HTMLResponse:
    """Every agreement and where it is in its life."""
    words = console.pages.words
    with looking(console, request) as state:
        found = agreements(state, console.now())
    lines = [
        [
            Link(f"{line.title} ({line.id} {line.version})",
                 f"/oversight/agreements/{line.agreement}"),
            tag(words(f"agreement.is.{line.state}"), "green" if line.permits else "grey"),
            words(f"agreement.next.{line.state}"),
            ", ".join(line.who),
            show_date(line.by, words) if line.by else "",
        ]
        for line in found
    ]  # fmt: skip
    return console.page(request, "oversight/agreements.html", lines=lines)


@router.get("/oversight/agreements/{agreement}")
def show_agreement(console: Use, request: Request, agreement: Hash) -> HTMLResponse:
    """One agreement in words."""
    with looking(console, request) as state:
        standing = state.agreements.standing(agreement)
        (line,) = [each for each in agreements(state, console.now()) if each.agreement == agreement]
    return console.page(
        request, "oversight/agreement.html", line=line, terms=standing.agreement,
        summary_lines=_summary(console, line, standing.agreement),
    )  # fmt: skip


def _summary(console: Console, line: AgreementLine, terms: Agreement) -> list[tuple[str, Cell]]:
    words, keep = console.pages.words, terms.retention
    nobody = words("oversight.nobody")
    dates = {name: show_date(getattr(line, name), words) for name in ("valid_from", "expires")}
    days = {
        "vault": keep.vault_days,
        "encodings": keep.encodings_days,
        "results": keep.link_results_days,
        "released": keep.released_items_days,
    }
    kept = [words(f"agreement.kept.{name}", count=count) for name, count in days.items()]
    valid = words("agreement.from_to", start=dates["valid_from"], end=dates["expires"])
    return [
        (words("agreement.state"), words(f"agreement.is.{line.state}")),
        (words("agreement.signed"), ", ".join(line.signed_by) or nobody),
        (words("agreement.missing"), ", ".join(line.missing) or nobody),
        (words("agreement.suspended_by"), ", ".join(line.suspended_by) or nobody),
        (words("agreement.valid"), valid),
        (words("agreement.review"), show_date(line.review_by, words)),
        (words("agreement.dpia"), line.dpia),
        (words("agreement.threshold"), terms.suppression_threshold),
        (words("agreement.kept"), "; ".join(kept)),
        (words("agreement.models"), _models(console, terms)),
        (words("agreement.hash"), show_id(line.agreement)),
    ]


def _models(console: Console, terms: Agreement) -> str:
    """What models may cost of privacy."""
    words, budget = console.pages.words, terms.privacy_budget
    if budget is None:
        return words("agreement.no_models")
    return words("agreement.models_cost", budget=budget.words)


@router.get("/oversight/register")
def register(console: Use, request: Request) -> HTMLResponse:
    """The register of data items."""
    words = console.pages.words
    with looking(console, request) as state:
        found = rows(state.register)
    lines = [
        [
            each["item"].replace("_", " "),
            each["party"],
            each["source"],
            each["step"].replace("_", " "),
            show_date(each["since"], words),
            each["ground"].replace("_", " "),
            words(f"register.{each['may_be_listed']}"),
        ]
        for each in found
    ]
    return console.page(request, "oversight/register.html", lines=lines)


@router.get("/oversight/witnesses")
def witnesses(console: Use, request: Request) -> HTMLResponse:
    """Who has witnessed the ledger, how lately, and forks."""
    words, outside = console.pages.words, console.outside
    reached = True
    with looking(console, request) as state:
        asked = wanted(state, console.now())
    try:
        with outside.public() as client:
            notes = newest_notes(client, *asked)
    except LedgerUnavailableError:
        notes, reached = Notes({}, {}), False
    with looking(console, request) as state:
        found = health(state, outside.ledger.mirror, notes, console.now())
    colours = {Seen.FRESH: "green", Seen.FORK: "red", Seen.FALSE: "red", Seen.LATE: "yellow"}
    lines = [
        [
            each.party,
            words("oversight.yes") if each.partner else words("oversight.no"),
            tag(words(f"witness.{each.state}"), colours.get(each.state, "grey")),
            show_time(each.time, words) if each.time else "",
            "" if each.behind is None else each.behind,
        ]
        for each in found.witnesses
    ]
    quorums = [
        [
            f"{each.id} {each.version}",
            each.needed,
            each.max_age_minutes,
            tag(words("witnesses.refused"), "red") if each.reason else words("oversight.yes"),
            each.meaning,
        ]
        for each in found.quorums
    ]
    forks = [[show_time(each.time, words), each.detail, each.reason] for each in found.forks]
    return console.page(
        request, "oversight/witnesses.html", found=found, lines=lines, forks=forks,
        quorums=quorums, reached=reached,
    )  # fmt: skip
