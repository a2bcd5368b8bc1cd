"""One person of a run: its records, and why they are one person."""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, func, or_, select

from governance.exchange.analysis_api import (
    NearRecord,
    PersonLink,
    PersonList,
    PersonRecord,
    PersonSummary,
    PersonView,
)
from governance.exchange.hub_api import RulingList, RulingView
from linkage_hub.analytics.permission import Permission
from linkage_hub.runs.errors import UnknownPerson, UnknownRun
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import family_members, links, person_records

NEAR_MOST: Final = 100
"""Pairs to other persons that are shown."""
LINKS_MOST: Final = 2_000
"""Pairs within a person that are shown; a person of 64 records has no more."""
_BATCH: Final = 500  # values in one statement


class Persons:
    """Persons of runs whose results are kept."""

    def __init__(
        self,
        database: HubDatabase,
        permission: Permission,
        rulings: Callable[[str, str], RulingList],
    ) -> None:
        self._database = database
        self._permission = permission
        self._rulings = rulings

    def page(self, party: str, run: str, offset: int, limit: int) -> PersonList:
        """Persons by number of records, most first, then by id.

        Raises:
            UnknownRun: there is no such run, or its results gave way to newer ones.
            AgreementRefusal: the agreement is not in force, or not this party's.
        """
        row, _ = self._permission.records_of(party, run)
        records = func.count().label("records")
        every = (  # from the index alone; sources are read for those on the page
            select(person_records.c.person, records)
            .where(person_records.c.run == run)
            .group_by(person_records.c.person)
        )
        page = every.order_by(records.desc(), person_records.c.person).offset(offset).limit(limit)
        with self._database.reading() as connection:
            kept(connection, row)
            total = connection.scalar(select(func.count()).select_from(every.subquery()))
            rows = connection.execute(page).all()
            sources = _sources(connection, run, [each.person for each in rows])
        return PersonList(
            persons=tuple(
                PersonSummary(
                    person=each.person, records=each.records, sources=sources[each.person]
                )
                for each in rows
            ),
            total=int(total or 0),
        )

    def view(self, party: str, run: str, person: str) -> PersonView:
        """One person.

        Raises:
            UnknownRun: there is no such run, or its results gave way to newer ones.
            UnknownPerson: the run holds no such person.
            AgreementRefusal: the agreement is not in force, or not this party's.
        """
        row, _ = self._permission.records_of(party, run)
        with self._database.reading() as connection:
            kept(connection, row)
            records = _records(connection, run, person)
            if not records:
                raise UnknownPerson(
                    "the run holds no such person",
                    next_step="linkage-hub runs persons lists those that it holds",
                )
            own = {record.handle for record in records}
            pairs = list(_pairs(connection, run, sorted(own)))
            inside = [_link(pair) for pair in pairs if {pair.left, pair.right} <= own]
            near = _near(connection, run, own, pairs)
            homes = connection.scalars(
                select(family_members.c.family)
                .where(family_members.c.run == run, family_members.c.person == person)
                .order_by(family_members.c.is_primary.desc(), family_members.c.family)
            ).all()
        inside.sort(key=lambda link: (-link.probability, link.left, link.right))
        needed, lone = _held_by(sorted(own), inside)
        return PersonView(
            run=run,
            person=person,
            records=tuple(records),
            links=tuple(inside[:LINKS_MOST]),
            weakest=needed,
            unsupported=tuple(lone),
            near=tuple(near),
            rulings=self._of(party, row.agreement, own),
            families=tuple(homes),
        )

    def _of(self, party: str, agreement: str, own: Collection[str]) -> tuple[RulingView, ...]:
        """Rulings on any of the records."""
        every = self._rulings(party, agreement).rulings
        return tuple(each for each in every if each.left in own or each.right in own)


def kept(connection: Connection, row: Any) -> None:
    """Check that the results of a run are stored still.

    Raises:
        UnknownRun: they gave way to newer ones.
    """
    held = select(person_records.c.run).where(person_records.c.run == row.id).limit(1)
    if row.records and connection.execute(held).first() is None:
        raise UnknownRun(
            "the run's results gave way to newer ones",
            next_step="the current run's results and those of the one before it are kept",
        )


def _sources(connection: Connection, run: str, persons: Sequence[str]) -> dict[str, int]:
    """In how many sources each person has records."""
    rows = connection.execute(
        select(person_records.c.person, func.count(person_records.c.source.distinct()))
        .where(person_records.c.run == run, person_records.c.person.in_(persons))
        .group_by(person_records.c.person)
    )
    return {row[0]: row[1] for row in rows}


def _records(connection: Connection, run: str, person: str) -> list[PersonRecord]:
    rows = connection.execute(
        select(person_records)
        .where(person_records.c.run == run, person_records.c.person == person)
        .order_by(person_records.c.party, person_records.c.source, person_records.c.handle)
    )
    return [PersonRecord(handle=row.handle, party=row.party, source=row.source) for row in rows]


def _pairs(connection: Connection, run: str, own: Sequence[str]) -> Iterator[Row[Any]]:
    """Every pair that was kept of some records, each once."""
    for start in range(0, len(own), _BATCH):
        part = own[start : start + _BATCH]
        earlier = set(own[:start])
        rows = connection.execute(
            select(links).where(
                links.c.run == run, or_(links.c.left.in_(part), links.c.right.in_(part))
            )
        )
        yield from (row for row in rows if not {row.left, row.right} & earlier)


def _link(pair: Row[Any]) -> PersonLink:
    return PersonLink(
        left=pair.left,
        right=pair.right,
        similarity=pair.similarity,
        probability=pair.probability,
    )


def _near(
    connection: Connection, run: str, own: Collection[str], pairs: Sequence[Row[Any]]
) -> list[NearRecord]:
    """Pairs to other persons, likeliest first."""
    outside = sorted(
        (pair for pair in pairs if not {pair.left, pair.right} <= set(own)),
        key=lambda pair: (-pair.probability, pair.left, pair.right),
    )[:NEAR_MOST]
    ends = [_ends(pair, own) for pair in outside]
    rows = connection.execute(
        select(person_records).where(
            and_(
                person_records.c.run == run,
                person_records.c.handle.in_([other for _, other in ends]),
            )
        )
    )
    whose = {row.handle: row for row in rows}
    return [
        NearRecord(
            own=mine,
            other=other,
            other_person=whose[other].person,
            other_party=whose[other].party,
            other_source=whose[other].source,
            similarity=pair.similarity,
            probability=pair.probability,
        )
        for pair, (mine, other) in zip(outside, ends, strict=True)
        if other in whose
    ]


def _ends(pair: Row[Any], own: Collection[str]) -> tuple[str, str]:
    return (pair.left, pair.right) if pair.left in own else (pair.right, pair.left)


def _held_by(
    own: Sequence[str], likeliest_first: Sequence[PersonLink]
) -> tuple[PersonLink | None, list[str]]:
    """The last pair that a tree of the likeliest takes (Kruskal), and records outside any."""
    root = {handle: handle for handle in own}

    def find(handle: str) -> str:
        while root[handle] != handle:
            handle = root[handle]
        return handle

    needed = None
    tied: set[str] = set()
    for link in likeliest_first:
        left, right = find(link.left), find(link.right)
        if left != right:
            root[left] = right
            needed = link
            tied |= {link.left, link.right}
    return needed, [handle for handle in own if handle not in tied and len(own) > 1]
