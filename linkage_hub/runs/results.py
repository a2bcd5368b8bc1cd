"""Writing a run's results: all of them in one transaction, which also makes the run current."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import Connection, Table, delete, insert, select, update

from governance.canonical import canonical_bytes, hash_of
from governance.ledger.payloads import LinkRunFinished
from linkage_hub.families.evidence import Family
from linkage_hub.runs.pipeline import Results
from linkage_hub.store.tables import (
    families,
    family_addresses,
    family_members,
    family_needs,
    id_events,
    person_records,
    runs,
)

RUNS_KEPT: Final = 2
"""The current run and the one before it; older results are destroyed."""
_BATCH: Final = 5_000
_RESULT_TABLES: Final = (
    person_records, families, family_members, family_needs, family_addresses, id_events,
)  # fmt: skip


def results_digest(results: Results) -> str:
    """Digest over every person's records and every family's members."""
    persons = sorted(
        [results.person_ids[number], sorted(_handles(results, number))]
        for number in range(len(results.person_ids))
    )
    grouped = sorted(
        [id_, sorted(results.person_ids[member.person] for member in family.members)]
        for id_, family in zip(results.family_ids, results.families, strict=True)
    )
    return hash_of({"persons": persons, "families": grouped})


def _handles(results: Results, person: int) -> Iterator[str]:
    for at, row in results.records[person]:
        yield results.sources[at].handles[row]


def write_results(
    connection: Connection, run: str, receipt: LinkRunFinished, results: Results, finished: str
) -> None:
    """Store results and make the run the agreement's current one."""
    _insert(connection, person_records, _person_rows(run, results))
    numbered = list(zip(results.family_ids, results.families, strict=True))
    _insert(connection, families, _family_rows(run, results))
    _insert(connection, family_members, _member_rows(run, numbered, results))
    _insert(connection, family_needs, _need_rows(run, results))
    _insert(connection, family_addresses, _address_rows(run, numbered))
    _insert(connection, id_events, _event_rows(run, results))
    connection.execute(
        update(runs)
        .where(runs.c.agreement == receipt.agreement, runs.c.is_current.is_(True))
        .values(is_current=False)
    )
    linked = results.linked
    connection.execute(
        update(runs)
        .where(runs.c.id == run)
        .values(
            state="finished",
            is_current=True,
            finished=finished,
            sources=len(results.sources),
            records=sum(len(source.handles) for source in results.sources),
            persons=receipt.persons,
            families=receipt.families,
            flagged=receipt.flagged,
            threshold=round(float(linked.threshold), 4),
            estimated_precision=round(float(linked.estimate.precision), 4),
            estimated_recall=round(float(linked.estimate.recall), 4),
            quality=json.dumps(_quality(results)),
            receipt=canonical_bytes(receipt),
        )
    )
    _forget_old(connection, receipt.agreement)


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
        for table in _RESULT_TABLES:
            connection.execute(delete(table).where(table.c.run == run))


def _insert(connection: Connection, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            connection.execute(insert(table), batch)
            batch = []
    if batch:
        connection.execute(insert(table), batch)


def _person_rows(run: str, results: Results) -> Iterator[dict[str, Any]]:
    for number, places in enumerate(results.records):
        for at, row in places:
            source = results.sources[at]
            yield {
                "run": run,
                "handle": source.handles[row],
                "person": results.person_ids[number],
                "party": source.party,
                "source": source.source,
            }


def _family_rows(run: str, results: Results) -> Iterator[dict[str, Any]]:
    for id_, family, item in zip(
        results.family_ids, results.families, results.assessments, strict=True
    ):
        children = sum(results.evidence[m.person].is_child for m in family.members)
        yield {
            "run": run,
            "family": id_,
            "confidence": round(family.confidence, 4),
            "reasons": json.dumps(list(family.reasons)),
            "members": len(family.members),
            "adults": len(family.members) - children,
            "children": children,
            "needs_met": item.met,
            "needs_unknown": item.unknown,
            "in_programme": item.in_programme,
            "is_resident": item.resident,
            "flagged": item.flagged,
        }


def _member_rows(
    run: str, numbered: Sequence[tuple[str, Family]], results: Results
) -> Iterator[dict[str, Any]]:
    for id_, family in numbered:
        for member in family.members:
            evidence = results.evidence[member.person]
            yield {
                "run": run,
                "family": id_,
                "person": results.person_ids[member.person],
                "role": member.role,
                "age_band": evidence.age_band,
                "adult": not evidence.is_child,
                "confidence": round(member.confidence, 4),
                "is_primary": member.primary,
            }


def _need_rows(run: str, results: Results) -> Iterator[dict[str, Any]]:
    for id_, item in zip(results.family_ids, results.assessments, strict=True):
        for need in item.needs:
            yield {
                "run": run,
                "family": id_,
                "need": need.id,
                "state": need.state,
                "sources": need.sources,
            }


def _address_rows(run: str, numbered: Sequence[tuple[str, Family]]) -> Iterator[dict[str, Any]]:
    for id_, family in numbered:
        for position, spell in enumerate(family.addresses):
            yield {
                "run": run,
                "family": id_,
                "position": position,
                "household": spell.household.hex(),
                "first_month": spell.first_month,
                "last_month": spell.last_month,
            }


def _event_rows(run: str, results: Results) -> Iterator[dict[str, Any]]:
    for position, event in enumerate(results.events):
        yield {
            "run": run,
            "position": position,
            "kind": event.kind,
            "id": event.id,
            "others": json.dumps(list(event.others)),
        }
