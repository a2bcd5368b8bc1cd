"""A thread of the service that looks, now and then, whether what it keeps in memory may be kept."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from governance.web.logs import where

SECONDS: Final = 10.0
_LOG: Final = logging.getLogger(__name__)


@contextmanager
def forgetting(forget: Callable[[], None], seconds: float = SECONDS) -> Iterator[None]:
    """Call ``forget`` every few seconds until the end; a call that fails is followed by the next.

    Args:
        forget: drops what is of records that are gone.
        seconds: between two calls.
    """
    stopping = threading.Event()

    def watch() -> None:
        while not stopping.wait(seconds):
            try:
                forget()
            except Exception as error:  # noqa: BLE001 - the next time
                _LOG.error("failed", extra={"about": "what is kept in memory"} | where(error))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()
