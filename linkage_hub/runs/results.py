"""Storing a run's results, and making them the agreement's current ones.

Rules: all results of a run are stored in one transaction; they become current only once the
ledger has the run's receipt, so that nobody works with results that no auditor could have seen;
of a need nothing is stored where nothing is known; results give way to newer ones, but what became
of ids is kept for as long as results may be, since nothing else tells where a pseudonym went.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Table, delete, select, update

from governance.canonical import canonical_bytes
from governance.ledger.payloads import LinkRunFinished
from governance.transparency.models import Program
from linkage_hub.analytics.needs import SEVERAL, SEVERAL_NAMES, STATES, UNKNOWN, UNSAID
from linkage_hub.families.columns import NEVER, OPEN, RESIDENCE
from linkage_hub.reports.store import results_gone
from linkage_hub.runs.pipeline import Results
from linkage_hub.store.bulk import insert_rows
from linkage_hub.store.tables import (
    families,
    family_addresses,
    family_categories,
    family_details,
    family_members,
    family_needs,
    household_members,
    id_events,
    links,
    person_records,
    released_tables,
    review_pairs,
    run_rulings,
    runs,
    unlinked,
)

RUNS_KEPT: Final = 2
"""The current run and the one before it; older results are destroyed."""
_SUPERSEDED: Final = (
    person_records, families, family_members, family_needs, family_addresses, household_members,
    review_pairs, run_rulings, links, unlinked, family_categories, family_details,
)  # fmt: skip
_RESULT_TABLES: Final = (*_SUPERSEDED, id_events)
_ID: Final = "S34"  # p- or f- and 32 hexadecimal digits
_HEX: Final = "S32"
_ROWS_AT_ONCE: Final = 50_000


def results_digest(results: Results) -> str:
    """Digest over every person's records and every family's members, as ``sha256:<hex>``.

    SHA-256 over lines ``<person> <handle>`` in ascending order, an empty line, and lines
    ``<family> <person>`` in ascending order; ids and handles as in the exports.
    """
    names = np.array(results.persons.ids, dtype=_ID)
    homes = np.array(results.family_ids.ids, dtype=_ID)
    members = results.families
    digest = hashlib.sha256()
    digest.update(_lines(names[results.person], np.array(_handles(results), dtype=_HEX)))
    digest.update(b"\n")
    digest.update(_lines(homes[members.member_family], names[members.member_person]))
    return f"sha256:{digest.hexdigest()}"


def _lines(first: NDArray[np.bytes_], second: NDArray[np.bytes_]) -> bytes:
    order = np.lexsort((second, first))
    columns = [
        first[order, None].view(np.uint8),
        np.full((len(order), 1), ord(" "), dtype=np.uint8),
        second[order, None].view(np.uint8),
        np.full((len(order), 1), ord("\n"), dtype=np.uint8),
    ]
    return np.concatenate(columns, axis=1).tobytes()


def _handles(results: Results) -> list[str]:
    """Handles of all records as hexadecimal digits."""
    words = results.handles.tobytes().hex()
    return [words[at : at + 32] for at in range(0, len(words), 32)]


def write_results(
    connection: Connection,
    run: str,
    receipt: LinkRunFinished,
    results: Results,
    program: Program,
) -> None:
    """Store results and figures of a run, and which program finished it, not current yet.

    Raises:
        HubStoreError: the database cannot take them; the caller's transaction is undone.
    """
    for table, columns, rows in (
        (person_records, _PERSON, _person_rows(results)),
        (families, _FAMILY, _family_rows(results)),
        (family_members, _MEMBER, _member_rows(results)),
        (family_needs, _NEED, _need_rows(results)),
        (family_categories, _CATEGORY, _category_rows(results)),
        (family_details, _DETAIL, _detail_rows(results)),
        (family_addresses, _ADDRESS, _address_rows(results)),
        (household_members, _HOUSEHOLD, _household_rows(results)),
        (id_events, _EVENT, _event_rows(results)),
    ):
        insert_rows(connection, table, ("run", *columns), (((run, *row)) for row in rows))
    linked = results.linked
    connection.execute(
        update(runs)
        .where(runs.c.id == run)
        .values(
            sources=len(results.sources),
            records=len(results.handles),
            persons=receipt.persons,
            families=receipt.families,
            flagged=receipt.flagged,
            threshold=round(float(linked.threshold), 4),
            estimated_precision=round(float(linked.estimate.precision), 4),
            estimated_recall=round(float(linked.estimate.recall), 4),
            quality=json.dumps(_quality(results)),
            receipt=canonical_bytes(receipt),
            program=program.model_dump_json(),
        )
    )


def publish(connection: Connection, run: str, agreement: str, finished: str) -> None:
    """Make stored results the agreement's current ones; what is older than the last goes.

    All but what became of ids, which the agreement's retention ends.
    """
    connection.execute(
        update(runs)
        .where(runs.c.agreement == agreement, runs.c.is_current.is_(True))
        .values(is_current=False)
    )
    connection.execute(
        update(runs)
        .where(runs.c.id == run)
        .values(state="finished", is_current=True, finished=finished)
    )
    _forget_old(connection, agreement)


def discard(connection: Connection, run: str) -> None:
    """Destroy all that was stored of a run: it failed, or its retention is over."""
    _destroy(connection, run, _RESULT_TABLES)


def _destroy(connection: Connection, run: str, tables: Sequence[Table]) -> None:
    for table in tables:
        connection.execute(delete(table).where(table.c.run == run))
    connection.execute(  # nothing can be published of it any more, so nothing has to be compared
        update(released_tables).where(released_tables.c.run == run).values(numbers="[]")
    )
    connection.execute(update(runs).where(runs.c.id == run).values(unlinked=None))
    results_gone(connection, run, whole=id_events in tables)


def held(connection: Connection, run: str) -> bool:
    """Whether anything of a run's results is stored."""
    return any(
        connection.execute(select(table.c.run).where(table.c.run == run).limit(1)).first()
        for table in _RESULT_TABLES
    )


def _quality(results: Results) -> list[dict[str, Any]]:
    names = [source.source for source in results.sources]
    return [
        {
            "first": names[pair.first],
            "second": names[pair.second],
            "threshold": round(float(pair.threshold), 4),
            **{name: round(float(value), 4) for name, value in asdict(pair.estimate).items()},
        }
        for pair in results.linked.pairs
    ]


def _forget_old(connection: Connection, agreement: str) -> None:
    finished = list(
        connection.scalars(
            select(runs.c.id)
            .where(runs.c.agreement == agreement, runs.c.state == "finished")
            .order_by(runs.c.finished.desc(), runs.c.is_current.desc())
        )
    )
    for run in finished[RUNS_KEPT:]:
        _destroy(connection, run, _SUPERSEDED)


_PERSON: Final = ("handle", "person", "party", "source")
_FAMILY: Final = (
    "family", "confidence", "reasons", "members", "adults", "children", "needs_met",
    "needs_unknown", "in_programme", "is_resident", "flagged", "referred",
    "residence", "told_month",
)  # fmt: skip
_MEMBER: Final = (
    "family", "person", "role", "age_band", "adult", "confidence", "is_primary", "reasons",
)  # fmt: skip
_NEED: Final = ("family", "need", "state", "sources")
_CATEGORY: Final = ("family", "use", "category")
_DETAIL: Final = ("family", "indicator", "state")
_ADDRESS: Final = ("family", "position", "household", "first_month", "last_month")
_HOUSEHOLD: Final = (
    "person", "household", "first_month", "last_month", "is_dated", "is_home", "is_institutional",
)  # fmt: skip
_EVENT: Final = ("position", "kind", "id", "others")
_Rows = Iterator[tuple[Any, ...]]


def _person_rows(results: Results) -> _Rows:
    """In order of the handle, as the table's key is: a key's index grows at its end only."""
    order = np.argsort(results.handles)
    handles, names = _handles(results), results.persons.ids
    sizes = [len(source.handles) for source in results.sources]
    source_of = np.repeat(np.arange(len(sizes)), sizes)[order].tolist()
    places = [(source.party, source.source) for source in results.sources]
    persons = results.person[order].tolist()
    for at, person, source in zip(order.tolist(), persons, source_of, strict=True):
        yield handles[at], names[person], *places[source]


def _family_rows(results: Results) -> _Rows:
    found, needs = results.families, results.needs
    child = found.is_child[found.member_person]
    members = np.bincount(found.member_family, minlength=found.count)
    children = np.bincount(found.member_family[child], minlength=found.count)
    return zip(
        results.family_ids.ids,
        found.confidence,
        found.reasons,
        members.tolist(),
        (members - children).tolist(),
        children.tolist(),
        needs.met.tolist(),
        needs.unknown.tolist(),
        needs.in_programme.tolist(),
        needs.resident.tolist(),
        needs.flagged.tolist(),
        [STATES[state] for state in results.referred.tolist()],
        [RESIDENCE[state] for state in results.whereabouts.state.tolist()],
        [None if month == NEVER else month for month in results.whereabouts.told.tolist()],
        strict=True,
    )


def _member_rows(results: Results) -> _Rows:
    found = results.families
    homes, names = results.family_ids.ids, results.persons.ids
    people = found.member_person.tolist()
    return zip(
        [homes[at] for at in found.member_family.tolist()],
        [names[person] for person in people],
        found.role,
        [found.band[person] for person in people],
        (~found.is_child[found.member_person]).tolist(),
        found.member_confidence,
        found.primary.tolist(),
        found.member_reasons,
        strict=True,
    )


def _need_rows(results: Results) -> _Rows:
    needs, homes = results.needs, results.family_ids.ids
    at, column = np.nonzero(needs.state != UNKNOWN)
    return zip(
        [homes[family] for family in at.tolist()],
        [needs.needs[need] for need in column.tolist()],
        [STATES[state] for state in needs.state[at, column].tolist()],
        needs.sources[at, column].tolist(),
        strict=True,
    )


def _category_rows(results: Results) -> _Rows:
    homes = results.family_ids.ids
    for use, found in results.categories.items():
        for at in np.flatnonzero(found.of != UNSAID).tolist():
            place = int(found.of[at])
            yield homes[at], use, SEVERAL_NAMES if place == SEVERAL else found.names[place]


def _detail_rows(results: Results) -> _Rows:
    homes = results.family_ids.ids
    for name, state in results.details.items():
        for family in np.flatnonzero(state != UNKNOWN).tolist():
            yield homes[family], name, STATES[state[family]]


def _address_rows(results: Results) -> _Rows:
    found, homes = results.families, results.family_ids.ids
    family = found.address_family
    begins = np.searchsorted(family, family, side="left")  # where the family's own addresses begin
    return zip(
        [homes[at] for at in family.tolist()],
        (np.arange(len(family)) - begins).tolist(),
        found.household,
        found.first_month,
        found.last_month,
        strict=True,
    )


def _household_rows(results: Results) -> _Rows:
    """In order of the person, as the table's key is."""
    found, names = results.families.households, results.persons.ids
    rank = np.argsort(np.argsort(np.array(names, dtype=_ID)))
    order = np.lexsort((found.household, rank[found.person]))
    for start in range(0, len(order), _ROWS_AT_ONCE):
        at = order[start : start + _ROWS_AT_ONCE]
        yield from zip(
            [names[person] for person in found.person[at].tolist()],
            [found.names[home] for home in found.household[at].tolist()],
            found.first_month[at].tolist(),
            [None if month == OPEN else month for month in found.last_month[at].tolist()],
            found.dated[at].tolist(),
            found.home[at].tolist(),
            found.institutional[at].tolist(),
            strict=True,
        )


def _event_rows(results: Results) -> _Rows:
    position = 0
    for carried in (results.persons, results.family_ids):
        for event in carried.changes:
            yield position, event.kind, event.id, json.dumps(list(event.others))
            position += 1
        for name in carried.new:
            yield position, "new", name, "[]"
            position += 1
