"""What models and tables may cost of privacy under a party's agreements, and have cost (ADR 39)."""

from datetime import UTC, datetime

from governance.agreements.models import Agreement
from governance.agreements.privacy import MICRO, PICO
from governance.canonical import Frozen
from governance.oversight.agreements import agreements
from governance.oversight.state import Overseen
from governance.privacy.registry import Spend, Spent


class Paid(Frozen):
    """One model, or some tables, paid for; whether they were made no ledger shows.

    Attributes:
        index: of the ledger's entry.
        time: as the hub states it; ``year``: in which it counts.
        outcome: what was to be learnt, or ``tables``.
        epsilon, delta: what it cost.
    """

    index: int
    time: str
    year: int
    hub: str
    outcome: str
    epsilon: float
    delta: float


class PurseLine(Frozen):
    """A project's budget of this year.

    Attributes:
        agreement, id, version, title: of the version that is in force, else of the newest.
        in_force: whether one is.
        allowed: whether it has a budget; without one nothing may be spent.
        epsilon, delta: of the year; 0 without one.
        spent, spent_delta: of it, by the ledger.
        left: epsilon that may still be spent this year.
        paid: of all years, the newest first.
    """

    agreement: str
    id: str
    version: int
    title: str
    in_force: bool
    allowed: bool
    epsilon: float
    delta: float
    spent: float
    spent_delta: float
    left: float
    paid: tuple[Paid, ...]


def purses(state: Overseen, party: str, now: datetime) -> list[PurseLine]:
    """Budgets of the agreements that a party is one of, one line a project."""
    own, year = set(state.agreements.of(party)), now.astimezone(UTC).year
    lines: dict[str, PurseLine] = {}
    for line in agreements(state, now):  # what is in force first, then the newest version
        if line.agreement in own and line.id not in lines:
            terms = state.agreements.standing(line.agreement).agreement
            lines[line.id] = _purse(state, terms, year, in_force=line.permits)
    return list(lines.values())


def _purse(state: Overseen, terms: Agreement, year: int, *, in_force: bool) -> PurseLine:
    budget, spends = terms.privacy_budget, state.privacy.spends(terms)
    spent = Spent.of(each for each in spends if each.year == year)
    most = 0 if budget is None else budget.epsilon_millionths
    return PurseLine(
        agreement=terms.hash,
        id=terms.id,
        version=terms.version,
        title=terms.title,
        in_force=in_force,
        allowed=budget is not None,
        epsilon=most / MICRO,
        delta=0 if budget is None else budget.delta,
        spent=spent.epsilon / MICRO,
        spent_delta=spent.delta / PICO,
        left=max(0, most - spent.epsilon) / MICRO if in_force else 0,
        paid=tuple(_paid(each) for each in reversed(spends)),
    )


def _paid(spend: Spend) -> Paid:
    return Paid(
        index=spend.index,
        time=spend.time,
        year=spend.year,
        hub=spend.hub,
        outcome=spend.outcome,
        epsilon=spend.epsilon / MICRO,
        delta=spend.delta / PICO,
    )
