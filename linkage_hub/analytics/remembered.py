"""What was worked out from a run's rows, kept for whoever looks next.

A finished run's rows never change; they only become fewer (rights of data subjects, newer runs). So
what was worked out holds for as long as their number is the same, which is part of the key.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from sqlalchemy import Connection, func, select

from linkage_hub.store.tables import family_members, person_records, unlinked

Found = TypeVar("Found")


class Remembered(Generic[Found]):
    """The newest few results, by key. Whoever asks for one that is being worked out waits for it.

    Args:
        most: how many are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._found: OrderedDict[Hashable, Found] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, work: Callable[[], Found]) -> Found:
        """The result of a key, worked out where it is not kept."""
        with self._lock:
            if key not in self._found:
                self._found[key] = work()
            self._found.move_to_end(key)
            while len(self._found) > self._most:
                self._found.popitem(last=False)
            return self._found[key]


def rows_of(connection: Connection, run: str) -> tuple[int, ...]:
    """How many rows a run has of each kind that analysts look into."""
    counts = (
        connection.scalar(select(func.count()).select_from(table).where(table.c.run == run))
        for table in (person_records, family_members, unlinked)
    )
    return tuple(int(each or 0) for each in counts)
