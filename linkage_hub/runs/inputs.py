"""What a run starts from: the newest accepted submission of each source, and the ids so far."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sqlalchemy import select

from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import family_members, person_records, runs, submissions
from linkage_hub.submissions.content import encodings_of, handles_of, read_content
from linkage_hub.submissions.files import ContentFiles


@dataclass(frozen=True)
class SourceData:
    """One source's records.

    Attributes:
        manifest: hash of the submission's manifest.
        handles: of the records, 32 hexadecimal digits each.
        encodings: uint8 (v, n, 128): v views, the first of them the full encoding.
    """

    party: str
    source: str
    manifest: str
    handles: list[str]
    encodings: npt.NDArray[np.uint8]
    table: pa.Table


@dataclass(frozen=True)
class Previous:
    """Ids of the run before: persons by handle, families by person."""

    persons: dict[str, str]
    families: dict[str, str]


def read_sources(database: HubDatabase, files: ContentFiles, agreement: str) -> list[SourceData]:
    """Every source with an accepted submission under an agreement, in a fixed order."""
    statement = (
        select(submissions)
        .where(submissions.c.agreement == agreement, submissions.c.state == "accepted")
        .order_by(submissions.c.party, submissions.c.source)
    )
    with database.reading() as connection:
        rows = connection.execute(statement).all()
    return [_read(row, files) for row in rows]


def _read(row: Any, files: ContentFiles) -> SourceData:
    table = read_content(files.path(row.id))
    return SourceData(
        row.party, row.source, row.manifest_hash, handles_of(table), encodings_of(table), table
    )


def read_previous(database: HubDatabase, agreement: str) -> Previous:
    """Ids of the agreement's current run; empty before the first."""
    current = (
        select(runs.c.id)
        .where(runs.c.agreement == agreement, runs.c.is_current.is_(True))
        .scalar_subquery()
    )
    with database.reading() as connection:
        persons = connection.execute(
            select(person_records.c.handle, person_records.c.person).where(
                person_records.c.run == current
            )
        )
        known = {row.handle: row.person for row in persons}
        members = connection.execute(
            select(family_members.c.person, family_members.c.family).where(
                family_members.c.run == current, family_members.c.is_primary.is_(True)
            )
        )
        return Previous(known, {row.person: row.family for row in members})
