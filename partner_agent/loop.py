"""What the agent does while it stays: every task in turn, each for itself.

Rules: a task that fails, for whatever reason, ends neither the loop nor another task; it is told by
its name, its reason or the kind of error, and where in the code, never by the error's own words,
which may hold a value; it is tried again after a wait that doubles up to ``TASK_WAITS_MOST``, while
the others keep their pace. Within a task one order or round that fails waits likewise, up to
``BACK_OFF_MOST``.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from governance.errors import ReasonedError
from governance.web.logs import where

INTERNAL: Final = "internal"
"""The reason of what failed by an error of the program."""
BACK_OFF_FIRST: Final = 10.0  # seconds
BACK_OFF_MOST: Final = 600.0  # seconds
TASK_WAITS_MOST: Final = 60.0  # seconds: a ledger or hub that is back is wanted soon
_LOG: Final = logging.getLogger("partner_agent.run")


class BackOff:
    """When what has failed may be tried again.

    Args:
        first: seconds after the first failure; doubled after each further one.
        most: seconds, at most.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        first: float = BACK_OFF_FIRST,
        most: float = BACK_OFF_MOST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._first = first
        self._most = most
        self._clock = clock
        self._failed: dict[str, tuple[float, float]] = {}

    def waits(self, key: str) -> bool:
        """Whether something has failed too lately."""
        return key in self._failed and self._clock() < self._failed[key][1]

    def failed(self, key: str) -> None:
        """Note a failure."""
        wait = min(self._most, self._failed[key][0] * 2 if key in self._failed else self._first)
        self._failed[key] = (wait, self._clock() + wait)

    def worked(self, key: str) -> None:
        """Forget failures."""
        self._failed.pop(key, None)


class Loop:
    """Tasks that are done again and again, in their order.

    Args:
        tasks: by name.
        every: seconds between two rounds.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        tasks: Mapping[str, Callable[[], object]],
        every: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tasks = tasks
        self._every = every
        self._back_off = BackOff(every, max(every, TASK_WAITS_MOST), clock)

    def run(self, stopping: threading.Event) -> None:
        """Work until ``stopping`` is set."""
        while not stopping.wait(self._every):
            self.once()

    def once(self) -> None:
        """One round."""
        for name, task in self._tasks.items():
            if self._back_off.waits(name):
                continue
            try:
                task()
            except ReasonedError as error:
                _LOG.warning("failed", extra={"step": name, "reason": error.reason})
                self._back_off.failed(name)
            except Exception as error:  # noqa: BLE001 - whatever it was, the others go on
                tell_unexpected(_LOG, error, step=name)
                self._back_off.failed(name)
            else:
                self._back_off.worked(name)


def tell_unexpected(log: logging.Logger, error: Exception, **about: str) -> None:
    """Log an error of the program, without its words."""
    log.error("failed", extra=about | {"reason": INTERNAL} | where(error))
