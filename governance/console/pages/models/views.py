"""Budgets of privacy: what is agreed, what models and tables have cost, and what is left.

Rules: what is shown is the ledger's, of the party's own agreements; each cost stands beside the
entry that it is by, which a lead can open with its proof.
"""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from governance.agreements.privacy import PrivacyBudget
from governance.console.access import signed_in
from governance.console.console import Console, Use
from governance.console.looking import looking
from governance.identity.models import Role
from governance.oversight.privacy import Paid, PurseLine, purses
from governance.ui.show import Cell, Link, show_time

router = APIRouter()


@router.get("/models")
def models(console: Use, request: Request) -> HTMLResponse:
    """Each project's budget with everything that was paid from it."""
    now, lead = console.now(), signed_in(request).account.role is Role.IG_LEAD
    with looking(console, request) as state:
        found = purses(state, console.settings.party, now)
    return console.page(
        request,
        "models/models.html",
        year=now.year,
        purses=[
            (
                each,
                _summary(console, each, now.year),
                [_line(console, paid, lead=lead) for paid in each.paid],
            )
            for each in found
        ],
    )


def _summary(console: Console, purse: PurseLine, year: int) -> list[tuple[str, Cell]]:
    words = console.pages.words
    version = (words("models.version"), purse.version)
    if not purse.allowed:
        return [version, (words("models.budget"), words("agreement.no_models"))]
    budget = PrivacyBudget(epsilon=purse.epsilon, delta=purse.delta)
    left = f"{purse.left:g}" if purse.in_force else words("models.not_in_force")
    return [
        version,
        (words("models.budget"), words("agreement.models_cost", budget=budget.words)),
        (words("models.spent", year=str(year)), f"{purse.spent:g}"),
        (words("models.left", year=str(year)), left),
    ]


def _line(console: Console, paid: Paid, *, lead: bool) -> list[Cell]:
    entry = f"{paid.index:,}"
    return [
        show_time(paid.time, console.pages.words),
        str(paid.year),
        paid.hub,
        paid.outcome.replace("-", " "),
        f"{paid.epsilon:g}",
        Link(entry, f"/oversight/ledger/{paid.index}") if lead else entry,
    ]
