"""Which families a query chooses, and in what order: as conditions of the database."""

from typing import Any, Final

from sqlalchemy import exists, select

from governance.exchange.hub_api import FamilyQuery
from linkage_hub.store.tables import families, family_members, family_needs, runs

ORDER: Final = (families.c.needs_met.desc(), families.c.confidence.desc(), families.c.family)
"""Most needs first, then the surest."""


def current() -> Any:
    """Families of every agreement's current run, with its agreement."""
    return (
        select(families, runs.c.agreement)
        .join(runs, runs.c.id == families.c.run)
        .where(runs.c.is_current.is_(True))
    )


def chosen(query: FamilyQuery) -> Any:
    """Families that a query asks for, but for whether they may be approached."""
    found = current().where(
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
