"""What reports of outcomes have in common as reports to read."""

from typing import Any, Final, Protocol

from governance.canonical import hash_of
from governance.reports.models import Estimate
from linkage_hub.analytics.outcomes.provenance import ELSEWHERE, TableProvenance

MISSING: Final = "not watched for"


class Interval(Protocol):
    """An estimate and its 95 % interval."""

    @property
    def value(self) -> float:
        """The estimate."""

    @property
    def low(self) -> float:
        """The lower end."""

    @property
    def high(self) -> float:
        """The upper end."""


def estimate(found: Interval | None) -> Estimate | str:
    """A cell: an estimate with its interval, or that nobody was watched for so long."""
    if found is None:
        return MISSING
    return Estimate(value=found.value, low=found.low, high=found.high)


def origin(report: Any, file: str, provenance: TableProvenance | None) -> dict[str, Any]:
    """Where a report comes from, as fields of ``Report``.

    Args:
        report: of engagement or interventions.
        file: that it is written to, JSON.
        provenance: of its table; None where that was made elsewhere.
    """
    sources = () if provenance is None else provenance.runs
    runs = tuple(each.run for each in sources)
    return {
        "agreement": report.agreement,
        "runs": () if None in runs else runs,
        "inputs": {
            file: hash_of(report),
            "table": report.table,
            **{f"export of {each.month}": each.provenance for each in sources},
        },
        "warnings": (ELSEWHERE,) if provenance is None else (),
    }
