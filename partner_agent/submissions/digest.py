"""The digest of a prepared file."""

import hashlib
from pathlib import Path


def digest_of(path: Path) -> tuple[str, int]:
    """SHA-256, as ``sha256:<hex>``, and size in bytes of a file, read in pieces.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return f"sha256:{digest.hexdigest()}", file.tell()
