"""A link run, phase by phase, each a job of its own.

``link`` finds candidate pairs and asks for levels or decisions where the agreement allows it;
``link.calibrated`` asks for decisions; ``link.decided`` makes persons, and asks which records do
not exist where the agreement has synthetic ones; ``link.finish`` takes their figures, leaves them
out, makes families, stores the results and logs them. While partners answer no job runs. Every
phase may be repeated after a crash: what it has finished is on disk or in the database and is not
done again.
"""

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select, update

from governance.agreements.models import Action, Agreement
from governance.agreements.policy import in_force, require_action
from governance.canonical import write_time
from governance.identity.envelope import parse_canonical
from governance.identity.keys import SigningKey
from governance.ledger.events import EventType
from governance.ledger.party import PartyLedger
from governance.ledger.payloads import LinkRunFinished, Refused
from governance.transparency.code import running
from linkage_hub.analytics.kept import ForAnalysis, analysed, write_analysis
from linkage_hub.analytics.linkage_error import run_effects, with_effects
from linkage_hub.jobs.queue import enqueue
from linkage_hub.linkage.candidates import PairBlock, find_candidates
from linkage_hub.linkage.persons import link_candidates
from linkage_hub.linkage.similarity.running import TAKEN_UP
from linkage_hub.quality.desk import RevealDesk
from linkage_hub.quality.service import headline, measured
from linkage_hub.refinement.service import Refinement, Subject, allowed
from linkage_hub.review.masked import Answered, pairs_to_rule_on, write_review
from linkage_hub.review.service import Reviews
from linkage_hub.rights.records import take_out
from linkage_hub.rights.sources import without_left_out
from linkage_hub.runs.errors import UnknownRun
from linkage_hub.runs.inputs import (
    SourceData,
    copied_sources,
    pin_sources,
    read_previous,
    read_sources,
    refuse_copied,
)
from linkage_hub.runs.pipeline import Progress, run_pipeline
from linkage_hub.runs.plan import CALIBRATED, DECIDED, FINISH, LINK, planned
from linkage_hub.runs.pseudonyms import HouseholdPseudonyms
from linkage_hub.runs.results import discard, publish, results_digest, write_results
from linkage_hub.runs.work import Work
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import runs
from linkage_hub.submissions.files import ContentFiles
from linkage_hub.submissions.service import foreign_handles, log_once

_LOG: Final = logging.getLogger(__name__)
_OVER: Final = {"finished", "failed"}


@dataclass(frozen=True)
class _Run:
    """What every phase starts with."""

    row: Any
    agreement: Agreement
    work: Work
    sources: list[SourceData]

    @property
    def subject(self) -> Subject:
        return Subject(self.row.id, self.agreement, self.sources)

    @property
    def views(self) -> int:
        return len(self.sources[0].encodings) if self.sources else 1

    @property
    def sizes(self) -> list[int]:
        return [len(source.handles) for source in self.sources]


class Phases:
    """The jobs of every run.

    Args:
        database, files, ledger: the hub's.
        refinement: asks partners, where the agreement allows it.
        reveals: asks partners which records do not exist.
        reviews: knows the rulings that bind.
        folder: where runs keep what they need between phases.
        key: the hub's signing key.
        now: the clock.
    """

    def __init__(
        self,
        database: HubDatabase,
        files: ContentFiles,
        ledger: PartyLedger,
        refinement: Refinement,
        reveals: RevealDesk,
        reviews: Reviews,
        folder: Path,
        key: SigningKey,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._files = files
        self._ledger = ledger
        self._refinement = refinement
        self._reveals = reveals
        self._reviews = reviews
        self._folder = folder
        self._key = key
        self._now = now
        self._program = running()

    @property
    def handlers(self) -> Mapping[str, Callable[[str, Progress], None]]:
        """Handlers of the queue, by kind of job."""
        return {
            LINK: self.link,
            CALIBRATED: self.calibrated,
            DECIDED: self.decided,
            FINISH: self.finish,
        }

    def permitted(self, agreement: str) -> Agreement:
        """The agreement, if runs are allowed under it now.

        Raises:
            AgreementRefusal: not in force, or linking is not allowed.
        """
        standing = self._ledger.sync().agreements.standing(agreement)
        in_force(standing, self._now())
        require_action(standing.agreement, Action.LINK)
        return standing.agreement

    def link(self, run: str, progress: Progress) -> None:
        """Job handler: candidate pairs, then the first questions if any may be asked."""
        row = self.row(run)
        if row.state in _OVER:
            return
        agreement = self.permitted(row.agreement)
        self._set(run, state="running", phase="candidates")
        progress(0.01, "reading submissions")
        work = Work(self._folder / run)
        pin_sources(self._database, self._files, work, run, row.agreement)
        found = _Run(row, agreement, work, self._sources(work, run))
        refinement = self._refining(found)
        plan = planned(found.sizes, found.views, row.mode, questions=refinement is not None)
        self._set(run, plan=json.dumps(plan))
        if work.has_candidates:
            progress(0.92, TAKEN_UP)
        blocks = self._candidates(found, progress)
        if refinement is not None:
            progress(0.97, "choosing what to ask")
            if refinement.ask_levels(found.subject, blocks):
                return
            if refinement.ask_decisions(found.subject, blocks):
                return
        self._queue(run, DECIDED)

    def calibrated(self, run: str, progress: Progress) -> None:
        """Job handler: from levels to parameters, and the questions that they leave."""
        if self.row(run).state in _OVER:
            return
        found = self._open(run)
        progress(0.1, "reading levels")
        refinement = self._refining(found)
        if refinement is None or not refinement.ask_decisions(
            found.subject, self._candidates(found, progress)
        ):
            self._queue(run, DECIDED)

    def decided(self, run: str, progress: Progress) -> None:
        """Job handler: persons, from candidate pairs and what partners decided."""
        if self.row(run).state in _OVER:
            return
        found = self._open(run)
        linked = found.work.persons()
        if linked is None:
            refinement = self._refining(found)
            decisions = None
            if refinement is not None:
                progress(0.05, "reading decisions")
                decisions = refinement.conclude(found.subject).answers()
            self._set(run, state="running", phase="persons")
            given = self._reviews.given(found.row.agreement, found.sources)
            linked = link_candidates(
                self._candidates(found, progress),
                found.sizes,
                encodings=[source.encodings for source in found.sources],
                duplicates=[source.duplicates for source in found.sources],
                decisions=decisions,
                ruled=given.answers,
                solver=found.row.solver,
                progress=lambda share, step: progress(0.1 + 0.85 * share, step),
            )
            self._reviews.keep(run, given, linked.conflicts)  # before persons: both, or again
            found.work.save_persons(linked)
        if not self._reveals.open(run, found.agreement, linked.person_of):
            self._queue(run, FINISH)

    def finish(self, run: str, progress: Progress) -> None:
        """Job handler: families, results, the ledger."""
        row = self.row(run)
        if row.state in _OVER:
            self._clear(row)  # the worker ended before it could
            return
        if row.receipt is None:
            self._store(self._open(run), progress)
            row = self.row(run)
        progress(0.98, "logging")
        receipt = parse_canonical(row.receipt, LinkRunFinished)
        log_once(self._ledger, EventType.LINK_RUN_FINISHED, receipt, f"link:{run}")
        with self._database.writing() as connection:  # nobody sees results that are not logged
            publish(connection, run, row.agreement, write_time(self._now()))
            take_out(connection)  # what was asked for since results were stored
        self._clear(row)

    def abandon(self, run: str, reason: str) -> None:
        """Note that a run failed for good."""
        self._set(run, state="failed", reason=reason, finished=write_time(self._now()))
        with self._database.writing() as connection:
            discard(connection, run)
        self._clear(self.row(run))

    def row(self, run: str) -> Any:
        """A run's row.

        Raises:
            UnknownRun: there is none.
        """
        with self._database.reading() as connection:
            row = connection.execute(select(runs).where(runs.c.id == run)).first()
        if row is None:
            raise UnknownRun("there is no such run", next_step="linkage-hub runs list")
        return row

    def _store(self, found: _Run, progress: Progress) -> None:
        self._set(found.row.id, state="running", phase="families")
        linked = found.work.persons()
        if linked is None:  # pragma: no cover - this job is queued once persons are on disk
            raise UnknownRun("the run's persons are gone", next_step="start another run")
        sources, linked = without_left_out(found.sources, linked)
        table = None
        if found.agreement.quality is not None:
            progress(0.01, "measuring")
            synthetic = self._reveals.synthetic(found.row.id)
            whole = measured(sources, linked, synthetic, found.agreement.suppression_threshold)
            sources, linked, table = whole.sources, whole.linked, whole.table
        today = self._now().date()
        results = run_pipeline(
            sources,
            linked,
            found.agreement,
            read_previous(self._database, found.row.agreement),
            HouseholdPseudonyms(self._key, found.row.agreement),
            today,
            lambda share, step: progress(0.02 + 0.26 * share, step),
        )
        ruled = self._reviews.given(found.row.agreement, sources).answers
        effects = run_effects(
            results, found.agreement, ruled, table, today,
            lambda share, step: progress(0.28 + 0.65 * share, step),
        )  # fmt: skip
        progress(0.94, "storing")
        receipt = LinkRunFinished(
            run=found.row.id,
            agreement=found.row.agreement,
            submissions=tuple(source.manifest for source in sources),
            persons=len(results.persons.ids),
            families=results.families.count,
            flagged=results.flagged,
            results_sha256=results_digest(results),
        )
        refinement = self._refining(found)
        answered = None
        if refinement is not None:
            answered = Answered(found.sources, refinement.decided(found.subject))
        figures = {} if table is None else headline(table)
        whole_table = with_effects(table, effects)
        about = ForAnalysis(
            found.agreement.encoding.hardening is not None,
            ruled,
            figures.get("estimated_precision", linked.estimate.precision),
            figures.get("estimated_recall", linked.estimate.recall),
        )
        encoding, kept = found.agreement.encoding, analysed(results, about)
        doubtful = pairs_to_rule_on(found.row.id, sources, linked, encoding, answered)
        with self._database.writing() as connection:
            write_results(connection, found.row.id, receipt, results, self._program)
            write_review(connection, found.row.id, doubtful)
            write_analysis(connection, found.row.id, kept)
            if whole_table is not None:
                connection.execute(
                    update(runs)
                    .where(runs.c.id == found.row.id)
                    .values(quality_table=whole_table.model_dump_json(), **figures)
                )

    def _sources(self, work: Work, run: str) -> list[SourceData]:
        """What the run starts from, without submissions that hold another source's handles."""
        sources = read_sources(self._database, work, run)
        accepted, author = self._ledger.sync().submissions.accepted, self._ledger.author
        copies = copied_sources(self._database, run, sources, accepted)
        for copied in copies:
            refusal = foreign_handles(copied.handles)
            _LOG.warning("left out", extra={"run": run, "submission": copied.submission})
            log_once(
                self._ledger,
                EventType.REFUSED,
                Refused(
                    party=self._ledger.state.identities.party_key(author.thumbprint)[0],
                    action="link",
                    reason=refusal.reason,
                    about=copied.manifest,
                ),
                f"copied:{copied.manifest}",
            )
            refuse_copied(self._database, run, copied, refusal)
        return read_sources(self._database, work, run) if copies else sources

    def _candidates(self, found: _Run, progress: Progress) -> list[PairBlock]:
        blocks = found.work.candidates()
        if blocks is None:
            blocks = find_candidates(
                [source.encodings for source in found.sources],
                mode=found.row.mode,
                tiles=found.work.folder / "tiles",
                progress=lambda share, step: progress(0.02 + 0.9 * share, step),
            )
            found.work.save_candidates(blocks)
        return blocks

    def _refining(self, found: _Run) -> Refinement | None:
        several = len(found.sources) > 1  # within one source its agent has told all that it knows
        asks = found.row.questions and several and allowed(found.agreement)
        return self._refinement if asks else None

    def _open(self, run: str) -> _Run:
        row = self.row(run)
        agreement = self.permitted(row.agreement)
        work = Work(self._folder / run)
        return _Run(row, agreement, work, read_sources(self._database, work, run))

    def _clear(self, row: Any) -> None:
        """Destroy what a run kept between its phases."""
        self._refinement.forget(row.id, row.agreement)
        self._reveals.forget(row.id)
        Work(self._folder / row.id).remove()

    def _queue(self, run: str, kind: str) -> None:
        with self._database.writing() as connection:
            enqueue(connection, kind, run, time.time())

    def _set(self, run: str, **values: object) -> None:
        with self._database.writing() as connection:
            connection.execute(update(runs).where(runs.c.id == run).values(**values))
