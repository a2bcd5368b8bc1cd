"""Which program is installed: its version, and a hash over its files.

Rules: every file of the three packages counts, by its path below them with ``/``, but for what
Python makes of them (``__pycache__``); the hash is that of the canonical JSON (RFC 8785) of paths
and files' SHA-256 hashes, so two installations agree exactly where every file does, whatever their
order, times and places.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from governance.canonical import hash_of, sha256
from governance.transparency.models import Program

PACKAGES: Final = ("governance", "linkage_hub", "partner_agent")
_DISTRIBUTION: Final = "hearthlink"
_MADE: Final = "__pycache__"


def file_hashes(packages: Sequence[str] = PACKAGES) -> dict[str, str]:
    """Hash of each installed file by its path, for example ``governance/canonical.py``."""
    return dict(
        sorted(
            (path, sha256(file.read_bytes()))
            for package in packages
            for path, file in _below(files(package), package)
        )
    )


def installed(hashes: dict[str, str] | None = None) -> Program:
    """The program that runs; ``hashes`` where they are known already."""
    try:
        number = version(_DISTRIBUTION)
    except PackageNotFoundError:  # run from a folder of sources
        number = "not installed"
    return Program(version=number, code=hash_of(file_hashes() if hashes is None else hashes))


@cache
def running() -> Program:
    """The program that this process was started from; to be asked for when it starts.

    Files that are changed under a process that runs already are not what it does.
    """
    return installed()


def _below(folder: Traversable, path: str) -> Iterator[tuple[str, Traversable]]:
    for each in folder.iterdir():
        if each.is_dir():
            if each.name != _MADE:
                yield from _below(each, f"{path}/{each.name}")
        elif not each.name.endswith(".pyc"):
            yield f"{path}/{each.name}", each
