"""Runs as the hub keeps them, filled in without linking, and exported by the hub's own writer."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import insert

from governance.canonical import write_time
from governance.terminal import write_document
from linkage_hub.analytics.exports import export
from linkage_hub.analytics.needs import MET, STATES, UNKNOWN
from linkage_hub.analytics.provenance import PROVENANCE, Provenance, file_hash
from linkage_hub.store.bulk import insert_rows
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import families, family_needs, person_records, runs
from tests.governance.world import NOON

_FAMILY = ("family", "confidence", "reasons", "members", "adults", "children", "needs_met",
           "needs_unknown", "in_programme", "is_resident", "flagged")  # fmt: skip


@dataclass(frozen=True)
class Cohort:
    """Families at one time.

    Attributes:
        state: int8 (f, k), codes of ``STATES``.
        helped: in the programme, bool (f,).
    """

    state: NDArray[np.int8]
    helped: NDArray[np.bool_]


def cohort(count: int, needs: int, seed: int) -> Cohort:
    """Families with random needs, one in twenty in the programme, whatever its needs."""
    random = np.random.default_rng(seed)
    state = random.choice(3, (count, needs), p=(0.5, 0.35, 0.15)).astype(np.int8)
    return Cohort(state, random.random(count) < 0.05)


def a_year_on(before: Cohort, seed: int) -> Cohort:
    """The same families later: who had needs that were met came to the programme more often."""
    random = np.random.default_rng(seed)
    met = (before.state == MET) @ np.linspace(1.2, 0.4, before.state.shape[1])
    came = random.random(len(met)) < 1 / (1 + np.exp(3 - met))
    return Cohort(before.state, before.helped | came)


def hub_of(folder: Path) -> HubDatabase:
    """A hub's database."""
    return HubDatabase(f"sqlite:///{folder / 'hub.db'}")


def kept_run(
    database: HubDatabase,
    agreement: str,
    needs: list[str],
    found: Cohort,
    number: int,
    now: datetime = NOON,
    names: Sequence[str] = (),
) -> str:
    """A finished run whose results are kept; its id. Numbers tell runs and days apart."""
    run, day = f"{number:032x}", write_time(now + timedelta(days=number))
    unknown, met = (found.state == UNKNOWN).sum(axis=1), (found.state == MET).sum(axis=1)
    names = names or [f"f-{at:032x}" for at in range(len(found.state))]
    with database.writing() as connection:
        connection.execute(
            insert(runs).values(
                id=run, agreement=agreement, state="finished", is_current=True, created=day,
                finished=day, sources=1, records=1, persons=1, families=len(names), flagged=0,
                quality=json.dumps([]),
            )
        )  # fmt: skip
        insert_rows(connection, families, ("run", *_FAMILY), (
            (run, name, 0.9, "[]", 3, 2, 1, int(met[at]), int(unknown[at]),
             bool(found.helped[at]), True, bool(met[at] > 1 and not found.helped[at]))
            for at, name in enumerate(names)
        ))  # fmt: skip
        insert_rows(connection, family_needs, ("run", "family", "need", "state", "sources"), (
            (run, name, need, STATES[code], 1)
            for name, row in zip(names, found.state.tolist(), strict=True)
            for need, code in zip(needs, row, strict=True)
            if code != UNKNOWN
        ))  # fmt: skip
        columns = [column.name for column in person_records.columns]
        blank = {
            "run": run,
            "person": f"p-{0:032x}",
            "handle": "0" * 32,
            "party": "council",
            "source": "s",
        }
        insert_rows(connection, person_records, columns,
                    [tuple(blank.get(name, 0) for name in columns)])  # fmt: skip
    return run


def export_run(database: HubDatabase, run: str, folder: Path) -> None:
    """The files that figures of risk are made from, as ``linkage-hub runs export`` writes them."""
    folder.mkdir()
    names = ("families.csv", "needs.csv")
    for name in names:
        (folder / name).write_bytes(b"".join(export(database, run, name)))
    with database.reading() as connection:
        agreement = connection.execute(runs.select().where(runs.c.id == run)).one().agreement
    provenance = Provenance.model_validate(
        {
            "run": run,
            "agreement": agreement,
            "program": {"version": "1", "code": "sha256:" + "0" * 64},
            "files": {name: file_hash(folder / name) for name in names},
        }
    )
    write_document(folder / PROVENANCE, provenance)
