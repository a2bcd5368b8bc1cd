"""The calls by which staff look into runs and at counts of them; ``HubClient`` sends them."""

from abc import abstractmethod

from governance.exchange.analysis_api import (
    PAGE,
    FreshnessList,
    LinkageEffects,
    PersonList,
    PersonView,
    RunComparison,
    ThresholdTable,
    UnlinkedList,
)
from governance.exchange.risk_api import AreaList, ModelList, RankedList
from governance.identity.envelope import Model


class AnalysisCalls:
    """What an analyst asks of a hub."""

    def effects(self, run: str) -> LinkageEffects:
        """What errors of linkage do to a run's figures."""
        return self._get(f"/v1/runs/{run}/effects", LinkageEffects)

    def thresholds(self, run: str) -> ThresholdTable:
        """What a run would have found at other thresholds."""
        return self._get(f"/v1/runs/{run}/thresholds", ThresholdTable)

    def compare(self, run: str, other: str, offset: int = 0, limit: int = PAGE) -> RunComparison:
        """Two runs of an agreement side by side."""
        return self._get(
            f"/v1/runs/{run}/comparison/{other}?offset={offset}&limit={limit}", RunComparison
        )

    def persons(self, run: str, offset: int = 0, limit: int = PAGE) -> PersonList:
        """Persons of a run, those with most records first."""
        return self._get(f"/v1/runs/{run}/persons?offset={offset}&limit={limit}", PersonList)

    def person(self, run: str, person: str) -> PersonView:
        """One person's records, and why they are one person."""
        return self._get(f"/v1/runs/{run}/persons/{person}", PersonView)

    def unlinked(self, run: str, offset: int = 0, limit: int = PAGE) -> UnlinkedList:
        """Records that were not linked, by source and by what stood in the way."""
        return self._get(f"/v1/runs/{run}/unlinked?offset={offset}&limit={limit}", UnlinkedList)

    def freshness(self, agreement: str) -> FreshnessList:
        """How fresh each source of an agreement is."""
        return self._get(f"/v1/agreements/{agreement}/sources", FreshnessList)

    def risk_models(self) -> ModelList:
        """Models of risk that are shared with the caller; for managers and leads too."""
        return self._get("/v1/risk", ModelList)

    def ranked(self, model: str, offset: int = 0, limit: int = PAGE) -> RankedList:
        """Families of the current run in a model's order."""
        return self._get(f"/v1/risk/{model}/families?offset={offset}&limit={limit}", RankedList)

    def areas(self) -> AreaList:
        """Families put forward by area; for managers."""
        return self._get("/v1/areas", AreaList)

    @abstractmethod
    def _get(self, path: str, model: type[Model]) -> Model:
        """Ask the hub."""
