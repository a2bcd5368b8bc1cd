"""Orders of current runs by the models that are shared: worked out when asked for, never stored.

Rules: an order is of the run's own agreement's model, while that is shared and may be kept; it is
held in memory for whoever asks next, and dropped within seconds when the run's families, or what is
known of them, become fewer, or the model is shared no more (``forget``). So with a model taken back
nothing of it is left.
"""

from collections.abc import Collection, Sequence
from typing import Final

import numpy as np
from sqlalchemy import Connection, func, select

from governance.agreements.models import Agreement
from governance.exchange.risk_api import FamilyRisk
from governance.ledger.state import LedgerState
from linkage_hub.analytics.held import families_of
from linkage_hub.analytics.needs import STATES, UNKNOWN
from linkage_hub.analytics.remembered import Remembered, Rows
from linkage_hub.analytics.risk.books import ModelBooks, SharedModel
from linkage_hub.analytics.risk.outcome import columns_for
from linkage_hub.analytics.risk.scoring import Order, order_of
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import families, risk_models, runs

_MOST: Final = 4
Key = tuple[str, str]
"""A family: its run and pseudonym."""


class RiskOrders:
    """Of one hub.

    Args:
        database: the hub's.
        books: which models are shared.
    """

    def __init__(self, database: HubDatabase, books: ModelBooks) -> None:
        self._database = database
        self.books = books
        self._orders: Remembered[Order] = Remembered(_MOST)

    def shared(
        self, connection: Connection, agreements: Collection[str], state: LedgerState
    ) -> tuple[str, ...]:
        """Hashes of the models that are shared of some agreements."""
        terms = (state.agreements.standing(each).agreement for each in agreements)
        found = (self.books.shared_of(connection, each) for each in terms)
        return tuple(each.id for each in found if each is not None)

    def of_run(self, connection: Connection, run: str, terms: Agreement) -> Order | None:
        """The order of a run under an agreement; None where no model is shared."""
        shared = self.books.shared_of(connection, terms)
        if shared is None:
            return None
        return self._orders.get(
            ((run, _rows(connection, run, shared.id)),),
            lambda: _work(connection, run, terms, shared),
        )

    def forget(self) -> None:
        """Drop from memory orders of families that are no longer all there, or of a model gone.

        Raises:
            HubStoreError: the database cannot be asked.
        """
        if len(self._orders):
            with self._database.reading() as connection:
                self._orders.forget(lambda run: _rows(connection, run, _model_of(connection, run)))

    def of_runs(
        self, connection: Connection, ids: Collection[str], state: LedgerState
    ) -> dict[str, Order]:
        """Orders of runs, by run; those without one are left out."""
        found = {}
        here = select(runs.c.id, runs.c.agreement).where(runs.c.id.in_(ids))
        for run, agreement in connection.execute(here).all():
            terms = state.agreements.standing(agreement).agreement
            order = self.of_run(connection, run, terms)
            if order is not None:
                found[run] = order
        return found

    def risk(
        self, connection: Connection, run: str, terms: Agreement, family: str
    ) -> FamilyRisk | None:
        """What the shared model says of one family."""
        order = self.of_run(connection, run, terms)
        return None if order is None else order.risk(family)


def unsaid(families: Collection[Key], orders: dict[str, Order]) -> int:
    """Of how many families a model says nothing, since too little is known."""
    return sum(
        orders[run].why_not(family) == "too_little_known"
        for run, family in families
        if run in orders
    )


def in_order(families: Sequence[Key], orders: dict[str, Order]) -> list[Key]:
    """Families by their places, the first of each order first; those in none last, as they came.

    Args:
        families: in the order that counts among equals.
        orders: by run.
    """
    places = np.array(
        [orders[run].place(family) if run in orders else np.nan for run, family in families],
        dtype=np.float64,
    )
    return [families[at] for at in np.argsort(places, kind="stable")]


def _work(connection: Connection, run: str, terms: Agreement, shared: SharedModel) -> Order:
    needs = columns_for(terms, shared.document.model.needs, shared.document.outcome)
    found = families_of(connection, run, needs)
    return order_of(shared.id, shared.document, found, terms)


def _model_of(connection: Connection, run: str) -> str:
    """Hash of the model that is shared of a run's agreement, or nothing."""
    found = connection.scalar(
        select(risk_models.c.hash)
        .join(runs, runs.c.agreement == risk_models.c.agreement)
        .where(runs.c.id == run, risk_models.c.document.is_not(None))
    )
    return found or ""


def _rows(connection: Connection, run: str, model: str) -> Rows:
    """What changes with a run's families, with what is known of them, and with the model.

    Where a record is taken out of a family its row says so (``rights.records``).
    """
    counts = connection.execute(
        select(
            func.count(),
            func.count().filter(families.c.in_programme),
            func.count().filter(families.c.is_resident),
            func.count().filter(families.c.referred == STATES[UNKNOWN]),
            func.coalesce(func.sum(families.c.needs_unknown), 0),
        ).where(families.c.run == run)
    ).one()
    return (*map(int, counts), int(model.rpartition(":")[2] or "0", 16))
