"""Submissions' files on disk, by id while they arrive and for as long as they are kept."""

import os
from pathlib import Path
from typing import Final

from governance.durable import sync_folder
from linkage_hub.submissions.errors import DiskFull, TooManyBytes, WrongOffset

PIECE_MOST: Final = 8 * 1024 * 1024  # bytes in one request


class ContentFiles:
    """A folder of submission files, mode 0700."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def path(self, id_: str) -> Path:
        """Where the file of a submission is; ids are checked to be hexadecimal before."""
        return self._folder / f"{id_}.arrow"

    def size(self, id_: str) -> int:
        """Bytes that are here."""
        try:
            return self.path(id_).stat().st_size
        except FileNotFoundError:
            return 0

    def append(self, id_: str, offset: int, data: bytes, most: int) -> int:
        """Add bytes at the end, durably.

        Args:
            id_: of the submission.
            offset: where the caller believes that the file ends.
            data: the next bytes.
            most: size of the whole file by its manifest.

        Returns:
            The size afterwards.

        Raises:
            WrongOffset: the file ends elsewhere.
            TooManyBytes: it would be larger than announced.
            DiskFull: the bytes could not be stored; the file is as it was.
        """
        size = self.size(id_)
        if offset != size:
            raise WrongOffset(f"the hub holds {size} bytes", next_step=f"continue at {size}")
        if size + len(data) > most:
            raise TooManyBytes(f"the manifest announces {most} bytes")
        try:
            descriptor = os.open(self.path(id_), os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.lseek(descriptor, size, os.SEEK_SET)
                _write_all(descriptor, data)
                os.fsync(descriptor)
            except OSError:
                os.ftruncate(descriptor, size)
                raise
            finally:
                os.close(descriptor)
            if not size:
                sync_folder(self._folder)
        except OSError as error:
            raise DiskFull(
                f"the hub cannot store more now ({error.strerror}); {size} bytes are kept",
                next_step="tell the hub's operator, then submit again: it resumes",
            ) from None
        return size + len(data)

    def ids(self) -> set[str]:
        """Submissions of which there is a file."""
        return {path.stem for path in self._folder.glob("*.arrow")}

    def remove(self, id_: str) -> None:
        """Destroy a file."""
        self.path(id_).unlink(missing_ok=True)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
