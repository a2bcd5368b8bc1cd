"""Starting and showing link runs; what they do is in ``phases``."""

import json
import secrets
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, exists, func, insert, or_, select

from governance.canonical import write_time
from governance.exchange.hub_api import Mode, RunList, RunView, Solver
from linkage_hub.jobs.queue import JobQueue, enqueue
from linkage_hub.quality.desk import REVEAL, RevealDesk
from linkage_hub.refinement.desk import RoundDesk
from linkage_hub.runs.errors import AnotherRun, NothingToLink, RunInProgress
from linkage_hub.runs.inputs import records_of
from linkage_hub.runs.phases import Phases
from linkage_hub.runs.plan import (
    CALIBRATED,
    DECIDED,
    FINISH,
    KINDS,
    LINK,
    UNKNOWN,
    seconds_left,
    share_done,
)
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import person_records, runs

EXACT_MOST: Final = 3_000_000  # records; past it every pair takes an hour and more on two cores
_OVER: Final = ("finished", "failed")
_AFTER_WAITING: Final = {"calibrate": CALIBRATED, "decide": DECIDED, REVEAL: FINISH}
"""Which job goes on with a run that waits, by its phase."""


class Runs:
    """Link runs of every agreement."""

    def __init__(
        self,
        database: HubDatabase,
        phases: Phases,
        desk: RoundDesk,
        reveals: RevealDesk,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._phases = phases
        self._desk = desk
        self._reveals = reveals
        self._now = now
        self._queue = JobQueue(database)

    def start(
        self,
        agreement: str,
        mode: Mode | None = None,
        *,
        questions: bool = True,
        solver: Solver = "average",
        id_: str | None = None,
    ) -> RunView:
        """Queue a run; the same again, by its id, is answered with where the first stands.

        Args:
            agreement: its hash.
            mode: how candidate pairs are found; by the number of records when None.
            questions: whether partners are asked about pairs, where the agreement allows it.
            solver: what makes persons of weighed pairs.
            id_: the caller's own; a random one when None.

        Raises:
            AgreementRefusal: not in force, or linking is not allowed.
            AnotherRun: the id is that of a run that began otherwise.
            NothingToLink: no source has an accepted submission.
            RunInProgress: another run under the agreement has not ended.
        """
        self._phases.permitted(agreement)
        records = records_of(self._database, agreement)
        run = id_ or secrets.token_hex(16)
        with self._database.writing() as connection:  # looked up in here: it may be sent twice
            known = connection.execute(select(runs).where(runs.c.id == run)).first()
            if known is not None:
                _require_same(known, agreement, mode, questions=questions, solver=solver)
            else:
                _require_none_going(connection, agreement, records)
                connection.execute(
                    insert(runs).values(
                        id=run,
                        agreement=agreement,
                        mode=mode or ("exact" if records <= EXACT_MOST else "fast"),
                        questions=questions,
                        solver=solver,
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

    def view(self, run: str) -> RunView:
        """How far a run is, or what it found.

        Raises:
            UnknownRun: there is none.
        """
        row = self._phases.row(run)
        with self._database.reading() as connection:
            return self._view(row, row.id in _kept(connection, [row.id]))

    def page(self, sees: Callable[[str], bool], offset: int, limit: int) -> RunList:
        """Runs of those agreements that the caller sees, newest first."""
        with self._database.reading() as connection:
            every = connection.scalars(select(runs.c.agreement).distinct()).all()
            mine = runs.c.agreement.in_([each for each in every if sees(each)])
            total = connection.scalar(select(func.count()).select_from(runs).where(mine))
            rows = connection.execute(
                select(runs)
                .where(mine)
                .order_by(runs.c.created.desc(), runs.c.is_current.desc(), runs.c.id)
                .offset(offset)
                .limit(limit)
            ).all()
            kept = _kept(connection, [row.id for row in rows])
        views = tuple(self._view(row, row.id in kept) for row in rows)
        return RunList(runs=views, total=int(total or 0))

    def _view(self, row: Any, results_kept: bool) -> RunView:
        progress, step, left = self._progress(row)
        return RunView(
            id=row.id,
            agreement=row.agreement,
            mode=row.mode,
            solver=row.solver,
            state=row.state,
            phase=row.phase,
            progress=progress,
            step=step,
            seconds_left=left,
            waiting_for=self._waiting_for(row),
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
            pairs_asked=row.pairs_asked,
            pairs_answered=row.pairs_answered,
            pairs_undecided=row.pairs_undecided,
            results_kept=results_kept,
        )

    def _waiting_for(self, row: Any) -> tuple[str, ...]:
        if row.state != "waiting":
            return ()
        desk = self._reveals if row.phase == REVEAL else self._desk
        return desk.waiting_for(row.id)

    def _progress(self, row: Any) -> tuple[float, str, int | None]:
        """Share done, what is being done, and seconds left, of which partners' are not known."""
        if row.state in _OVER:
            return 1.0, "", None
        plan = json.loads(row.plan) if row.plan else UNKNOWN
        if row.state == "waiting":
            share, left = self._desk.progress(row.id)
            done = share_done(plan, _AFTER_WAITING.get(row.phase, DECIDED), 0.0)
            return done, f"partners are answering, {share:.0%} came", left
        for kind in reversed(KINDS):
            job = self._queue.view(kind, row.id)
            if job is not None and job.state in {"queued", "running"}:
                left = seconds_left(plan, kind, job.progress, job.pace)
                return share_done(plan, kind, job.progress), job.step, left
        return 0.0, "waiting", None


def _require_same(
    known: Any, agreement: str, mode: Mode | None, *, questions: bool, solver: Solver
) -> None:
    """Check that a run is the one that is asked for again."""
    same = (known.agreement, known.questions, known.solver) == (agreement, questions, solver)
    if not same or mode not in {None, known.mode}:
        raise AnotherRun("the id is that of another run", next_step="leave it to the program")


def _require_none_going(connection: Connection, agreement: str, records: int) -> None:
    """Check that there is something to link, and that nothing links it already."""
    if not records:
        raise NothingToLink(
            "no submission under this agreement was accepted yet",
            next_step="each partner runs: partner-agent submit",
        )
    going = select(runs.c.id).where(runs.c.agreement == agreement, runs.c.state.not_in(_OVER))
    if connection.execute(going).first() is not None:
        raise RunInProgress(
            "a run under this agreement has not ended yet",
            next_step="linkage-hub runs list shows whom it waits for",
        )


def _kept(connection: Connection, found: Sequence[str]) -> set[str]:
    """Those of the runs that have finished and whose results are stored still."""
    held = exists().where(person_records.c.run == runs.c.id)
    return set(
        connection.scalars(
            select(runs.c.id)
            .where(runs.c.id.in_(found), runs.c.state == "finished")
            .where(or_(runs.c.records == 0, held))
        )
    )
