"""What analysts look at, put together."""

import json
from collections.abc import Callable
from datetime import datetime

from governance.exchange.analysis_api import ThresholdRow, ThresholdTable
from governance.ledger.party import PartyLedger
from linkage_hub.analytics.comparison import Comparisons
from linkage_hub.analytics.permission import Permission
from linkage_hub.analytics.persons import Persons
from linkage_hub.analytics.sources import SourceDesk
from linkage_hub.review.service import Reviews
from linkage_hub.store.database import HubDatabase


class AnalysisDesk:
    """Thresholds, comparisons, persons and sources of runs.

    Args:
        database, ledger: the hub's.
        reviews: knows the rulings.
        now: the clock.
    """

    def __init__(
        self,
        database: HubDatabase,
        ledger: PartyLedger,
        reviews: Reviews,
        now: Callable[[], datetime],
    ) -> None:
        self.permission = Permission(database, ledger, now)
        self.comparisons = Comparisons(database, self.permission)
        self.persons = Persons(database, self.permission, reviews.rulings)
        self.sources = SourceDesk(database, self.permission, now)

    def thresholds(self, party: str, run: str) -> ThresholdTable:
        """What a run would have found at other thresholds.

        Raises:
            UnknownRun: there is no such run of the party's that has finished.
            AgreementRefusal: the agreement is not in force, or not this party's.
        """
        row, _ = self.permission.records_of(party, run)
        rows = json.loads(row.thresholds) if row.thresholds else []
        return ThresholdTable(
            run=run,
            families=row.families,
            flagged=row.flagged,
            rows=tuple(ThresholdRow.model_validate(each) for each in rows),
        )
