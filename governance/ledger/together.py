"""One question for all who ask at the same time.

Rules: whoever asks gets the answer to a question that was begun after they asked, never to one that
was under way already, so that what was written before they asked is in it; a failure is theirs too.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final


class Together:
    """Joins the callers of one work.

    Args:
        work: what is done, by one thread at a time.
    """

    def __init__(self, work: Callable[[], object]) -> None:
        self._work: Final = work
        self._turn = threading.Lock()
        self._waiting = threading.Lock()
        self._next: Future[None] | None = None  # of those that no thread has begun for

    def run(self) -> None:
        """Do the work, or wait for another thread that begins it from now on.

        Raises:
            BaseException: whatever the work raised.
        """
        with self._waiting:
            begins = self._next is None
            mine = self._next = self._next or Future()
        if not begins:
            mine.result()
            return
        with self._turn:
            with self._waiting:
                self._next = None  # who asks from now on may want what is written from now on
            try:
                self._work()
            except BaseException as error:
                mine.set_exception(error)
                raise
            mine.set_result(None)
