"""Which families a query chooses, and in what order: as conditions of the database.

Rule: families of other agreements than the caller's own are not there.

Runs are named by their ids, and conditions that every family meets are left out: a page of a
county's families is then read from the index of their order. What a need or an age asks for is read
once for all of them.
"""

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import Connection, select, tuple_

from governance.exchange.release_api import FamilyQuery
from linkage_hub.store.tables import families, family_members, family_needs, runs

ORDER: Final = (families.c.needs_met.desc(), families.c.confidence.desc(), families.c.family)
"""Most needs first, then the surest."""


def current_runs(connection: Connection, agreements: Collection[str]) -> list[str]:
    """Ids of these agreements' current runs."""
    here = runs.c.is_current.is_(True), runs.c.agreement.in_(agreements)
    return list(connection.scalars(select(runs.c.id).where(*here)))


def of_runs(ids: Collection[str]) -> Any:
    """Families of runs, with their agreement."""
    return (
        select(families, runs.c.agreement)
        .join(runs, runs.c.id == families.c.run)
        .where(families.c.run.in_(ids))
    )


def chosen(query: FamilyQuery, ids: Collection[str]) -> Any:
    """Families of runs that a query asks for, but for whether they may be approached."""
    found = of_runs(ids)
    for column, least in (
        (families.c.members, query.people),
        (families.c.children, query.children),
        (families.c.confidence, query.confidence),
    ):
        if least:
            found = found.where(column >= least)
    if query.flagged:
        found = found.where(families.c.flagged.is_(True))
    if query.in_programme is not None:
        found = found.where(families.c.in_programme.is_(query.in_programme))
    if query.need is not None:
        met = family_needs.c.need == query.need, family_needs.c.state == "met"
        found = found.where(_among(family_needs, ids, *met))
    if query.age_band is not None:
        found = found.where(
            _among(family_members, ids, family_members.c.age_band == query.age_band)
        )
    return found


def _among(table: Any, ids: Collection[str], *conditions: Any) -> Any:
    """Whether a family is one of those of a table's rows."""
    rows = select(table.c.run, table.c.family).where(table.c.run.in_(ids), *conditions)
    return tuple_(families.c.run, families.c.family).in_(rows)
