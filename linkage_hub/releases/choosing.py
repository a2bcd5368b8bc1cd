"""Which families a query chooses, and in what order: as conditions of the database.

Rule: families of other agreements than the caller's own are not there.
"""

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import exists, select

from governance.exchange.release_api import FamilyQuery
from linkage_hub.store.tables import families, family_members, family_needs, runs

ORDER: Final = (families.c.needs_met.desc(), families.c.confidence.desc(), families.c.family)
"""Most needs first, then the surest."""


def current(agreements: Collection[str]) -> Any:
    """Families of these agreements' current runs, with their agreement."""
    return (
        select(families, runs.c.agreement)
        .join(runs, runs.c.id == families.c.run)
        .where(runs.c.is_current.is_(True), runs.c.agreement.in_(agreements))
    )


def chosen(query: FamilyQuery, agreements: Collection[str]) -> Any:
    """Families that a query asks for, but for whether they may be approached."""
    found = current(agreements).where(
        families.c.members >= query.people,
        families.c.children >= query.children,
        families.c.confidence >= query.confidence,
    )
    if query.flagged:
        found = found.where(families.c.flagged.is_(True))
    if query.in_programme is not None:
        found = found.where(families.c.in_programme.is_(query.in_programme))
    if query.need is not None:
        found = found.where(
            exists().where(
                *_same(family_needs),
                family_needs.c.need == query.need,
                family_needs.c.state == "met",
            )
        )
    if query.age_band is not None:
        found = found.where(
            exists().where(*_same(family_members), family_members.c.age_band == query.age_band)
        )
    return found


def _same(table: Any) -> tuple[Any, Any]:
    return table.c.run == families.c.run, table.c.family == families.c.family
