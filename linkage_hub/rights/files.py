"""Submissions' files, runs' copies of them, and decisions, without the records that are left out.

Rules: a file is rewritten only where it holds such a record, and keeps its rows' places; an upload
that has not ended is refused, since nothing of it can be taken out; decisions about a row that
holds nothing are destroyed.
"""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from sqlalchemy import select, update

from governance.exchange.left_out import is_left_out, leave_out, rewrite
from linkage_hub.refinement.service import Refinement
from linkage_hub.runs.work import Work
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import run_inputs, runs, submissions
from linkage_hub.submissions.duplicates import handles_of
from linkage_hub.submissions.files import ContentFiles
from linkage_hub.submissions.reading import read_content, read_handles

_OVER: Final = ("finished", "failed")
OVERTAKEN: Final = "submission.overtaken"


class FilesWithout:
    """The hub's files of one party's records.

    Args:
        database: the hub's.
        files: submissions' files.
        runs_folder: where runs keep what they need between phases.
        refinement: keeps decisions.
    """

    def __init__(
        self,
        database: HubDatabase,
        files: ContentFiles,
        runs_folder: Path,
        refinement: Refinement,
    ) -> None:
        self._database = database
        self._files = files
        self._runs_folder = runs_folder
        self._refinement = refinement

    def holding(self, party: str, handles: Collection[bytes]) -> list[set[bytes]]:
        """Which of the records each submission holds, of those that hold any."""
        held = (_held(self._files.path(row.id), handles) for row in self._accepted(party))
        return [each for each in held if each]

    def take_out(self, party: str, handles: Collection[bytes], before: str | None = None) -> None:
        """Take records out of every file that is kept.

        Args:
            party: whose they are.
            handles: of the records.
            before: time of a manifest; submissions made since then are left as they are.
        """
        for row in self._accepted(party):
            if before is not None and row.created >= before:
                continue
            path = self._files.path(row.id)
            _rewrite(path, _held(path, handles))
            gone = np.flatnonzero(is_left_out(handles_of(read_content(path)))).tolist()
            self._refinement.forget_rows(row.agreement, row.manifest_hash, gone)
        for path in self._copies(party):
            _rewrite(path, _held(path, handles) if before is None else set())

    def used_by_runs(self, party: str, begun: str) -> bool:
        """Whether a run goes on that may have read records before they were left out."""
        statement = (
            select(runs.c.id)
            .join(run_inputs, run_inputs.c.run == runs.c.id)
            .where(run_inputs.c.party == party, runs.c.state.not_in(_OVER), runs.c.created <= begun)
        )
        with self._database.reading() as connection:
            return connection.execute(statement).first() is not None

    def being_verified(self, party: str, begun: str) -> bool:
        """Whether a submission that may hold the records waits for its verdict."""
        statement = select(submissions.c.id).where(
            submissions.c.party == party,
            submissions.c.state == "verifying",
            submissions.c.received <= begun,
        )
        with self._database.reading() as connection:
            return connection.execute(statement).first() is not None

    def _accepted(self, party: str) -> list[Any]:
        statement = select(submissions).where(
            submissions.c.party == party, submissions.c.state == "accepted"
        )
        with self._database.reading() as connection:
            return list(connection.execute(statement))

    def _copies(self, party: str) -> Iterator[Path]:
        statement = (
            select(run_inputs.c.run, run_inputs.c.submission)
            .join(runs, runs.c.id == run_inputs.c.run)
            .where(run_inputs.c.party == party, runs.c.state.not_in(_OVER))
        )
        with self._database.reading() as connection:
            rows = connection.execute(statement).all()
        for row in rows:
            path = Work(self._runs_folder / row.run).pinned(row.submission)
            if path.exists():
                yield path

    def refuse_uploads(self, party: str, begun: str) -> None:
        """Refuse uploads that may hold the records, since nothing of them can be taken out yet."""
        here = (
            submissions.c.party == party,
            submissions.c.state == "receiving",
            submissions.c.received <= begun,
        )
        with self._database.writing() as connection:
            ids = list(connection.scalars(select(submissions.c.id).where(*here)))
            connection.execute(
                update(submissions)
                .where(*here)
                .values(
                    state="refused",
                    reason=OVERTAKEN,
                    message="a data subject's request came before the file was whole",
                    next_step="prepare the extract again, then submit it",
                )
            )
        for id_ in ids:
            self._files.remove(id_)


def _held(path: Path, handles: Collection[bytes]) -> set[bytes]:
    return set(handles) & set(read_handles(path).to_pylist())


def _rewrite(path: Path, held: Collection[bytes]) -> None:
    if held:
        rewrite(path, leave_out(read_content(path), held))
