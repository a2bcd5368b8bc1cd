"""Families of a run as the hub's database has them, in columns.

Rule: areas, teams and lengths of engagement are read here and counted here. No file, list or page
has them beside the needs of one family (DESIGN 11).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from governance.agreements.models import CATEGORISED, Agreement, UsedAs
from linkage_hub.analytics.needs import (
    MET,
    SEVERAL,
    SEVERAL_NAMES,
    STATES,
    UNMET,
    UNSAID,
    Categories,
)
from linkage_hub.families.columns import RESIDENCE, UNTOLD
from linkage_hub.store.tables import (
    families,
    family_categories,
    family_details,
    family_needs,
)

_AT_ONCE: Final = 50_000  # rows
_CODES: Final = {word: code for code, word in enumerate(STATES)}


@dataclass(frozen=True, slots=True)
class FamilyColumns:
    """Families of one run.

    Attributes:
        family: pseudonyms, str (f,).
        needs: ids, in order of the columns of ``state``.
        state: int8 (f, k), codes of ``STATES``.
        children: that are known of, int64 (f,).
        in_programme, resident, flagged: bool (f,).
        referred: by the usual route, int8 (f,), codes of ``STATES``.
        untold: residents of whom nobody tells whether they live here still, bool (f,); None in
            runs of before it was asked.
    """

    family: NDArray[np.object_]
    needs: tuple[str, ...]
    state: NDArray[np.int8]
    children: NDArray[np.int64]
    in_programme: NDArray[np.bool_]
    resident: NDArray[np.bool_]
    flagged: NDArray[np.bool_]
    referred: NDArray[np.int8]
    untold: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.family)


def families_of(connection: Connection, run: str, needs: Sequence[str]) -> FamilyColumns:
    """A run's families in order of their pseudonyms, and these needs of theirs."""
    rows = connection.execute(
        select(
            families.c.family,
            families.c.children,
            families.c.in_programme,
            families.c.is_resident,
            families.c.flagged,
            families.c.referred,
            families.c.residence,
        )
        .where(families.c.run == run)
        .order_by(families.c.family)
    ).all()
    family, children, enrolled, resident, flagged, referred, residence = (
        zip(*rows, strict=True) if rows else ((),) * 7
    )
    at = {name: place for place, name in enumerate(family)}
    state = np.zeros((len(family), len(needs)), dtype=np.int8)
    for column, need in enumerate(needs):  # by the index of needs, which has nothing else to read
        for code in (UNMET, MET):
            said = select(family_needs.c.family).where(
                family_needs.c.run == run,
                family_needs.c.need == need,
                family_needs.c.state == STATES[code],
            )
            names = connection.scalars(said.execution_options(yield_per=_AT_ONCE))
            state[np.fromiter((at[name] for name in names), dtype=np.int64), column] = code
    return FamilyColumns(
        family=np.array(family, dtype=object),
        needs=tuple(needs),
        state=state,
        children=np.array(children, dtype=np.int64),
        in_programme=np.array(enrolled, dtype=np.bool_),
        resident=np.array(resident, dtype=np.bool_),
        flagged=np.array(flagged, dtype=np.bool_),
        referred=np.array([_CODES[word] for word in referred], dtype=np.int8),
        untold=untold_of(residence),
    )


def details_of(
    connection: Connection, run: str, details: Sequence[str], found: FamilyColumns
) -> dict[str, NDArray[np.int8]]:
    """State of each detail, int8 (f,), in the families' order; unknown where nothing is said."""
    at = {name: place for place, name in enumerate(found.family.tolist())}
    states = {name: np.zeros(len(found), dtype=np.int8) for name in details}
    said = select(
        family_details.c.family, family_details.c.indicator, family_details.c.state
    ).where(family_details.c.run == run, family_details.c.indicator.in_(list(details)))
    for part in connection.execute(said.execution_options(yield_per=_AT_ONCE)).partitions():
        for name, indicator, word in part:
            states[indicator][at[name]] = _CODES[word]
    return states


def untold_of(residence: Sequence[str | None]) -> NDArray[np.bool_] | None:
    """Of each family whether nobody tells where it is, bool (f,); None where nobody asked."""
    if not any(residence):
        return None
    return np.array([word == RESIDENCE[UNTOLD] for word in residence], dtype=np.bool_)


def categories_of(
    connection: Connection, run: str, use: UsedAs, names: Sequence[str], found: FamilyColumns
) -> Categories:
    """Which area, team or length of engagement each of a run's families is counted under.

    Args:
        connection: of the hub's database.
        run: a run's id.
        use: what the categories are.
        names: ids of the agreement's indicators of that use; others are passed over.
        found: the run's families.
    """
    at = {name: place for place, name in enumerate(found.family.tolist())}
    place = {name: number for number, name in enumerate(names)} | {SEVERAL_NAMES: SEVERAL}
    of = np.full(len(found), UNSAID, dtype=np.int64)
    here = family_categories.c.run == run, family_categories.c.use == use
    statement = select(family_categories.c.family, family_categories.c.category).where(*here)
    for name, category in connection.execute(statement):
        of[at[name]] = place.get(category, UNSAID)
    return Categories(tuple(names), of)


def all_categories_of(
    connection: Connection, run: str, terms: Agreement, found: FamilyColumns
) -> dict[UsedAs, Categories]:
    """Those that an agreement has: areas, teams, lengths of engagement."""
    return {
        use: categories_of(connection, run, use, terms.used_as(use), found)
        for use in CATEGORISED
        if terms.used_as(use)
    }
