"""Reads many families of one run at once: members, their records, needs, sources."""

from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from typing import Any, Final

from pydantic import ValidationError
from sqlalchemy import Connection, select

from governance.agreements.models import Agreement
from governance.exchange.release_api import SourceView
from governance.release.models import Member, Members, RecordRef
from linkage_hub.releases.errors import FamilyTooLarge
from linkage_hub.store.tables import (
    family_members,
    family_needs,
    person_records,
    run_inputs,
    submissions,
)

_BATCH: Final = 500  # values in one statement


def people_of(connection: Connection, run: str, ids: Sequence[str]) -> dict[str, list[Any]]:
    """Rows of families' members, in one fixed order."""
    found: dict[str, list[Any]] = {family: [] for family in ids}
    for row in connection.execute(
        select(family_members)
        .where(family_members.c.run == run, family_members.c.family.in_(ids))
        .order_by(family_members.c.family, family_members.c.person)
    ):
        found[row.family].append(row)
    return found


def records_of(
    connection: Connection, run: str, persons: Iterable[str]
) -> dict[str, tuple[RecordRef, ...]]:
    """Persons' records, in one fixed order."""
    found: dict[str, list[RecordRef]] = {person: [] for person in persons}
    for row in connection.execute(
        select(person_records)
        .where(person_records.c.run == run, person_records.c.person.in_(list(found)))
        .order_by(person_records.c.party, person_records.c.source, person_records.c.handle)
    ):
        found[row.person].append(RecordRef(party=row.party, source=row.source, handle=row.handle))
    return {person: tuple(refs) for person, refs in found.items()}


def asked_about(
    connection: Connection, runs: Collection[str], records: Collection[tuple[str, str]]
) -> set[tuple[str, str]]:
    """Runs and ids of the families that any of some records (party, handle) is in."""
    found: set[tuple[str, str]] = set()
    handles = iter({handle for _, handle in records})
    while part := list(islice(handles, _BATCH)):
        rows = connection.execute(
            select(family_members.c.run, family_members.c.family)
            .join(
                person_records,
                (person_records.c.run == family_members.c.run)
                & (person_records.c.person == family_members.c.person),
            )
            .where(person_records.c.run.in_(runs), person_records.c.handle.in_(part))
        )
        found |= {(row.run, row.family) for row in rows}
    return found


def needs_met(connection: Connection, run: str, ids: Sequence[str]) -> dict[str, list[str]]:
    """Needs of families that are met."""
    found: dict[str, list[str]] = {family: [] for family in ids}
    for row in connection.execute(
        select(family_needs.c.family, family_needs.c.need)
        .where(
            family_needs.c.run == run,
            family_needs.c.family.in_(ids),
            family_needs.c.state == "met",
        )
        .order_by(family_needs.c.family, family_needs.c.need)
    ):
        found[row.family].append(row.need)
    return found


def document_of(row: Any, people: Sequence[Any], records: dict[str, Any]) -> Members:
    """The members' document of a family's row.

    Raises:
        FamilyTooLarge: more people, or records of one, than a request may name.
    """
    try:
        return Members(
            family=row.family,
            agreement=row.agreement,
            members=tuple(
                Member(person=person.person, adult=person.adult, records=records[person.person])
                for person in people
            ),
        )
    except ValidationError:
        raise FamilyTooLarge(
            "the family has more people, or one of them more records, than a request may name",
            next_step="tell the analyst: the links are probably wrong",
        ) from None


def sources_of(
    connection: Connection, run: str, document: Members, agreement: Agreement
) -> tuple[SourceView, ...]:
    """Source systems that hold records of a family, and when the hub was given them."""
    held: dict[tuple[str, str], int] = {}
    for member in document.members:
        for record in member.records:
            held[record.party, record.source] = held.get((record.party, record.source), 0) + 1
    speaks = {source.id: source.indicators for source in agreement.sources}
    received = {
        (row.party, row.source): row.received
        for row in connection.execute(
            select(run_inputs.c.party, run_inputs.c.source, submissions.c.received)
            .join(submissions, submissions.c.id == run_inputs.c.submission)
            .where(run_inputs.c.run == run)
        )
    }
    return tuple(
        SourceView(
            party=party,
            source=source,
            records=count,
            received=received[party, source],
            indicators=tuple(each for each in speaks.get(source, ()) if each in agreement.needs),
        )
        for (party, source), count in sorted(held.items())
        if (party, source) in received
    )
