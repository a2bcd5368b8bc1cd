"""A pack about a period: every leaf of the ledger, and the payloads of all but consents.

Files: ``evidence.json``, ``evidence.html``, ``checkpoint.txt`` as in a pack about an approach;
``leaves.jsonl``, the log's leaves, one a line; ``entries.jsonl``, index, salt and payload of every
entry that is no consent's.

Rules of verification, in order: the log and enough parties signed the checkpoint; all leaves lead
to its root, so none is missing or altered; every leaf that is no consent's has its payload in the
pack, and no other has; the evidence and the page derived anew are those of the pack, byte for byte.
So a pack about a period is complete in itself: no refusal or release can be left out.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, BinaryIO, Final

from pydantic import Field

from governance.agreements.models import Agreement
from governance.canonical import Base64, Frozen, b64, canonical_bytes, parse_time, unb64, write_time
from governance.errors import FormatError
from governance.evidence.errors import PackAltered, PackDamaged
from governance.evidence.folder import CHECKPOINT_FILE, EVIDENCE_FILE, PAGE_FILE, new_folder
from governance.evidence.keys import AuditKeys
from governance.evidence.page import render_period
from governance.evidence.period import period_of
from governance.evidence.period_models import PeriodEvidence, Witnessed
from governance.evidence.stream import COUNTED, Days, Stream, glance
from governance.identity.envelope import parse_canonical
from governance.ledger.events import LEAF_MAX_BYTES
from governance.ledger.export import LINE_MAX_BYTES, LedgerExport, RawEntry
from governance.ledger.merkle import Frontier, leaf_hash
from governance.ledger.note import Checkpoint, Note, open_checkpoint, parse_note
from governance.terminal import FileProblem, read_bytes, whole_file, write_bytes

EVIDENCE_MAX_BYTES: Final = 512 * 1024 * 1024
LEAVES_FILE: Final = "leaves.jsonl"
ENTRIES_FILE: Final = "entries.jsonl"
FILES: Final = (EVIDENCE_FILE, PAGE_FILE, CHECKPOINT_FILE, LEAVES_FILE, ENTRIES_FILE)


class Kept(Frozen):
    """One line of ``entries.jsonl``."""

    index: Annotated[int, Field(ge=0)]
    salt: Base64
    payload: Base64


def build_period(
    export: LedgerExport, keys: AuditKeys, days: Days, out: Path, quorum: int | None = None
) -> PeriodEvidence:
    """Write a pack about a period into a new folder.

    Raises:
        ExportError: the export is not whole.
        PackDamaged: the folder is not empty, or a payload is missing that is never erased.
        KeysMissing, QuorumError, NoteSignatureError: the checkpoint does not count.
    """
    new_folder(out)
    stream = Stream(keys.log.name, days)
    with whole_file(out / LEAVES_FILE) as leaves, whole_file(out / ENTRIES_FILE) as entries:
        for entry in export.entries():
            leaves.write(entry.leaf + b"\n")
            if stream.read(entry) and entry.salt is not None and entry.payload is not None:
                kept = Kept(index=entry.index, salt=b64(entry.salt), payload=b64(entry.payload))
                entries.write(canonical_bytes(kept) + b"\n")
    stream.close()
    evidence, told = _told(stream, keys, export.note, export.checkpoint, quorum)
    for name, data in told.items():
        write_bytes(out / name, data)
    return evidence


def verify_period(folder: Path, keys: AuditKeys, quorum: int | None = None) -> PeriodEvidence:
    """Check every statement of a pack about a period again, and that nothing is left out.

    Raises:
        PackDamaged, PackAltered: see the rules.
        KeysMissing, QuorumError, NoteSignatureError: the checkpoint does not count.
    """
    spare = {path.name for path in folder.iterdir()} ^ set(FILES)
    if spare:
        raise PackDamaged(f"{min(spare)} is missing, or does not belong to the pack")
    note = parse_note(read_bytes(folder / CHECKPOINT_FILE))
    checkpoint = open_checkpoint(note, keys.log)
    stream = Stream(keys.log.name, _days(folder))
    frontier = Frontier()
    for entry in _entries(folder):
        frontier.append(leaf_hash(entry.leaf))
        stream.read(entry)
    if (frontier.size, frontier.root()) != (checkpoint.size, checkpoint.root):
        raise PackAltered(
            f"{LEAVES_FILE}: {frontier.size} leaves do not lead to the signed root of "
            f"{checkpoint.size}"
        )
    stream.close()
    evidence, told = _told(stream, keys, note, checkpoint, quorum)
    for name, data in told.items():
        if _bytes(folder / name) != data:
            raise PackAltered(
                f"{name} is not what the entries prove",
                next_step="ask for the pack again; if it stays so, somebody has altered it",
            )
    return evidence


def _days(folder: Path) -> Days:
    """The period that a pack says it is about; all else in it is derived anew."""
    try:
        claimed = parse_canonical(_bytes(folder / EVIDENCE_FILE), PeriodEvidence).period
    except FormatError as error:
        raise PackDamaged(f"{EVIDENCE_FILE}: {error.message}") from None
    return Days.of(claimed.first_day, claimed.last_day)


def _entries(folder: Path) -> Iterator[RawEntry]:
    """Leaves and payloads brought together again."""
    with _open(folder / LEAVES_FILE) as leaves, _open(folder / ENTRIES_FILE) as entries:
        for index, leaf in enumerate(_lines(leaves, LEAVES_FILE, LEAF_MAX_BYTES + 1)):
            if glance(leaf).kind in COUNTED:
                yield RawEntry(index, leaf, None, None)
                continue
            kept = _kept(entries, index)
            yield RawEntry(index, leaf, unb64(kept.salt), unb64(kept.payload))
        if entries.readline(1):
            raise PackDamaged(f"{ENTRIES_FILE} holds more than belongs to the pack")


def _kept(entries: BinaryIO, index: int) -> Kept:
    line = next(_lines(entries, ENTRIES_FILE, LINE_MAX_BYTES), b"")
    try:
        kept = parse_canonical(line, Kept)
    except FormatError:
        raise PackDamaged(f"{ENTRIES_FILE} has no entry {index} where it belongs") from None
    if kept.index != index:
        raise PackDamaged(f"{ENTRIES_FILE} leaves out entry {index}")
    return kept


def _lines(file: BinaryIO, name: str, most: int) -> Iterator[bytes]:
    while line := file.readline(most):
        if not line.endswith(b"\n"):
            raise PackDamaged(f"{name}: a line is too long, or the file was cut")
        yield line[:-1]


def _told(
    stream: Stream, keys: AuditKeys, note: Note, checkpoint: Checkpoint, quorum: int | None
) -> tuple[PeriodEvidence, dict[str, bytes]]:
    keys.require_named(stream.state.identities)
    standings = [stream.state.agreements.standing(hash_) for hash_ in stream.state.agreements]
    agreed = [standing.agreement for standing in standings if standing.complete_at is not None]
    evidence = PeriodEvidence(
        log=str(keys.log),
        size=checkpoint.size,
        root=b64(checkpoint.root),
        witnesses=_witnesses(stream, keys, note, agreed, quorum),
        period=period_of(stream),
    )
    return evidence, {
        EVIDENCE_FILE: canonical_bytes(evidence),
        PAGE_FILE: render_period(evidence, str(note)).encode(),
        CHECKPOINT_FILE: note.encode(),
    }


def _witnesses(
    stream: Stream, keys: AuditKeys, note: Note, agreed: Iterable[Agreement], quorum: int | None
) -> tuple[Witnessed, ...]:
    """When each party of an agreement cosigned, and by how many hours before the newest."""
    agreed = list(agreed)
    times = keys.witnessed(note, agreed, quorum)
    newest = max(times.values(), default=parse_time(stream.until))
    parties = sorted({party.party for agreement in agreed for party in agreement.partners})
    return tuple(
        Witnessed(
            party=party,
            time=write_time(times[party]) if party in times else None,
            hours_behind=int((newest - times[party]).total_seconds() // 3_600)
            if party in times
            else None,
        )
        for party in parties
    )


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise FileProblem(f"{path.name} cannot be read: {error.strerror}") from None


def _bytes(path: Path) -> bytes:
    """A file that may be larger than a document."""
    with _open(path) as file:
        return file.read(EVIDENCE_MAX_BYTES)
