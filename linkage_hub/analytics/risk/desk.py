"""What analysts and managers are told of the models that are shared.

Rules: a model is shown to people of its agreement's parties, while that is in force and allows
analysis; to others it is not there. Its card says what its document holds, and how far it goes in
the current run; the list with figures is for analysts, and so is the intercept, by which a family's
needs and weights would be its probability.
"""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, select

from governance.agreements.models import Action, Agreement
from governance.exchange.risk_api import (
    ModelList,
    ModelView,
    NeedWeight,
    RankedFamily,
    RankedList,
)
from governance.identity.models import Role
from governance.ledger.party import PartyLedger
from linkage_hub.analytics.risk.books import SharedModel
from linkage_hub.analytics.risk.errors import NothingShared
from linkage_hub.analytics.risk.models import ranked
from linkage_hub.analytics.risk.orders import RiskOrders
from linkage_hub.analytics.risk.scoring import Order, least_known, part_of
from linkage_hub.runs.errors import UnknownRun
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import runs


class RiskDesk:
    """Of one hub.

    Args:
        database, ledger: the hub's.
        orders: of current runs.
        now: the clock.
    """

    def __init__(
        self,
        database: HubDatabase,
        ledger: PartyLedger,
        orders: RiskOrders,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._orders = orders
        self._now = now

    def models(self, party: str, role: Role) -> ModelList:
        """Models that are shared with a party's people of a role."""
        with self._database.reading() as connection:
            found = [
                _view(shared, terms, run, order, role)
                for shared, terms in self._shared(connection, party)
                for run, order in [self._current(connection, terms)]
            ]
        return ModelList(models=tuple(found))

    def families(self, party: str, model: str, offset: int, limit: int) -> RankedList:
        """A part of a model's list of the current run, the highest figures first.

        Raises:
            NothingShared: no such model is shared with the party.
            UnknownRun: no results are kept.
        """
        with self._database.reading() as connection:
            terms = self._terms_of(connection, party, model)
            run, order = self._current(connection, terms)
        if run is None or order is None:
            raise UnknownRun("no results are kept", next_step="linkage-hub runs start")
        return RankedList(
            run=run,
            families=lines_of(order, offset, limit),
            total=int(order.ranked.sum()),
        )

    def _terms_of(self, connection: Connection, party: str, model: str) -> Agreement:
        for shared, terms in self._shared(connection, party):
            if shared.id == model:
                return terms
        raise NothingShared("no such model is shared", next_step="linkage-hub risk shared")

    def _shared(self, connection: Connection, party: str) -> list[tuple[SharedModel, Agreement]]:
        agreements = self._ledger.sync().agreements
        found = []
        for hash_ in agreements.in_force(agreements.of(party), self._now()):
            terms = agreements.standing(hash_).agreement
            if Action.ANALYSE not in terms.actions:
                continue
            if (shared := self._orders.books.shared_of(connection, terms)) is not None:
                found.append((shared, terms))
        return found

    def _current(self, connection: Connection, terms: Agreement) -> tuple[str | None, Order | None]:
        run = connection.scalar(
            select(runs.c.id).where(runs.c.agreement == terms.hash, runs.c.is_current.is_(True))
        )
        if run is None:
            return None, None
        return run, self._orders.of_run(connection, run, terms)


def lines_of(order: Order, offset: int, limit: int) -> tuple[RankedFamily, ...]:
    """A part of a list, in the order and with the figures of ``linkage-hub risk list``."""
    here = order.ranked.nonzero()[0]
    best = here[ranked(order.odds[here], order.families[here], offset + limit)[offset:]]
    features, model = order.features.rows(best), order.document.model
    needs = len(model.needs)
    met, unknown = features.values[:, :needs], features.values[:, needs:]
    return tuple(
        RankedFamily(
            family=order.families[row],
            needs_met=int(met[at].sum()),
            needs_unknown=int(unknown[at].sum()),
            probability=round(float(chance), 2),
            parts=tuple(map(part_of, reasons)),
            untold=None if order.untold is None else bool(order.untold[row]),
        )
        for at, (row, chance, reasons) in enumerate(
            zip(best, model.probability(features), model.reasons(features), strict=True)
        )
    )


def _view(
    shared: SharedModel, terms: Agreement, run: str | None, order: Order | None, role: Role
) -> ModelView:
    document = shared.document
    model, privacy = document.model, document.privacy
    needs = len(model.needs)
    return ModelView(
        id=shared.id,
        agreement=document.agreement,
        outcome=document.outcome,
        trained=shared.trained,
        shared=shared.shared,
        families=document.families,
        intercept=model.intercept if role is Role.ANALYST else None,
        weights=tuple(
            NeedWeight(
                need=need, met=model.coefficients[at], unknown=model.coefficients[needs + at]
            )
            for at, need in enumerate(model.needs)
        ),
        **privacy.model_dump(),
        run=run,
        ranked=0 if order is None else int(order.ranked.sum()),
        left_out={} if order is None else order.left_out(),
        least_known=least_known(terms, model),
    )
