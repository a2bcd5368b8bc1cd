"""The fixed list of tables that may be published of a run, and how they are counted (ADR 30).

Rules: what is not on the list is not counted; every family of the run is in exactly one cell of
each table; unknown is a category of its own, or the heading says that it counts what is known. The
list depends on the agreement's indicators and on nothing else, so it cannot be fitted to a family.
The population is the run, whatever its files hold by now: a family that was taken out between two
exports would else be told by their difference.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from governance.disclosure.counts import least_shown
from governance.disclosure.register import ReleaseRegister
from governance.disclosure.tables import Counted, Listed, PublishedTable, protect
from linkage_hub.analytics.exported import FamilyColumns
from linkage_hub.analytics.needs import IN_PROGRAMME, MET, STATES

MOST_CHILDREN: Final = 6
"""Families with more are counted with these."""
_YES_NO: Final = ("no", "yes")
_NEEDS: Final = "needs known to be met"
_CHILDREN: Final = "children known of"
_PROGRAMME: Final = "known to be in the programme"
_FORWARD: Final = "put forward"


def listed(indicators: Sequence[str]) -> tuple[Listed, ...]:
    """The list, for an agreement with these indicators."""
    needs = [need for need in indicators if need != IN_PROGRAMME]
    return (
        Listed(
            id="needs-by-programme",
            title="Families by needs known to be met, known to be in the programme or not",
            rows=_NEEDS,
            columns=_PROGRAMME,
        ),
        Listed(
            id="needs-by-forward",
            title="Families by needs known to be met, put forward for professional consideration",
            rows=_NEEDS,
            columns=_FORWARD,
        ),
        Listed(
            id="children-by-forward",
            title="Families by children known of, put forward for professional consideration",
            rows=_CHILDREN,
            columns=_FORWARD,
        ),
        *(
            Listed(
                id=f"{need}-by-programme",
                title=f"Families by {need}, known to be in the programme or not",
                rows=need,
                columns=_PROGRAMME,
            )
            for need in needs
        ),
        *(
            Listed(
                id=f"{first}-by-{second}",
                title=f"Families by {first} and {second}",
                rows=first,
                columns=second,
            )
            for first, second in combinations(needs, 2)
        ),
    )


def counted(run: str, families: FamilyColumns, kinds: Sequence[Listed]) -> Iterator[Counted]:
    """Every table of the list about a run, counted."""
    for kind in kinds:
        rows, row = _division(families, kind.rows)
        columns, column = _division(families, str(kind.columns))
        cell = np.bincount(row * len(columns) + column, minlength=len(rows) * len(columns))
        shaped = cell.reshape(len(rows), len(columns)).astype(np.int64)
        yield Counted(kind.id, run, rows, columns, shaped)


def published(
    run: str,
    families: FamilyColumns,
    indicators: Sequence[str],
    threshold: int,
    register: ReleaseRegister,
) -> tuple[tuple[PublishedTable, ...], ReleaseRegister]:
    """All tables of a run as they may be published, and the register with them.

    Args:
        run: its id.
        families: of the run.
        indicators: the agreement's.
        threshold: of the agreement (suppression_threshold).
        register: of what was released before.

    Raises:
        DisclosureRefused: beside what was released, one of them would give a small number away.
    """
    kinds, tables = listed(indicators), []
    for each in counted(run, families, kinds):
        table, answers = protect(each, kinds, threshold)
        register = register.with_table(table, answers, least_shown(threshold))
        tables.append(table)
    return tuple(tables), register


def _division(families: FamilyColumns, name: str) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """The categories of one way of dividing families, and the number of each family's."""
    if name in families.needs:
        return STATES, families.state[:, families.needs.index(name)].astype(np.int64)
    if name == _NEEDS:
        met = (families.state == MET).sum(axis=1)
        return tuple(str(number) for number in range(len(families.needs) + 1)), met
    if name == _CHILDREN:
        labels = (*(str(number) for number in range(MOST_CHILDREN)), f"{MOST_CHILDREN} or more")
        return labels, np.minimum(families.children, MOST_CHILDREN)
    chosen = families.in_programme if name == _PROGRAMME else families.flagged
    return _YES_NO, chosen.astype(np.int64)
