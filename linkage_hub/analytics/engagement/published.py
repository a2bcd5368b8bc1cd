"""The one table of time to progress that may be published (ADR 30, ADR 42).

Rules: families by needs met on joining and by when progress came, each in one cell, those not
watched for so long in a cell of their own; small numbers are hidden and others rounded as in every
published table, and the register of what was released is asked. No share and no curve: those are of
unrounded numbers. The population is the runs that the table was made from.
"""

from typing import Final

import numpy as np

from governance.canonical import hash_of
from governance.disclosure.counts import least_shown
from governance.disclosure.register import ReleaseRegister
from governance.disclosure.tables import Counted, Listed, PublishedTable, protect
from linkage_hub.analytics.engagement.spells import Spells
from linkage_hub.analytics.outcomes.provenance import TableProvenance

LISTED: Final = Listed(
    id="needs-by-progress",
    title="Families in the programme by needs met on joining and by when progress was known",
    rows="needs met on joining",
    columns="progress",
)
COLUMNS: Final = (
    "within 6 months", "within 7 to 12 months", "within 13 to 18 months",
    "not within 18 months", "not watched for so long",
)  # fmt: skip
_ENDS: Final = np.array([6, 12, 18])


def population_of(provenance: TableProvenance) -> str:
    """Of whom: a number made of the runs' own, 32 hexadecimal digits."""
    runs = [each.provenance for each in provenance.runs]
    return hash_of(runs).removeprefix("sha256:")[:32]


def published(
    spells: Spells, population: str, threshold: int, register: ReleaseRegister
) -> tuple[PublishedTable, ReleaseRegister]:
    """The table, and the register with it.

    Raises:
        DisclosureRefused: beside what was released, it would give a small number away.
    """
    times = spells.times
    column = np.searchsorted(_ENDS, times.last)
    column = np.where(times.event, column, np.where(times.last >= _ENDS[-1], 3, 4))
    rows = tuple(str(number) for number in range(len(spells.needs) + 1))
    cell = np.bincount(spells.met * len(COLUMNS) + column, minlength=len(rows) * len(COLUMNS))
    counted = Counted(
        LISTED.id, population, rows, COLUMNS,
        cell.reshape(len(rows), len(COLUMNS)).astype(np.int64),
    )  # fmt: skip
    table, answers = protect(counted, (LISTED,), threshold)
    return table, register.with_table(table, answers, least_shown(threshold))
