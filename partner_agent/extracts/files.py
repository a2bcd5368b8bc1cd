"""Open the bytes of an extract, gunzipped where need be, with the system's errors translated."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from partner_agent.extracts.errors import (
    DamagedExtractError,
    ExtractNotFoundError,
    ExtractTooLargeError,
    ExtractUnreadableError,
)

UNPACKED_MOST = 68_719_476_736  # bytes; a few megabytes can hold hours of reading
_GZIP_MAGIC = b"\x1f\x8b"


class _Unpacked(gzip.GzipFile):
    """What a compressed file holds, up to ``UNPACKED_MOST``."""

    _taken = 0

    def read(self, size: int | None = -1) -> bytes:
        return self._counted(super().read(size))

    def read1(self, size: int = -1) -> bytes:
        return self._counted(super().read1(size))

    def _counted(self, data: bytes) -> bytes:
        self._taken += len(data)
        if self._taken > UNPACKED_MOST:
            raise ExtractTooLargeError(
                f"the compressed file holds more than {UNPACKED_MOST:,} bytes",
                next_step="export the extract in parts",
            )
        return data


@contextmanager
def open_bytes(path: Path) -> Iterator[BinaryIO]:
    """A binary stream of the extract's content; ``.gz`` content is expanded as it is read.

    Raises:
        ExtractNotFoundError: no such file, or a folder.
        ExtractUnreadableError: the system refuses to read it.
        DamagedExtractError: compressed content that breaks off.
        ExtractTooLargeError: more compressed content than ``UNPACKED_MOST``, as it is read.
    """
    try:
        with path.open("rb") as plain:
            magic = plain.read(2)
            plain.seek(0)
            if magic == _GZIP_MAGIC:
                yield cast("BinaryIO", _Unpacked(fileobj=plain))
            else:
                yield plain
    except (FileNotFoundError, IsADirectoryError):
        raise ExtractNotFoundError(
            f"there is no file {path.name}", next_step="check the path of the extract"
        ) from None
    except (gzip.BadGzipFile, zlib.error, EOFError):
        raise DamagedExtractError(
            f"{path.name} is compressed and breaks off", next_step="copy the extract again"
        ) from None
    except OSError as error:
        raise ExtractUnreadableError(
            f"{path.name} cannot be read: {error.strerror or type(error).__name__}",
            next_step="check the permissions of the file and the disk it is on",
        ) from None


def plain_size(path: Path) -> int | None:
    """Bytes of the extract's content; None where it is compressed, or gone."""
    try:
        with path.open("rb") as plain:
            return None if plain.read(2) == _GZIP_MAGIC else path.stat().st_size
    except OSError:
        return None
