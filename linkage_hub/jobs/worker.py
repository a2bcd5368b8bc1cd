"""The worker: leases jobs and hands them to their handlers, one at a time."""

import logging
import secrets
import threading
from collections.abc import Callable, Mapping
from typing import Final

from governance.errors import ReasonedError
from linkage_hub.jobs.queue import ATTEMPTS_MOST, Job, JobQueue, LeaseLost

POLL_SECONDS: Final = 0.2
_LOG: Final = logging.getLogger(__name__)

Progress = Callable[[float, str], None]
Handler = Callable[[str, Progress], None]
"""Does the work about a subject; raises ReasonedError to try again later."""
Abandon = Callable[[str, str], None]
"""Notes that the work about a subject failed for good, with a reason."""


class Worker:
    """Runs jobs until it is stopped."""

    def __init__(
        self,
        queue: JobQueue,
        handlers: Mapping[str, Handler],
        abandon: Mapping[str, Abandon],
    ) -> None:
        self._queue = queue
        self._handlers = handlers
        self._abandon = abandon
        self._name = secrets.token_hex(16)

    def run(self, stopping: threading.Event) -> None:
        """Work until ``stopping`` is set; a job that has begun is finished first."""
        while not stopping.is_set():
            if not self.step():
                stopping.wait(POLL_SECONDS)

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
        def progress(share: float, step: str) -> None:
            self._queue.report(job, self._name, share, step)

        fields = {"job": job.id, "kind": job.kind, "subject": job.subject}
        try:
            self._handlers[job.kind](job.subject, progress)
        except LeaseLost:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was, the job must be accounted for
            reason = error.reason if isinstance(error, ReasonedError) else "internal"
            _LOG.exception("job failed", extra=fields | {"reason": reason})
            if job.attempts < ATTEMPTS_MOST:
                self._queue.give_back(job, self._name)
                return
            self._queue.finish(job, self._name, failed=True)
            self._abandon[job.kind](job.subject, reason)
            return
        self._queue.finish(job, self._name)
        _LOG.info("job done", extra=fields)
