"""Families for professional consideration, one of them, and asking about it.

Rules: the hub is asked as the manager who is signed in; a family is shown under its pseudonym, by
roles and ages; nothing here says whose choice stands in the way of an approach; where no agreement
is in force, the list says so. No family stands beside an area: areas have a page of counts. Where a
model is shared the list may be in its order, which says where a family stands and never how likely
anything is; where none is, no page speaks of one.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from governance.agreements.models import Action, Agreement
from governance.console.access import signed_in
from governance.console.console import Console, Use
from governance.console.labels import Labels, labels_of, name_of, persons_of, short_id, why
from governance.console.looking import looking
from governance.console.pages.families.areas import area_table
from governance.console.pages.families.listing import (
    LINES,
    ListForm,
    chosen,
    percent,
    query_of,
)
from governance.console.pages.risk.weights import labels_by, outcome_of, place_of, weight
from governance.exchange.release_api import FamilySummary
from governance.exchange.risk_api import FamilyRisk
from governance.exchange.submission import AGE_BANDS
from governance.release.models import FamilyId
from governance.ui.forms import Form, asked, read_form
from governance.ui.show import Slice, show_month

router = APIRouter()


@router.get("/families")
def families(
    console: Use, request: Request, page: Annotated[int, Query(ge=1, le=1_000_000)] = 1
) -> HTMLResponse:
    """The list, as it was chosen."""
    own = signed_in(request).account
    form = read_form(asked(request), ListForm, console.pages.words, "families.list.")
    part = Slice(page, LINES, 0)
    with console.outside.hub(own) as hub:
        found = hub.families(query_of(form.value or ListForm(), part.offset))
    if not found.total:  # the hub may know of the end of an agreement before this copy does
        console.outside.refresh(own)
    needs, in_force, has_areas = _needs(console, request)
    return console.page(
        request,
        "families/families.html",
        status=200 if form.value else 422,
        form=form if form.errors else Form(values=form.values),
        chosen=chosen(form),
        families=found.families,
        part=Slice(page, LINES, found.total),
        needs=needs,
        in_force=in_force,
        has_areas=has_areas,
        models=found.models,
        by_model=found.order == "model",
        too_little=found.too_little_known,
        place=lambda each: place_of(console.pages.words, each.rank),
        ages=AGE_BANDS,
        why=lambda reason: why(console.pages.words, reason),
        short=short_id,
        size=lambda each: _size(console, each),
        home=lambda each: _home(console, each),
        needs_of=lambda each: _needs_of(console, each, needs),
        percent=percent,
    )


@router.get("/families/by-area")
def by_area(console: Use, request: Request) -> HTMLResponse:
    """How many families are put forward where: counts, and no family."""
    own = signed_in(request).account
    with console.outside.hub(own) as hub:
        found = hub.areas().agreements
    labels = labels_by(console, request, [each.agreement for each in found])
    tables = [area_table(console.pages.words, each, labels[each.agreement]) for each in found]
    return console.page(request, "families/by-area.html", tables=tables)


@router.get("/families/{family}")
def one_family(console: Use, request: Request, family: FamilyId) -> HTMLResponse:
    """One family."""
    own = signed_in(request).account
    with console.outside.hub(own) as hub:
        view = hub.family(family)
    agreement = console.outside.state(own).agreements.standing(view.document.agreement).agreement
    labels = labels_of(agreement, console.pages.words)
    states = ("met", "unknown", "unmet")
    return console.page(
        request,
        "families/family.html",
        family=view,
        needs=sorted(view.needs, key=lambda need: (states.index(need.state), need.id)),
        persons=persons_of(view, console.pages.words),
        risk=None if view.risk is None else _risk(console, view.risk, labels),
        name=lambda kind, code: name_of(labels, kind, code),
        why=lambda reason: why(console.pages.words, reason),
        short=short_id,
        size=lambda each: _size(console, each),
        home=lambda each: _home(console, each),
        percent=percent,
    )


def _size(console: Console, family: FamilySummary) -> str:
    """How many people, and how many of them are children."""
    words = console.pages.words
    if not family.children:
        return words("families.adults", count=family.members)
    return words("families.size", people=family.members, count=family.children)


def _home(console: Console, family: FamilySummary) -> str:
    """Whether a family lives here still, as far as anybody tells, and by records of which month."""
    words = console.pages.words
    month = None if family.told is None else show_month(family.told, words)
    match family.residence:
        case "here" if month:
            return words("families.home.here", month=month)
        case "untold" if month:
            return words("families.home.untold.since", month=month)
        case None:
            return words("families.home.not_asked")
        case "left":
            return words("families.home.left")
        case _:
            return words("families.home.untold")


def _needs_of(console: Console, family: FamilySummary, needs: dict[str, str]) -> str:
    """How many needs are met and which, and how many nobody knows of."""
    words, counts = console.pages.words, {"met": family.needs_met, "unknown": family.needs_unknown}
    if not family.met:
        return words("families.needs", **counts)
    which = ", ".join(name_of({"needs": needs}, "needs", each) for each in family.met)
    return words("families.needs.which", which=which, **counts)


def _risk(console: Console, risk: FamilyRisk, labels: Labels) -> dict[str, Any]:
    """What a shared model says of a family, in words."""
    words = console.pages.words
    return {
        "outcome": outcome_of(console, risk.outcome, labels),
        "place": place_of(words, risk.rank),
        "card": f"/risk/{risk.rank.model}",
        "why": risk.rank.why,
        "parts": [
            [
                name_of(labels, "needs", part.need),
                words(f"families.need.{part.state}"),
                weight(words, part.adds),
            ]
            for part in risk.parts
        ],
    }


def _needs(console: Console, request: Request) -> tuple[dict[str, str], bool, bool]:
    """Needs of this party's agreements in force, by what they are called.

    Whether there are such agreements, and whether one of them counts families by area.
    """
    found: dict[str, str] = {}
    has_areas = False
    with looking(console, request) as state:
        own = state.agreements.partnered_by(console.settings.party)
        in_force = state.agreements.in_force(own, console.now())
        for hash_ in in_force:
            agreement = state.agreements.standing(hash_).agreement
            labels = labels_of(agreement, console.pages.words)["needs"]
            found |= {need: labels[need] for need in agreement.needs}
            has_areas = has_areas or _counts_areas(agreement)
    named = dict(sorted(found.items(), key=lambda each: each[1]))
    return named, bool(in_force), has_areas


def _counts_areas(agreement: Agreement) -> bool:
    return Action.ANALYSE in agreement.actions and bool(agreement.used_as("area"))
