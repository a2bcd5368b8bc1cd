"""What the first callers would wait for, done before a service listens.

A service that listens already would do it while they wait, and slower. Rules: one thing after
another; what fails is logged and does not keep the service from starting, since whoever needs it
then does it, and is told if it fails again.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Final

from governance.web.logs import where

_LOG: Final = logging.getLogger(__name__)


def make_ready(works: Mapping[str, Callable[[], object]]) -> None:
    """Do it.

    Args:
        works: what is done, by its name in the log.
    """
    for name, work in works.items():
        try:
            work()
        except Exception as error:  # noqa: BLE001 - see above
            _LOG.warning("not made ready", extra={"work": name} | where(error))
