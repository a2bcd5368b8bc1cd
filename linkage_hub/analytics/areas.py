"""Families put forward by area and by how many of their needs are met: counts, and no family.

Rules: a manager is shown needs beside pseudonyms, or counts beside areas, and never a pseudonym
beside an area, since pseudonyms stay from run to run and any two lists that have them can be joined
(docs/adr/0048-the-managers-list.md). The table is one, of the whole current run, and cannot be
narrowed; small counts are hidden by the agreement's threshold, areas and columns put together or
left out where totals would give one away, and what is shown is rounded as published counts are, so
that beside last month's it does not tell of one family that came or went.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, select

from governance.agreements.models import Action, Agreement
from governance.disclosure.counts import least_shown, publish
from governance.disclosure.margins import Shape, shape_of
from governance.exchange.risk_api import AreaCounts, AreaList, AreaRow
from governance.ledger.party import PartyLedger
from linkage_hub.analytics.held import categories_of, families_of
from linkage_hub.analytics.needs import MET, SEVERAL, UNSAID
from linkage_hub.analytics.remembered import Remembered, Rows
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import families, runs

_MOST: Final = 8
_COLUMNS: Final = 3
"""Numbers of needs that are told apart: the agreement's minimum, one more, two more or beyond."""


class AreaDesk:
    """Of one hub.

    Args:
        database, ledger: the hub's.
        now: the clock.
    """

    def __init__(
        self, database: HubDatabase, ledger: PartyLedger, now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._now = now
        self.kept: Remembered[AreaCounts] = Remembered(_MOST)

    def forget(self) -> None:
        """Drop from memory counts of families that became fewer, or that nobody asks for.

        Raises:
            HubStoreError: the database cannot be asked.
        """
        if len(self.kept):
            with self._database.reading() as connection:
                self.kept.forget(partial(_rows, connection))

    def counts(self, party: str) -> AreaList:
        """Of each of a partner's agreements in force that has areas and allows analysis."""
        agreements = self._ledger.sync().agreements
        found = []
        with self._database.reading() as connection:
            for hash_ in agreements.in_force(agreements.partnered_by(party), self._now()):
                terms = agreements.standing(hash_).agreement
                run = connection.scalar(
                    select(runs.c.id).where(runs.c.agreement == hash_, runs.c.is_current.is_(True))
                )
                if run and Action.ANALYSE in terms.actions and terms.used_as("area"):
                    work = partial(_counts, connection, run, terms)
                    found.append(self.kept.get(((run, _rows(connection, run)),), work))
        return AreaList(agreements=tuple(found))


def _rows(connection: Connection, run: str) -> Rows:
    """How many families are counted: who loses a record is put forward no more."""
    here = families.c.run == run, families.c.flagged.is_(True)
    return (int(connection.scalar(select(func.count()).where(*here)) or 0),)


def _counts(connection: Connection, run: str, terms: Agreement) -> AreaCounts:
    names = terms.used_as("area")
    found = families_of(connection, run, terms.needs)
    of = categories_of(connection, run, "area", names, found).of
    met = (found.state == MET).sum(axis=1)
    return counted(run, terms, of[found.flagged], met[found.flagged])


def counted(
    run: str, terms: Agreement, of: NDArray[np.int64], met: NDArray[np.int64]
) -> AreaCounts:
    """The table.

    Args:
        run: its id.
        terms: its agreement.
        of: area of each family put forward, int64 (f,), as ``needs.Categories`` has it.
        met: how many of its needs are met, int64 (f,).
    """
    names, least = terms.used_as("area"), terms.minimum_needs
    several, unknown = len(names), len(names) + 1
    row = np.select([of == SEVERAL, of == UNSAID], [several, unknown], of)
    column = np.clip(met - least, 0, _COLUMNS - 1)
    cells = np.bincount(row * _COLUMNS + column, minlength=(len(names) + 2) * _COLUMNS)
    shape = shape_of(
        cells.reshape(-1, _COLUMNS).astype(np.int64), least_shown(terms.suppression_threshold)
    )
    told = shape.columns if shape.shown.any() else ()
    return AreaCounts(
        agreement=terms.hash,
        run=run,
        needs=tuple(tuple(least + at for at in group) for group in told),
        most=least + _COLUMNS - 1,
        rows=tuple(_row(terms, names, shape, at) for at in range(len(shape.rows))),
    )


def _row(terms: Agreement, names: tuple[str, ...], shape: Shape, at: int) -> AreaRow:
    group, threshold = shape.rows[at], terms.suppression_threshold
    cells = shape.cells[at].tolist() if shape.shown[at] else []
    return AreaRow(
        areas=tuple(names[each] for each in group if each < len(names)),
        several=len(names) in group,
        unknown=len(names) + 1 in group,
        total=publish(int(shape.row_totals[at]), threshold),
        by_needs=tuple(publish(count, threshold) for count in cells),
    )
