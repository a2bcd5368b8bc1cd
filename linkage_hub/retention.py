"""What agreements' retention ends at the hub is destroyed, and the ledger is told how much.

Rules: a submission's file, with what was decided about its pairs, goes after ``encodings_days``; a
run's results, its answers and rulings, reports whose newest run it is, true counts behind published
tables whose newest run it is (``linkage_hub.analytics.true_counts``), and requests with their
documents go after ``link_results_days``; sealed items that nobody has fetched go after
``released_items_days``. Each period is that of the agreement under which it was made, also once
that has ended; a run that goes on is left alone, and what a run that is over has left on disk is
destroyed. What was destroyed is told in counts; after a crash meanwhile the ledger is told of fewer
than there were, since what is gone is not counted again. Uploads that were never complete are
destroyed too, and so are true counts of runs that this hub does not know, and shared models of
risk, which are of no family, once they were trained as long ago as results are kept; the ledger,
which has heard of none, is not told.
"""

import logging
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, delete, or_, select, update

from governance.agreements.models import Agreement
from governance.canonical import write_time
from governance.ledger.events import Event, EventType
from governance.ledger.outgoing import Outgoing
from governance.ledger.party import PartyLedger
from governance.ledger.payloads import RetentionPurged
from linkage_hub.analytics.risk.books import forget_models, oldest
from linkage_hub.analytics.true_counts import due_counts, forget_counts, forget_useless
from linkage_hub.refinement.service import Refinement
from linkage_hub.reports.store import forget
from linkage_hub.rights.records import forget_outcomes
from linkage_hub.runs.results import discard, held
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import (
    answers,
    purges,
    refinement_batches,
    refinement_parties,
    refinement_rounds,
    reports,
    requests,
    rulings,
    runs,
    submissions,
)
from linkage_hub.submissions.files import ContentFiles

_LOG: Final = logging.getLogger(__name__)
_OVER: Final = ("finished", "failed")
_USED: Final = ("receiving", "verifying", "accepted")
PURGED: Final = "release.purged"


@dataclass(frozen=True)
class Purged:
    """How much was destroyed, or is due to be.

    Attributes:
        rows: records in the submissions' files.
        files: of submissions.
        runs: whose results went.
        rulings: on pairs of records.
        releases: requests with their documents, and answers with sealed items.
        reports: of figures for staff.
        tables: populations of several runs whose true counts went.
    """

    rows: int = 0
    files: int = 0
    runs: int = 0
    rulings: int = 0
    releases: int = 0
    reports: int = 0
    tables: int = 0

    def __bool__(self) -> bool:
        return any(asdict(self).values())


@dataclass(frozen=True)
class _Due:
    """What is due under one agreement."""

    submissions: list[Any]
    runs: list[str]
    rulings: list[int]
    sealed: list[tuple[str, str]]
    requests: list[str]
    reports: list[str]
    tables: list[str]

    @property
    def counts(self) -> Purged:
        """Of all of it."""
        return self._counted(self.submissions)

    @property
    def told(self) -> Purged:
        """Of what the ledger knows of."""
        return self._counted([row for row in self.submissions if row.state == "accepted"])

    def _counted(self, files: list[Any]) -> Purged:
        return Purged(
            sum(row.records for row in files),
            len(files),
            len(self.runs),
            len(self.rulings),
            len(self.sealed) + len(self.requests),
            len(self.reports),
            len(self.tables),
        )


class HubRetention:
    """Ends retention at one hub.

    Args:
        party: the hub's own name.
        database: the hub's.
        files: submissions' files.
        runs_folder: where runs keep what they need between phases.
        refinement: keeps decisions.
        ledger: the mirror and pen.
        now: the clock.
    """

    def __init__(
        self,
        party: str,
        database: HubDatabase,
        files: ContentFiles,
        runs_folder: Path,
        refinement: Refinement,
        ledger: PartyLedger,
        now: Callable[[], datetime],
    ) -> None:
        self._party = party
        self._database = database
        self._files = files
        self._runs_folder = runs_folder
        self._refinement = refinement
        self._ledger = ledger
        self._now = now
        self._outgoing = Outgoing(database, purges, ledger)
        self._done_on = ""

    def due(self) -> dict[str, Purged]:
        """What ``purge`` would destroy now, by agreement."""
        return {agreement.hash: due.counts for agreement, due in self._due() if due.counts}

    def purge(self) -> dict[str, Purged]:
        """Destroy what is due, and keep events that say so until ``tell`` has handed them in."""
        done = {}
        self._forget_models()
        for agreement, due in self._due():
            if due.counts:
                self._destroy(agreement, due)
                done[agreement.hash] = due.counts
                _LOG.info("purged", extra={"agreement": agreement.hash, **asdict(due.counts)})
        self._clear_left_behind()
        with self._database.writing() as connection:
            forget_useless(connection, self._now())
        self._database.truncate_wal()
        return done

    def daily(self) -> None:
        """Purge once a day, and tell the ledger.

        Raises:
            LedgerError: it does not have the events yet.
        """
        today = self._now().date().isoformat()
        if self._done_on != today:
            self._ledger.sync_if_possible()
            self.purge()
            self._done_on = today
        self._outgoing.tell()

    def tell(self) -> None:
        """Hand to the ledger what it does not have yet.

        Raises:
            LedgerError: it cannot be reached, or refuses.
        """
        self._outgoing.tell()

    def _due(self) -> Iterator[tuple[Agreement, _Due]]:
        agreements = self._ledger.state.agreements
        for hash_ in agreements:
            agreement = agreements.standing(hash_).agreement
            with self._database.reading() as connection:
                yield agreement, self._due_under(connection, agreement, hash_)

    def _due_under(self, connection: Connection, agreement: Agreement, hash_: str) -> _Due:
        kept = agreement.retention
        encodings, results, sealed = (
            write_time(self._now() - timedelta(days=days))
            for days in (kept.encodings_days, kept.link_results_days, kept.released_items_days)
        )
        old = select(submissions).where(
            submissions.c.agreement == hash_,
            submissions.c.state.in_(("receiving", "accepted")),
            or_(submissions.c.received < encodings, submissions.c.created < encodings),
        )
        over = select(runs.c.id).where(
            runs.c.agreement == hash_, runs.c.state.in_(_OVER), runs.c.finished < results
        )
        ruled = select(rulings.c.number).where(
            rulings.c.agreement == hash_, rulings.c.decided < results
        )
        asked = select(requests.c.id).where(
            requests.c.agreement == hash_, requests.c.expires < results
        )
        made = (
            select(reports.c.id)
            .join(runs, runs.c.id == reports.c.newest)
            .where(reports.c.agreement == hash_, runs.c.finished < results)
        )
        waiting = (
            select(answers.c.request, answers.c.party)
            .join(requests, requests.c.id == answers.c.request)
            .where(
                requests.c.agreement == hash_,
                answers.c.sealed.is_not(None),
                answers.c.answered < sealed,
                requests.c.expires >= results,
            )
        )
        return _Due(
            list(connection.execute(old)),
            [run for run in connection.scalars(over) if held(connection, run)],
            list(connection.scalars(ruled)),
            [(row.request, row.party) for row in connection.execute(waiting)],
            list(connection.scalars(asked)),
            list(connection.scalars(made)),
            due_counts(connection, hash_, results),
        )

    def _destroy(self, agreement: Agreement, due: _Due) -> None:
        with self._database.writing() as connection:
            for row in due.submissions:
                connection.execute(
                    update(submissions)
                    .where(submissions.c.id == row.id)
                    .values(state="purged", next_step="prepare the extract again and submit it")
                )
            forget(connection, due.reports)
            forget_counts(connection, due.tables, self._now())
            for run in due.runs:
                _forget_run(connection, run)
            for number in due.rulings:
                connection.execute(delete(rulings).where(rulings.c.number == number))
            forget_outcomes(connection)
            for request, party in due.sealed:
                connection.execute(
                    update(answers)
                    .where(answers.c.request == request, answers.c.party == party)
                    .values(sealed=None, reason=PURGED)
                )
            for request in due.requests:
                connection.execute(delete(answers).where(answers.c.request == request))
                connection.execute(delete(requests).where(requests.c.id == request))
            if due.told:
                self._outgoing.keep(connection, self._event(agreement, due.told))
        for row in due.submissions:
            self._files.remove(row.id)
        self._refinement.forget_unused(agreement.hash)

    def _forget_models(self) -> None:
        agreements = self._ledger.state.agreements
        for hash_ in agreements:
            before = oldest(agreements.standing(hash_).agreement, self._now())
            with self._database.writing() as connection:
                if gone := forget_models(connection, hash_, before):
                    _LOG.info("models destroyed", extra={"agreement": hash_, "models": gone})

    def _event(self, agreement: Agreement, told: Purged) -> Event:
        return self._ledger.author.write(
            EventType.RETENTION_PURGED,
            RetentionPurged(
                agreement=agreement.hash, party=self._party, synthetic_rows=0, **asdict(told)
            ),
        )

    def _clear_left_behind(self) -> None:
        """Folders of runs that are over, files of submissions that are not in use."""
        # what is on disk is listed first: its row was there before it
        folders = list(self._runs_folder.iterdir()) if self._runs_folder.exists() else []
        files = self._files.ids()
        with self._database.reading() as connection:
            going = set(connection.scalars(select(runs.c.id).where(runs.c.state.not_in(_OVER))))
            used = set(
                connection.scalars(select(submissions.c.id).where(submissions.c.state.in_(_USED)))
            )
        for folder in folders:
            if folder.name not in going:
                shutil.rmtree(folder, ignore_errors=True)
        for id_ in files - used:
            self._files.remove(id_)


def _forget_run(connection: Connection, run: str) -> None:
    discard(connection, run)
    connection.execute(update(runs).where(runs.c.id == run).values(is_current=False))
    rounds = list(
        connection.scalars(select(refinement_rounds.c.id).where(refinement_rounds.c.run == run))
    )
    for table in (refinement_batches, refinement_parties):
        connection.execute(delete(table).where(table.c.round.in_(rounds)))
    connection.execute(delete(refinement_rounds).where(refinement_rounds.c.run == run))
