"""Two runs of one agreement side by side.

Rules: the older and the newer are told by when they finished, whatever the order of asking;
persons and families are compared over the records that both runs hold, so that records that came
or went change nothing by themselves; a family's records are those of its members whose first home
it is. Where the results of one run gave way to newer ones there are figures and sources alone.
Columns of the newest comparisons are kept, so that their further pages are there at once.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, select

from governance.agreements.models import Action
from governance.exchange.analysis_api import (
    ChangedPerson,
    Changes,
    ComparedSource,
    RunComparison,
    RunFigures,
)
from linkage_hub.analytics.permission import Permission
from linkage_hub.analytics.remembered import Remembered, rows_of
from linkage_hub.runs.errors import NotComparable
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import (
    family_members,
    person_records,
    run_inputs,
    run_rulings,
    submissions,
)

_ID: Final = "S34"  # p- or f- and 32 hexadecimal digits
_ROWS_AT_ONCE: Final = 50_000
_KEPT: Final = 2  # comparisons; of a million records some 200 megabytes each
_Ids = NDArray[np.bytes_]


class Comparisons:
    """Comparisons of any two runs."""

    def __init__(self, database: HubDatabase, permission: Permission) -> None:
        self._database = database
        self._permission = permission
        self.kept: Remembered[_Both] = Remembered(_KEPT)

    def compare(self, party: str, one: str, other: str, offset: int, limit: int) -> RunComparison:
        """Two runs, and a page of the persons that are merged or split.

        Raises:
            UnknownRun: one of them is not a finished run of the party's.
            NotComparable: they are of two agreements, or one and the same.
            AgreementRefusal: the agreement is not in force, or not this party's.
        """
        found = [self._permission.records_of(party, run) for run in (one, other)]
        rows = [row for row, _ in found]
        forward = all(Action.ANALYSE in terms.actions for _, terms in found)
        older, newer = sorted(rows, key=lambda row: (row.finished, row.is_current, row.created))
        if older.agreement != newer.agreement or older.id == newer.id:
            raise NotComparable(
                "two different runs of one agreement are compared",
                next_step="linkage-hub runs list shows the agreement of each",
            )
        with self._database.reading() as connection:
            of = tuple((each.id, rows_of(connection, each.id)) for each in (older, newer))
            compared, families = self.kept.get(of, lambda: _both(connection, older, newer))
            return RunComparison(
                older=_figures(connection, older, forward=forward),
                newer=_figures(connection, newer, forward=forward),
                persons=None if compared is None else compared.changes,
                families=None if families is None else families.changes,
                sources=tuple(compared_sources(connection, older.id, newer.id)),
                changed=() if compared is None else tuple(compared.page(offset, limit)),
                total=0 if compared is None else len(compared.merged) + len(compared.split),
            )


class _Both(NamedTuple):
    """What became of persons and of families; None where one run's results gave way."""

    persons: "_Compared | None"
    families: "_Compared | None"


def _both(connection: Connection, older: Any, newer: Any) -> _Both:
    before, after = (_persons(connection, row.id) for row in (older, newer))
    if any(row.records and not len(each[0]) for row, each in ((older, before), (newer, after))):
        return _Both(None, None)
    homes = [_families(connection, row.id, each) for row, each in ((older, before), (newer, after))]
    gone = any(
        row.records and not len(each[0]) for row, each in zip((older, newer), homes, strict=True)
    )
    return _Both(_Compared(before, after), None if gone else _Compared(*homes))


def _persons(connection: Connection, run: str) -> tuple[_Ids, _Ids]:
    """Handles, ascending, and the person of each."""
    of = person_records.c
    statement = select(of.handle, of.person).where(of.run == run).order_by(of.handle)
    return _read(connection, statement, "S32")


def _families(connection: Connection, run: str, persons: tuple[_Ids, _Ids]) -> tuple[_Ids, _Ids]:
    """Handles, ascending, and the family of each that has one."""
    of = family_members.c
    statement = select(of.person, of.family).where(of.run == run, of.is_primary.is_(True))
    members, homes = _read(connection, statement, _ID)
    handles, names = persons
    if not len(members):
        return handles[:0], homes
    at = np.minimum(np.searchsorted(members, names), len(members) - 1)
    found = members[at] == names
    return handles[found], homes[at[found]]


def _read(connection: Connection, statement: Any, kind: str) -> tuple[_Ids, _Ids]:
    """Two columns, by the first, ascending; its type is given, the second holds ids."""
    parts = [
        (np.array([row[0] for row in rows], kind), np.array([row[1] for row in rows], _ID))
        for rows in connection.execute(statement).partitions(_ROWS_AT_ONCE)
    ]
    firsts = np.concatenate([np.zeros(0, kind), *(part[0] for part in parts)])
    seconds = np.concatenate([np.zeros(0, _ID), *(part[1] for part in parts)])
    order = np.argsort(firsts, kind="stable")
    return firsts[order], seconds[order]


class _Compared:
    """What became of the groups of one run in another."""

    def __init__(self, older: tuple[_Ids, _Ids], newer: tuple[_Ids, _Ids]) -> None:
        _, mine, theirs = np.intersect1d(
            older[0], newer[0], assume_unique=True, return_indices=True
        )
        before, after = older[1][mine], newer[1][theirs]
        self._before, own = np.unique(before, return_inverse=True)
        self._after, other = np.unique(after, return_inverse=True)
        many = max(1, len(self._after))
        self._own, self._other = np.divmod(np.unique(own * many + other), many)
        parts = np.bincount(self._own, minlength=len(self._before))
        sources = np.bincount(self._other, minlength=len(self._after))
        self.split, self.merged = np.flatnonzero(parts > 1), np.flatnonzero(sources > 1)
        self.changes = Changes(
            kept=int(((parts[self._own] == 1) & (sources[self._other] == 1)).sum()),
            merged=len(self.merged),
            split=len(self.split),
            new=len(np.unique(newer[1])) - len(self._after),
            gone=len(np.unique(older[1])) - len(self._before),
        )

    def page(self, offset: int, limit: int) -> Iterator[ChangedPerson]:
        """Those that are merged, then those that are split, each by id."""
        merged = self.merged[offset : offset + limit]
        for at in merged.tolist():
            others = self._before[self._own[self._other == at]]
            yield _changed("merged", self._after[at], others)
        start = max(0, offset - len(self.merged))
        for at in self.split[start : start + limit - len(merged)].tolist():
            others = self._after[self._other[self._own == at]]
            yield _changed("split", self._before[at], others)


def _changed(kind: Any, person: bytes, others: _Ids) -> ChangedPerson:
    return ChangedPerson(
        kind=kind,
        person=person.decode("ascii"),
        others=tuple(sorted(each.decode("ascii") for each in others.tolist())),
    )


def _figures(connection: Connection, row: Any, *, forward: bool) -> RunFigures:
    """Of one run; who was put forward where the agreement allows that."""
    given = connection.scalar(
        select(func.count()).select_from(run_rulings).where(run_rulings.c.run == row.id)
    )
    return RunFigures(
        id=row.id,
        finished=row.finished,
        mode=row.mode,
        solver=row.solver,
        questions=row.questions,
        records=row.records,
        persons=row.persons,
        families=row.families,
        flagged=row.flagged if forward else None,
        threshold=row.threshold,
        estimated_precision=row.estimated_precision,
        estimated_recall=row.estimated_recall,
        pairs_asked=row.pairs_asked,
        pairs_answered=row.pairs_answered,
        rulings=int(given or 0),
    )


def compared_sources(connection: Connection, older: str, newer: str) -> Iterator[ComparedSource]:
    """Each source that either run began with, by party and source."""
    began = [_inputs(connection, run) for run in (older, newer)]
    for party, source in sorted({*began[0], *began[1]}):
        mine, theirs = (each.get((party, source), (None, None)) for each in began)
        yield ComparedSource(
            party=party,
            source=source,
            older=mine[0],
            newer=theirs[0],
            older_records=mine[1],
            newer_records=theirs[1],
        )


def _inputs(connection: Connection, run: str) -> dict[tuple[str, str], tuple[str, int | None]]:
    rows = connection.execute(
        select(run_inputs, submissions.c.records)
        .outerjoin(submissions, submissions.c.id == run_inputs.c.submission)
        .where(run_inputs.c.run == run)
    )
    return {(row.party, row.source): (row.manifest_hash, row.records) for row in rows}
