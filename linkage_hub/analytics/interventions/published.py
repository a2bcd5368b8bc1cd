"""The one table of a comparison that may be published (ADR 30, ADR 43).

Rules: only of a comparison that is given; families of the pairs by whether they were helped and
whether progress was known, small numbers hidden and others rounded; the register of what was
released is asked. No difference and no ratio: those are of unrounded numbers.
"""

from typing import Final

import numpy as np

from governance.disclosure.counts import least_shown
from governance.disclosure.register import ReleaseRegister
from governance.disclosure.tables import Counted, Listed, PublishedTable, protect
from linkage_hub.analytics.interventions.report import InterventionReport
from linkage_hub.analytics.outcomes.errors import ComparisonWithheld

LISTED: Final = Listed(
    id="helped-by-progress",
    title="Families helped and families like them that were not, by whether progress was known",
    rows="families",
    columns="progress",
)
ROWS: Final = ("helped", "like them and not helped")
COLUMNS: Final = ("progress", "no progress")


def published(
    report: InterventionReport, population: str, threshold: int, register: ReleaseRegister
) -> tuple[PublishedTable, ReleaseRegister]:
    """The table, and the register with it.

    Raises:
        ComparisonWithheld: the comparison's checks failed.
        DisclosureRefused: beside what was released, it would give a small number away.
    """
    found = report.comparison
    if found is None:
        raise ComparisonWithheld("a comparison whose checks failed is not published")
    cells = [[count, found.pairs - count] for count in (found.helped, found.others)]
    counted = Counted(LISTED.id, population, ROWS, COLUMNS, np.array(cells, dtype=np.int64))
    table, answers = protect(counted, (LISTED,), threshold)
    return table, register.with_table(table, answers, least_shown(threshold))
