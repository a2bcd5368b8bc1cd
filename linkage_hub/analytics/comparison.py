"""Two runs of one agreement side by side.

Rules: the older and the newer are told by when they finished, whatever the order of asking;
persons and families are compared over the records that both runs hold, so that records that came
or went change nothing by themselves; a family's records are those of its members whose first home
it is. Where the results of one run gave way to newer ones there are figures and sources alone.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Select, func, select

from governance.exchange.analysis_api import (
    ChangedPerson,
    Changes,
    ComparedSource,
    RunComparison,
    RunFigures,
)
from linkage_hub.analytics.permission import Permission
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
_Ids = NDArray[np.bytes_]


class Comparisons:
    """Comparisons of any two runs."""

    def __init__(self, database: HubDatabase, permission: Permission) -> None:
        self._database = database
        self._permission = permission

    def compare(self, party: str, one: str, other: str, offset: int, limit: int) -> RunComparison:
        """Two runs, and a page of the persons that are merged or split.

        Raises:
            UnknownRun: one of them is not a finished run of the party's.
            NotComparable: they are of two agreements, or one and the same.
            AgreementRefusal: the agreement is not in force, or not this party's.
        """
        rows = [self._permission.records_of(party, run)[0] for run in (one, other)]
        older, newer = sorted(rows, key=lambda row: (row.finished, row.is_current, row.created))
        if older.agreement != newer.agreement or older.id == newer.id:
            raise NotComparable(
                "two different runs of one agreement are compared",
                next_step="linkage-hub runs list shows the agreement of each",
            )
        with self._database.reading() as connection:
            compared = _compared(connection, _persons, older, newer)
            families = _compared(connection, _families, older, newer)
            return RunComparison(
                older=_figures(connection, older),
                newer=_figures(connection, newer),
                persons=None if compared is None else compared.changes,
                families=None if families is None else families.changes,
                sources=tuple(_sources(connection, older.id, newer.id)),
                changed=() if compared is None else tuple(compared.page(offset, limit)),
                total=0 if compared is None else len(compared.merged) + len(compared.split),
            )


def _persons(run: str) -> Select[Any]:
    return select(person_records.c.handle, person_records.c.person).where(
        person_records.c.run == run
    )


def _families(run: str) -> Select[Any]:
    return (
        select(person_records.c.handle, family_members.c.family)
        .join(
            family_members,
            (family_members.c.run == person_records.c.run)
            & (family_members.c.person == person_records.c.person),
        )
        .where(person_records.c.run == run, family_members.c.is_primary.is_(True))
    )


def _read(connection: Connection, statement: Any, run: str) -> tuple[_Ids, _Ids]:
    """Handles, ascending, and the person or family of each."""
    parts = [
        (np.array([row[0] for row in rows], "S32"), np.array([row[1] for row in rows], _ID))
        for rows in connection.execute(statement(run)).partitions(_ROWS_AT_ONCE)
    ]
    handles = np.concatenate([np.zeros(0, "S32"), *(part[0] for part in parts)])
    names = np.concatenate([np.zeros(0, _ID), *(part[1] for part in parts)])
    order = np.argsort(handles)
    return handles[order], names[order]


def _compared(connection: Connection, statement: Any, older: Any, newer: Any) -> "_Compared | None":
    """None where the results of one of the runs gave way to newer ones."""
    before, after = (_read(connection, statement, row.id) for row in (older, newer))
    if any(row.records and not len(each[0]) for row, each in ((older, before), (newer, after))):
        return None
    return _Compared(before, after)


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


def _figures(connection: Connection, row: Any) -> RunFigures:
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
        flagged=row.flagged,
        threshold=row.threshold,
        estimated_precision=row.estimated_precision,
        estimated_recall=row.estimated_recall,
        pairs_asked=row.pairs_asked,
        pairs_answered=row.pairs_answered,
        rulings=int(given or 0),
    )


def _sources(connection: Connection, older: str, newer: str) -> Iterator[ComparedSource]:
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
