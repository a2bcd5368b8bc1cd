"""What programs of a home leave on its disk: extracts that nobody came back to, half-written files.

Rules: an extract that was handed to the console is destroyed after a day, whether or not the
console runs; a file that was being written when its program was killed is destroyed once nobody has
written to it for a day, since until then its program may be at work; what cannot be looked at or
destroyed now is told by the kind of error alone, and holds up nothing else.
"""

import logging
import os
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from partner_agent.console.drafts import Drafts

HALF_WRITTEN_HOURS: Final = 24
_HALF_WRITTEN: Final = re.compile(r"\..+\.(\d+|[0-9a-f]{16})\.part|\.[0-9a-f]{32}\.real")
"""Names that ``governance/durable.py`` (numbers: until 29 November 2026) and
``submissions/prepare.py`` give to such files."""
_LOG: Final = logging.getLogger("partner_agent.run")


def sweep(home: Path, now: datetime, *, begun: bool = False) -> int:
    """Destroy what is left; how many.

    Args:
        home: the agent's folder.
        now: the time.
        begun: see ``Drafts.sweep``.
    """
    done = Drafts(home, lambda: now).sweep(begun=begun)
    limit = (now - timedelta(hours=HALF_WRITTEN_HOURS)).timestamp()
    for folder, _, names in os.walk(home, onerror=_tell):
        half_written = filter(_HALF_WRITTEN.fullmatch, names)
        done += sum(_destroyed(Path(folder, name), limit) for name in half_written)
    return done


def _destroyed(path: Path, limit: float) -> bool:
    try:
        if not path.is_file() or path.stat().st_mtime >= limit:
            return False
        path.unlink()
    except FileNotFoundError:  # its program has ended meanwhile
        return False
    except OSError as error:  # on Windows, while something reads it
        _tell(error)
        return False
    return True


def _tell(error: OSError) -> None:
    """Log an error without its words, which hold a path."""
    _LOG.warning("not swept", extra={"error": type(error).__name__})
