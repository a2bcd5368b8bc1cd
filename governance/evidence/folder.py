"""A pack as a folder: its files, read and written."""

from pathlib import Path
from typing import Final

from governance.errors import FormatError
from governance.evidence.errors import PackDamaged
from governance.identity.envelope import Model, parse_canonical
from governance.terminal import read_bytes, write_bytes

FILES_MOST: Final = 20_000
EVIDENCE_FILE: Final = "evidence.json"
PAGE_FILE: Final = "evidence.html"
CHECKPOINT_FILE: Final = "checkpoint.txt"


def write_pack(folder: Path, files: dict[str, bytes]) -> None:
    """Write a pack into a new folder, for its owner only.

    Raises:
        PackDamaged: the folder is there and not empty.
        FileProblem: it cannot be written.
    """
    new_folder(folder)
    for name, data in files.items():
        write_bytes(folder / name, data)


def new_folder(folder: Path) -> None:
    """A folder for its owner only.

    Raises:
        PackDamaged: it is there and not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise PackDamaged(
            f"{folder.name} is there and not empty", next_step="name a new folder with --out"
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)  # also when it was there


def parsed(files: dict[str, bytes], name: str, model: type[Model]) -> Model:
    """A file of a pack as a document.

    Raises:
        PackDamaged: it is missing, or not the canonical form of the model.
    """
    try:
        return parse_canonical(file_of(files, name), model)
    except FormatError as error:
        raise PackDamaged(f"{name}: {error.message}") from None


def file_of(files: dict[str, bytes], name: str) -> bytes:
    """A file of a pack.

    Raises:
        PackDamaged: it is missing.
    """
    if name not in files:
        raise PackDamaged(f"the pack lacks {name}", next_step="ask for the whole folder")
    return files[name]


def read_pack(folder: Path) -> dict[str, bytes]:
    """Every file of a pack by its name within the folder.

    Raises:
        PackDamaged: no folder, or too many files.
        FileProblem: a file cannot be read, or is too large.
    """
    if not folder.is_dir():
        raise PackDamaged(f"{folder.name} is no folder", next_step="unpack it first")
    paths = sorted(path for path in folder.rglob("*") if not path.is_dir())
    if len(paths) > FILES_MOST:
        raise PackDamaged(f"{folder.name} holds more than {FILES_MOST} files")
    return {path.relative_to(folder).as_posix(): read_bytes(path) for path in paths}
