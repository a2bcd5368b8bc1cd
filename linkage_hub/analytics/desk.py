"""What analysts look at, put together."""

import json
from collections.abc import Callable
from datetime import datetime
from functools import partial

from governance.agreements.models import Action
from governance.exchange.analysis_api import LinkageEffects, ThresholdRow, ThresholdTable
from governance.ledger.party import PartyLedger
from linkage_hub.analytics.comparison import Comparisons
from linkage_hub.analytics.exports import effects_of
from linkage_hub.analytics.permission import Permission
from linkage_hub.analytics.persons import Persons
from linkage_hub.analytics.remembered import rows_of
from linkage_hub.analytics.sources import SourceDesk
from linkage_hub.review.service import Reviews
from linkage_hub.runs.errors import NoEffects
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
        self._database = database
        self.permission = Permission(database, ledger, now)
        self.comparisons = Comparisons(database, self.permission)
        self.persons = Persons(database, self.permission, reviews.rulings)
        self.sources = SourceDesk(database, self.permission, now)

    def forget(self) -> None:
        """Drop from memory what was worked out from rows that are no longer all there.

        Raises:
            HubStoreError: the database cannot be asked.
        """
        for kept in (self.comparisons.kept, self.sources.kept):
            if len(kept):
                with self._database.reading() as connection:
                    kept.forget(partial(rows_of, connection))

    def effects(self, party: str, run: str) -> LinkageEffects:
        """What errors of linkage do to a run's figures.

        Raises:
            UnknownRun: there is no such run of the party's that has finished.
            NoEffects: there was nothing to tell them by.
            AgreementRefusal: the agreement is not in force, not this party's, or names no analysis.
        """
        row, _ = self.permission.records_of(party, run, Action.ANALYSE)
        found = effects_of(row)
        if found is None:
            raise NoEffects(
                "the run has none: no two of its records are one person, or an older program "
                "finished it",
                next_step="start another run",
            )
        return found

    def thresholds(self, party: str, run: str) -> ThresholdTable:
        """What a run would have found at other thresholds.

        Raises:
            UnknownRun: there is no such run of the party's that has finished.
            AgreementRefusal: the agreement is not in force, or not this party's.
        """
        row, terms = self.permission.records_of(party, run)
        rows = json.loads(row.thresholds) if row.thresholds else []
        told = Action.ANALYSE in terms.actions
        if not told:
            rows = [each | {"flagged_touched": None} for each in rows]
        return ThresholdTable(
            run=run,
            families=row.families,
            flagged=row.flagged if told else None,
            rows=tuple(ThresholdRow.model_validate(each) for each in rows),
        )
