"""Files written whole or not at all, readable by their owner only."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from partner_agent.cleansing.errors import OutputNotWrittenError

_OWNER_ONLY = 0o600


@contextmanager
def whole_file(path: Path) -> Iterator[TextIO]:
    """A text file that appears under its name only when all of it is on the disk.

    Raises:
        OutputNotWrittenError: the disk is full, or the folder cannot be written to; what was
            begun is taken away, and an older file of that name is left as it was.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    except OSError as error:
        raise OutputNotWrittenError(
            f"{path.name} could not be written: {error.strerror or type(error).__name__}",
            next_step=f"free some space, or choose another folder than {path.parent}",
        ) from None
    finally:
        draft.unlink(missing_ok=True)
