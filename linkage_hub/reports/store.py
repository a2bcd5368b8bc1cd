"""Reports in the hub's database: kept once, shown, and gone when what they rest on goes.

Rules: one asked for again with all the same is the one that is there; it goes with the results of
its newest run; its lists of families go as soon as the results of any of its runs do, and a line of
them when a record is taken out that the family rested on, since it is then no longer what the hub
knows; counts stay, as those of a run do. Whatever happened to its lists, its id is the hash of the
document as it was made.
"""

import json
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

from sqlalchemy import Connection, delete, exists, func, insert, or_, select, update

from governance.identity.envelope import parse_model
from governance.reports.models import Report, Table
from linkage_hub.store.tables import report_runs, reports

_SHOWN: Final = [column for column in reports.columns if column.name != "document"]


def keep(connection: Connection, report: Report, row: dict[str, Any]) -> str:
    """Store a report; the id of the one that is there where it was made of the same.

    Args:
        connection: in a write transaction.
        report: as it was made or shared.
        row: the other columns.
    """
    same = or_(reports.c.made_of == row["made_of"], reports.c.id == row["id"])
    known = connection.scalar(select(reports.c.id).where(same).limit(1))
    if known is not None:
        return str(known)
    connection.execute(
        insert(reports).values(
            agreement=report.agreement,
            kind=report.kind,
            title=report.title,
            newest=report.runs[-1],
            listed=any(table.listed for table in report.tables),
            lines_gone=False,
            code=report.program,
            document=_text(report),
            **row,
        )
    )
    connection.execute(
        insert(report_runs),
        [
            {"report": row["id"], "position": position, "run": run}
            for position, run in enumerate(report.runs)
        ],
    )
    return str(row["id"])


def made_of(connection: Connection, hash_: str) -> str | None:
    """The report that was made of this, if there is one."""
    found: str | None = connection.scalar(select(reports.c.id).where(reports.c.made_of == hash_))
    return found


def row_of(connection: Connection, report: str) -> Any:
    """A report's row without its document; None where there is none."""
    return connection.execute(select(*_SHOWN).where(reports.c.id == report)).first()


def document_of(connection: Connection, report: str) -> Report:
    """A report that is there."""
    text = connection.scalar(select(reports.c.document).where(reports.c.id == report))
    return parse_model(json.loads(str(text)), Report)


def page_of(
    connection: Connection, agreement: str, offset: int, limit: int
) -> tuple[Sequence[Any], int]:
    """Rows of an agreement's reports without their documents, newest first, and how many."""
    here = reports.c.agreement == agreement
    total = connection.scalar(select(func.count()).select_from(reports).where(here))
    rows = connection.execute(
        select(*_SHOWN)
        .where(here)
        .order_by(reports.c.made.desc(), reports.c.id)
        .offset(offset)
        .limit(limit)
    ).all()
    return rows, int(total or 0)


def runs_of(connection: Connection, ids: Collection[str]) -> dict[str, list[str]]:
    """Ids of each report's runs, oldest first."""
    found: dict[str, list[str]] = {id_: [] for id_ in ids}
    statement = (
        select(report_runs.c.report, report_runs.c.run)
        .where(report_runs.c.report.in_(list(ids)))
        .order_by(report_runs.c.report, report_runs.c.position)
    )
    for report, run in connection.execute(statement):
        found[report].append(run)
    return found


def forget(connection: Connection, ids: Collection[str]) -> None:
    """Destroy reports."""
    connection.execute(delete(report_runs).where(report_runs.c.report.in_(list(ids))))
    connection.execute(delete(reports).where(reports.c.id.in_(list(ids))))


def results_gone(connection: Connection, run: str, *, whole: bool) -> None:
    """A run's results go: with all of them the reports whose newest run it is; lists either way.

    Args:
        connection: in a write transaction.
        run: its id.
        whole: whether nothing of the run is kept but its figures.
    """
    if whole:
        forget(connection, ids_by_newest(connection, run))
    resting = exists().where(report_runs.c.report == reports.c.id, report_runs.c.run == run)
    _rewrite(connection, resting, without_lists)


def ids_by_newest(connection: Connection, run: str) -> list[str]:
    """Reports that go with a run."""
    return list(connection.scalars(select(reports.c.id).where(reports.c.newest == run)))


def families_changed(connection: Connection, families: Collection[str]) -> None:
    """What was known of families is known no longer: their lines go."""
    if families:
        gone = frozenset(families)
        _rewrite(connection, True, lambda report: _without(report, gone))


def without_lists(report: Report) -> Report:
    """The report with no line in any table that lists families."""
    return _with_lists(report, lambda table: table.model_copy(update={"rows": ()}))


def _without(report: Report, families: frozenset[str]) -> Report:
    def kept(table: Table) -> Table:
        rows = tuple(row for row in table.rows if not families.intersection(map(str, row)))
        return table.model_copy(update={"rows": rows})

    return _with_lists(report, kept)


def _with_lists(report: Report, change: Callable[[Table], Table]) -> Report:
    parts = tuple(
        part.model_copy(
            update={"tables": tuple(change(each) if each.listed else each for each in part.tables)}
        )
        for part in report.parts
    )
    return report.model_copy(update={"parts": parts})


def _rewrite(connection: Connection, which: Any, change: Callable[[Report], Report]) -> None:
    """Change documents that list families, where that leaves other lines."""
    listed = select(reports.c.id).where(reports.c.listed.is_(True), which)
    for id_ in connection.scalars(listed).all():
        before = document_of(connection, id_)
        after = change(before)
        if after != before:
            connection.execute(
                update(reports)
                .where(reports.c.id == id_)
                .values(document=_text(after), lines_gone=True)
            )


def _text(report: Report) -> str:
    """Not canonical JSON, which would make a count of a whole share."""
    return report.model_dump_json()
