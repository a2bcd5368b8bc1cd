"""The worker: leases jobs and hands them to their handlers, one at a time.

Rules: while a handler works its lease is renewed, also in a step that reports no progress; a
ledger that is away postpones a job and costs it no attempt; whatever else fails, costs one. What
fails beside a handler (a queue whose database is busy, a job that cannot be given up) does not end
the worker: it is told and tried again, and a job that it left comes back when its lease runs out.

Between jobs a worker does its chores, each again after so many seconds, whether or not it failed;
every worker does them, so they may be done twice.
"""

import logging
import resource
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from governance.errors import ReasonedError
from governance.ledger.errors import LedgerUnavailableError
from governance.storage.database import StoreError
from governance.web.logs import where
from linkage_hub.jobs.queue import ATTEMPTS_MOST, LEASE_SECONDS, Job, JobQueue, LeaseLost
from linkage_hub.linkage.similarity.running import TAKEN_UP
from linkage_hub.store.database import HubStoreError

POLL_SECONDS: Final = 0.2
FAILED_SECONDS: Final = 5.0
"""How long a worker waits after it failed beside a handler."""
LEDGER_SECONDS: Final = 30.0
"""How long a job waits for a ledger that is away."""
_RENEW_SECONDS: Final = LEASE_SECONDS / 4
_LOG: Final = logging.getLogger(__name__)

Progress = Callable[[float, str], None]
Handler = Callable[[str, Progress], None]
"""Does the work about a subject; raises ReasonedError to try again later."""
Abandon = Callable[[str, str], None]
"""Notes that the work about a subject failed for good, with a reason."""


@dataclass
class Chore:
    """What is done between jobs.

    Attributes:
        name: in the log.
        every: seconds.
        work: does it.
        due: when it is next, by the worker's clock.
    """

    name: str
    every: float
    work: Callable[[], object]
    due: float = 0.0


class Worker:
    """Runs jobs until it is stopped.

    Args:
        queue: where jobs wait.
        handlers: by kind of job.
        abandon: what gives a job up, by kind.
        chores: done between jobs.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        queue: JobQueue,
        handlers: Mapping[str, Handler],
        abandon: Mapping[str, Abandon],
        chores: Sequence[Chore] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._queue = queue
        self._handlers = handlers
        self._abandon = abandon
        self._chores = chores
        self._clock = clock
        self._name = secrets.token_hex(16)

    def run(self, stopping: threading.Event) -> None:
        """Work until ``stopping`` is set; a job that has begun is finished first."""
        while not stopping.is_set():
            self.tidy()
            try:
                worked = self.step()
            except Exception as error:  # noqa: BLE001 - no failure of one job ends the others
                _LOG.error("worker failed", extra=where(error))
                stopping.wait(FAILED_SECONDS)
                continue
            if not worked:
                stopping.wait(POLL_SECONDS)

    def tidy(self) -> None:
        """Do every chore that is due."""
        for chore in self._chores:
            if self._clock() < chore.due:
                continue
            try:
                chore.work()
            except Exception as error:  # noqa: BLE001 - no chore stops the jobs
                reason = error.reason if isinstance(error, ReasonedError) else "internal"
                fields = {"chore": chore.name, "reason": reason}
                _LOG.warning("chore failed", extra=fields | where(error))
            chore.due = self._clock() + chore.every

    def step(self) -> bool:
        """Do one job; False when none waits."""
        job = self._queue.lease(self._name)
        if job is None:
            return False
        if job.attempts > ATTEMPTS_MOST:
            self._abandon[job.kind](job.subject, "job.too_many_attempts")
            return True
        try:
            self._work(job)
        except LeaseLost:
            _LOG.warning("lease lost", extra={"job": job.id})
        return True

    def _work(self, job: Job) -> None:
        done = free = 0.0

        def progress(share: float, step: str) -> None:
            nonlocal done, free
            free += max(0.0, share - done) if step == TAKEN_UP else 0.0
            done = share
            self._queue.report(job, self._name, share, step, free)

        fields = {"job": job.id, "kind": job.kind, "subject": job.subject}
        began = time.monotonic()
        try:
            with self._alive(job):
                self._handlers[job.kind](job.subject, progress)
        except LeaseLost:
            raise
        except LedgerUnavailableError as error:
            _LOG.warning("job postponed", extra=fields | {"reason": error.reason})
            self._queue.postpone(job, self._name, LEDGER_SECONDS)
            return
        except Exception as error:  # noqa: BLE001 - whatever it was, the job must be accounted for
            reason = error.reason if isinstance(error, ReasonedError) else "internal"
            _LOG.error("job failed", extra=fields | {"reason": reason} | where(error))
            if job.attempts < ATTEMPTS_MOST:
                self._queue.give_back(job, self._name)
                return
            self._queue.finish(job, self._name, failed=True)
            self._abandon[job.kind](job.subject, reason)
            return
        self._queue.finish(job, self._name)
        seconds = round(time.monotonic() - began, 1)
        _LOG.info("job done", extra={**fields, "seconds": seconds, "peak_mb": _peak_megabytes()})

    @contextmanager
    def _alive(self, job: Job) -> Iterator[None]:
        """Renew the lease from a second thread until the block ends."""
        done = threading.Event()

        def renew() -> None:
            while not done.wait(_RENEW_SECONDS):
                try:
                    self._queue.renew(job, self._name)
                except LeaseLost:
                    return  # the handler's next report says so
                except (StoreError, HubStoreError):
                    continue  # busy: there is time for another try

        thread = threading.Thread(target=renew, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


def _peak_megabytes() -> int:
    """The most memory that this process has held so far, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
