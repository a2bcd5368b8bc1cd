"""The fixed list of tables that may be published of a run, and how they are counted (ADR 30).

Rules: what is not on the list is not counted; every family of the run is in exactly one cell of
each table; unknown is a category of its own, or the heading says that it counts what is known. The
list depends on the agreement's indicators and on nothing else, so it cannot be fitted to a family.
Areas, teams and lengths of engagement come in where the agreement has them (ADR 45).
The population is the run, whatever its files hold by now: a family that was taken out between two
exports would else be told by their difference.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from governance.agreements.models import CATEGORISED, UsedAs
from governance.disclosure.arithmetic import held_back
from governance.disclosure.counts import least_shown
from governance.disclosure.register import ReleaseRegister
from governance.disclosure.tables import Counted, Listed, PublishedTable, protect
from linkage_hub.analytics.held import FamilyColumns
from linkage_hub.analytics.needs import MET, SEVERAL, STATES, UNSAID, Categories

Division = tuple[tuple[str, ...], NDArray[np.int64]]
MOST_CHILDREN: Final = 6
"""Families with more are counted with these."""
_YES_NO: Final = ("no", "yes")
_NEEDS: Final = "needs known to be met"
_CHILDREN: Final = "children known of"
_PROGRAMME: Final = "known to be in the programme"
_FORWARD: Final = "put forward"
_CATEGORIES: Final[Mapping[UsedAs, str]] = {
    "area": "area that records name most",
    "team": "team that records name most",
    "engagement": "length of engagement that records name most",
}


def listed(needs: Sequence[str], uses: Collection[UsedAs] = ()) -> tuple[Listed, ...]:
    """The list, for an agreement with these needs, and with categories of these uses."""
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
        *(each for use in CATEGORISED if use in uses for each in _by(use, needs)),
    )


def _by(use: UsedAs, needs: Sequence[str]) -> Iterator[Listed]:
    rows = _CATEGORIES[use]
    if use != "engagement":  # who is helped for long is in the programme, and not put forward
        yield Listed(
            id=f"{use}-by-forward",
            title=f"Families by {rows}, put forward for professional consideration",
            rows=rows,
            columns=_FORWARD,
        )
        yield Listed(
            id=f"{use}-by-programme",
            title=f"Families by {rows}, known to be in the programme or not",
            rows=rows,
            columns=_PROGRAMME,
        )
    for need in needs:
        yield Listed(
            id=f"{use}-by-{need}", title=f"Families by {rows} and {need}", rows=rows, columns=need
        )


def counted(
    run: str,
    families: FamilyColumns,
    kinds: Sequence[Listed],
    categories: Mapping[UsedAs, Categories] = MappingProxyType({}),
) -> Iterator[Counted]:
    """Every table of the list about a run, counted."""
    divided = {name: _division(families, name) for name in _known(families)}
    divided |= {_CATEGORIES[use]: _categories(found) for use, found in categories.items()}
    for kind in kinds:
        (rows, row), (columns, column) = divided[kind.rows], divided[str(kind.columns)]
        cell = np.bincount(row * len(columns) + column, minlength=len(rows) * len(columns))
        shaped = cell.reshape(len(rows), len(columns)).astype(np.int64)
        yield Counted(kind.id, run, rows, columns, shaped)


def published(
    run: str,
    families: FamilyColumns,
    threshold: int,
    register: ReleaseRegister,
    categories: Mapping[UsedAs, Categories] = MappingProxyType({}),
    earlier: Iterable[Sequence[PublishedTable]] = (),
) -> tuple[tuple[PublishedTable, ...], ReleaseRegister]:
    """All tables of a run as they may be published, and the register with them.

    Args:
        run: its id.
        families: of the run, with the agreement's needs.
        threshold: of the agreement (suppression_threshold).
        register: of what was released before.
        categories: areas, teams and lengths of engagement, where the agreement has them.
        earlier: tables of each run that were published before.

    Returns:
        Those of the list that, beside earlier runs', tell of no small change; the others are held
        back.

    Raises:
        DisclosureRefused: beside what was released, one of them would give a small number away.
    """
    kinds, least = listed(families.needs, categories.keys()), least_shown(threshold)
    whole = [protect(each, kinds, threshold) for each in counted(run, families, kinds, categories)]
    held = held_back([table for table, _ in whole], earlier, least)
    left = [(table, answers) for table, answers in whole if table.table not in held]
    for table, answers in left:
        register = register.with_table(table, answers, least)
    return tuple(table for table, _ in left), register


def _known(families: FamilyColumns) -> tuple[str, ...]:
    return (*families.needs, _NEEDS, _CHILDREN, _PROGRAMME, _FORWARD)


def _division(families: FamilyColumns, name: str) -> Division:
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


def _categories(found: Categories) -> Division:
    """Likewise of areas, teams or lengths; several and unknown are the last two."""
    last = len(found.names)
    place = np.where(found.of == SEVERAL, last, np.where(found.of == UNSAID, last + 1, found.of))
    return (*found.names, "several", "unknown"), place
