"""Packs of evidence from a copy of the ledger, as one file to hand over.

Rules: the pack is made by ``governance.evidence`` and verified by it before anybody is given it;
its checkpoint bears the cosignatures that the agreements ask for; the parties' keys are those of
the copy, so whoever audits checks the pack with the keys that they were handed themselves. The same
copy gives the same bytes. A pack is the whole ledger read once, so it is for a folder on disk and
not for memory; a copy of more than ``MOST`` entries is for the command line.
"""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from governance.errors import FormatError
from governance.evidence.folder import write_pack
from governance.evidence.keys import AuditKeys
from governance.evidence.pack import build_approach, verify_pack
from governance.evidence.period_pack import build_period, verify_period
from governance.evidence.stream import Days
from governance.ledger.errors import OutOfRangeError
from governance.ledger.export import LedgerExport, write_export
from governance.ledger.mirror import Mirror
from governance.ledger.note import Note, open_checkpoint
from governance.oversight.state import Overseen
from governance.release.models import Members
from governance.terminal import whole_file

MOST: Final = 200_000  # entries
_DATE: Final = (1980, 1, 1, 0, 0, 0)  # the first that a ZIP can state


def quorum_of(state: Overseen) -> int:
    """How many witnesses are enough for every agreement."""
    found = (state.agreements.standing(hash_).agreement for hash_ in state.agreements)
    return max((each.witnessing.quorum for each in found), default=1)


def require_held(mirror: Mirror, note: Note) -> None:
    """Check that a cosigned checkpoint is of this very copy.

    Raises:
        OutOfRangeError: the copy is behind it.
        ForkError: it is of another tree than the copy; evidence kept.
    """
    try:
        mirror.require_same_tree(note)
    except OutOfRangeError:
        raise OutOfRangeError(
            "the ledger's cosigned tree is newer than this copy", next_step="try again in a minute"
        ) from None


def approach_pack(
    mirror: Mirror, note: Note, keys: AuditKeys, request: str, members: Members | None
) -> bytes:
    """A verified pack about one request, as a ZIP file.

    Raises:
        FormatError: the copy is too large for this.
        EvidenceError, LedgerError: see ``build_approach``.
    """
    with _export(mirror, note) as (export, folder):
        write_pack(folder, build_approach(export, keys, request, members))
        verify_pack(folder, keys)
        return _zipped(folder)


def period_pack(mirror: Mirror, note: Note, keys: AuditKeys, days: Days) -> bytes:
    """A verified pack about some days, as a ZIP file.

    Raises:
        FormatError: the copy is too large for this.
        EvidenceError, LedgerError: see ``build_period``.
    """
    with _export(mirror, note) as (export, folder):
        build_period(export, keys, days, folder)
        verify_period(folder, keys)
        return _zipped(folder)


def keys_of(state: Overseen, mirror: Mirror) -> AuditKeys:
    """The keys of the copy's log and parties."""
    parties = {keys.party: keys for keys in state.identities.parties.values()}
    return AuditKeys(mirror.log_key, parties)


@contextmanager
def _export(mirror: Mirror, note: Note) -> Iterator[tuple[LedgerExport, Path]]:
    """The ledger in a file, and a new folder beside it; both are gone afterwards."""
    checkpoint = open_checkpoint(note, mirror.log_key)
    if checkpoint.size > MOST:
        raise FormatError(
            f"this ledger has more than {MOST} entries",
            next_step="governance ledger export, then governance evidence",
        )
    with TemporaryDirectory() as place:
        path = Path(place) / "ledger.jsonl"
        with whole_file(path) as file:
            write_export(file, note, checkpoint, mirror.entries(0, checkpoint.size), packed=False)
        yield LedgerExport(path, mirror.log_key), Path(place) / "pack"


def _zipped(folder: Path) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            name = zipfile.ZipInfo(str(path.relative_to(folder)), _DATE)
            name.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(name, path.read_bytes())
    return out.getvalue()
