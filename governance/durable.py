"""Files that are whole or not there, also when the power goes.

Rules, in order: a draft is a new file under a name that nobody can foresee, so that in a folder
that others may write into no name that they have taken leads it to another file; what is written is
on the disk before it gets its name; the name is on the disk before anything else may rely on it (a
rename that was not followed by a sync of its folder can be lost, and so can the content of a file
that was renamed without a sync).
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

OWNER_ONLY = 0o600
BY_UMASK = 0o666
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)  # not on Windows


@contextmanager
def durable(path: Path, mode: int = OWNER_ONLY) -> Iterator[BinaryIO]:
    """A file that appears under its name when the block ends without an error.

    Args:
        path: an older file of that name is replaced, or left as it was after an error.
        mode: of the file, before the umask.

    Raises:
        OSError: it cannot be written.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    descriptor = os.open(draft, _NEW, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        sync_folder(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def write_durably(path: Path, data: bytes, mode: int = OWNER_ONLY) -> None:
    """All of a file at once.

    Raises:
        OSError: it cannot be written.
    """
    with durable(path, mode) as file:
        file.write(data)


def sync_folder(folder: Path) -> None:
    """Let the names in a folder outlast a power failure, where the system can."""
    if os.name != "posix":  # pragma: no cover - folders cannot be opened there
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
