"""What programs of a home leave on its disk: extracts that nobody came back to, half-written files.

Rules: an extract that was handed to the console is destroyed after a day, whether or not the
console runs; a file that was being written when its program was killed is destroyed once nobody has
written to it for a day, since until then its program may be at work.
"""

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from partner_agent.console.drafts import Drafts

HALF_WRITTEN_HOURS: Final = 24
_HALF_WRITTEN: Final = re.compile(r"\..+\.(\d+|[0-9a-f]{16})\.part|\.[0-9a-f]{32}\.real")
"""Names that ``governance/durable.py`` (numbers: until 29 November 2026) and
``submissions/prepare.py`` give to such files."""


def sweep(home: Path, now: datetime, *, begun: bool = False) -> int:
    """Destroy what is left; how many.

    Args:
        home: the agent's folder.
        now: the time.
        begun: see ``Drafts.sweep``.

    Raises:
        OSError: a folder cannot be read.
    """
    done = Drafts(home, lambda: now).sweep(begun=begun)
    limit = (now - timedelta(hours=HALF_WRITTEN_HOURS)).timestamp()
    for path in home.rglob(".*"):
        if _HALF_WRITTEN.fullmatch(path.name) and _older(path, limit):
            path.unlink(missing_ok=True)
            done += 1
    return done


def _older(path: Path, limit: float) -> bool:
    try:
        return path.is_file() and path.stat().st_mtime < limit
    except FileNotFoundError:  # its program has ended meanwhile
        return False
