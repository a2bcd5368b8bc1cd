"""The hub's register of published tables: what was released of a run, and nothing beside it.

Rules: tables of a run are counted, held against what was released and entered in one transaction,
so that two who publish at once publish the same; tables that, beside those of earlier runs, would
tell of a small change are held back (``governance.disclosure.arithmetic``); what was published of
a run is handed out again as it was, whatever its families are by now; what was published with a
register in a file, before the hub kept one, is taken in from that file: nothing else is published
of its runs, and later runs are not held against it, since the file lacks what was published.

The register holds true counts, of several runs together as well, for as long as ``true_counts``
says. It is as confidential as the data.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Collection
from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy import Connection, insert, select, update

from governance.agreements.models import Agreement
from governance.canonical import canonical_bytes, write_time
from governance.disclosure.arithmetic import held_back
from governance.disclosure.errors import ReleasedOtherwise, WouldDisclose
from governance.disclosure.register import ReleasedNumber, ReleasedTable, ReleaseRegister
from governance.disclosure.tables import PublishedTable
from linkage_hub.analytics.held import all_categories_of, families_of
from linkage_hub.analytics.tables import published
from linkage_hub.analytics.true_counts import require_counts
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import released_tables as rows

_NUMBERS = TypeAdapter(tuple[ReleasedNumber, ...])


class TableRegister:
    """The hub's.

    Args:
        database: where it is kept.
        now: the clock.
    """

    def __init__(self, database: HubDatabase, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def publish(self, run: str, terms: Agreement) -> tuple[PublishedTable, ...]:
        """The fixed list of tables of a run: as they were published, or published now.

        Args:
            run: with results that are kept.
            terms: its agreement.

        Raises:
            DisclosureRefused: beside what was released, one would give a small number away.
        """
        with self._database.writing() as connection:
            if found := _as_published(connection, run):
                return found
            families = families_of(connection, run, terms.needs)
            categories = all_categories_of(connection, run, terms, families)
            tables, register = published(
                run,
                families,
                terms.suppression_threshold,
                _register(connection, run),
                categories,
                _of_other_runs(connection, run),
            )
            entries = {each.table: each for each in register.released}
            for position, table in enumerate(tables):
                self._enter(connection, position, entries[table.table], table)
        return tables

    def of_run(self, run: str) -> tuple[PublishedTable, ...]:
        """What was published of a run; nothing where its whole list never was."""
        with self._database.reading() as connection:
            return _as_published(connection, run)

    def released(self) -> dict[str, tuple[PublishedTable, ...]]:
        """What was published of every run."""
        with self._database.reading() as connection:
            ids = connection.scalars(select(rows.c.run).distinct().order_by(rows.c.run)).all()
            return {run: _as_published(connection, run) for run in ids}

    def publish_one(
        self,
        population: str,
        made_from: Collection[str],
        days_of: Callable[[str], int],
        least: int,
        make: Callable[[ReleaseRegister], tuple[PublishedTable, ReleaseRegister]],
    ) -> PublishedTable:
        """A table of another population than one run: several runs together.

        Args:
            population: of whom, 32 hexadecimal digits.
            made_from: ids of the runs.
            days_of: for how long an agreement keeps results, by its hash.
            least: the smallest count that is shown.
            make: the table and the register with it, from what was released of the population.

        Raises:
            DisclosureRefused: beside what was released, it would give a small number away; or
                what it would be held against is gone.
        """
        with self._database.writing() as connection:
            newest = require_counts(connection, population, made_from, days_of, self._now())
            table, register = make(_register(connection, population))
            if held_back([table], _of_other_runs(connection, population), least):
                raise WouldDisclose(
                    f"{table.table}, beside an earlier one: it would tell of a change by a few "
                    "families",
                    next_step="leave it out this time",
                )
            entry = next(each for each in register.released if each.table == table.table)
            self._enter(connection, 0, entry, table, newest)
        return table

    def take_in(self, register: ReleaseRegister) -> int:
        """Enter what a register in a file holds; how many tables were new.

        Raises:
            ReleasedOtherwise: a table was released here in another form.
        """
        with self._database.writing() as connection:
            new = 0
            for position, entry in enumerate(register.released):
                known = {
                    each.table: each for each in _register(connection, entry.population).released
                }
                if entry.table not in known:
                    self._enter(connection, position, entry, None)
                    new += 1
                elif known[entry.table].hash != entry.hash:
                    raise ReleasedOtherwise(
                        f"{entry.table} of a run was released here in another form",
                        next_step="tell the IG lead: two forms of one table are about",
                    )
        return new

    def _enter(
        self,
        connection: Connection,
        position: int,
        entry: ReleasedTable,
        table: PublishedTable | None,
        newest: str | None = None,
    ) -> None:
        form = None if table is None else canonical_bytes(table).decode()
        key = rows.c.run == entry.population, rows.c.table == entry.table
        if table is not None and connection.execute(select(rows.c.run).where(*key)).first():
            connection.execute(update(rows).where(*key).values(published=form, position=position))
            return
        connection.execute(
            insert(rows).values(
                run=entry.population,
                table=entry.table,
                position=position,
                least=entry.least,
                hash=entry.hash,
                numbers=_NUMBERS.dump_json(entry.numbers).decode(),
                published=form,
                released=write_time(self._now()),
                newest=newest,
            )
        )


def _as_published(connection: Connection, run: str) -> tuple[PublishedTable, ...]:
    """Of a run whose whole list was published; the list is published whole or not at all."""
    forms = connection.scalars(
        select(rows.c.published).where(rows.c.run == run).order_by(rows.c.position)
    ).all()
    return tuple(PublishedTable.model_validate_json(form) for form in forms if form is not None)


def _of_other_runs(connection: Connection, run: str) -> list[list[PublishedTable]]:
    """What was published of each other run, under whatever agreement."""
    found: dict[str, list[PublishedTable]] = defaultdict(list)
    for row in connection.execute(
        select(rows.c.run, rows.c.published).where(rows.c.run != run, rows.c.published.is_not(None))
    ):
        found[row.run].append(PublishedTable.model_validate_json(row.published))
    return list(found.values())


def _register(connection: Connection, run: str) -> ReleaseRegister:
    entries = connection.execute(select(rows).where(rows.c.run == run).order_by(rows.c.position))
    return ReleaseRegister(
        released=tuple(
            ReleasedTable(
                table=row.table,
                population=row.run,
                least=row.least,
                hash=row.hash,
                numbers=tuple(
                    ReleasedNumber.model_validate(each) for each in json.loads(row.numbers)
                ),
            )
            for row in entries
        )
    )
