"""What a run starts from: the newest accepted submission of each source, and the ids so far."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Select, delete, insert, select, update

from governance.errors import ReasonedError
from governance.exchange.left_out import leave_out
from governance.exchange.submission_file import ARROW_SCHEMA
from linkage_hub.linkage.duplicates import Duplicates
from linkage_hub.linkage.identity import KnownIds
from linkage_hub.rights.records import left_out_of
from linkage_hub.runs.work import Work
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import (
    family_members,
    person_records,
    run_inputs,
    runs,
    submissions,
)
from linkage_hub.submissions.content import encodings_of
from linkage_hub.submissions.duplicates import duplicates_of, handles_of
from linkage_hub.submissions.files import ContentFiles
from linkage_hub.submissions.reading import read_content

_PERSON_ID: Final = "S34"  # p- or f- and 32 hexadecimal digits
_ROWS_AT_ONCE: Final = 50_000


@dataclass(frozen=True)
class SourceData:
    """One source's records.

    Attributes:
        manifest: hash of the submission's manifest.
        handles: of the records, ``V16`` (n,).
        encodings: uint8 (v, n, 128): v views, the first of them the full encoding.
        duplicates: records that its agent holds for one person.
    """

    party: str
    source: str
    manifest: str
    handles: npt.NDArray[np.void]
    encodings: npt.NDArray[np.uint8]
    duplicates: Duplicates
    table: pa.Table

    @classmethod
    def of(cls, party: str, source: str, manifest: str, table: pa.Table) -> "SourceData":
        """From a submission's records."""
        handles = handles_of(table)
        found = duplicates_of(table, handles)
        return cls(party, source, manifest, handles, encodings_of(table), found, table)


@dataclass(frozen=True)
class Copied:
    """A submission with handles of another source: its id, its manifest's hash, and how many."""

    submission: str
    manifest: str
    handles: int


@dataclass(frozen=True)
class Previous:
    """Ids of the run before: persons by handle (16 bytes), families by person."""

    persons: KnownIds
    families: KnownIds


def records_of(database: HubDatabase, agreement: str) -> int:
    """How many records were accepted under an agreement and are not replaced."""
    with database.reading() as connection:
        return sum(row.records for row in connection.execute(_accepted(agreement)))


def pin_sources(
    database: HubDatabase, files: ContentFiles, work: Work, run: str, agreement: str
) -> None:
    """Fix what a run starts from: every source's accepted submission, in a fixed order.

    May be repeated: what was fixed first holds.
    """
    with database.writing() as connection:
        if connection.execute(select(run_inputs).where(run_inputs.c.run == run)).first():
            return
        # A submission's file is removed only after it was marked as replaced, which waits for us.
        for position, row in enumerate(connection.execute(_accepted(agreement)).all()):
            work.pin(row.id, files.path(row.id))
            connection.execute(
                insert(run_inputs).values(
                    run=run,
                    position=position,
                    submission=row.id,
                    party=row.party,
                    source=row.source,
                    manifest_hash=row.manifest_hash,
                )
            )


def read_sources(database: HubDatabase, work: Work, run: str) -> list[SourceData]:
    """The sources that a run started from; rows of records that are left out hold nothing."""
    statement = select(run_inputs).where(run_inputs.c.run == run).order_by(run_inputs.c.position)
    with database.reading() as connection:
        rows = connection.execute(statement).all()
        gone = {row.party: left_out_of(connection, row.party) for row in rows}
    return [_read(row, work, gone[row.party]) for row in rows]


def copied_sources(
    database: HubDatabase, run: str, sources: Sequence[SourceData], accepted: Iterable[str]
) -> list[Copied]:
    """Sources that hold a handle of one that the ledger shows as accepted before them.

    Verdicts let none through, unless two workers gave them at once.

    Args:
        database: the hub's.
        run: a run's id.
        sources: what it starts from.
        accepted: manifests' hashes in the ledger's order, which any partner can check.
    """
    handles = [source.table.column("handle").combine_chunks() for source in sources]
    whole = pa.chunked_array(handles, type=ARROW_SCHEMA.field("handle").type)
    if pc.count_distinct(whole).as_py() == len(whole):
        return []
    statement = select(run_inputs.c.submission, run_inputs.c.manifest_hash).where(
        run_inputs.c.run == run
    )
    place = {manifest: at for at, manifest in enumerate(accepted)}
    with database.reading() as connection:
        rows = sorted(connection.execute(statement), key=lambda row: place[row.manifest_hash])
    held = {source.manifest: each for source, each in zip(sources, handles, strict=True)}
    before: list[pa.Array] = []
    found = []
    for row in rows:
        known = pa.chunked_array(before, type=whole.type).combine_chunks()
        common = pc.sum(pc.is_in(held[row.manifest_hash], value_set=known)).as_py() or 0
        if common:
            found.append(Copied(row.submission, row.manifest_hash, common))
        else:
            before.append(held[row.manifest_hash])
    return found


def refuse_copied(database: HubDatabase, run: str, copied: Copied, refusal: ReasonedError) -> None:
    """Take a submission out of a run, and refuse it for later ones."""
    with database.writing() as connection:
        connection.execute(
            delete(run_inputs).where(
                run_inputs.c.run == run, run_inputs.c.submission == copied.submission
            )
        )
        connection.execute(
            update(submissions)
            .where(submissions.c.id == copied.submission, submissions.c.state == "accepted")
            .values(
                state="refused",
                reason=refusal.reason,
                message=refusal.message,
                next_step=refusal.next_step,
            )
        )


def _accepted(agreement: str) -> Select[Any]:
    return (
        select(submissions)
        .where(submissions.c.agreement == agreement, submissions.c.state == "accepted")
        .order_by(submissions.c.party, submissions.c.source)
    )


def _read(row: Any, work: Work, gone: Collection[bytes]) -> SourceData:
    table = leave_out(read_content(work.pinned(row.submission)), gone)
    return SourceData.of(row.party, row.source, row.manifest_hash, table)


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
        handles, names = _columns(persons, "S32", _PERSON_ID)
        members = connection.execute(
            select(family_members.c.person, family_members.c.family).where(
                family_members.c.run == current, family_members.c.is_primary.is_(True)
            )
        )
        homes = _columns(members, _PERSON_ID, _PERSON_ID)
    digits = b"".join(handles.tolist()).decode("ascii")
    own = np.frombuffer(bytes.fromhex(digits), dtype="S16")
    return Previous(KnownIds.of(own, names), KnownIds.of(*homes))


def _columns(result: Any, first: str, second: str) -> tuple[Any, Any]:
    """Two columns of text as arrays of bytes, a part of the rows at a time."""
    parts = [
        (np.array([row[0] for row in rows], first), np.array([row[1] for row in rows], second))
        for rows in result.partitions(_ROWS_AT_ONCE)
    ]
    return (
        np.concatenate([np.zeros(0, first), *(part[0] for part in parts)]),
        np.concatenate([np.zeros(0, second), *(part[1] for part in parts)]),
    )
