"""Pairs that a person should look at, side by side and masked, and ruling on one.

Rules: nothing is shown but what the hub holds, never a value; a ruling is sent as the analyst who
is signed in, is in the ledger before it counts, and is the same however often the form is sent.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import FormData

from governance.canonical import Frozen, Hash, Hex128
from governance.console.access import signed_in
from governance.console.console import Console, Use
from governance.console.errors import PairNotListed
from governance.console.pages.runs.choosing import agreements_of, chosen
from governance.exchange.analysis_api import PAGE_MOST
from governance.exchange.hub_api import ReviewPair, RulingPost
from governance.ui.forms import Form, posted, read_form
from governance.ui.show import Cell, Link, Slice, show_date
from governance.ui.words import Words

LINES = 25
"""Pairs on a page."""
Agreement = Annotated[str | None, Query(max_length=71)]

router = APIRouter()


class RulingForm(Frozen):
    """One person, or two."""

    agreement: Hash
    ruling: Literal["same", "different"]


@router.get("/review")
def review(
    console: Use,
    request: Request,
    agreement: Agreement = None,
    page: Annotated[int, Query(ge=1, le=1_000)] = 1,
) -> HTMLResponse:
    """Pairs whose ruling would change most, and the rulings so far."""
    own = signed_in(request).account
    agreements = agreements_of(console, request)
    hash_ = chosen(agreements, agreement)
    part, not_followed = Slice(page, LINES, 0), 0
    pairs: list[list[Cell]] = []
    rulings: list[list[Cell]] = []
    if hash_ is not None:
        with console.outside.hub(own) as hub:
            found = hub.review(hash_, part.offset, LINES)
            ruled = hub.rulings(hash_).rulings
        part, not_followed = Slice(page, LINES, found.total), found.not_followed
        pairs = [_line(console, pair, hash_) for pair in found.pairs]
        words = console.pages.words
        followed = {True: "review.yes", False: "review.no", None: "review.not_yet"}
        rulings = [
            [
                show_date(each.decided, words),
                words("review.same" if each.same else "review.different"),
                each.party,
                words("review.contradicted" if each.contradicted else followed[each.followed]),
            ]
            for each in reversed(ruled)
        ]
    return console.page(
        request,
        "review/review.html",
        agreements=agreements,
        chosen=hash_,
        pairs=pairs,
        rulings=rulings,
        part=part,
        not_followed=not_followed,
    )


@router.get("/review/{left}/{right}")
def one_pair(
    console: Use, request: Request, left: Hex128, right: Hex128, agreement: Agreement = None
) -> HTMLResponse:
    """Two records side by side, masked."""
    return _pair(console, request, (left, right), agreement or "", Form())


@router.post("/review/{left}/{right}")
def rule(
    console: Use,
    request: Request,
    left: Hex128,
    right: Hex128,
    fields: Annotated[FormData, Depends(posted)],
) -> Response:
    """Rule that they are one person, or two."""
    form = read_form(fields, RulingForm, console.pages.words, "review.form.")
    if form.value is None:
        agreement = str(form.values.get("agreement", ""))
        return _pair(console, request, (left, right), agreement, form, status=422)
    post = RulingPost(left=left, right=right, same=form.value.ruling == "same")
    with console.outside.hub(signed_in(request).account) as hub:
        hub.rule(form.value.agreement, post)
    return RedirectResponse(f"/review?agreement={form.value.agreement}", 303)


def _pair(
    console: Console,
    request: Request,
    ends: tuple[str, str],
    agreement: str,
    form: Form[RulingForm],
    *,
    status: int = 200,
) -> HTMLResponse:
    own = signed_in(request).account
    hash_ = chosen(agreements_of(console, request), agreement)
    if hash_ is None:
        raise PairNotListed("there is no such pair", next_step="open the list of pairs")
    with console.outside.hub(own) as hub:
        listed = hub.review(hash_, limit=PAGE_MOST).pairs
    pair = next((each for each in listed if {each.left, each.right} == set(ends)), None)
    if pair is None:
        raise PairNotListed(
            "the pair is no longer among those to rule on", next_step="open the list of pairs"
        )
    words = console.pages.words
    views: list[list[Cell]] = [
        [
            ", ".join(each.leaves_out).replace("_", " ") or words("review.nothing"),
            f"{each.similarity:.2f}",
        ]
        for each in pair.views
    ]
    return console.page(
        request,
        "review/pair.html",
        status=status,
        form=form,
        pair=pair,
        agreement=hash_,
        views=views,
        probability=f"{pair.probability:.0%}",
        answer=_answer(console, pair),
    )


def _line(console: Console, pair: ReviewPair, agreement: str) -> list[Cell]:
    words = console.pages.words
    path = f"/review/{pair.left}/{pair.right}?agreement={agreement}"
    return [
        Link(f"{pair.left_source}, {pair.right_source}", path),
        f"{pair.probability:.0%}",
        words("review.together" if pair.together else "review.apart"),
        _answer(console, pair),
        f"{pair.changes:.1f}",
        _flagged(pair, words),
    ]


def _flagged(pair: ReviewPair, words: Words) -> str:
    if pair.flagged is None:
        return words("runs.not_told")
    return words("review.flagged") if pair.flagged else ""


def _answer(console: Console, pair: ReviewPair) -> str:
    return console.pages.words("review.answer." + (pair.answer or "none"))
