"""``python -m benchmarks.reports``: what reports cost the hub that makes them from its own rows.

Two runs of made-up, seeded families under a shipped catalogue go into a SQLite database as a run
writes them; then the hub's own code makes the programme's month of both and needs of the newer one,
as ``POST /v1/agreements/{agreement}/reports`` does. Seconds are of the processor.
"""

import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any, Final

import numpy as np
import typer
from sqlalchemy import Table, insert, select

from governance.agreements.criteria import Criteria
from governance.canonical import sha256
from governance.reports.models import Report
from governance.storage.database import sqlite_url
from governance.transparency.code import installed
from linkage_hub.analytics.needs import MET, STATES
from linkage_hub.analytics.shipped import read_catalogue
from linkage_hub.reports.making import Wanted, needs, programme
from linkage_hub.store.bulk import insert_rows
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import families, family_details, family_members, family_needs, runs

RUNS: Final = ("a" * 32, "b" * 32)
_PEOPLE: Final = 3  # of a family
_MET, _UNMET = 0.10, 0.60  # shares of families of which a need is known
_TOLD: Final = 0.05  # share of families of which a detail is met, and as many of which it is not


def main(families: Annotated[int, typer.Option(min=100)] = 97_000) -> None:
    """Make both reports, and say what they took."""
    criteria = read_catalogue("local-example", "linkage_hub.analytics.criteria", Criteria)
    terms = _terms(criteria)
    with tempfile.TemporaryDirectory() as folder:
        database = HubDatabase(sqlite_url(Path(folder) / "hub.db"))
        for number, run in enumerate(RUNS):
            _keep(database, criteria, terms.hash, run, families, number)
        with database.reading() as connection:
            rows = [connection.execute(select(runs).where(runs.c.id == run)).one() for run in RUNS]
            today = datetime.now(UTC).date()
            wanted = Wanted(terms, rows[1], rows[0], (), installed(), today)
            print(f"{families:,} families, {len(criteria.indicators)} needs, "
                  f"{len(criteria.details)} details")  # fmt: skip
            _time("the month", programme(connection, wanted, criteria).make)
            _time("needs", needs(connection, wanted).make)
        database.close()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"memory, at most: {most} MiB")


def _time(what: str, make: Callable[[], Report]) -> None:
    begun = time.process_time()
    size = len(make().model_dump_json())
    print(f"{what}: {time.process_time() - begun:.1f} s, {size // 1024:,} KiB")


def _terms(criteria: Criteria) -> Any:
    """As much of an agreement as reports look at."""
    return SimpleNamespace(
        hash=sha256(b"a county"), title="A county", needs=criteria.indicators,
        minimum_needs=criteria.minimum, suppression_threshold=8, used_as=lambda _use: (),
    )  # fmt: skip


def _keep(
    database: HubDatabase, criteria: Criteria, agreement: str, run: str, count: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    names = [f"f-{at:032x}" for at in range(count)]
    unknown = 1 - _MET - _UNMET
    state = rng.choice(3, (count, len(criteria.indicators)), p=[unknown, _UNMET, _MET])
    told = rng.choice(3, (count, len(criteria.details)), p=[1 - 2 * _TOLD, _TOLD, _TOLD])
    enrolled, met = rng.random(count) < _TOLD, (state == MET).sum(axis=1)
    forward = (met >= criteria.minimum) & ~enrolled
    with database.writing() as connection:
        insert_rows(connection, families, _FAMILY, (
            (run, names[at], 0.9, "[]", _PEOPLE, 2, 1, int(met[at]), 0, bool(enrolled[at]), True,
             bool(forward[at]), "unmet") for at in range(count)
        ))  # fmt: skip
        for table, column, codes, ids, more in (
            (family_needs, "need", state, criteria.indicators, ((1,), ("sources",))),
            (family_details, "indicator", told, criteria.details, ((), ())),
        ):
            _said(connection, table, column, codes, ids, run, names, *more)
        insert_rows(connection, family_members, _MEMBER, (
            (run, name, f"p-{_PEOPLE * at + each:032x}", "other_adult", True, 0.9, True)
            for at, name in enumerate(names) for each in range(_PEOPLE)
        ))  # fmt: skip
        connection.execute(
            insert(runs).values(
                id=run, agreement=agreement, state="finished", is_current=bool(seed),
                created=f"2026-1{seed}-01T00:00:00Z", finished=f"2026-1{seed}-01T00:00:00Z",
                sources=1, records=count, persons=count, families=count,
                flagged=int(forward.sum()), quality="[]",
            )
        )  # fmt: skip


def _said(
    connection: Any, table: Table, column: str, codes: Any, ids: tuple[str, ...], run: str,
    names: list[str], values: tuple[Any, ...], more: tuple[str, ...],
) -> None:  # fmt: skip
    def rows() -> Iterator[tuple[Any, ...]]:
        for at, place in zip(*np.nonzero(codes), strict=True):
            yield run, names[at], ids[place], STATES[codes[at, place]], *values

    insert_rows(connection, table, ("run", "family", column, "state", *more), rows())


_FAMILY: Final = (
    "run", "family", "confidence", "reasons", "members", "adults", "children", "needs_met",
    "needs_unknown", "in_programme", "is_resident", "flagged", "referred",
)  # fmt: skip
_MEMBER: Final = ("run", "family", "person", "role", "adult", "confidence", "is_primary")

if __name__ == "__main__":
    typer.run(main)
