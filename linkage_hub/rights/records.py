"""Records that take no part any more, and the results that they are taken out of.

Rules: a partner's request touches records of that partner and no others, whatever it names; a
person all of whose records are gone leaves its family, and the family goes with its last member;
what was known of a family that the person belonged to rested on the record too, so its needs,
addresses and reasons go and it is not put forward until the next run has worked them out anew; of
where it lives nobody tells then, which is not that it has left (ADR 50); so goes where the person
lived, and the family's line in every report; rulings, pairs to rule on and
pairs that were weighed go where they name the record.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Connection, and_, case, delete, func, insert, or_, select, update

from linkage_hub.families.columns import RESIDENCE, UNTOLD
from linkage_hub.reports.store import families_changed
from linkage_hub.store.tables import (
    families,
    family_addresses,
    family_categories,
    family_details,
    family_members,
    family_needs,
    household_members,
    id_events,
    left_out,
    links,
    person_records,
    review_pairs,
    rulings,
    run_rulings,
    runs,
    unlinked,
)

_BATCH: Final = 500  # values in one statement


def left_out_of(connection: Connection, party: str) -> set[bytes]:
    """Handles of a party's records that take no part."""
    statement = select(left_out.c.handle).where(left_out.c.party == party)
    return {bytes.fromhex(handle) for handle in connection.scalars(statement)}


def mark(connection: Connection, party: str, request: str, handles: Iterable[str]) -> None:
    """Note that records take no part; may be repeated."""
    known = set(
        connection.scalars(
            select(left_out.c.handle).where(
                left_out.c.party == party, left_out.c.request == request
            )
        )
    )
    rows = [
        {"party": party, "handle": handle, "request": request}
        for handle in sorted(set(handles) - known)
    ]
    if rows:
        connection.execute(insert(left_out), rows)


def lift(connection: Connection, request: str) -> None:
    """Let the records of a request take part again, in what is submitted from now on."""
    connection.execute(delete(left_out).where(left_out.c.request == request))


def take_out(connection: Connection) -> None:
    """Take every record that takes no part out of every run's results, rulings and review."""
    marked: dict[str, set[str]] = defaultdict(set)
    for row in connection.execute(select(left_out.c.party, left_out.c.handle)):
        marked[row.party].add(row.handle)
    if not marked:
        return
    for run in connection.scalars(select(runs.c.id)).all():
        for party, handles in marked.items():
            out_of_run(connection, run, party, handles)


def held_in_runs(
    connection: Connection, party: str, handles: Collection[str]
) -> dict[str, set[str]]:
    """Which of a party's records the results of each run hold, of those that hold any."""
    found: dict[str, set[str]] = defaultdict(set)
    for run in connection.scalars(select(runs.c.id)).all():
        for row in _records(connection, run, party, handles):
            found[run].add(row.handle)
    return dict(found)


def _records(
    connection: Connection, run: str, party: str, handles: Collection[str]
) -> Iterator[Any]:
    for part in _parts(sorted(handles)):
        yield from connection.execute(
            select(person_records).where(
                person_records.c.run == run,
                person_records.c.handle.in_(part),
                person_records.c.party == party,
            )
        ).all()


def out_of_run(connection: Connection, run: str, party: str, handles: Collection[str]) -> None:
    """Take some of a party's records out of one run's results."""
    rows = list(_records(connection, run, party, handles))
    for part in _parts([row.handle for row in rows]):
        connection.execute(
            delete(person_records).where(
                person_records.c.run == run, person_records.c.handle.in_(part)
            )
        )
        connection.execute(
            delete(unlinked).where(unlinked.c.run == run, unlinked.c.handle.in_(part))
        )
        for end in (links.c.left, links.c.right):
            connection.execute(delete(links).where(links.c.run == run, end.in_(part)))
        for table in (review_pairs, rulings):
            connection.execute(
                delete(table).where(or_(table.c.left.in_(part), table.c.right.in_(part)))
            )
        forget_outcomes(connection)
    touched: set[str] = set()
    for part in _parts(sorted({row.person for row in rows})):
        touched |= _out_of_families(connection, run, part)
    families_changed(connection, touched)


def forget_outcomes(connection: Connection) -> None:
    """Destroy what became of rulings that are gone: their numbers may be given again."""
    connection.execute(
        delete(run_rulings).where(run_rulings.c.ruling.not_in(select(rulings.c.number)))
    )


def _out_of_families(connection: Connection, run: str, persons: Sequence[str]) -> set[str]:
    """Take persons out of their families; the families."""
    at = and_(family_members.c.run == run, family_members.c.person.in_(persons))
    touched = sorted(set(connection.scalars(select(family_members.c.family).where(at))))
    left = set(
        connection.scalars(
            select(person_records.c.person).where(
                person_records.c.run == run, person_records.c.person.in_(persons)
            )
        )
    )
    gone = sorted(set(persons) - left)
    connection.execute(
        delete(family_members).where(family_members.c.run == run, family_members.c.person.in_(gone))
    )
    _forget_changes(connection, gone)
    lived = household_members
    connection.execute(delete(lived).where(lived.c.run == run, lived.c.person.in_(persons)))
    for family in touched:
        _know_nothing(connection, run, family)
    return set(touched)


def _know_nothing(connection: Connection, run: str, family: str) -> None:
    """What was known of a family but its members goes; without members, so does the family."""
    here = and_(families.c.run == run, families.c.family == family)
    known = connection.scalar(
        select(func.count())
        .select_from(family_needs)
        .where(family_needs.c.run == run, family_needs.c.family == family)
    )
    for table in (family_needs, family_details, family_categories, family_addresses):
        connection.execute(delete(table).where(table.c.run == run, table.c.family == family))
    adults = list(
        connection.scalars(
            select(family_members.c.adult).where(
                family_members.c.run == run, family_members.c.family == family
            )
        )
    )
    if not adults:
        connection.execute(delete(families).where(here))
        return
    connection.execute(
        update(family_members)
        .where(family_members.c.run == run, family_members.c.family == family)
        .values(reasons="[]")
    )
    connection.execute(
        update(families)
        .where(here)
        .values(
            reasons="[]",
            members=len(adults),
            adults=sum(adults),
            children=len(adults) - sum(adults),
            needs_met=0,
            needs_unknown=families.c.needs_unknown + int(known or 0),
            in_programme=False,
            is_resident=True,  # as of all families of whom nobody tells
            flagged=False,
            referred="unknown",
            residence=case((families.c.residence.is_not(None), RESIDENCE[UNTOLD])),
            told_month=None,
        )
    )


def _forget_changes(connection: Connection, persons: Sequence[str]) -> None:
    """Persons who are in no run's results any more are in no list of what became of ids."""
    held = select(person_records.c.person).where(person_records.c.person.in_(persons))
    lost = sorted(set(persons) - set(connection.scalars(held)))
    connection.execute(delete(id_events).where(id_events.c.id.in_(lost)))
    for person in lost:
        naming = id_events.c.others.contains(person)
        for row in connection.execute(select(id_events).where(naming)).all():
            others = [each for each in json.loads(row.others) if each != person]
            connection.execute(
                update(id_events)
                .where(id_events.c.run == row.run, id_events.c.position == row.position)
                .values(others=json.dumps(others))
            )


def _parts(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), _BATCH):
        yield values[start : start + _BATCH]
