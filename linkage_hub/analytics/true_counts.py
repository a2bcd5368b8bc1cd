"""For how long the register of published tables holds true counts.

Rules: true counts of a run go with its results (``linkage_hub.runs.results``); those of several
runs together, of which files are about and not the hub's results, go when the period of the newest
of them is over (``link_results_days`` of its agreement), as the files do; counts of what the hub
cannot publish anything of any more, since it does not know the run or holds none of its results, go
at the next purge. What was published stays, being public, and later tables are held against it.

Once the true counts are gone nothing more is published of the same families: nothing would be left
to hold it against.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, exists, select, update

from governance.canonical import parse_time, write_time
from governance.disclosure.errors import NoLongerPublished
from linkage_hub.store.tables import families, runs
from linkage_hub.store.tables import released_tables as rows

_NONE: Final = "[]"
_HELD: Final = rows.c.numbers != _NONE


def due_counts(connection: Connection, agreement: str, before: str) -> list[str]:
    """Populations whose newest run, under an agreement, finished before a time."""
    statement = (
        select(rows.c.run)
        .join(runs, runs.c.id == rows.c.newest)
        .where(runs.c.agreement == agreement, runs.c.finished < before, _HELD)
        .distinct()
    )
    return list(connection.scalars(statement))


def forget_counts(connection: Connection, populations: Iterable[str], now: datetime) -> None:
    """Destroy the true counts of populations."""
    for population in populations:
        _forget(connection, now, rows.c.run == population)


def forget_useless(connection: Connection, now: datetime) -> int:
    """Destroy true counts of what nothing can be published of here; of how many tables."""
    known = exists().where(runs.c.id == rows.c.newest)
    results = exists().where(families.c.run == rows.c.run)
    alone = rows.c.newest.is_(None)
    return _forget(connection, now, _HELD, (alone & ~results) | (~alone & ~known))


def _forget(connection: Connection, now: datetime, *which: object) -> int:
    gone = {"numbers": _NONE, "forgotten": write_time(now)}
    done = connection.execute(update(rows).where(*which).values(gone))  # type: ignore[arg-type]
    return int(done.rowcount)


def require_counts(
    connection: Connection,
    population: str,
    made_from: Collection[str],
    days_of: Callable[[str], int],
    now: datetime,
) -> str:
    """Check that a table of several runs can be held against all that was published of them.

    Args:
        connection: of the transaction that publishes.
        population: of whom.
        made_from: ids of the runs.
        days_of: for how long an agreement keeps results, by its hash.
        now: aware time.

    Returns:
        The id of the newest of the runs.

    Raises:
        NoLongerPublished: the newest run's period is over, or one is none that this hub knows; or
            the population's true counts are gone.
    """
    finished = runs.c.id.in_(made_from) & runs.c.finished.is_not(None)
    known = connection.execute(select(runs).where(finished).order_by(runs.c.finished)).all()
    if not known or {run.id for run in known} != set(made_from):
        raise NoLongerPublished(
            "a run that the table was made from is none that this hub has finished",
            next_step="publish it at the hub whose runs it was made from",
        )
    newest = known[-1]
    if parse_time(newest.finished) + timedelta(days=days_of(newest.agreement)) < now:
        raise NoLongerPublished(
            "the results of the newest run that the table was made from are over their time",
            next_step="what was published of it stays; make a table from newer runs",
        )
    for row in connection.execute(select(rows).where(rows.c.run == population)):
        if row.forgotten is not None or row.newest != newest.id:
            raise NoLongerPublished(
                "the true counts behind what was published of these families are gone, so that "
                "nothing can be held against them",
                next_step="what was published of them stays; make a table from newer runs",
            )
    return str(newest.id)
