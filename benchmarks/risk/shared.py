"""What a shared model costs the hub: the order of a whole county, and a page of it.

``python -m benchmarks.risk.shared --families 100000``: the families of ``make bench-risk``, each
with one member, in a hub's database (SQLite); a model with made-up weights, nothing is trained.
Prints the median of five, in seconds of one core.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.risk.families import NEEDS, cohorts
from governance.agreements.models import Agreement
from governance.exchange.release_api import FamilyQuery
from linkage_hub.analytics.held import families_of
from linkage_hub.analytics.risk.orders import RiskOrders
from linkage_hub.analytics.risk.scoring import order_of
from linkage_hub.releases.families import ApproachFor, Families
from tests.linkage_hub.analytics.risk.kept import Cohort
from tests.linkage_hub.analytics.risk.shared_world import SharedWorld, shared_world

TIMES: Final = 5


def main() -> int:
    """Fill a hub, share a model, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--families", type=int, default=100_000)
    count = parser.parse_args().families
    first, _ = cohorts(count, 0.05, 1)
    with (
        tempfile.TemporaryDirectory() as folder,
        shared_world(f"sqlite:///{Path(folder) / 'hub.db'}", NEEDS) as hub,
    ):
        run = hub.run(Cohort(first.state, np.zeros(count, dtype=np.bool_)))
        weights = (*np.linspace(0.9, 0.2, len(NEEDS)), *np.linspace(-0.1, 0.2, len(NEEDS)))
        hub.books.share(hub.trained(hub.model(tuple(map(float, weights)))))
        _measure(hub, run, hub.terms)
    return 0


def _measure(hub: SharedWorld, run: str, terms: Agreement) -> None:
    (shared,) = hub.books.shared()
    approach = ApproachFor("council", hub.now)
    put_forward = FamilyQuery(order="model", limit=25)
    everybody = put_forward.model_copy(update={"flagged": False})

    def cold() -> Any:
        families = Families(hub.database, RiskOrders(hub.database, hub.books))
        return families.page(hub.world.state, approach, put_forward)

    with hub.database.reading() as connection:
        found = families_of(connection, run, NEEDS)
        read = _median(lambda: families_of(connection, run, NEEDS))
    scored = _median(lambda: order_of(shared.id, shared.document, found, terms))
    print(f"{len(found):,} families, {len(NEEDS)} needs, {(found.state > 0).sum():,} known")
    print(f"scored and put in order: {scored:.2f} s; read from the database before: {read:.2f} s")
    print(f"first page after a model was shared: {_median(cold):.2f} s")
    for name, query in (("put forward", put_forward), ("all families", everybody)):
        page = _median(partial(hub.families.page, hub.world.state, approach, query))
        total = hub.families.page(hub.world.state, approach, query).total
        usual = query.model_copy(update={"order": "needs"})
        by_needs = _median(partial(hub.families.page, hub.world.state, approach, usual))
        print(f"a page of {total:,} ({name}): {page:.2f} s by the model, {by_needs:.2f} s by needs")
    one = hub.families.page(hub.world.state, approach, put_forward).families[0].family
    print(f"a family: {_median(lambda: hub.families.view(one, hub.world.state, approach)):.2f} s")


def _median(work: Callable[[], Any]) -> float:
    taken = []
    for _ in range(TIMES):
        begun = time.process_time()
        work()
        taken.append(time.process_time() - begun)
    return statistics.median(taken)


if __name__ == "__main__":
    raise SystemExit(main())
