"""What was worked out from a run is kept, and not after rows of it were taken out."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import delete, insert, select

from governance.agreements.models import Action
from governance.canonical import utc_now
from linkage_hub.analytics.comparison import Comparisons
from linkage_hub.analytics.permission import Permission
from linkage_hub.analytics.remembered import Remembered
from linkage_hub.analytics.sources import SourceDesk
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import family_members, person_records, runs, unlinked

RUNS = "a" * 32, "b" * 32


@pytest.fixture
def database(tmp_path: Path) -> Iterator[HubDatabase]:
    """Six records; the newer run makes one person of the first two, the rest are alone."""
    found = HubDatabase(f"sqlite:///{tmp_path / 'hub.db'}")
    with found.writing() as connection:
        for at, run in enumerate(RUNS):
            connection.execute(insert(runs).values(
                id=run, agreement="sha256:" + "0" * 64, state="finished", is_current=bool(at),
                created=f"2026-11-0{at + 1}T00:00:00Z", finished=f"2026-11-0{at + 1}T00:00:00Z",
                sources=2, records=6, persons=6 - at, families=1, flagged=0,
            ))  # fmt: skip
            for number in range(6):
                person = f"p-{max(number, at):032x}"
                connection.execute(insert(person_records).values(
                    run=run, handle=f"{number:032x}", person=person, party="council",
                    source=f"source_{number % 2}",
                ))  # fmt: skip
                if number >= at:
                    connection.execute(insert(family_members).values(
                        run=run, family=f"f-{number // 2:032x}", person=person, role="parent",
                        adult=True, confidence=0.9, is_primary=number != 5,
                    ))  # fmt: skip
                if number > 1:
                    barrier = "namesakes" if number > 3 else "in_doubt"
                    connection.execute(
                        insert(unlinked).values(run=run, handle=f"{number:032x}", barrier=barrier)
                    )
    yield found
    found.close()


class Anybody:
    """Everything is permitted."""

    def __init__(self, database: HubDatabase) -> None:
        self._database = database

    def records_of(self, _party: str, run: str) -> tuple[Any, Any]:
        """A run of the database."""
        with self._database.reading() as connection:
            row = connection.execute(select(runs).where(runs.c.id == run)).one()
        return row, SimpleNamespace(suppression_threshold=8, actions=(Action.ANALYSE,))


def permission(database: HubDatabase) -> Permission:
    """Everything is permitted."""
    return cast(Permission, Anybody(database))


def take_out(database: HubDatabase, number: int) -> None:
    """What a data subject's request does to the newer run."""
    with database.writing() as connection:
        for table in (person_records, unlinked):
            handle = f"{number:032x}"
            connection.execute(
                delete(table).where(table.c.run == RUNS[1], table.c.handle == handle)
            )


def test_a_comparison_is_kept_until_a_record_is_taken_out(database: HubDatabase) -> None:
    """Its pages are those of one whole; families count by their members' first homes."""
    desk = Comparisons(database, permission(database))
    for one, other in (RUNS, RUNS[::-1]):
        found = desk.compare("council", one, other, 0, 10)
        assert found.older.id == RUNS[0]
        assert found.persons is not None
        assert found.families is not None
        assert (found.persons.kept, found.persons.merged, found.persons.gone) == (4, 1, 0)
        assert (found.families.kept, found.families.merged) == (3, 0)
        (changed,) = found.changed
        assert (changed.kind, changed.person) == ("merged", f"p-{1:032x}")
        assert changed.others == (f"p-{0:032x}", f"p-{1:032x}")
    assert len(desk._kept._found) == 1
    take_out(database, 0)
    found = desk.compare("council", *RUNS, 0, 10)
    assert found.persons is not None
    assert (found.persons.kept, found.persons.merged, found.persons.gone) == (5, 0, 1)
    assert found.changed == ()


def test_what_is_alone_is_kept_until_a_record_is_taken_out(database: HubDatabase) -> None:
    """By source, barrier and handle, whatever the page; a record that is gone is in none."""
    desk = SourceDesk(database, permission(database), utc_now)

    def listed() -> list[tuple[str, str, int]]:
        pages = [desk.unlinked("council", RUNS[1], at, 1) for at in range(4)]
        assert {page.total for page in pages} == {len(sum((p.records for p in pages), ()))}
        return [
            (each.source, each.barrier, int(each.handle, 16))
            for page in pages
            for each in page.records
        ]

    every = [
        ("source_0", "in_doubt", 2), ("source_0", "namesakes", 4),
        ("source_1", "in_doubt", 3), ("source_1", "namesakes", 5),
    ]  # fmt: skip
    assert listed() == every
    assert len(desk._kept._found) == 1
    take_out(database, 4)
    assert listed() == [each for each in every if each[2] != 4]


def test_the_newest_results_are_kept_and_worked_out_once() -> None:
    """Of many who ask at once one works; what was asked for longest ago goes first."""
    worked: list[str] = []

    def of(name: str) -> str:
        return kept.get(name, lambda: worked.append(name) or name.upper())  # type: ignore[func-returns-value]

    kept: Remembered[str] = Remembered(2)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(of, ["a"] * 50)) == {"A"}
    assert worked == ["a"]
    assert [of(name) for name in "babca"] == ["B", "A", "B", "C", "A"]
    assert worked == ["a", "b", "c", "a"]
