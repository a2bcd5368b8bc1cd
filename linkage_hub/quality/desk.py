"""Where partners reveal which records of a run do not exist.

Rules: partners are asked only once the run's persons are fixed, on disk here and by their digest
in the ledger; a partner is asked for its own submissions only; what it hands over has to be what
its signed manifest committed to, so that nobody's record can be called synthetic afterwards; the
same again changes nothing; what was revealed to a run is destroyed at its end, so that the next
one over the same submissions links as blindly. A run whose time passes with something not revealed
ends without persons or families (fail closed): synthetic families never reach a manager.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, and_, delete, insert, select, update

from governance.agreements.models import Agreement
from governance.canonical import parse_time, sha256, write_time
from governance.errors import FormatError
from governance.exchange.hub_api import RevealList, RevealTask
from governance.exchange.sentinels import SyntheticRecord, commitment, read_key
from governance.ledger.events import EventType
from governance.ledger.party import PartyLedger
from governance.ledger.payloads import SentinelsOpened
from linkage_hub.jobs.queue import enqueue
from linkage_hub.quality.errors import NotTheKey, UnknownReveal
from linkage_hub.runs.errors import NotRevealed
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import (
    run_inputs,
    runs,
    sentinel_keys,
    sentinel_runs,
    submissions,
)
from linkage_hub.submissions.manifests import manifest_of
from linkage_hub.submissions.service import log_once

REVEAL: Final = "reveal"
"""Phase of a run that waits here."""
NEXT_JOB: Final = "link.finish"
_REVEALED: Final = and_(
    sentinel_keys.c.run == run_inputs.c.run,
    sentinel_keys.c.submission == run_inputs.c.submission,
)


class RevealDesk:
    """Reveals of every run."""

    def __init__(
        self, database: HubDatabase, ledger: PartyLedger, now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._now = now

    def open(
        self, run: str, agreement: Agreement, person_of: Sequence[npt.NDArray[np.int64]]
    ) -> bool:
        """Fix a run's persons in the ledger and ask partners; may be repeated.

        Args:
            run: its id.
            agreement: of the run.
            person_of: person of each record, by submission.

        Returns:
            Whether the run has to wait; its next job is then queued for the last reveal.

        Raises:
            LedgerError: the ledger does not have it; nobody is asked yet.
        """
        if agreement.quality is None:
            return False
        inputs = self._inputs(run)
        event = SentinelsOpened(
            run=run,
            agreement=agreement.hash,
            submissions=tuple(row.manifest_hash for row in inputs),
            persons_sha256=persons_digest(person_of),
        )
        log_once(self._ledger, EventType.SENTINELS_OPENED, event, f"sentinels:{run}")
        now = self._now()
        closes = write_time(now + timedelta(hours=agreement.quality.reveal_hours))
        with self._database.writing() as connection:
            known = connection.execute(select(sentinel_runs).where(sentinel_runs.c.run == run))
            row = known.first()
            if row is None:
                connection.execute(
                    insert(sentinel_runs).values(run=run, opened=write_time(now), closes=closes)
                )
            else:
                closes = row.closes
            if not self._missing(connection, run):
                return False
            connection.execute(
                update(runs).where(runs.c.id == run).values(state="waiting", phase=REVEAL)
            )
            until = parse_time(closes).timestamp()
            enqueue(connection, NEXT_JOB, run, time.time(), not_before=until)
        return True

    def tasks(self, party: str) -> RevealList:
        """What runs wait to learn of a party."""
        statement = (
            select(run_inputs, runs.c.agreement)
            .join(sentinel_runs, sentinel_runs.c.run == run_inputs.c.run)
            .join(runs, runs.c.id == run_inputs.c.run)
            .outerjoin(sentinel_keys, _REVEALED)
            .where(
                run_inputs.c.party == party,
                runs.c.state == "waiting",
                sentinel_runs.c.closes > write_time(self._now()),
                sentinel_keys.c.submission.is_(None),
            )
            .order_by(run_inputs.c.run, run_inputs.c.position)
        )
        with self._database.reading() as connection:
            rows = connection.execute(statement).all()
        return RevealList(
            reveals=tuple(
                RevealTask(
                    run=row.run,
                    agreement=row.agreement,
                    submission=row.submission,
                    manifest=row.manifest_hash,
                )
                for row in rows
            )
        )

    def take(self, party: str, run: str, submission: str, key: bytes) -> None:
        """Take the key to a submission's synthetic records; the last of them lets the run go on.

        One that comes once the run is over is not kept.

        Raises:
            UnknownReveal: the run is not waiting for it, or not of this party.
            NotTheKey: the manifest commits to another one, or it names records that are not there.
        """
        row = self._asked(party, run, submission)
        if row.run_state != "waiting":
            return
        manifest = manifest_of(row)
        if commitment(key) != manifest.synthetic_key:
            raise NotTheKey("the manifest commits to another key")
        try:
            records = read_key(key, manifest.counts.synthetic)
        except FormatError as error:
            raise NotTheKey(error.message) from None
        if len(records) != manifest.counts.synthetic:
            raise NotTheKey("the key names another number of records than the manifest")
        with self._database.writing() as connection:
            here = and_(sentinel_keys.c.run == run, sentinel_keys.c.submission == submission)
            if connection.execute(select(sentinel_keys).where(here)).first() is None:
                connection.execute(
                    insert(sentinel_keys).values(
                        run=run,
                        submission=submission,
                        content=key,
                        received=write_time(self._now()),
                    )
                )
            if not self._missing(connection, run):
                enqueue(connection, NEXT_JOB, run, time.time())

    def waiting_for(self, run: str) -> tuple[str, ...]:
        """Parties that have something left to reveal."""
        with self._database.reading() as connection:
            return tuple(sorted({row.party for row in self._missing(connection, run)}))

    def synthetic(self, run: str) -> list[dict[str, SyntheticRecord]]:
        """The synthetic records of each of a run's submissions, in their order, by handle.

        Raises:
            NotRevealed: some partner did not say.
        """
        missing = self.waiting_for(run)
        if missing:
            raise NotRevealed(
                f"not revealed by: {', '.join(missing)}",
                next_step="see that every partner's agent runs, then start another run",
            )
        with self._database.reading() as connection:
            contents = connection.scalars(
                select(sentinel_keys.c.content)
                .join(run_inputs, _REVEALED)
                .where(run_inputs.c.run == run)
                .order_by(run_inputs.c.position)
            ).all()
        return [{record.handle: record for record in read_key(content)} for content in contents]

    def forget(self, run: str) -> None:
        """Destroy what was revealed to a run that has ended."""
        with self._database.writing() as connection:
            connection.execute(delete(sentinel_keys).where(sentinel_keys.c.run == run))

    def _inputs(self, run: str) -> list[Any]:
        statement = (
            select(run_inputs).where(run_inputs.c.run == run).order_by(run_inputs.c.position)
        )
        with self._database.reading() as connection:
            return list(connection.execute(statement))

    def _asked(self, party: str, run: str, submission: str) -> Any:
        statement = (
            select(submissions, runs.c.state.label("run_state"))
            .join(run_inputs, run_inputs.c.submission == submissions.c.id)
            .join(runs, runs.c.id == run_inputs.c.run)
            .join(sentinel_runs, sentinel_runs.c.run == run_inputs.c.run)
            .where(
                and_(
                    run_inputs.c.run == run,
                    run_inputs.c.submission == submission,
                    run_inputs.c.party == party,
                )
            )
        )
        with self._database.reading() as connection:
            row = connection.execute(statement).first()
        if row is None:
            raise UnknownReveal("no run waits for this of the caller")
        return row

    @staticmethod
    def _missing(connection: Connection, run: str) -> list[Any]:
        statement = (
            select(run_inputs)
            .outerjoin(sentinel_keys, _REVEALED)
            .where(run_inputs.c.run == run, sentinel_keys.c.submission.is_(None))
        )
        return list(connection.execute(statement))


def persons_digest(person_of: Sequence[npt.NDArray[np.int64]]) -> str:
    """Over the person of every record, in the order of the submissions and their rows.

    SHA-256 over little-endian 64-bit numbers; ``sha256:<64 hex>``.
    """
    parts = [np.ascontiguousarray(each, dtype="<i8").tobytes() for each in person_of]
    return sha256(b"".join(parts))
