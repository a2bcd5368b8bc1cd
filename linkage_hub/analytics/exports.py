"""A run's results as files for an analyst: pseudonyms, counts and codes.

Rules: columns are documented in docs/guides/analyst.md, in this order, and new ones go at the end;
figures stay open to analysts when the agreement has ended, records do not, and what is said of
needs is for agreements that allow analysis (:mod:`permission`);
of a run whose results gave way to newer ones there are its figures and what became of ids, and no
empty file in the place of what is gone.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from sqlalchemy import Select, select

from governance.exchange.analysis_api import LinkageEffects
from governance.exchange.hub_api import EXPORTS, QualityTable
from governance.identity.envelope import parse_model
from linkage_hub.quality.render import as_csv
from linkage_hub.runs.errors import UnknownRun
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import (
    families,
    family_addresses,
    family_details,
    family_members,
    family_needs,
    household_members,
    id_events,
    person_records,
    runs,
)


def _all_of(table: Any) -> Callable[[str], Select[Any]]:
    def statement(run: str) -> Select[Any]:
        columns = [column for column in table.columns if column.name != "run"]
        return select(*columns).where(table.c.run == run).order_by(*table.primary_key.columns)

    return statement


def _flags(run: str) -> Select[Any]:
    return (
        select(families.c.family, family_needs.c.need, family_needs.c.sources)
        .join(
            family_needs,
            (family_needs.c.run == families.c.run) & (family_needs.c.family == families.c.family),
        )
        .where(families.c.run == run, families.c.flagged.is_(True), family_needs.c.state == "met")
        .order_by(families.c.family, family_needs.c.need)
    )


def _history(run: str) -> Select[Any]:
    """Merges and splits of the agreement's runs up to one, oldest first."""
    here = select(runs.c.agreement, runs.c.finished).where(runs.c.id == run).subquery()
    return (
        select(runs.c.id.label("run"), runs.c.finished, *_EVENT)
        .join(here, (runs.c.agreement == here.c.agreement) & (runs.c.finished <= here.c.finished))
        .join(id_events, id_events.c.run == runs.c.id)
        .where(runs.c.state == "finished", id_events.c.kind != "new")
        .order_by(runs.c.finished, runs.c.id, id_events.c.position)
    )


_EVENT: Final = [column for column in id_events.columns if column.name != "run"]
TABLES: Final[Mapping[str, Callable[[str], Select[Any]]]] = {
    "records.csv": _all_of(person_records),
    "families.csv": _all_of(families),
    "members.csv": _all_of(family_members),
    "needs.csv": _all_of(family_needs),
    "details.csv": _all_of(family_details),
    "addresses.csv": _all_of(family_addresses),
    "households.csv": _all_of(household_members),
    "ids.csv": _all_of(id_events),
    "history.csv": _history,
    "flags.csv": _flags,
}
_LASTING: Final = ("ids.csv", "history.csv")
"""Files of a run whose results gave way to newer ones, beside its figures."""
QUALITY: Final = "quality.json"
QUALITY_TABLE: Final = "quality.csv"
FIGURES: Final = (QUALITY, QUALITY_TABLE)
"""Files without a pseudonym of anybody."""
NEEDS: Final = ("families.csv", "needs.csv", "details.csv", "flags.csv")
"""Files that say what a family needs, or whether it is put forward."""
EFFECTS: Final = "effects.json"
ANALYSED: Final = (*NEEDS, EFFECTS)
"""Files for which an agreement has to name analysis."""


class KeptQuality(QualityTable):
    """What is kept of a run's quality; its effects are for agreements that name analysis."""

    effects: LinkageEffects | None = None


def export(database: HubDatabase, run: str, name: str, *, told: bool = True) -> Iterable[bytes]:
    """One file, in pieces.

    Args:
        database: the hub's.
        run: of which.
        name: of the file.
        told: whether figures say how many families are put forward; else they say null. The
            ledger's own entry of the run is in ``quality.json`` as everybody there can read it.

    Raises:
        UnknownRun: the run is unknown or not finished, its results are no longer kept, or there is
            no such file.
    """
    with database.reading() as connection:
        found = connection.execute(select(runs).where(runs.c.id == run)).first()
        kept = connection.execute(
            select(person_records.c.run).where(person_records.c.run == run).limit(1)
        ).first()
    if found is None or found.state != "finished" or name not in EXPORTS:
        raise UnknownRun("no such file of a finished run", next_step=f"one of {', '.join(EXPORTS)}")
    if name == QUALITY:
        return [_quality(found, told=told)]
    if name == EFFECTS:
        effects = effects_of(found)
        whole = {"run": run, "effects": effects and effects.model_dump(mode="json")}
        return [json.dumps(whole, indent=2).encode()]
    if name == QUALITY_TABLE:
        return [as_csv(quality_of(database, run))]
    if kept is None and found.records and name not in _LASTING:
        raise UnknownRun(
            "the run's results gave way to newer ones",
            next_step="linkage-hub runs export RUN --file ids.csv --file quality.json",
        )
    return _rows(database, TABLES[name](run))


def quality_of(database: HubDatabase, run: str) -> QualityTable:
    """The table of a finished run's quality; without rows where the agreement has no sentinels.

    Raises:
        UnknownRun: the run is unknown or not finished.
    """
    with database.reading() as connection:
        found = connection.execute(select(runs).where(runs.c.id == run)).first()
    if found is None or found.state != "finished":
        raise UnknownRun("no such finished run", next_step="linkage-hub runs list")
    if found.quality_table is None:
        return QualityTable(rows=())
    return QualityTable(rows=_kept(found.quality_table).rows)


def effects_of(row: Any) -> LinkageEffects | None:
    """What errors of linkage do to the figures of a run's row, where it was worked out."""
    return None if row.quality_table is None else _kept(row.quality_table).effects


def _kept(text: str) -> KeptQuality:
    return parse_model(json.loads(text), KeptQuality)


def _quality(row: Any, *, told: bool) -> bytes:
    figures = {
        name: getattr(row, name)
        for name in (
            "sources", "records", "persons", "families", "flagged", "threshold",
            "estimated_precision", "estimated_recall",
        )
    }  # fmt: skip
    figures |= {} if told else {"flagged": None}
    whole = {
        "run": row.id,
        "finished": row.finished,
        **figures,
        "pairs": json.loads(row.quality),
        "receipt": None if row.receipt is None else json.loads(row.receipt),
        "program": None if row.program is None else json.loads(row.program),
    }
    return json.dumps(whole, indent=2).encode()


def _rows(database: HubDatabase, statement: Select[Any]) -> Iterable[bytes]:
    with database.reading() as connection:
        result = connection.execution_options(yield_per=5_000).execute(statement)
        yield _csv([list(result.keys())])
        for part in result.partitions():
            yield _csv(part)


def _csv(rows: Iterable[Iterable[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
