"""What a folder of a run's files came from, and whether the kept run still gives the same.

Rules: every file is named by its SHA-256; what is fetched again is hashed as it comes and never
written; the digest that the ledger holds of a run is worked out from the files themselves.
"""

import csv
import hashlib
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field, ValidationError

from governance.canonical import Frozen, Hash, Hex128, hash_of
from governance.exchange.hub_api import EXPORTS
from governance.ledger.payloads import LinkRunFinished
from governance.terminal import FileProblem
from governance.transparency.models import Program
from linkage_hub.analytics.exports import QUALITY
from linkage_hub.errors import HubError, NotAnExport

PROVENANCE: Final = "provenance.json"
RECORDS: Final = "records.csv"
MEMBERS: Final = "members.csv"
PSEUDONYMS: Final = (RECORDS, "families.csv", MEMBERS, "needs.csv", "details.csv", "flags.csv")
"""Files that hold random pseudonyms, so that nobody can guess what their hash is of."""
ExportName = Literal[
    "records.csv", "families.csv", "members.csv", "needs.csv", "details.csv", "addresses.csv",
    "households.csv", "ids.csv", "history.csv", "flags.csv", "quality.json", "quality.csv",
    "effects.json",
]  # fmt: skip


class Provenance(Frozen):
    """What a folder holds (``export-provenance/v1``).

    Attributes:
        run, agreement: that the files are of.
        program: the one that wrote them.
        files: SHA-256 of each by its name.
    """

    format: Literal["export-provenance/v1"] = "export-provenance/v1"
    run: Hex128
    agreement: Hash
    program: Program
    files: Annotated[dict[ExportName, Hash], Field(min_length=1, max_length=len(EXPORTS))]


class NotThisProvenance(HubError):
    """A provenance that is of something else than what is asked about."""

    reason = "transparency.provenance"
    exit_code = 65  # EX_DATAERR


def published(provenance: Provenance, agreement: str) -> str:
    """The hash by which a public record names a list.

    Raises:
        NotThisProvenance: it is of another agreement, or of figures alone: whoever guesses those
            could tell by the hash that they guessed right.
    """
    if provenance.agreement != agreement:
        raise NotThisProvenance("the list is of another agreement or version")
    if not set(PSEUDONYMS) & set(provenance.files):
        raise NotThisProvenance(
            "a folder of figures alone: its hash would give them away",
            next_step=f"export {PSEUDONYMS[-1]} too",
        )
    return hash_of(provenance)


def held_to(folder: Path, agreement: str, names: Sequence[str]) -> Provenance:
    """What a folder's files came from, once they are those that were exported of an agreement.

    Raises:
        NotThisProvenance: the files are of another agreement or version, or changed.
        NotAnExport: ``provenance.json`` is not there or lacks one of the files.
        FileProblem: a file cannot be read.
    """
    try:
        found = Provenance.model_validate_json((folder / PROVENANCE).read_bytes())
    except (OSError, ValidationError) as error:
        raise NotAnExport(
            f"{PROVENANCE} cannot be read: {type(error).__name__}",
            next_step="linkage-hub runs export RUN --out FOLDER writes it",
        ) from None
    if found.agreement != agreement:
        raise NotThisProvenance(
            f"{folder.name}: exported under another agreement, or another version of it",
            next_step="name the agreement that the run was made under",
        )
    hashes = {str(name): hash_ for name, hash_ in found.files.items()}
    if missing := [name for name in names if name not in hashes]:
        raise NotAnExport(f"{PROVENANCE} does not name {', '.join(missing)}")
    if changed := [name for name in names if file_hash(folder / name) != hashes[name]]:
        raise NotThisProvenance(
            f"{folder.name}: changed since it was exported: {', '.join(changed)}",
            next_step="linkage-hub runs export RUN --out FOLDER",
        )
    return found


class HashSink(io.BytesIO):
    """A file that keeps nothing but the hash of what was written."""

    def __init__(self) -> None:
        super().__init__()
        self._digest = hashlib.sha256()

    def truncate(self, size: int | None = None, /) -> int:
        """Begin anew."""
        self._digest = hashlib.sha256()
        return super().truncate(size)

    def write(self, data: Any, /) -> int:
        """Hash some more."""
        self._digest.update(data)
        return memoryview(data).nbytes

    @property
    def hash(self) -> str:
        """Of everything since it was truncated."""
        return f"sha256:{self._digest.hexdigest()}"


def file_hash(path: Path) -> str:
    """SHA-256 of a file of any size.

    Raises:
        FileProblem: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    except OSError as error:
        raise FileProblem(f"{path.name} cannot be read: {error.strerror}") from None


class _Receipted(BaseModel):
    """What is wanted of ``quality.json``."""

    receipt: LinkRunFinished | None = None


def receipt_of(folder: Path) -> LinkRunFinished | None:
    """What the ledger holds of the run, by ``quality.json``; None where that is not there.

    Raises:
        NotAnExport: the file is not what the hub writes.
    """
    path = folder / QUALITY
    if not path.exists():
        return None
    try:
        return _Receipted.model_validate_json(path.read_bytes()).receipt
    except (OSError, ValidationError) as error:
        raise NotAnExport(f"{QUALITY} cannot be read: {type(error).__name__}") from None


def digest_of(folder: Path) -> str | None:
    """The digest over persons and families that a run's receipt has, worked out from its files.

    SHA-256 as ``runs.results.results_digest`` has it; None where a file is not there.

    Raises:
        NotAnExport: a file is not what the hub writes.
    """
    if not all((folder / name).exists() for name in (RECORDS, MEMBERS)):
        return None
    persons = sorted(_pairs(folder / RECORDS, "person", "handle"))
    members = sorted(_pairs(folder / MEMBERS, "family", "person"))
    digest = hashlib.sha256()
    for lines in (persons, [b"\n"], members):
        for line in lines:
            digest.update(line)
    return f"sha256:{digest.hexdigest()}"


def _pairs(path: Path, first: str, second: str) -> Iterator[bytes]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                yield f"{row[first]} {row[second]}\n".encode()
    except (OSError, UnicodeDecodeError, KeyError, csv.Error) as error:
        raise NotAnExport(f"{path.name} cannot be read: {type(error).__name__}") from None
