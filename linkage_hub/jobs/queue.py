"""Jobs in the database.

Rules: a job is queued in the transaction that makes it necessary; a worker leases it and renews
the lease as it reports progress; a job whose lease ran out is taken up by the next worker, so
handlers may run twice and are written for it; a refusal ends a job, any other failure is tried
again, ``ATTEMPTS_MOST`` times in all. A job may wait for a time, and no worker is held meanwhile;
queued again, it waits for the earlier of the two.

A worker that takes up a job begins it anew, and its progress with it. What it finds done it reports
as step ``TAKEN_UP``: that share cost it nothing, and says nothing of how fast it is.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, and_, insert, or_, select, update

from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import jobs

LEASE_SECONDS: Final = 60.0
ATTEMPTS_MOST: Final = 3
_STEP_MOST: Final = 200
TELLING: Final = 0.02  # share worked on before which nothing is said of the pace


@dataclass(frozen=True)
class Job:
    """A job that was leased."""

    id: str
    kind: str
    subject: str
    attempts: int


@dataclass(frozen=True)
class JobView:
    """How far a job is."""

    state: str
    progress: float
    step: str
    pace: float | None
    """Seconds that the whole job takes at the pace of what was worked on so far."""


class LeaseLost(Exception):
    """Another worker has taken the job: stop working at it."""


def enqueue(
    connection: Connection, kind: str, subject: str, now: float, not_before: float = 0.0
) -> None:
    """Queue a job within the caller's transaction, unless the same is waiting or running.

    Args:
        connection: of the transaction that makes the job necessary.
        kind: which handler.
        subject: what it is about.
        now: seconds since 1970.
        not_before: seconds since 1970; a job that waits already waits for the earlier of the two.
    """
    same = and_(
        jobs.c.kind == kind, jobs.c.subject == subject, jobs.c.state.in_(("queued", "running"))
    )
    known = connection.execute(select(jobs.c.id, jobs.c.not_before).where(same)).first()
    if known is not None:
        if not_before < known.not_before:
            connection.execute(
                update(jobs).where(jobs.c.id == known.id).values(not_before=not_before)
            )
        return
    connection.execute(
        insert(jobs).values(
            id=secrets.token_hex(16),
            kind=kind,
            subject=subject,
            state="queued",
            progress=0.0,
            step="waiting",
            attempts=0,
            worker=None,
            lease=0.0,
            started=None,
            created=now,
            not_before=not_before,
        )
    )


class JobQueue:
    """The queue as workers and viewers see it."""

    def __init__(self, database: HubDatabase, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def lease(self, worker: str) -> Job | None:
        """Take the oldest job that waits, or whose worker is gone."""
        now = self._clock()
        free = or_(
            and_(jobs.c.state == "queued", jobs.c.not_before <= now),
            and_(jobs.c.state == "running", jobs.c.lease < now),
        )
        with self._database.writing() as connection:
            row = connection.execute(
                select(jobs)
                .where(free)
                .order_by(jobs.c.created)
                .limit(1)
                .with_for_update(skip_locked=True)
            ).first()
            if row is None:
                return None
            state = "failed" if row.attempts >= ATTEMPTS_MOST else "running"
            connection.execute(
                update(jobs)
                .where(jobs.c.id == row.id)
                .values(
                    state=state,
                    worker=worker,
                    lease=now + LEASE_SECONDS,
                    started=now,
                    progress=0.0,
                    free=0.0,
                    attempts=row.attempts + 1,
                )
            )
        return Job(row.id, row.kind, row.subject, row.attempts + 1)

    def report(self, job: Job, worker: str, progress: float, step: str, free: float = 0.0) -> None:
        """Say how far a job is, and renew its lease.

        Args:
            job: which.
            worker: who has leased it.
            progress: share done, 0 to 1.
            step: what is being done.
            free: share of the job that was found done.

        Raises:
            LeaseLost: another worker has it.
        """
        self._change(
            job, worker, progress=progress, free=free, step=step[:_STEP_MOST],
            lease=self._clock() + LEASE_SECONDS,
        )  # fmt: skip

    def renew(self, job: Job, worker: str) -> None:
        """Say that the worker is alive, in a long step without progress.

        Raises:
            LeaseLost: another worker has it.
        """
        self._change(job, worker, lease=self._clock() + LEASE_SECONDS)

    def finish(self, job: Job, worker: str, *, failed: bool = False) -> None:
        """End a job."""
        self._change(job, worker, state="failed" if failed else "done", progress=1.0)

    def give_back(self, job: Job, worker: str) -> None:
        """Let the job be tried again."""
        self._change(job, worker, state="queued", step="waiting for another attempt")

    def postpone(self, job: Job, worker: str, seconds: float) -> None:
        """Let the job be tried again later, as if this attempt had not been."""
        self._change(
            job, worker, state="queued", step="waiting for the ledger",
            attempts=job.attempts - 1, not_before=self._clock() + seconds,
        )  # fmt: skip

    def view(self, kind: str, subject: str) -> JobView | None:
        """How far the newest job about something is."""
        statement = (
            select(jobs)
            .where(jobs.c.kind == kind, jobs.c.subject == subject)
            .order_by(jobs.c.created.desc())
        )
        with self._database.reading() as connection:
            row = connection.execute(statement.limit(1)).first()
        if row is None:
            return None
        return JobView(row.state, row.progress, row.step, _pace(row, self._clock()))

    def _change(self, job: Job, worker: str, **values: object) -> None:
        with self._database.writing() as connection:
            done = connection.execute(
                update(jobs)
                .where(jobs.c.id == job.id, jobs.c.worker == worker, jobs.c.state == "running")
                .values(**values)
            )
        if done.rowcount != 1:
            raise LeaseLost(job.id)


def _pace(row: Any, now: float) -> float | None:
    worked = row.progress - row.free
    if row.state != "running" or row.started is None or worked < TELLING:
        return None
    return float((now - row.started) / worked)
