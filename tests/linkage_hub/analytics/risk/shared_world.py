"""A hub with a ledger in memory, an agreement with a budget and areas, and a run of families."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from governance.agreements.models import Agreement
from linkage_hub.analytics.areas import AreaDesk
from linkage_hub.analytics.risk.books import ModelBooks
from linkage_hub.analytics.risk.budget import EpsilonLedger
from linkage_hub.analytics.risk.desk import RiskDesk
from linkage_hub.analytics.risk.documents import ModelDocument, Privacy
from linkage_hub.analytics.risk.models import LinearModel
from linkage_hub.analytics.risk.orders import RiskOrders
from linkage_hub.releases.families import Families
from linkage_hub.store.bulk import insert_rows
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import family_categories, family_members, person_records
from tests.governance.privacy.test_registry import agree
from tests.governance.world import NOON, World
from tests.linkage_hub.analytics.risk.kept import Cohort, kept_run
from tests.linkage_hub.analytics.risk.test_budget import Replica

NEEDS: Final = ["offence", "debt", "neet"]
AREAS: Final = ["east_ward", "west_ward"]
WEIGHTS: Final = (0.9, 0.5, 0.2, 0.0, 0.1, -0.1)
"""Of needs that are met, then of those that nobody knows of."""
DAY: Final = timedelta(days=1)
KEPT_DAYS: Final = 60
"""For which results are kept."""


def learning(
    parties: list[Any], areas: Sequence[str] = AREAS, needs: Sequence[str] = NEEDS
) -> dict[str, Any]:
    """Needs and areas, all of one partner's."""
    owner = parties[0].name
    indicators = [
        {"id": name, "description": name.replace("_", " "), "owners": [owner], "window_months": 12}
        | ({"used_as": "area"} if name in areas else {})
        for name in (*needs, *areas)
    ]
    sources = [
        {
            "id": f"{party.name}_records", "party": party.name, "description": "Records",
            "items": ["first_name"], "max_records": 10,
            "indicators": [*needs, *areas] if party is parties[0] else [],
        }
        for party in parties
    ]  # fmt: skip
    retention = {
        "encodings_days": 90, "link_results_days": KEPT_DAYS, "released_items_days": 10,
        "vault_days": 365,
    }  # fmt: skip
    return {
        "indicators": indicators, "sources": sources, "minimum_needs": 2, "retention": retention,
    }  # fmt: skip


@dataclass
class SharedWorld:
    """What a hub is made of here."""

    world: World
    terms: Agreement
    database: HubDatabase
    now: datetime = NOON

    def __post_init__(self) -> None:
        self.ledger = Replica(self.world, self.world.hub)
        pen: Any = self.ledger
        looked: Any = SimpleNamespace(sync=lambda: self.world.state, state=self.world.state)
        self.epsilon = EpsilonLedger("hub", self.database, pen, lambda: self.now)
        self.books = ModelBooks("hub", self.database, looked, lambda: self.now)
        self.orders = RiskOrders(self.database, self.books)
        self.desk = RiskDesk(self.database, looked, self.orders, lambda: self.now)
        self.areas = AreaDesk(self.database, looked, lambda: self.now)
        self.families = Families(self.database, self.orders)

    def model(self, weights: tuple[float, ...] = WEIGHTS, **changes: Any) -> ModelDocument:
        """A model's document, which nobody has paid for yet."""
        return ModelDocument(
            model=LinearModel(
                kind="private-logistic", needs=self.terms.needs, intercept=-3, coefficients=weights
            ),
            agreement=self.terms.hash,
            outcome="in_programme",
            families=11_000,
            privacy=Privacy(
                epsilon=1, delta=1e-6, opacus=0.99, dp_accounting=0.98, noise=40, clip=3, steps=100,
                randomness="operating system",
            ),
        ).model_copy(update=changes)  # fmt: skip

    def trained(self, document: ModelDocument, epsilon: float = 1.0) -> ModelDocument:
        """The same, paid for and entered as a training does."""
        event = self.epsilon.spend(document.agreement, document.outcome, epsilon, 1e-6)
        self.books.enter(document, event)
        return document

    def run(self, found: Cohort, number: int = 1, areas: NDArray[np.object_] | None = None) -> str:
        """A current run of these families, each with one member who has one record."""
        run = kept_run(self.database, self.terms.hash, list(self.terms.needs), found, number, NOON)
        names = [f"f-{at:032x}" for at in range(len(found.state))]
        persons = [f"p-{at:032x}" for at in range(1, len(names) + 1)]
        with self.database.writing() as connection:
            insert_rows(
                connection, family_members,
                ("run", "family", "person", "role", "adult", "confidence", "is_primary", "reasons"),
                ((run, name, person, "parent", True, 0.9, True, "[]")
                 for name, person in zip(names, persons, strict=True)),
            )  # fmt: skip
            insert_rows(
                connection, person_records, ("run", "handle", "person", "party", "source"),
                ((run, f"{at:032x}", person, "council", "council_records")
                 for at, person in enumerate(persons, 1)),
            )  # fmt: skip
            if areas is not None:
                insert_rows(
                    connection, family_categories, ("run", "family", "use", "category"),
                    ((run, name, "area", area)
                     for name, area in zip(names, areas, strict=True) if area),
                )  # fmt: skip
        return run


@contextmanager
def shared_world(database_url: str, needs: Sequence[str] = NEEDS) -> Iterator[SharedWorld]:
    """A hub without a run and without a model."""
    world = World()
    budget = {"epsilon": 3.0, "delta": 1e-5}
    terms = agree(world, privacy_budget=budget, **learning(world.partners, needs=needs))
    database = HubDatabase(database_url)
    try:
        yield SharedWorld(world, terms, database)
    finally:
        database.close()
