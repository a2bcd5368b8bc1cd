"""Work that takes longer than a page may.

Rules: one long task and one quick one at a time; what may be done once only is done once, and tried
again only after it has failed; a task opens the agent as a command would in a
process of its own, so that pages, `run` and tasks meet only where the agent's parts expect others
(its databases and locks); what has been done is what the part itself has counted; an error is kept
as its message, reason and next step, and an unforeseen one as nothing but its kind and place;
results live as long as the program.
"""

import logging
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from governance.errors import ReasonedError
from governance.web.logs import where
from partner_agent.app import Agent, open_agent

MOST: Final = 200  # finished tasks that are remembered
_LOG: Final = logging.getLogger("partner_agent.console")


@dataclass(frozen=True)
class Fault:
    """Why a task ended without its result."""

    message: str
    reason: str
    next_step: str

    @classmethod
    def of(cls, error: Exception) -> "Fault":
        """An error in words that hold no value of an extract."""
        if isinstance(error, ReasonedError):
            return cls(error.message, error.reason, error.next_step)
        return cls(
            "the program failed; the window where it runs says where",
            "internal",
            "tell the people who maintain this program",
        )


@dataclass
class Task:
    """One piece of work.

    Attributes:
        what: the end of the keys of words that say what it is, ``work.what.`` before it.
        unit: likewise of those that count what is done, ``work.unit.`` before it.
        then, back: pages to go to when it has ended, well or not.
        once: names what may be done once only, or ``""``.
        here: what was done on this computer before the task began.
        done: so many, in ``unit``; ``total`` is None where nobody knows.
    """

    id: str
    what: str
    unit: str
    then: str
    back: str
    once: str = ""
    done: int = 0
    here: int = 0
    total: int | None = None
    begun: bool = False
    result: Any = None
    fault: Fault | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    def progress(self, done: int, total: int | None = None) -> None:
        """Say how far it is."""
        self.done, self.total = done, total if total is not None else self.total

    @property
    def percent(self) -> int | None:
        """How much of it is done, if that is known; 100 only when it has ended."""
        if not self.total:
            return None
        return min(99, self.done * 100 // self.total)


def unsaid(_text: str) -> None:
    """Where pages say by themselves what a command would say besides."""


class Tasks:
    """The tasks of one program.

    Args:
        home: the agent's folder.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._tasks: OrderedDict[str, Task] = OrderedDict()
        self._lock = threading.Lock()
        self._long = ThreadPoolExecutor(max_workers=1, thread_name_prefix="console-long")
        self._quick = ThreadPoolExecutor(max_workers=1, thread_name_prefix="console-quick")

    def start(
        self,
        what: str,
        work: Callable[[Agent, Task], Any],
        *,
        then: str,
        back: str,
        unit: str = "",
        quick: bool = False,
        once: str = "",
    ) -> Task:
        """Do something after what was asked for before.

        Of those that come at the same moment under the same ``once``, one is done.

        Args:
            what: see ``Task``; likewise the others.
            work: what to do; its result is the task's.
            then: a page.
            back: a page.
            unit: what is counted.
            quick: a few words with the ledger, which wait for no extract.
            once: see ``Task``.

        Returns:
            The task that is under way or has done it already, where ``once`` names one that did
            not fail; else a new one.
        """
        task = Task(secrets.token_hex(16), what, unit, then, back, once)
        with self._lock:
            for known in self._tasks.values():
                if once and known.once == once and known.fault is None:
                    return known
            self._tasks[task.id] = task
            while len(self._tasks) > MOST and next(iter(self._tasks.values())).ended.is_set():
                self._tasks.popitem(last=False)
        (self._quick if quick else self._long).submit(self._run, task, work)
        return task

    def get(self, id_: str) -> Task | None:
        """A task; None where the program was started anew since."""
        with self._lock:
            return self._tasks.get(id_)

    def busy(self) -> list[Task]:
        """What has not ended."""
        with self._lock:
            return [task for task in self._tasks.values() if not task.ended.is_set()]

    def close(self) -> None:
        """Wait for the task at hand, and begin no other."""
        for pool in (self._long, self._quick):
            pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, task: Task, work: Callable[[Agent, Task], Any]) -> None:
        task.begun = True
        try:
            with open_agent(self._home) as agent:
                task.result = work(agent, task)
        except ReasonedError as error:
            task.fault = Fault.of(error)
            _LOG.info("refused", extra={"task": task.what, "reason": error.reason})
        except Exception as error:  # noqa: BLE001 - told by its kind and place alone
            task.fault = Fault.of(error)
            _LOG.error("failed", extra={"task": task.what, **where(error)})
        finally:
            task.ended.set()
