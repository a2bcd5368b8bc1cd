"""How much privacy a project has spent in a year, and what it may still spend.

Rules: a training is paid for before it begins, in one transaction that also keeps the word for the
consent ledger; nothing is ever handed back, whatever becomes of the training; costs are added up
(basic composition, which needs no assumption), in whole millionths of epsilon and trillionths of
delta, rounded up; what would go past the year's budget is refused. A project is an
agreement in all its versions, so that signing anew opens no new purse. Nothing is trained while
the consent ledger does not have the word.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, insert, select

from governance.agreements.models import Action
from governance.agreements.policy import in_force, require_action
from governance.canonical import write_time
from governance.ledger.events import EventType
from governance.ledger.outgoing import Outgoing
from governance.ledger.party import PartyLedger
from governance.ledger.payloads import EpsilonSpent
from linkage_hub.analytics.risk.errors import BudgetSpent
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import epsilon_events, epsilon_spends

YEAR_EPSILON: Final = 3.0
"""Of one project in one calendar year (UTC)."""
YEAR_DELTA: Final = 1e-5
MICRO: Final = 1_000_000  # of an epsilon of 1
PICO: Final = 1_000_000_000_000  # of a delta of 1
_EXACT: Final = 1e-9  # what floating point may add before it is rounded up


@dataclass(frozen=True, slots=True)
class Purse:
    """One project in one year.

    Attributes:
        year: calendar year (UTC).
        epsilon, delta: spent so far.
        times: trainings that were paid for.
    """

    year: int
    epsilon: float
    delta: float
    times: int

    @property
    def left(self) -> float:
        """Epsilon that may still be spent."""
        return max(0.0, round(YEAR_EPSILON - self.epsilon, 6))


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
        self._outgoing = Outgoing(database, epsilon_events, ledger)

    def purse(self, agreement: str) -> Purse:
        """What the project of an agreement (its hash) has spent this year.

        Raises:
            AgreementRefusal: the ledger knows no such agreement.
        """
        project = self._ledger.state.agreements.standing(agreement).agreement.id
        with self._database.reading() as connection:
            epsilon, delta, times = self._spent(connection, project)
        return Purse(self._now().year, epsilon / MICRO, delta / PICO, times)

    def spend(self, agreement: str, outcome: str, epsilon: float, delta: float) -> None:
        """Pay for one training, before it begins.

        Args:
            agreement: hash of a version that is in force and allows analysis.
            outcome: what is learnt, a slug.
            epsilon: what it costs, by both accountants.
            delta: of that guarantee.

        Raises:
            AgreementRefusal: the agreement is not in force, or does not allow analysis.
            BudgetSpent: the year's budget does not allow it; nothing is spent.
            LedgerError: the ledger does not have the word. It is spent all the same.
        """
        if not (0 < epsilon < math.inf and 0 < delta < 1):
            raise ValueError("epsilon and delta: expected a cost")
        now, standing = self._now(), self._ledger.state.agreements.standing(agreement)
        in_force(standing, now)
        require_action(standing.agreement, Action.ANALYSE)
        project = standing.agreement.id
        cost = EpsilonSpent(
            agreement=agreement,
            party=self._party,
            outcome=outcome,
            epsilon_millionths=_up(epsilon, MICRO),
            delta_trillionths=_up(delta, PICO),
        )
        with self._database.writing() as connection:
            spent, risked, times = self._spent(connection, project)
            if spent + cost.epsilon_millionths > _up(
                YEAR_EPSILON, MICRO
            ) or risked + cost.delta_trillionths > _up(YEAR_DELTA, PICO):
                raise BudgetSpent(
                    f"this year's budget of privacy is epsilon {YEAR_EPSILON:g}, delta "
                    f"{YEAR_DELTA:g}; spent so far: {spent / MICRO:g} in {times} trainings",
                    next_step="linkage-hub risk budget AGREEMENT, or use the rule alone",
                )
            connection.execute(  # two at once take the same number, and one is undone
                insert(epsilon_spends).values(
                    project=project,
                    year=now.year,
                    number=times + 1,
                    agreement=agreement,
                    outcome=outcome,
                    epsilon_millionths=cost.epsilon_millionths,
                    delta_trillionths=cost.delta_trillionths,
                    spent=write_time(now),
                )
            )
            self._outgoing.keep(
                connection, self._ledger.author.write(EventType.EPSILON_SPENT, cost)
            )
        self.tell()

    def tell(self) -> None:
        """Hand to the consent ledger what it does not have yet.

        Raises:
            LedgerError: it cannot be reached, or refuses.
        """
        self._outgoing.tell()

    def _spent(self, connection: Connection, project: str) -> tuple[int, int, int]:
        """Millionths of epsilon, trillionths of delta, and how often, of this year."""
        row = connection.execute(
            select(
                func.coalesce(func.sum(epsilon_spends.c.epsilon_millionths), 0),
                func.coalesce(func.sum(epsilon_spends.c.delta_trillionths), 0),
                func.count(),
            ).where(epsilon_spends.c.project == project, epsilon_spends.c.year == self._now().year)
        ).one()
        return int(row[0]), int(row[1]), int(row[2])


def _up(cost: float, unit: int) -> int:
    """In whole units, never less than it is."""
    return math.ceil(cost * unit - _EXACT)
