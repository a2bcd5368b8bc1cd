"""The calls by which staff make, share and read reports; ``HubClient`` sends them."""

from abc import abstractmethod
from typing import Any

from pydantic import BaseModel

from governance.exchange.analysis_api import PAGE
from governance.exchange.report_api import (
    Made,
    ReportChoices,
    ReportList,
    ReportPost,
    ReportSummary,
    ReportView,
    Shared,
    SharePost,
)
from governance.identity.envelope import Model


class ReportCalls:
    """What staff ask of a hub about reports."""

    def reports(self, agreement: str, offset: int = 0, limit: int = PAGE) -> ReportList:
        """Reports of an agreement, newest first."""
        return self._get(
            f"/v1/agreements/{agreement}/reports?offset={offset}&limit={limit}", ReportList
        )

    def report_choices(self, agreement: str) -> ReportChoices:
        """Which runs and criteria the hub can make a report of now."""
        return self._get(f"/v1/agreements/{agreement}/reports/choices", ReportChoices)

    def report(self, report: str) -> ReportView:
        """One report."""
        return self._get(f"/v1/reports/{report}", ReportView)

    def make_report(
        self,
        agreement: str,
        kind: Made,
        run: str,
        before: str | None = None,
        catalogue: str | None = None,
    ) -> ReportSummary:
        """Have the hub make a report; the same again is the one that there is."""
        post = ReportPost(kind=kind, run=run, before=before, catalogue=catalogue)
        return self._post(f"/v1/agreements/{agreement}/reports", post, ReportSummary)

    def share_report(self, agreement: str, kind: Shared, document: dict[str, Any]) -> ReportSummary:
        """Share one that was made elsewhere; the same again changes nothing."""
        post = SharePost(kind=kind, document=document)
        return self._post(f"/v1/agreements/{agreement}/reports/shared", post, ReportSummary)

    def withdraw_report(self, report: str) -> None:
        """Destroy a report at the hub."""
        self._send("DELETE", f"/v1/reports/{report}")

    @abstractmethod
    def _get(self, path: str, model: type[Model]) -> Model:
        """Ask the hub."""

    @abstractmethod
    def _post(self, path: str, body: BaseModel, model: type[Model]) -> Model:
        """Ask the hub to do something."""

    @abstractmethod
    def _send(self, method: str, path: str) -> bytes:
        """Ask the hub for something without a body."""
