"""How fresh the sources of an agreement are, and which of their records were not linked.

Rules: how many people are held back (protected, or opted out) is told as every count that leaves
the house is (``governance.disclosure.counts``): none and few look alike, larger ones are rounded.
How many records were taken out for data subjects' requests is not told; whoever lays a submission's
records beside a run's sees it where the agreement has no synthetic rows. Handles of records that
are alone are pseudonyms, and are not suppressed: who looks has them in ``records.csv`` too.
"""

import json
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from governance.agreements.models import Agreement, Source
from governance.canonical import parse_time, write_time
from governance.disclosure.counts import publish
from governance.exchange.analysis_api import (
    FreshnessList,
    SourceFreshness,
    SourceUnlinked,
    UnlinkedList,
    UnlinkedRecord,
)
from governance.exchange.submission import Counts
from linkage_hub.analytics.permission import Permission
from linkage_hub.analytics.persons import kept
from linkage_hub.analytics.remembered import Remembered, rows_of
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import person_records, run_inputs, runs, submissions, unlinked
from linkage_hub.submissions.manifests import manifest_of

_AT_ONCE: Final = 50_000  # rows
_KEPT: Final = 2  # runs


class SourceDesk:
    """What analysts see of sources."""

    def __init__(
        self, database: HubDatabase, permission: Permission, now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._permission = permission
        self._now = now
        self.kept: Remembered[_Alone] = Remembered(_KEPT)

    def freshness(self, party: str, agreement: str) -> FreshnessList:
        """Every source that the agreement names, by party and source.

        Raises:
            AgreementRefusal: it is not in force, or not this party's.
        """
        terms = self._permission.agreement(party, agreement)
        current = (
            select(runs.c.id)
            .where(runs.c.agreement == agreement, runs.c.is_current.is_(True))
            .scalar_subquery()
        )
        with self._database.reading() as connection:
            used = set(
                connection.scalars(
                    select(run_inputs.c.submission).where(run_inputs.c.run == current)
                )
            )
            rows = connection.execute(
                select(submissions)
                .where(submissions.c.agreement == agreement)
                .order_by(submissions.c.received.desc(), submissions.c.id)
            ).all()
        return FreshnessList(
            agreement=agreement,
            sources=tuple(
                self._fresh(source, terms, [row for row in rows if row.source == source.id], used)
                for source in sorted(terms.sources, key=lambda each: (each.party, each.id))
            ),
        )

    def _fresh(
        self, source: Source, terms: Agreement, rows: list[Any], used: set[str]
    ) -> SourceFreshness:
        """One source; ``rows`` are its submissions, newest first."""
        held = next((row for row in rows if row.state == "accepted"), None)
        refused = [row for row in rows if row.state == "refused"]
        replaced = sum(row.state == "replaced" for row in rows)
        later = refused and (held is None or refused[0].received > held.received)
        day, until = None, None
        if held is not None:
            day = _day(manifest_of(held).extracted_on)
            kept_for = timedelta(days=terms.retention.encodings_days)
            until = write_time(parse_time(min(held.received, held.created)) + kept_for)
        return SourceFreshness(
            party=source.party,
            source=source.id,
            submission=None if held is None else held.id,
            received=None if held is None else held.received,
            extracted_on=None if day is None else day.isoformat(),
            age_days=None if day is None else max(0, (self._now().date() - day).days),
            kept_until=until,
            records=None if held is None else held.records,
            in_current_run=held is not None and held.id in used,
            accepted=replaced + (held is not None),
            refused=len(refused),
            replaced=replaced,
            last_refusal=refused[0].reason if later else None,
        )

    def unlinked(self, party: str, run: str, offset: int, limit: int) -> UnlinkedList:
        """By source what was not linked and why, and a page of the records.

        Raises:
            UnknownRun: there is no such run, or its results gave way to newer ones.
            AgreementRefusal: the agreement is not in force, or not this party's.
        """
        row, terms = self._permission.records_of(party, run)
        figures = json.loads(row.unlinked) if row.unlinked else []
        with self._database.reading() as connection:
            kept(connection, row)
            of = ((run, rows_of(connection, run)),)
            alone = self.kept.get(of, lambda: _Alone.read(connection, run))
            sources = [
                _unlinked(
                    each,
                    alone.counts.get((each["party"], each["source"]), {}),
                    _counts(connection, each["manifest"]),
                    terms.suppression_threshold,
                )
                for each in figures
            ]
        return UnlinkedList(
            sources=tuple(sources),
            records=tuple(alone.page(offset, limit)),
            total=len(alone.handles),
        )


class _Alone(NamedTuple):
    """Records of a run that are alone, by place and handle.

    Attributes:
        places: party, source and barrier, ascending.
        place: the place of each record, int64 (n,), ascending.
        handles: bytes (n,), ascending within a place.
        counts: records by party and source, and by barrier.
    """

    places: list[tuple[str, str, str]]
    place: NDArray[np.int64]
    handles: NDArray[np.bytes_]
    counts: dict[tuple[str, str], dict[str, int]]

    @classmethod
    def read(cls, connection: Connection, run: str) -> Self:
        """From the rows of a run."""
        of, by = unlinked.c, person_records.c
        statement = (
            select(of.handle, by.party, by.source, of.barrier)
            .join(person_records, (by.run == of.run) & (by.handle == of.handle))
            .where(of.run == run)
        )
        numbers: dict[tuple[str, str, str], int] = {}
        handles, place = [np.zeros(0, "S32")], [np.zeros(0, np.int64)]
        for rows in connection.execute(statement).partitions(_AT_ONCE):
            handles.append(np.array([row[0] for row in rows], "S32"))
            found = [numbers.setdefault(tuple(row[1:]), len(numbers)) for row in rows]
            place.append(np.array(found, np.int64))
        places = sorted(numbers)
        rank = np.zeros(len(places), np.int64)
        rank[[numbers[each] for each in places]] = np.arange(len(places))
        every, where = np.concatenate(handles), rank[np.concatenate(place)]
        order = np.lexsort((every, where))
        counts: dict[tuple[str, str], dict[str, int]] = {}
        sizes = np.bincount(where, minlength=len(places)).tolist()
        for (party, source, barrier), size in zip(places, sizes, strict=True):
            counts.setdefault((party, source), {})[barrier] = size
        return cls(places, where[order], every[order], counts)

    def page(self, offset: int, limit: int) -> Iterator[UnlinkedRecord]:
        """Some of them."""
        part = slice(offset, offset + limit)
        for at, handle in zip(self.place[part].tolist(), self.handles[part].tolist(), strict=True):
            party, source, barrier = self.places[at]
            yield UnlinkedRecord(
                handle=handle.decode("ascii"), party=party, source=source, barrier=barrier
            )


def _day(text: str) -> date | None:
    """The day of an extract; None where a manifest from before hubs asked for one names none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _counts(connection: Connection, manifest: str) -> Counts | None:
    row = connection.execute(
        select(submissions).where(submissions.c.manifest_hash == manifest)
    ).first()
    return None if row is None else manifest_of(row).counts


def _unlinked(
    figures: dict[str, Any], barriers: dict[str, int], counts: Counts | None, threshold: int
) -> SourceUnlinked:
    opted_out = 0 if counts is None else counts.opted_out
    return SourceUnlinked(
        party=figures["party"],
        source=figures["source"],
        records=figures["records"],
        alone=figures["alone"],
        barriers=barriers,
        rejected=0 if counts is None else counts.rejected,
        opted_out=publish(opted_out, threshold).about,
    )
