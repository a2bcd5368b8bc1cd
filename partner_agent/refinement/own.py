"""What this partner really sent, and the rows behind it.

Rules: a handle is answered for when it is in the file of the submission of its source that is in
force (the newest of those that the ledger says were accepted, whatever the hub calls them), in the
newest prepared file of its source as well (a row that is there no more was withdrawn, or its
person has opted out), and its row is still in the vault and not protected; which of these it was is
told to nobody outside, lest a question find out who is protected. Where opt-outs of the source were
checked again since its newest file was prepared, nothing of it is answered for until the next is:
who has opted out since is in that file still, and the vault cannot tell. Rows are opened in memory,
for one batch at a time.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final, Protocol

import pyarrow as pa
from sqlalchemy import literal_column, select

from governance.canonical import parse_json
from governance.identity.envelope import Envelope, parse_model
from partner_agent.protection.register import Protections
from partner_agent.refinement.core import CleanRow
from partner_agent.store.database import AgentDatabase
from partner_agent.store.tables import opt_out_lists, submissions
from partner_agent.vault.store import Vault

NOT_OWN: Final = "refinement.not_own"
REPLACED: Final = "refinement.replaced"
UNUSABLE: Final = "refinement.unusable"
_SENT: Final = frozenset({"sent", "accepted", "replaced"})
_ROWS_AT_ONCE: Final = 5_000


class OtherRows(Protocol):
    """Rows that were submitted and are not in the vault."""

    def get_many(self, handles: Iterable[bytes]) -> dict[bytes, dict[str, str]]:
        """Cleaned rows of those handles that it holds."""
        ...


@dataclass(frozen=True)
class OwnSubmission:
    """A submission that left this machine.

    Attributes:
        manifest: hash of its manifest.
        handles: every record in its file.
        current: those of them that the newest prepared file of the source holds as well.
        in_force: whether no later submission of the source was accepted, and no check of opt-outs
            has come since the source's newest file was prepared.
    """

    manifest: str
    source: str
    handles: frozenset[bytes] = field(repr=False)
    current: frozenset[bytes] = field(repr=False)
    in_force: bool


@dataclass(frozen=True)
class OpenedRows:
    """Rows of a batch, and why others may not be used."""

    rows: dict[bytes, CleanRow] = field(repr=False)
    refused: dict[bytes, str] = field(repr=False)


class OwnRecords:
    """This partner's submissions and rows.

    Args:
        home: the agent's folder, whose outbox holds the files.
        database: the agent's.
        vault: the encrypted rows.
        others: rows that were submitted and are not in the vault.
        protections: people and homes that are not to be asked about.
    """

    def __init__(
        self,
        home: Path,
        database: AgentDatabase,
        vault: Vault,
        others: OtherRows,
        protections: Protections,
    ) -> None:
        self._outbox = home / "outbox"
        self._database = database
        self._vault = vault
        self._others = others
        self._protections = protections

    def submissions(
        self, agreement: str, manifests: Sequence[str], accepted: Container[str]
    ) -> dict[int, OwnSubmission]:
        """Which of a round's submissions are this partner's, by their number.

        Args:
            agreement: the round's.
            manifests: the round's submissions.
            accepted: manifests of all submissions that the ledger says were accepted.
        """
        numbers = {manifest: number for number, manifest in enumerate(manifests)}
        statement = (
            select(submissions)
            .where(submissions.c.agreement == agreement)
            .order_by(literal_column("rowid"))
        )
        with self._database.reading() as connection:
            rows = connection.execute(statement).all()
            checked = dict(
                connection.execute(select(opt_out_lists.c.source, opt_out_lists.c.imported)).all()
            )
        hashes = [parse_model(parse_json(row.manifest), Envelope).payload_hash for row in rows]
        newest = {row.source: row for row in rows}
        in_force = {
            row.source: row.id
            for row, manifest in zip(rows, hashes, strict=True)
            if manifest in accepted and checked.get(row.source, "") <= newest[row.source].created
        }
        found = {}
        for row, manifest in zip(rows, hashes, strict=True):
            number = numbers.get(manifest)
            if number is None or row.state not in _SENT:
                continue
            handles = self._handles(row.id)
            current = handles
            if newest[row.source].id != row.id:
                current = handles & self._handles(newest[row.source].id)
            found[number] = OwnSubmission(
                manifest, row.source, handles, current, in_force.get(row.source) == row.id
            )
        return found

    def open(self, wanted: Mapping[bytes, OwnSubmission]) -> OpenedRows:
        """The rows of some records, each with the submission that it is asked for in."""
        stored = self._vault.get_many(wanted)
        others = self._others.get_many(handle for handle in wanted if handle not in stored)
        guard = self._protections.guard()
        rows: dict[bytes, CleanRow] = {}
        refused: dict[bytes, str] = {}
        for handle, submission in wanted.items():
            row = stored.get(handle)
            if row is None and handle in others:
                rows[handle] = others[handle]
            elif handle not in submission.current or row is None or guard.stored(row):
                refused[handle] = UNUSABLE
            else:
                rows[handle] = row.clean
        return OpenedRows(rows, refused)

    def background(self, submission: OwnSubmission) -> Iterator[CleanRow]:
        """Every row of a submission that may be used, a few thousand in memory at once."""
        guard = self._protections.guard()
        handles = iter(sorted(submission.current))
        while part := list(islice(handles, _ROWS_AT_ONCE)):
            for row in self._vault.get_many(part).values():
                if not guard.stored(row):
                    yield row.clean

    def _handles(self, id_: str) -> frozenset[bytes]:
        """Handles in a prepared file; none where the file is gone."""
        path = self._outbox / f"{id_}.arrow"
        if not path.exists():
            return frozenset()
        with pa.ipc.open_file(pa.memory_map(str(path))) as reader:
            return frozenset(
                handle
                for number in range(reader.num_record_batches)
                for handle in reader.get_batch(number).column("handle").to_pylist()
            )
