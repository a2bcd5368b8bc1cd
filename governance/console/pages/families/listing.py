"""What a manager's list of families is asked for, and how its lines are shown."""

from typing import Annotated, Final, Literal

from pydantic import Field

from governance.canonical import Frozen, Slug
from governance.exchange.release_api import AgeBand, FamilyQuery
from governance.exchange.submission import AGE_BANDS
from governance.ui.forms import Form

LINES: Final = 25
"""Families on a page."""

Shown = Literal["flagged", "programme", "all"]


class ListForm(Frozen):
    """What may be chosen above the list."""

    need: Slug | None = None
    people: Annotated[int, Field(ge=0, le=64)] = 0
    children: Annotated[int, Field(ge=0, le=64)] = 0
    age: AgeBand | None = None
    sure: Annotated[int, Field(ge=0, le=100)] = 0  # percent
    approach: Literal["yes", "no"] | None = None
    show: Shown = "flagged"
    order: Literal["needs", "model"] = "needs"


def query_of(form: ListForm, offset: int) -> FamilyQuery:
    """What the hub is asked for."""
    return FamilyQuery(
        flagged=form.show == "flagged",
        need=form.need,
        people=form.people,
        children=form.children,
        age_band=form.age if form.age in AGE_BANDS else None,
        confidence=form.sure / 100,
        in_programme=True if form.show == "programme" else None,
        approachable=None if form.approach is None else form.approach == "yes",
        order=form.order,
        offset=offset,
        limit=LINES,
    )


def chosen(form: Form[ListForm]) -> dict[str, str]:
    """What was chosen, for the addresses of the list's other pages."""
    return {name: str(value) for name, value in form.values.items()}


def percent(share: float) -> int:
    """A share as whole per cent, never 100 for less than all."""
    return min(round(share * 100), 99) if share < 1 else 100
