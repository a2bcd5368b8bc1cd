"""True counts behind tables of several runs go with the newest run's results; nothing follows."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import delete, insert, select, update

from governance.canonical import write_time
from governance.disclosure.errors import NoLongerPublished, ReleasedOtherwise, WouldDisclose
from governance.disclosure.register import ReleasedNumber, ReleasedTable, ReleaseRegister
from governance.disclosure.tables import Counted, PublishedTable, protect
from governance.transparency.code import installed
from linkage_hub.analytics.interventions.published import COLUMNS, LISTED, ROWS
from linkage_hub.analytics.outcomes.errors import NotProved
from linkage_hub.analytics.outcomes.provenance import FromRun, TableProvenance, runs_of
from linkage_hub.analytics.publishing import TableRegister
from linkage_hub.analytics.true_counts import due_counts, forget_counts, forget_useless
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import families, released_tables, runs
from tests.linkage_hub.analytics.outcomes_world import NOW, finish_runs, from_runs

DAYS = 365
TERMS, OTHERS = ("sha256:" + each * 64 for each in "01")
FIRST, SECOND = "a" * 32, "b" * 32
RUNS = [each.run for each in from_runs(2) if each.run]
NEWEST = NOW - timedelta(days=30)
"""When the second of them has finished."""


@dataclass
class Hub:
    """A hub that has finished two runs, and its register."""

    database: HubDatabase
    now: datetime = NOW
    days: dict[str, int] = field(default_factory=lambda: {TERMS: DAYS})

    def publish(
        self, population: str, cells: list[list[int]], made_from: list[str] = RUNS, least: int = 8
    ) -> PublishedTable:
        """A table of this many families."""

        def make(register: ReleaseRegister) -> tuple[PublishedTable, ReleaseRegister]:
            counts = np.array(cells, dtype=np.int64)
            counted = Counted(LISTED.id, population, ROWS, COLUMNS, counts)
            table, answers = protect(counted, (LISTED,), 8)
            return table, register.with_table(table, answers, least)

        register = TableRegister(self.database, lambda: self.now)
        return register.publish_one(population, made_from, self.days.__getitem__, least, make)

    def purge(self) -> list[str]:
        """What retention does of it; the populations."""
        before = write_time(self.now - timedelta(days=DAYS))
        with self.database.writing() as connection:
            due = due_counts(connection, TERMS, before)
            forget_counts(connection, due, self.now)
            forget_useless(connection, self.now)
        return due

    def rows(self) -> dict[str, tuple[str, bool]]:
        """By population: true counts, and whether what was published is there."""
        with self.database.reading() as connection:
            found = connection.execute(select(released_tables)).all()
        return {row.run: (row.numbers, row.published is not None) for row in found}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """Two runs, the newer finished thirty days ago."""
    database = HubDatabase(f"sqlite:///{tmp_path / 'hub.db'}")
    finish_runs(database, 2, TERMS)
    yield Hub(database)
    database.close()


CELLS = [[120, 280], [410, 150]]


@pytest.mark.invariant(21, "a table whose true counts are gone")
def test_after_its_time_nothing_more_is_published_of_a_population(hub: Hub) -> None:
    """Not in the same form either, before the purge and after it; what was published stays."""
    hub.publish(FIRST, CELLS)
    hub.now = NEWEST + timedelta(days=DAYS)
    hub.publish(FIRST, CELLS)
    assert hub.purge() == []
    with pytest.raises(ReleasedOtherwise):
        hub.publish(FIRST, [[120, 280], [410, 151]])
    hub.now += timedelta(seconds=1)
    with pytest.raises(NoLongerPublished, match="over their time"):
        hub.publish(FIRST, CELLS)
    assert hub.purge() == [FIRST]
    assert hub.rows() == {FIRST: ("[]", True)}
    assert hub.purge() == []
    hub.now = NOW  # a clock that was set back brings no counts back
    for cells in (CELLS, [[120, 280], [410, 190]]):
        with pytest.raises(NoLongerPublished, match="are gone, so that"):
            hub.publish(FIRST, cells)


def test_other_populations_are_published_and_held_against_what_is_public(hub: Hub) -> None:
    """By what was published, rounded: that is still there."""
    hub.publish(FIRST, [[12, 28], [41, 15]])
    hub.now = NEWEST + timedelta(days=DAYS + 1)
    hub.purge()
    with hub.database.writing() as connection:
        newer = write_time(hub.now)
        connection.execute(update(runs).where(runs.c.id == RUNS[1]).values(finished=newer))
    with pytest.raises(WouldDisclose):
        hub.publish(SECOND, [[12, 29], [43, 19]])
    hub.publish(SECOND, [[12, 28], [41, 15]])
    with pytest.raises(NoLongerPublished):
        hub.publish(FIRST, [[12, 28], [41, 15]])
    assert hub.rows()[SECOND][0] != "[]"


def test_the_period_is_that_of_the_newest_run_under_its_agreement(hub: Hub) -> None:
    """Whatever the order in which a table names its runs."""
    with hub.database.writing() as connection:
        connection.execute(update(runs).where(runs.c.id == RUNS[0]).values(agreement=OTHERS))
    hub.days[OTHERS] = 1
    hub.publish(FIRST, CELLS, RUNS[::-1])
    with hub.database.reading() as connection:
        late = write_time(NOW + timedelta(days=1))
        assert due_counts(connection, OTHERS, late) == []
        assert due_counts(connection, TERMS, late) == [FIRST]
        (newest,) = connection.scalars(select(released_tables.c.newest))
    assert newest == RUNS[1]
    with pytest.raises(NoLongerPublished):
        hub.publish(SECOND, CELLS, RUNS[:1])


@pytest.mark.parametrize("made_from", [[], ["f" * 32], [RUNS[0], "f" * 32]])
def test_of_runs_that_the_hub_does_not_know_nothing_is_published(
    hub: Hub, made_from: list[str]
) -> None:
    """Their period is not known, so that counts could stay for good."""
    with pytest.raises(NoLongerPublished, match="none that this hub has finished"):
        hub.publish(FIRST, CELLS, made_from)
    assert hub.rows() == {}


def test_one_population_is_of_the_same_runs(hub: Hub) -> None:
    """A table that names older runs beside one that was published is none of these families."""
    hub.publish(FIRST, CELLS)
    with pytest.raises(NoLongerPublished):
        hub.publish(FIRST, CELLS, RUNS[:1])


def test_what_was_published_before_names_no_run(hub: Hub) -> None:
    """Nothing more is published of it, and its counts go at once; so do those of lost runs.

    Those of a run whose results are here stay: its tables are still to come.
    """
    hub.publish(FIRST, CELLS)
    hub.publish(SECOND, CELLS)
    kept, lost = "c" * 32, "d" * 32
    number = ReleasedNumber(where={}, count=9)
    entry = ReleasedTable(table="whole", population=kept, least=8, hash=TERMS, numbers=(number,))
    register = TableRegister(hub.database, lambda: NOW)
    register.take_in(
        ReleaseRegister(released=(entry, entry.model_copy(update={"population": lost})))
    )
    with hub.database.writing() as connection:
        key = released_tables.c.run
        connection.execute(update(released_tables).where(key == FIRST).values(newest=None))
        connection.execute(insert(families).values(
            run=kept, family="f-" + "0" * 32, confidence=1.0, reasons="[]", members=1, adults=1,
            children=0, needs_met=0, needs_unknown=0, in_programme=False, is_resident=True,
            flagged=False,
        ))  # fmt: skip
    with pytest.raises(NoLongerPublished):
        hub.publish(FIRST, CELLS)
    hub.purge()
    assert hub.rows()[SECOND][0] != "[]"
    with hub.database.writing() as connection:
        connection.execute(delete(runs).where(runs.c.id == RUNS[1]))
    hub.purge()
    gone = {population for population, (numbers, _) in hub.rows().items() if numbers == "[]"}
    assert gone == {FIRST, SECOND, lost}


def test_a_table_says_which_runs_it_was_made_from() -> None:
    """One that an earlier program made does not, and nothing is published of it."""
    made = from_runs(2)
    provenance = TableProvenance(
        kind="cases", agreement=TERMS, table=TERMS, runs=made, progress="every", months=12,
        left_out={}, program=installed(),
    )  # fmt: skip
    assert list(runs_of(provenance)) == RUNS
    old = FromRun(month=made[0].month, provenance=made[0].provenance)
    for runs_ in ((), (old, made[1])):
        with pytest.raises(NotProved):
            runs_of(provenance.model_copy(update={"runs": runs_}))
