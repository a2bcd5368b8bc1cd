"""Tables of the fixed list with noise instead of hiding and rounding (ADR 44).

Rules: which tables is chosen before anything is counted, from the fixed list; what they cost is
paid for before the noise is drawn; cells alone are published, nought among them, each with the
same noise, and those that noise has put below nought as nought; no category is put together and
none left out for what is in it, since that would tell without noise.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from governance.agreements.models import UsedAs
from governance.canonical import Frozen
from governance.disclosure.errors import NotListed
from governance.disclosure.tables import Listed
from linkage_hub.analytics.held import FamilyColumns
from linkage_hub.analytics.needs import Categories
from linkage_hub.analytics.risk.private.counts import Mechanism, noisy
from linkage_hub.analytics.tables import counted

OUTCOME: Final = "tables"
"""What the ledger is told that was paid for."""
DELTA: Final = 1e-12
"""The guarantee has none; the ledger's entry asks for some."""


class NoisyCell(Frozen):
    """One number: families in one category of the rows and one of the columns, with noise."""

    table: str
    rows_are: str
    row: str
    columns_are: str
    column: str
    families: int


def chosen(ids: Sequence[str], kinds: Sequence[Listed]) -> tuple[Listed, ...]:
    """Tables of the list, by their ids.

    Raises:
        NotListed: one is not on it, or is named twice.
    """
    known = {kind.id: kind for kind in kinds}
    if not ids or len(set(ids)) != len(ids) or set(ids) - known.keys():
        raise NotListed(
            "expected tables of the list, each once", next_step=f"of {', '.join(known)}"
        )
    return tuple(known[each] for each in ids)


def noised(
    families: FamilyColumns,
    kinds: Sequence[Listed],
    categories: Mapping[UsedAs, Categories],
    by: Mechanism,
) -> tuple[NoisyCell, ...]:
    """Every cell of some tables with noise.

    Args:
        families: of a run.
        kinds: as many as the mechanism is for.
        categories: areas, teams and lengths of engagement, where the agreement has them.
        by: what was paid for.
    """
    if len(kinds) != by.tables:
        raise ValueError("kinds: expected as many as were paid for")
    tables = list(counted("", families, kinds, categories))
    found = noisy([int(cell) for table in tables for cell in table.cells.ravel()], by)
    places = [
        (kind, row, column)
        for kind, table in zip(kinds, tables, strict=True)
        for row in table.rows
        for column in table.columns
    ]
    return tuple(
        NoisyCell(
            table=kind.id,
            rows_are=kind.rows,
            row=row,
            columns_are=str(kind.columns),
            column=column,
            families=max(0, count),
        )
        for (kind, row, column), count in zip(places, found, strict=True)
    )
