"""Reports in the database, on SQLite and PostgreSQL: kept once, and gone with what they rest on."""

from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from governance.canonical import hash_of, sha256
from governance.reports.models import Part, Report, Table
from linkage_hub.reports import store
from linkage_hub.runs.results import discard
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import report_runs, reports

AGREEMENT, PROGRAM = sha256(b"agreement"), sha256(b"program")
OLDER, NEWER, NEWEST = ("1" * 32, "2" * 32, "3" * 32)
FAMILIES = tuple(f"f-{at:032x}" for at in range(3))


def report(*of: str, title: str = "Month", listed: bool = True) -> Report:
    """A report of some runs, with a whole share among its counts."""
    counts = Table(
        id="counts", title="Counts", headings=("", "families", "share"),
        rows=(("put forward", 3, 1.0),), forms={"share": "share"},
    )  # fmt: skip
    lines = Table(
        id="lines", title="Families", headings=("family", "why"), listed=True,
        rows=tuple((name, "more needs are met") for name in FAMILIES),
    )  # fmt: skip
    tables = (counts, lines) if listed else (counts,)
    return Report(
        kind="programme", title=title, lead=("A county",), agreement=AGREEMENT, runs=of,
        made_on="2026-11-29", program=PROGRAM, inputs={},
        parts=(Part(id="all", heading="All", tables=tables),),
    )  # fmt: skip


@pytest.fixture
def database(database_url: str) -> Iterator[HubDatabase]:
    """An empty one."""
    found = HubDatabase(database_url)
    yield found
    found.close()


def keep(database: HubDatabase, found: Report, made: str = "2026-11-29T09:00:00Z") -> str:
    """Store one."""
    row = {
        "id": hash_of(found), "made_of": sha256(found.title.encode()), "shared": False,
        "person": sha256(b"person"), "party": "council", "made": made,
    }  # fmt: skip
    with database.writing() as connection:
        return store.keep(connection, found, row)


def kept(database: HubDatabase, id_: str) -> Report:
    """As it stands now."""
    with database.reading() as connection:
        return store.document_of(connection, id_)


def test_one_is_kept_once_and_listed_newest_first(database: HubDatabase) -> None:
    """The same again, or made of the same, is the one that is there; a whole share stays one."""
    first = keep(database, report(OLDER, NEWER))
    assert keep(database, report(OLDER, NEWER)) == first
    later = keep(database, report(NEWER, title="Later"), "2026-11-29T10:00:00Z")
    with database.writing() as connection:
        row = {"made_of": sha256(b"other"), "id": first, "shared": False, "party": "police",
               "person": sha256(b"other"), "made": "2026-11-30T10:00:00Z"}  # fmt: skip
        assert store.keep(connection, report(OLDER, NEWER), row) == first
    with database.reading() as connection:
        rows, total = store.page_of(connection, AGREEMENT, 0, 1)
        assert (total, [each.id for each in rows]) == (2, [later])
        assert store.page_of(connection, sha256(b"another"), 0, 9) == ([], 0)
        assert store.runs_of(connection, [first, later]) == {first: [OLDER, NEWER], later: [NEWER]}
    assert kept(database, first) == report(OLDER, NEWER)
    assert isinstance(kept(database, first).tables[0].rows[0][2], float)


def test_lists_go_with_any_run_and_the_whole_with_the_newest(database: HubDatabase) -> None:
    """Results that give way leave counts; the end of retention leaves nothing."""
    both = keep(database, report(OLDER, NEWER))
    alone = keep(database, report(NEWER, title="Alone"))
    other = keep(database, report(NEWEST, title="Other"))
    with database.writing() as connection:
        store.results_gone(connection, OLDER, whole=False)
    assert kept(database, both) == store.without_lists(report(OLDER, NEWER))
    assert kept(database, alone) == report(NEWER, title="Alone")
    with database.writing() as connection:
        discard(connection, OLDER)
        assert store.row_of(connection, both).lines_gone
        assert not store.row_of(connection, alone).lines_gone
        discard(connection, NEWER)
        left = list(connection.scalars(select(reports.c.id)))
        assert left == list(connection.scalars(select(report_runs.c.report))) == [other]


def test_a_line_goes_when_what_was_known_of_its_family_does(database: HubDatabase) -> None:
    """Of each report that lists it, and nothing else of it."""
    found = keep(database, report(NEWER))
    plain = keep(database, report(NEWER, title="Plain", listed=False))
    with database.writing() as connection:
        store.families_changed(connection, set())
        store.families_changed(connection, {FAMILIES[1], "f-" + "9" * 32})
        assert store.row_of(connection, found).lines_gone
        assert not store.row_of(connection, plain).lines_gone
    lines = kept(database, found).tables[1]
    assert [row[0] for row in lines.rows] == [FAMILIES[0], FAMILIES[2]]
    assert kept(database, found).tables[0] == report(NEWER).tables[0]
    assert kept(database, plain) == report(NEWER, title="Plain", listed=False)


def test_withdrawn_is_gone(database: HubDatabase) -> None:
    """With the runs that it named."""
    found = keep(database, report(OLDER, NEWER))
    with database.writing() as connection:
        store.forget(connection, [found])
        assert store.row_of(connection, found) is None
        assert connection.scalar(select(func.count()).select_from(report_runs)) == 0
        assert store.made_of(connection, sha256(b"Month")) is None
