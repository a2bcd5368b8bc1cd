"""How a mirror's copy grows to what its log shows, and what is kept of a log that broke a rule.

Rules of a synchronisation, in order: the log's signature by the pinned key; never a smaller tree;
never another root for a size that is held; a consistency proof from the tree that is held; every
payload is there, but of consent records that a later entry says were erased, and is what its leaf
commits to; leaves recomputed from their bytes lead to the signed root; entries, tree and checkpoint
are then stored in one transaction, or nothing is. What the log signed and breaks a rule is kept as
evidence, beside the checkpoint that it contradicts. Whether an erasure counts only replay can tell
(``consent/registry.py``).

A long way is gone in steps, each to a checkpoint that the log signed, so that memory stays bounded
and an interrupted synchronisation goes on where it was.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final, NoReturn, Protocol

from governance.canonical import write_time
from governance.errors import FormatError
from governance.ledger.database import Database
from governance.ledger.errors import (
    AlteredEntryError,
    ForkError,
    InconsistentError,
    MirrorError,
    ProofError,
    RollbackError,
    WithheldPayloadError,
)
from governance.ledger.events import Event, EventType
from governance.ledger.merkle import EMPTY_ROOT, Frontier, leaf_hash, verify_consistency
from governance.ledger.mirror_tables import (
    Evidence,
    Held,
    extend,
    keep_evidence,
    read_held,
    read_tree,
)
from governance.ledger.note import Checkpoint, Note, VerifierKey, open_checkpoint

STEP: Final = 10_000  # leaves fetched before they are verified and stored
_BATCH: Final = 1_000  # entries in one answer
_ERASED_MEANWHILE: Final = 3
"""How often a newer checkpoint is asked for, since an entry in it may say that a record was erased
while entries were fetched."""


class LogReader(Protocol):
    """What a mirror reads from: ``LedgerClient``, or another copy."""

    def checkpoint(self, size: int | None = None) -> Note:
        """The newest checkpoint, or that of a size."""
        ...  # pragma: no cover

    def entries(self, start: int, end: int) -> list[Event]:
        """Entries from ``start``, at least one."""
        ...  # pragma: no cover

    def consistency_proof(self, first: int, second: int) -> list[bytes]:
        """RFC 9162 consistency proof."""
        ...  # pragma: no cover


class Synchroniser:
    """Brings one copy up to its log, and holds what the log signs against the copy.

    Args:
        database: the copy's.
        log_key: the log's verifier key, pinned.
        now: the clock that dates evidence.
    """

    def __init__(
        self, database: Database, log_key: VerifierKey, now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._log_key = log_key
        self._now = now

    def run(self, reader: LogReader, told: Callable[[int, int], None]) -> Checkpoint:
        """See ``Mirror.sync``."""
        before = self._held().size  # another process may bring this copy further meanwhile
        newest = self._open(reader.checkpoint())
        unnamed: dict[str, int] = {}
        again = _ERASED_MEANWHILE
        while True:
            held = self._held()
            self._check_against_held(held, newest, before)
            told(held.size, newest[1].size)
            if held.size >= newest[1].size and held.note is not None:
                return newest[1]
            target = newest
            if newest[1].size - held.size > STEP:
                target = self._open(reader.checkpoint(held.size + STEP))
                if target[1].size != held.size + STEP:
                    raise MirrorError("the ledger answered with a checkpoint of another size")
            events = self._fetch_verified(reader, held, *target)
            gaps = _gaps(unnamed, held.size, events)
            if gaps and target is newest:
                newest = self._open(reader.checkpoint())
                if newest[1].size <= target[1].size or not again:
                    self._refuse(_withheld(min(gaps.values())), held, target[0])
                again -= 1
                continue
            unnamed = gaps
            self._store(held, target[0], events)

    def check_same_tree(self, note: Note, checkpoint: Checkpoint) -> None:
        """A checkpoint of a size that is held has the copy's own root at that size.

        Raises:
            OutOfRangeError: the copy is smaller.
            ForkError: the log signed another tree than this copy's; evidence kept.
        """
        with self._database.reading() as connection:
            held, root = read_held(connection), read_tree(connection, checkpoint.size).root()
        if root != checkpoint.root:
            self._refuse(
                ForkError(
                    f"the ledger signed a second tree of {checkpoint.size} entries",
                    next_step="tell the other partners: release nothing until it is resolved",
                ),
                held,
                note,
            )

    def _open(self, note: Note) -> tuple[Note, Checkpoint]:
        return note, open_checkpoint(note, self._log_key)

    def _held(self) -> Held:
        with self._database.reading() as connection:
            return read_held(connection)

    def _check_against_held(self, held: Held, newest: tuple[Note, Checkpoint], before: int) -> None:
        """The log shows no smaller tree than was held before it was asked, and the same one."""
        note, checkpoint = newest
        if checkpoint.size > held.size:
            return
        self.check_same_tree(note, checkpoint)
        if checkpoint.size < before:
            self._refuse(
                RollbackError(
                    f"the ledger shows {checkpoint.size} entries after {held.size}",
                    next_step="tell the ledger's operator and the other partners",
                ),
                held,
                note,
            )

    def _fetch_verified(
        self, reader: LogReader, held: Held, note: Note, checkpoint: Checkpoint
    ) -> list[Event]:
        """The entries from what is held up to a checkpoint, once they have led to its root."""
        self._check_consistency(reader, held, note, checkpoint)
        events = self._fetch(reader, held, note, checkpoint)
        frontier = Frontier(held.size, held.frontier.hashes)
        for event in events:
            frontier.append(leaf_hash(event.leaf_bytes))
        if frontier.root() != checkpoint.root:
            error = AlteredEntryError(
                f"the entries up to {checkpoint.size} do not lead to the signed root",
                next_step="synchronise again; if it stays so, tell the other partners",
            )
            self._refuse(error, held, note)
        return events

    def _store(self, held: Held, note: Note, events: list[Event]) -> None:
        with self._database.writing() as connection:
            current = read_held(connection, lock=True)
            if current.size != held.size:
                return  # another process was faster: the caller looks again
            signed = Note(note.text, tuple(x for x in note.signatures if x.by(self._log_key)))
            extend(connection, current, events, str(signed))

    def _check_consistency(
        self, reader: LogReader, held: Held, note: Note, checkpoint: Checkpoint
    ) -> None:
        old = held.frontier.root() if held.size else EMPTY_ROOT
        if held.size in {0, checkpoint.size}:
            return
        proof = reader.consistency_proof(held.size, checkpoint.size)
        try:
            verify_consistency(held.size, checkpoint.size, proof, old, checkpoint.root)
        except ProofError as error:
            broken = InconsistentError(
                f"the ledger cannot prove that {checkpoint.size} entries continue the {held.size} "
                f"held here ({error.reason})",
                next_step="tell the other partners: release nothing until it is resolved",
            )
            self._refuse(broken, held, note)

    def _fetch(
        self, reader: LogReader, held: Held, note: Note, checkpoint: Checkpoint
    ) -> list[Event]:
        events: list[Event] = []
        while held.size + len(events) < checkpoint.size:
            start = held.size + len(events)
            try:
                batch = reader.entries(start, min(checkpoint.size, start + _BATCH))
            except FormatError as error:
                altered = AlteredEntryError(
                    f"an entry from {start} on is not what its leaf says: {error.message}",
                    next_step="synchronise again; if it stays so, tell the other partners",
                )
                self._refuse(altered, held, note)
            if not batch or len(batch) > checkpoint.size - start:
                raise MirrorError("the ledger answered with other entries than asked for")
            for index, event in enumerate(batch, start):
                if event.payload is None and event.leaf.type is not EventType.CONSENT_RECORDED:
                    self._refuse(_withheld(index), held, note)
            events += batch
        return events

    def _refuse(self, error: MirrorError, held: Held, theirs: Note) -> NoReturn:
        """Keep both checkpoints as evidence, each once, and raise."""
        evidence = Evidence(
            write_time(self._now()), error.reason, error.message, held.note, str(theirs)
        )
        with self._database.writing() as connection:
            keep_evidence(connection, evidence)
        raise error


def _gaps(before: dict[str, int], start: int, events: list[Event]) -> dict[str, int]:
    """Places of records without payload, by id, that no entry so far says were erased."""
    found = dict(before)
    for index, event in enumerate(events, start):
        if event.payload is None:
            found[event.leaf.id] = index
        elif event.leaf.type is EventType.CONSENT_ERASED:
            for record in event.leaf.refs:
                found.pop(record, None)
    return found


def _withheld(index: int) -> WithheldPayloadError:
    return WithheldPayloadError(
        f"the ledger withholds the payload of entry {index}",
        next_step="ask the ledger's operator for it",
    )
