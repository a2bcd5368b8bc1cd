"""What was worked out from a run's rows, kept for whoever looks next.

A finished run's rows never change; they only become fewer (rights of data subjects, newer runs,
retention). So what was worked out holds for as long as their number is the same, which is part of
the key; and it holds handles of records, so it goes from memory once the number is another, whether
or not anybody asks again: ``Remembered.forget``, which the service calls every few seconds. The
hub's worker, which takes records out, is a process of its own and cannot say so by itself.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, Generic, NamedTuple, TypeVar

from sqlalchemy import Connection, func, select

from linkage_hub.store.tables import family_members, person_records, unlinked

Found = TypeVar("Found")
Rows = tuple[int, ...]
Of = tuple[tuple[str, Rows], ...]
"""Runs, and how many rows each had of each kind."""
IDLE_SECONDS: Final = 900.0
"""For how long something is kept that nobody asks for."""
AT_ONCE: Final = 4
"""How many are worked out at one time: each may take hundreds of megabytes."""


class _Kept(NamedTuple, Generic[Found]):
    found: Found
    asked: float


class Remembered(Generic[Found]):
    """The newest few results, by runs. Whoever asks for one that is being worked out waits for it.

    Work for one key holds up no other, unless ``AT_ONCE`` are worked out already.

    Args:
        most: how many are kept.
        clock: seconds.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._found: OrderedDict[Of, _Kept[Found]] = OrderedDict()
        self._working: dict[Of, Future[Found]] = {}
        self._lock = threading.Lock()  # of the two above; nothing is worked out under it
        self._places = threading.BoundedSemaphore(AT_ONCE)

    def get(self, of: Of, work: Callable[[], Found]) -> Found:
        """The result of runs, worked out where it is not kept."""
        while True:
            with self._lock:
                if of in self._found:
                    return self._again(of)
                other = self._working.get(of)
                if other is None:
                    mine = self._working[of] = Future()
                    break
            if other.exception() is None:  # waits; who fails leaves the work to the next
                return other.result()
        try:
            with self._places:
                found = work()
        except BaseException as error:
            with self._lock:
                del self._working[of]
            mine.set_exception(error)
            raise
        with self._lock:
            del self._working[of]
            self._keep(of, found)
        mine.set_result(found)
        return found

    def forget(self, rows: Callable[[str], Rows]) -> None:
        """Drop what is of other rows than there are now, and what nobody has asked for of late.

        Args:
            rows: how many a run has now.
        """
        with self._lock:
            runs = {run for of in self._found for run, _ in of}
        now = {run: rows(run) for run in runs}
        late = self._clock() - IDLE_SECONDS
        with self._lock:
            for of, kept in list(self._found.items()):
                changed = any(run in now and now[run] != had for run, had in of)
                if changed or kept.asked < late:
                    del self._found[of]

    def __len__(self) -> int:
        return len(self._found)

    def _again(self, of: Of) -> Found:
        found = self._found[of].found
        self._found[of] = _Kept(found, self._clock())
        self._found.move_to_end(of)
        return found

    def _keep(self, of: Of, found: Found) -> None:
        """And nothing of the same runs with other rows."""
        runs = [run for run, _ in of]
        for other in [each for each in self._found if [run for run, _ in each] == runs]:
            del self._found[other]
        self._found[of] = _Kept(found, self._clock())
        while len(self._found) > self._most:
            self._found.popitem(last=False)


def rows_of(connection: Connection, run: str) -> Rows:
    """How many rows a run has of each kind that analysts look into."""
    counts = (
        connection.scalar(select(func.count()).select_from(table).where(table.c.run == run))
        for table in (person_records, family_members, unlinked)
    )
    return tuple(int(each or 0) for each in counts)
