"""How much privacy a project has spent in a year, and what it may still spend.

Rules: a training is paid for before it begins, in one transaction that also keeps the word for the
consent ledger; nothing is ever handed back, whatever becomes of the training; costs are added up
(basic composition, which needs no assumption), in whole millionths of epsilon and trillionths of
delta, rounded up; what would go past the agreement's budget for the year is refused here, with
what other hubs have told the ledger, and by the ledger once more (``governance.privacy``), which
decides. A project is an agreement in all its versions, so that signing anew opens no new purse.
Nothing is trained while the consent ledger does not have the word; a word that it refuses is not
handed in again, or next year's purse would pay for a model that was never trained.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, insert, select

from governance.agreements.models import Action, Agreement
from governance.agreements.policy import in_force, require_action
from governance.agreements.privacy import MICRO, PICO
from governance.canonical import write_time
from governance.ledger.events import EventType
from governance.ledger.outgoing import Outgoing
from governance.ledger.party import PartyLedger
from governance.ledger.payloads import EpsilonSpent
from governance.privacy.registry import Spent, within_budget
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import epsilon_events, epsilon_spends

_EXACT: Final = 1e-9  # what floating point may add before it is rounded up


@dataclass(frozen=True, slots=True)
class Purse:
    """One project in one year.

    Attributes:
        year: calendar year (UTC).
        budget, budget_delta: that the agreement allows; 0 where it states none.
        epsilon, delta: spent so far.
        times: how often it was paid from.
    """

    year: int
    budget: float
    budget_delta: float
    epsilon: float
    delta: float
    times: int

    @property
    def left(self) -> float:
        """Epsilon that may still be spent."""
        return max(0.0, round(self.budget - self.epsilon, 6))


class EpsilonLedger:
    """The hub's.

    Args:
        party: the hub's own name.
        database: where spends are kept.
        ledger: the mirror and pen.
        now: the clock.
    """

    def __init__(
        self, party: str, database: HubDatabase, ledger: PartyLedger, now: Callable[[], datetime]
    ) -> None:
        self._party = party
        self._database = database
        self._ledger = ledger
        self._now = now
        self._outgoing = Outgoing(database, epsilon_events, ledger, drop=True)

    def purse(self, agreement: str) -> Purse:
        """What the project of an agreement (its hash) has spent this year.

        Raises:
            AgreementRefusal: the ledger knows no such agreement.
        """
        terms, year = self._ledger.state.agreements.standing(agreement).agreement, self._now().year
        with self._database.reading() as connection:
            spent = self._spent(connection, terms, year)
        budget = terms.privacy_budget
        return Purse(
            year,
            0 if budget is None else budget.epsilon,
            0 if budget is None else budget.delta,
            spent.epsilon / MICRO,
            spent.delta / PICO,
            spent.times,
        )

    def spend(self, agreement: str, outcome: str, epsilon: float, delta: float) -> str:
        """Pay for one training, before it begins; the id of the ledger's event.

        Args:
            agreement: hash of a version that is in force, allows analysis and has a budget.
            outcome: what is learnt, a slug.
            epsilon: what it costs, by both accountants.
            delta: of that guarantee.

        Raises:
            AgreementRefusal: the agreement is not in force, does not allow analysis, or its budget
                does not allow this; nothing is spent.
            LedgerError: the ledger does not have the word, or refuses it. It is spent all the same.
        """
        if not (0 < epsilon < math.inf and 0 < delta < 1):
            raise ValueError("epsilon and delta: expected a cost")
        now, standing = self._now(), self._ledger.state.agreements.standing(agreement)
        in_force(standing, now)
        terms = standing.agreement
        require_action(terms, Action.ANALYSE)
        cost = EpsilonSpent(
            agreement=agreement,
            party=self._party,
            outcome=outcome,
            epsilon_millionths=whole(epsilon, MICRO),
            delta_trillionths=whole(delta, PICO),
        )
        with self._database.writing() as connection:
            within_budget(
                terms,
                self._spent(connection, terms, now.year),
                cost.epsilon_millionths,
                cost.delta_trillionths,
            )
            connection.execute(  # two at once take the same number, and one is undone
                insert(epsilon_spends).values(
                    project=terms.id,
                    year=now.year,
                    number=self._own(connection, terms.id, now.year).times + 1,
                    agreement=agreement,
                    outcome=outcome,
                    epsilon_millionths=cost.epsilon_millionths,
                    delta_trillionths=cost.delta_trillionths,
                    spent=write_time(now),
                )
            )
            word = self._ledger.author.write(EventType.EPSILON_SPENT, cost)
            self._outgoing.keep(connection, word)
        self._outgoing.tell(word)
        return word.leaf.id

    def tell(self) -> None:
        """Hand to the consent ledger what it does not have yet.

        Raises:
            LedgerError: it cannot be reached, or refuses.
        """
        self._outgoing.tell()

    def _spent(self, connection: Connection, agreement: Agreement, year: int) -> Spent:
        """What a project has spent this year: this hub by its books, others by the ledger.

        By the ledger this hub too, where that knows more: books may be of an older backup.
        """
        told = self._ledger.state.privacy.spends(agreement, year)
        others = Spent.of(each for each in told if each.hub != self._party)
        mine = Spent.of(each for each in told if each.hub == self._party)
        return others + (self._own(connection, agreement.id, year) | mine)

    def _own(self, connection: Connection, project: str, year: int) -> Spent:
        row = connection.execute(
            select(
                func.coalesce(func.sum(epsilon_spends.c.epsilon_millionths), 0),
                func.coalesce(func.sum(epsilon_spends.c.delta_trillionths), 0),
                func.count(),
            ).where(epsilon_spends.c.project == project, epsilon_spends.c.year == year)
        ).one()
        return Spent(int(row[0]), int(row[1]), int(row[2]))


def whole(cost: float, unit: int) -> int:
    """A cost in whole units, never less than it is."""
    return math.ceil(cost * unit - _EXACT)
