"""Files written whole or not at all, readable by their owner only."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

from governance.durable import durable
from partner_agent.cleansing.errors import OutputNotWrittenError


@contextmanager
def whole_file(path: Path) -> Iterator[TextIO]:
    """A text file that appears under its name only when all of it is on the disk.

    Raises:
        OutputNotWrittenError: the disk is full, or the folder cannot be written to; what was
            begun is taken away, and an older file of that name is left as it was.
    """
    try:
        with durable(path) as file:
            stream = TextIOWrapper(file, encoding="utf-8", newline="")
            try:
                yield stream
            finally:
                stream.detach()  # what it still holds is written first
    except OSError as error:
        raise OutputNotWrittenError(
            f"{path.name} could not be written: {error.strerror or type(error).__name__}",
            next_step=f"free some space, or choose another folder than {path.parent}",
        ) from None
