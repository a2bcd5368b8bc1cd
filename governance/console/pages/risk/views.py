"""Models of risk that the hub shares: their cards, for whoever meets their order, and lists.

Rules: the hub is asked as whoever is signed in; a card says what a model's document holds and
nothing of how well it does, which the document does not hold; a list is for analysts, and decides
nothing; a model that is not shared is answered as one that does not exist.
"""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from governance.canonical import Frozen, Hash
from governance.console.access import signed_in
from governance.console.console import Console, Use
from governance.console.errors import ModelNotShared
from governance.console.labels import Labels, name_of, short_id
from governance.console.pages.register.views import record_of
from governance.console.pages.risk.weights import labels_by, outcome_of, part_words, weight
from governance.exchange.risk_api import LIST_SIZE, ModelView, RankedFamily
from governance.identity.models import Role
from governance.ui.forms import Form, asked, read_form
from governance.ui.show import Cell, Link, Slice, show_date, show_id

router = APIRouter()
LINES: Final = 25
"""Families on a page."""
SIZES: Final = (100, 200, LIST_SIZE, 1_000)


_HOME: Final = {
    None: "families.home.not_asked", False: "families.home.yes", True: "families.home.untold",
}  # fmt: skip


class ListForm(Frozen):
    """How long the list is."""

    size: Literal["100", "200", "600", "1000"] = "600"


@router.get("/risk")
def models(console: Use, request: Request) -> HTMLResponse:
    """Every model that is shared."""
    found = _models(console, request)
    labels = labels_by(console, request, [each.agreement for each in found])
    return console.page(
        request,
        "risk/risk.html",
        rows=[_line(console, each, labels[each.agreement]) for each in found],
    )


@router.get("/risk/{model}")
def card(console: Use, request: Request, model: Hash) -> HTMLResponse:
    """One model's card."""
    view, labels = _one(console, request, model)
    return console.page(
        request,
        "risk/card.html",
        outcome=outcome_of(console, view.outcome, labels),
        summary_=_card(console, view, labels),
        reach=_reach(console, view),
        weights=_weights(console, view, labels),
        list_=f"/risk/{view.id}/families" if _is_analyst(request) else None,
        back="/families" if _is_manager(request) else "/risk",
        record=record_of(console, view.agreement),
    )


@router.get("/risk/{model}/families")
def families(
    console: Use,
    request: Request,
    model: Hash,
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
) -> HTMLResponse:
    """The model's list of the current run, at the size that is chosen."""
    view, labels = _one(console, request, model)
    form = read_form(asked(request), ListForm, console.pages.words, "risk.list.")
    size = int((form.value or ListForm()).size)
    part = Slice(page, LINES, 0)
    lines = max(0, min(LINES, size - part.offset))
    with console.outside.hub(signed_in(request).account) as hub:
        found = hub.ranked(view.id, part.offset, max(1, lines))
    return console.page(
        request,
        "risk/families.html",
        status=200 if form.value else 422,
        outcome=outcome_of(console, view.outcome, labels),
        card=f"/risk/{view.id}",
        list_=f"/risk/{view.id}/families",
        form=form if form.errors else Form(values={"size": str(size)}),
        sizes=SIZES,
        size=size,
        too_little=view.left_out.get("too_little_known", 0),
        rows=[_family(console, each, labels) for each in found.families[:lines]],
        part=Slice(page, LINES, min(size, found.total)),
    )


def _models(console: Console, request: Request) -> tuple[ModelView, ...]:
    with console.outside.hub(signed_in(request).account) as hub:
        return hub.risk_models().models


def _one(console: Console, request: Request, model: str) -> tuple[ModelView, Labels]:
    for view in _models(console, request):
        if view.id == model:
            return view, labels_by(console, request, [view.agreement])[view.agreement]
    raise ModelNotShared("no such model is shared with you", next_step="open the list again")


def _is_analyst(request: Request) -> bool:
    return signed_in(request).account.role is Role.ANALYST


def _is_manager(request: Request) -> bool:
    return signed_in(request).account.role is Role.SERVICE_MANAGER


def _line(console: Console, view: ModelView, labels: Labels) -> list[Cell]:
    words = console.pages.words
    return [
        Link(outcome_of(console, view.outcome, labels), f"/risk/{view.id}"),
        name_of(labels, "agreements", view.agreement),
        show_date(view.trained, words),
        f"{view.epsilon:g}",
        view.families,
        Link(words("risk.list.open", count=view.ranked), f"/risk/{view.id}/families"),
    ]


def _card(console: Console, view: ModelView, labels: Labels) -> list[tuple[str, Cell]]:
    words = console.pages.words
    return [
        (words("risk.outcome"), outcome_of(console, view.outcome, labels)),
        (words("risk.sees"), words("risk.sees.needs", count=len(view.weights))),
        (words("risk.families"), view.families),
        (words("risk.trained"), show_date(view.trained, words)),
        (words("risk.shared"), show_date(view.shared, words)),
        (words("risk.agreement"), name_of(labels, "agreements", view.agreement)),
        (
            words("risk.privacy"),
            words(
                "risk.privacy.cost",
                epsilon=f"{view.epsilon:g}",
                delta=f"{view.delta:.12f}".rstrip("0"),
            ),
        ),
        (
            words("risk.accountants"),
            words(
                "risk.accountants.say",
                opacus=f"{view.opacus:.3f}",
                dp_accounting=f"{view.dp_accounting:.3f}",
            ),
        ),
        (
            words("risk.training"),
            words(
                "risk.training.how",
                steps=view.steps,
                clip=f"{view.clip:g}",
                noise=f"{view.noise:.2f}",
            ),
        ),
        (words("risk.performance"), words("risk.performance.none")),
        (words("risk.model"), show_id(view.id)),
    ]


def _reach(console: Console, view: ModelView) -> list[list[Cell]]:
    """How many families of the current run are in the order, and how many are not and why."""
    words = console.pages.words
    out: list[list[Cell]] = [
        [words(f"risk.why.{why}", count=view.least_known), count]
        for why, count in view.left_out.items()
    ]
    return [[words("risk.in_order"), view.ranked], *out] if view.run else []


def _weights(console: Console, view: ModelView, labels: Labels) -> list[list[Cell]]:
    words = console.pages.words
    by_weight = sorted(view.weights, key=lambda each: -each.met)
    return [
        [name_of(labels, "needs", each.need), weight(words, each.met), weight(words, each.unknown)]
        for each in by_weight
    ]


def _family(console: Console, each: RankedFamily, labels: Labels) -> list[Cell]:
    words = console.pages.words
    return [
        short_id(each.family),
        each.needs_met,
        each.needs_unknown,
        f"{each.probability:.2f}",
        "; ".join(part_words(words, part, labels) for part in each.parts) or words("risk.no_parts"),
        words(_HOME[each.untold]),
    ]
