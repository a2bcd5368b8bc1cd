"""A pack: a folder that holds its evidence, the proofs, and a page to read and print.

Files: ``evidence.json`` (canonical), ``evidence.html``, ``checkpoint.txt`` (the log's signed note
with cosignatures), ``entries/N.json`` (an entry with salt and payload), ``proofs/N.tlog-proof``
(c2sp.org/tlog-proof of the same entry), ``members.json`` (the family as the request's digest names
it, where it was given) and ``consistency.json`` (that the approver's checkpoint is of this log).

Rules of verification, in order: the log and enough parties signed the checkpoint (keys of the
auditor's own); every entry is what its leaf commits to and is in the tree at its place; of consent
records alone the payload may be missing, if another entry says that it was erased; the approver's
checkpoint is an earlier state of that tree; the evidence derived anew from the entries is
``evidence.json``, and the page made anew from it is ``evidence.html``, byte for byte; there is no
file besides. With an export of the whole ledger, the entries that belong are exactly the pack's: so
nothing was left out.
"""

from pathlib import Path
from typing import Final

from pydantic import Field

from governance.canonical import Base64, Frozen, b64, canonical_bytes, unb64, write_time
from governance.errors import FormatError
from governance.evidence.approach import approach_of
from governance.evidence.case import Case, Placed, Question
from governance.evidence.choosing import ApproachChooser, erased_of
from governance.evidence.errors import NotCounted, PackAltered, PackDamaged, PackIncomplete
from governance.evidence.folder import (
    CHECKPOINT_FILE,
    EVIDENCE_FILE,
    PAGE_FILE,
    file_of,
    parsed,
    read_pack,
)
from governance.evidence.keys import AuditKeys
from governance.evidence.models import Evidence
from governance.evidence.page import render
from governance.evidence.stream import glance
from governance.identity.envelope import parse_canonical
from governance.ledger.errors import ProofError
from governance.ledger.events import Event, EventType, WireEvent
from governance.ledger.export import LedgerExport, event_of
from governance.ledger.merkle import leaf_hash, verify_consistency, verify_inclusion
from governance.ledger.note import Checkpoint, Note, open_checkpoint, parse_note
from governance.ledger.payloads import Decided, read_payload
from governance.ledger.proof import EntryProof, parse_proof
from governance.ledger.state import LedgerState, Rejected
from governance.release.models import Approval, CheckpointRef, Members

MEMBERS_FILE: Final = "members.json"
CONSISTENCY_FILE: Final = "consistency.json"


class Consistency(Frozen):
    """RFC 9162 consistency proof from the approver's checkpoint to the pack's."""

    hashes: tuple[Base64, ...] = Field(max_length=64)


def build_approach(
    export: LedgerExport,
    keys: AuditKeys,
    request: str,
    members: Members | None,
    quorum: int | None = None,
) -> dict[str, bytes]:
    """The files of a pack about one approach.

    Raises:
        ExportError: the export is not whole.
        NotInLedger, NotCounted, MembersChanged: see ``Case``.
        KeysMissing, QuorumError, NoteSignatureError: the checkpoint does not count.
    """
    entries = choose(export, request, members)
    return assemble(export, keys, request, members, entries, quorum)


def assemble(
    export: LedgerExport,
    keys: AuditKeys,
    request: str,
    members: Members | None,
    entries: list[Placed],
    quorum: int | None = None,
) -> dict[str, bytes]:
    """The files of a pack from chosen entries of an export that was read to its end."""
    tree, approved = export.tree, _approved_at(entries)
    same = (
        approved is not None
        and approved.size <= tree.size
        and b64(tree.root(approved.size)) == approved.root
    )
    files = {}
    for index, event in entries:
        entry, proof = _names(index)
        files[entry] = canonical_bytes(WireEvent.of(event))
        files[proof] = EntryProof(index, tuple(tree.inclusion(index)), export.note).encode()
    if same and approved is not None:
        hashes = tuple(b64(value) for value in tree.consistency(approved.size))
        files[CONSISTENCY_FILE] = canonical_bytes(Consistency(hashes=hashes))
    if members is not None:
        files[MEMBERS_FILE] = canonical_bytes(members)
    question = Question(keys.log.name, request, members, same)
    return files | _told(question, keys, export.note, export.checkpoint, entries, quorum)


def choose(export: LedgerExport, request: str, members: Members | None) -> list[Placed]:
    """The entries of the whole ledger that one approach rests on.

    All but other people's consents are replayed, on which nothing here depends but that an event's
    id is used once.

    Raises:
        ExportError: the export is not whole.
        NotCounted: one of them may not count.
    """
    chooses = ApproachChooser(request, members, erased_of(export.entries(), members))
    state = LedgerState(export.checkpoint.origin)
    entries: list[Placed] = []
    passed: set[str] = set()
    for entry in export.entries():
        seen = glance(entry.leaf)
        if not chooses.may_concern(seen, entry.payload):
            passed.add(seen.id)
            continue
        event = event_of(entry)
        state.size = entry.index
        state.apply(event)
        if seen.id in passed:
            state.rejected.append(Rejected(entry.index, "ledger.not_admissible"))
        if chooses(event):
            entries.append((entry.index, event))
    chosen = {index for index, _ in entries}
    for rejected in state.rejected:
        if rejected.index in chosen:
            raise NotCounted(
                f"entry {rejected.index} concerns this and may not count ({rejected.reason})",
                next_step="hand over the whole export; governance verify lists such entries",
            )
    return entries


def verify_pack(folder: Path, keys: AuditKeys, quorum: int | None = None) -> Evidence:
    """Check every statement of a pack again, from nothing but the pack and public keys.

    Raises:
        PackDamaged: files are missing, too many, or not in their form.
        PackAltered: it says something else than its entries prove.
        KeysMissing, QuorumError, NoteSignatureError, ProofError, NotCounted: see the rules.
    """
    files = read_pack(folder)
    note = parse_note(file_of(files, CHECKPOINT_FILE))
    checkpoint = open_checkpoint(note, keys.log)
    claimed = parsed(files, EVIDENCE_FILE, Evidence)
    entries = [_entry(files, index, note, checkpoint) for index in claimed.entries]
    if list(claimed.entries) != sorted(set(claimed.entries)):
        raise PackAltered("its entries are not in the ledger's order, each once")
    members = parsed(files, MEMBERS_FILE, Members) if MEMBERS_FILE in files else None
    same = _consistent(files, entries, checkpoint)
    question = Question(keys.log.name, claimed.approach.asked.hash, members, same)
    told = _told(question, keys, note, checkpoint, entries, quorum)
    known = {*told, *(name for index in claimed.entries for name in _names(index))}
    spare = files.keys() - known - {MEMBERS_FILE} - ({CONSISTENCY_FILE} if same else set())
    if spare:
        raise PackDamaged(f"{min(spare)} does not belong to the pack")
    for name, data in told.items():
        if file_of(files, name) != data:
            raise PackAltered(
                f"{name} is not what the entries prove",
                next_step="ask for the pack again; if it stays so, somebody has altered it",
            )
    return claimed


def compare_whole(folder: Path, export: LedgerExport) -> None:
    """Check that a pack that was verified leaves out nothing of the whole ledger.

    Raises:
        PackIncomplete: the ledger holds further entries about the approach.
        ExportError: the export is not whole.
        NotCounted: an entry may not count.
    """
    files = read_pack(folder)
    claimed = parsed(files, EVIDENCE_FILE, Evidence)
    members = parsed(files, MEMBERS_FILE, Members) if MEMBERS_FILE in files else None
    if (claimed.size, claimed.root) != (export.checkpoint.size, b64(export.checkpoint.root)):
        raise PackIncomplete(
            f"the pack is of the ledger at {claimed.size} entries, the export at "
            f"{export.checkpoint.size}",
            next_step="use the export that the pack was made from, or make a new pack",
        )
    found = [index for index, _ in choose(export, claimed.approach.asked.hash, members)]
    if differs := sorted(set(found) ^ set(claimed.entries)):
        raise PackIncomplete(
            f"the pack and the whole ledger differ in entry {differs[0]}",
            next_step="make the pack anew from this export, and ask why it was left out or put in",
        )


def _told(
    question: Question,
    keys: AuditKeys,
    note: Note,
    checkpoint: Checkpoint,
    entries: list[Placed],
    quorum: int | None,
) -> dict[str, bytes]:
    """What is derived: evidence, page, checkpoint."""
    case = Case(question, entries)
    keys.require_named(case.state.identities)
    witnessed = keys.witnessed(note, [case.standing.agreement], quorum)
    evidence = Evidence(
        log=str(keys.log),
        size=checkpoint.size,
        root=b64(checkpoint.root),
        witnessed={party: write_time(time) for party, time in witnessed.items()},
        entries=tuple(index for index, _ in entries),
        approach=approach_of(case),
    )
    return {
        EVIDENCE_FILE: canonical_bytes(evidence),
        PAGE_FILE: render(evidence, entries, str(note)).encode(),
        CHECKPOINT_FILE: note.encode(),
    }


def _names(index: int) -> tuple[str, str]:
    return f"entries/{index:07}.json", f"proofs/{index:07}.tlog-proof"


def _approved_at(entries: list[Placed]) -> CheckpointRef | None:
    """The checkpoint that the decision names; nothing is verified here."""
    for _, event in entries:
        if event.leaf.type in (EventType.RELEASE_APPROVED, EventType.RELEASE_DECLINED):
            decided: Decided = read_payload(event)
            return parse_canonical(decided.approval.payload_bytes, Approval).checkpoint
    return None


def _consistent(files: dict[str, bytes], entries: list[Placed], checkpoint: Checkpoint) -> bool:
    """Whether the pack shows that the approver's checkpoint is of this log.

    Raises:
        PackAltered: it has a proof that does not show it.
    """
    approved = _approved_at(entries)
    if CONSISTENCY_FILE not in files or approved is None:
        return False
    proof = [unb64(value) for value in parsed(files, CONSISTENCY_FILE, Consistency).hashes]
    try:
        verify_consistency(
            approved.size, checkpoint.size, proof, unb64(approved.root), checkpoint.root
        )
    except ProofError as error:
        raise PackAltered(f"{CONSISTENCY_FILE}: {error.message}") from None
    return True


def _entry(files: dict[str, bytes], index: int, note: Note, checkpoint: Checkpoint) -> Placed:
    entry, proof = _names(index)
    event = _wire(files, entry)
    found = parse_proof(file_of(files, proof))
    if (found.index, str(found.note)) != (index, str(note)):
        raise PackAltered(f"{proof} is of another entry or checkpoint")
    if event.payload is None and event.leaf.type is not EventType.CONSENT_RECORDED:
        raise PackDamaged(f"{entry} has no payload")
    digest = leaf_hash(event.leaf_bytes)
    try:
        verify_inclusion(digest, index, checkpoint.size, found.hashes, checkpoint.root)
    except ProofError as error:
        raise PackAltered(f"{proof}: {error.message}") from None
    return index, event


def _wire(files: dict[str, bytes], name: str) -> Event:
    try:
        return parsed(files, name, WireEvent).event()
    except FormatError as error:
        raise PackAltered(f"{name}: {error.message}") from None
