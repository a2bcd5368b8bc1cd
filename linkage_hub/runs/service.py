"""Starting, doing and showing link runs."""

import secrets
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert, select, update

from governance.agreements.errors import ActionNotAllowed
from governance.agreements.models import Action
from governance.agreements.policy import in_force
from governance.canonical import write_time
from governance.exchange.hub_api import RunView
from governance.identity.envelope import parse_canonical
from governance.ledger.events import EventType
from governance.ledger.party import PartyLedger
from governance.ledger.payloads import LinkRunFinished
from linkage_hub.jobs.queue import JobQueue, enqueue
from linkage_hub.runs.errors import NothingToLink, UnknownRun
from linkage_hub.runs.inputs import read_previous, read_sources
from linkage_hub.runs.pipeline import Progress, run_pipeline
from linkage_hub.runs.results import results_digest, write_results
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import runs
from linkage_hub.submissions.files import ContentFiles
from linkage_hub.submissions.service import log_once

LINK: Final = "link"


class Runs:
    """Link runs of every agreement."""

    def __init__(
        self,
        database: HubDatabase,
        files: ContentFiles,
        ledger: PartyLedger,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._files = files
        self._ledger = ledger
        self._now = now
        self._queue = JobQueue(database)

    def start(self, agreement: str) -> RunView:
        """Queue a run.

        Raises:
            AgreementRefusal: not in force, or linking is not allowed.
            NothingToLink: no source has an accepted submission.
        """
        self._check(agreement)
        if not read_sources(self._database, self._files, agreement):
            raise NothingToLink(
                "no submission under this agreement was accepted yet",
                next_step="each partner runs: partner-agent submit",
            )
        run = secrets.token_hex(16)
        with self._database.writing() as connection:
            connection.execute(
                insert(runs).values(
                    id=run,
                    agreement=agreement,
                    state="queued",
                    is_current=False,
                    reason=None,
                    created=write_time(self._now()),
                    finished=None,
                    sources=0,
                    records=0,
                    persons=0,
                    families=0,
                    flagged=0,
                )
            )
            enqueue(connection, LINK, run, time.time())
        return self.view(run)

    def _check(self, agreement: str) -> None:
        standing = self._ledger.sync().agreements.standing(agreement)
        in_force(standing, self._now())
        if Action.LINK not in standing.agreement.actions:
            raise ActionNotAllowed(f"agreement {standing.agreement.id} does not allow linking")

    def do(self, run: str, progress: Progress) -> None:
        """Job handler: link, store, log; after a crash it goes on with what is not done."""
        row = self._row(run)
        if row.state == "failed":
            return
        if row.receipt is None:
            self._link(row, progress)
            row = self._row(run)
        progress(0.98, "logging")
        receipt = parse_canonical(row.receipt, LinkRunFinished)
        log_once(self._ledger, EventType.LINK_RUN_FINISHED, receipt, f"link:{run}")

    def _link(self, row: Any, progress: Progress) -> None:
        self._check(row.agreement)
        self._set(row.id, state="running")
        progress(0.01, "reading submissions")
        sources = read_sources(self._database, self._files, row.agreement)
        agreement = self._ledger.state.agreements.standing(row.agreement).agreement
        previous = read_previous(self._database, row.agreement)
        results = run_pipeline(
            sources,
            agreement,
            previous,
            self._now().date(),
            lambda share, step: progress(0.02 + 0.9 * share, step),
        )
        progress(0.94, "storing")
        receipt = LinkRunFinished(
            run=row.id,
            agreement=row.agreement,
            submissions=tuple(source.manifest for source in sources),
            persons=len(results.person_ids),
            families=len(results.families),
            flagged=sum(item.flagged for item in results.assessments),
            results_sha256=results_digest(results),
        )
        with self._database.writing() as connection:
            write_results(connection, row.id, receipt, results, write_time(self._now()))

    def abandon(self, run: str, reason: str) -> None:
        """Note that a run failed for good."""
        self._set(run, state="failed", reason=reason, finished=write_time(self._now()))

    def view(self, run: str) -> RunView:
        """How far a run is, or what it found.

        Raises:
            UnknownRun: there is none.
        """
        return self._view(self._row(run))

    def all(self) -> list[RunView]:
        """Every run, newest first."""
        with self._database.reading() as connection:
            rows = connection.execute(select(runs).order_by(runs.c.created.desc(), runs.c.id)).all()
        return [self._view(row) for row in rows]

    def _row(self, run: str) -> Any:
        with self._database.reading() as connection:
            row = connection.execute(select(runs).where(runs.c.id == run)).first()
        if row is None:
            raise UnknownRun("there is no such run", next_step="linkage-hub runs list")
        return row

    def _set(self, run: str, **values: object) -> None:
        with self._database.writing() as connection:
            connection.execute(update(runs).where(runs.c.id == run).values(**values))

    def _view(self, row: Any) -> RunView:
        job = self._queue.view(LINK, row.id)
        done = row.state in {"finished", "failed"}
        return RunView(
            id=row.id,
            agreement=row.agreement,
            state=row.state,
            progress=1.0 if done or job is None else job.progress,
            step="" if done or job is None else job.step,
            seconds_left=None if done or job is None else job.seconds_left,
            reason=row.reason,
            created=row.created,
            finished=row.finished,
            sources=row.sources,
            records=row.records,
            persons=row.persons,
            families=row.families,
            flagged=row.flagged,
            threshold=row.threshold,
            estimated_precision=row.estimated_precision,
            estimated_recall=row.estimated_recall,
        )
