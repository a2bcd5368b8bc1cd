"""What the first callers would wait for, done before a service listens.

A service that listens already would do it while they wait, and slower. Rules: one thing after
another, in a thread that holds up the start for ``WAIT_SECONDS`` at most and its end not at all;
what fails is logged and does not keep the service from starting, since whoever needs it then does
it, and is told if it fails again.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Final

from governance.web.logs import where

WAIT_SECONDS: Final = 15.0
"""On a computer that needs longer the service listens, and gets ready meanwhile."""
_LOG: Final = logging.getLogger(__name__)


def make_ready(works: Mapping[str, Callable[[], object]], within: float = WAIT_SECONDS) -> None:
    """Do it.

    Args:
        works: what is done, by its name in the log.
        within: seconds that this takes at most; the thread goes on.
    """
    thread = threading.Thread(target=_do, args=(works,), name="ready", daemon=True)
    thread.start()
    thread.join(within)


def _do(works: Mapping[str, Callable[[], object]]) -> None:
    for name, work in works.items():
        try:
            work()
        except Exception as error:  # noqa: BLE001 - see above
            _LOG.warning("not made ready", extra={"work": name} | where(error))
