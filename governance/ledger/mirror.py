"""A full copy of the ledger, held and verified by a partner or the hub; the partner's witness.

Nothing enters the copy but by a synchronisation (``mirror_sync.py``). What is replayed from it is
hashed from its stored bytes, up to the root that the log signed: whoever can write to the file and
has no key of the log changes no state (``verified``).

Cosigning: only the checkpoint that is held; one root for one size, ever; stored before it is given
away (c2sp.org/tlog-witness: check and store are one step).
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from governance.canonical import utc_now
from governance.errors import FormatError
from governance.identity.keys import Signer
from governance.ledger.database import Database
from governance.ledger.errors import AlteredEntryError, MirrorEmptyError, OutOfRangeError
from governance.ledger.events import Event, EventType, Leaf
from governance.ledger.merkle import Frontier, inclusion_proof, leaf_hash
from governance.ledger.mirror_sync import LogReader, Synchroniser
from governance.ledger.mirror_tables import (
    TREE,
    Evidence,
    Held,
    begin,
    read_cosigned,
    read_evidence,
    read_held,
    read_tree,
    store_cosigned,
)
from governance.ledger.note import (
    Checkpoint,
    Note,
    VerifierKey,
    cosign,
    open_checkpoint,
    parse_note,
)
from governance.ledger.quorum import WitnessedCheckpoint, WitnessPolicy, verify_cosigned

_BATCH: Final = 1_000  # entries read at once
_DAMAGED: Final = (
    "this copy's database was damaged: restore it, or keep it aside for whoever looks into it and "
    "begin a new one"
)


class Mirror:
    """One party's copy of one log.

    Args:
        database: with the ``mirror`` schema.
        log_key: the log's verifier key, pinned; a mirror's database belongs to it for good.
        now: the clock that dates evidence.

    Raises:
        MirrorError: the database mirrors a log of another key.
    """

    def __init__(
        self,
        database: Database,
        log_key: VerifierKey,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.log_key = log_key
        self._database = database
        self._synchroniser = Synchroniser(database, log_key, now)
        try:
            with database.writing() as connection:
                begin(connection, log_key)
        except BaseException:
            database.close()
            raise

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def sync(
        self, reader: LogReader, told: Callable[[int, int], None] = lambda _held, _of: None
    ) -> Checkpoint:
        """Bring the copy up to the log's newest checkpoint.

        Args:
            reader: the log.
            told: before each step, how many leaves are held, and of how many.

        Returns:
            The checkpoint that the copy now holds.

        Raises:
            NoteSignatureError, NoteFormatError: not a checkpoint of the pinned log.
            RollbackError, ForkError, AlteredEntryError: the log broke its promise; evidence kept.
            LedgerError: the log cannot be reached or answers in another form.
        """
        return self._synchroniser.run(reader, told)

    def checkpoint(self) -> tuple[Note, Checkpoint]:
        """The newest checkpoint that the copy holds, as the log signed it.

        Raises:
            MirrorEmptyError: it holds none yet.
        """
        note = self._held().note
        if note is None:
            raise MirrorEmptyError(
                "this mirror holds nothing yet", next_step="synchronise with the ledger first"
            )
        return self._open(parse_note(note.encode()))

    def cosigned(self) -> tuple[Note, Checkpoint]:
        """The newest checkpoint that the copy holds, with what its own witness has signed of it.

        Raises:
            MirrorEmptyError: it holds none yet.
        """
        note, checkpoint = self.checkpoint()
        with self._database.reading() as connection:
            lines = read_cosigned(connection, checkpoint)
        return note.with_signatures(lines), checkpoint

    def size(self) -> int:
        """Leaves that the copy holds."""
        return self._held().size

    def entries(self, start: int = 0, end: int | None = None) -> Iterator[Event]:
        """Every event that the copy holds, in order, for replay."""
        end = self.size() if end is None else end
        while start < end:
            with self._database.reading() as connection:
                batch = TREE.entries(connection, start, min(end, start + _BATCH))
            if not batch:
                raise OutOfRangeError(f"the mirror has no entry {start}")
            yield from batch
            start += len(batch)

    def leaves(self, id_: str) -> list[Leaf]:
        """Leaves under an event's id: one in an honest log, or none; signatures are not checked."""
        with self._database.reading() as connection:
            return TREE.leaves_of(connection, id_)

    def root(self, size: int) -> bytes:
        """The root over the first ``size`` leaves of the copy.

        Raises:
            OutOfRangeError: the copy is smaller.
        """
        return self.frontier(size).root()

    def frontier(self, size: int) -> Frontier:
        """The right edge of the tree over the first ``size`` leaves of the copy.

        Raises:
            OutOfRangeError: the copy is smaller.
        """
        with self._database.reading() as connection:
            return read_tree(connection, size)

    def inclusion_proof(self, index: int, size: int) -> list[bytes]:
        """RFC 9162 proof that an entry is in the tree of a size, made from the copy alone.

        Raises:
            OutOfRangeError: the copy is smaller.
        """
        with self._database.reading() as connection:
            if size > read_held(connection).size:
                raise OutOfRangeError(f"the mirror does not hold {size} entries")
            return inclusion_proof(TREE.nodes(connection), index, size)

    def verify_witnessed(
        self, note: Note, policy: WitnessPolicy, now: datetime
    ) -> WitnessedCheckpoint:
        """Check that a checkpoint has a fresh quorum and is of the very tree that this copy holds.

        Raises:
            QuorumError, StaleCheckpointError, NoteSignatureError: see ``verify_cosigned``.
            OutOfRangeError: the copy is smaller: synchronise first.
            ForkError: the log signed another tree than this copy's; evidence kept.
        """
        found = verify_cosigned(note, policy, now)
        self._synchroniser.check_same_tree(note, found.checkpoint)
        return found

    def require_same_tree(self, note: Note) -> Checkpoint:
        """Check that a checkpoint, whoever cosigned it, is of the very tree that this copy holds.

        Raises:
            NoteSignatureError: the log did not sign it.
            OutOfRangeError, ForkError: as above.
        """
        checkpoint = self._open(note)[1]
        self._synchroniser.check_same_tree(note, checkpoint)
        return checkpoint

    def cosign(self, witness: VerifierKey, signer: Signer, now: datetime) -> Note:
        """Cosign the checkpoint that the copy holds.

        Args:
            witness: this party's witness key as every party knows it (``note.witness_key``).
            signer: its private half.
            now: the time that the cosignature states.

        Returns:
            The checkpoint with the log's signature and this witness's line, once that is stored.

        Raises:
            MirrorEmptyError: the copy holds no checkpoint.
            ForkError: another root was cosigned for this size before.
        """
        with self._database.writing() as connection:
            held = read_held(connection, lock=True)
            if held.note is None:
                raise MirrorEmptyError(
                    "this mirror holds nothing yet", next_step="synchronise with the ledger first"
                )
            note, checkpoint = self._open(parse_note(held.note.encode()))
            if (checkpoint.size, checkpoint.root) != (held.size, held.frontier.root()):
                raise AlteredEntryError(
                    "this mirror's own tree and checkpoint differ", next_step=_DAMAGED
                )
            time = int(now.timestamp())
            line = cosign(note.text, witness, signer, time)
            store_cosigned(connection, checkpoint, line, time)
        return Note(note.text, (*note.signatures, line))

    def verify(self) -> Checkpoint:
        """The checkpoint that the copy holds, once all its stored bytes have led to it.

        Raises:
            MirrorEmptyError: the copy holds no checkpoint.
            AlteredEntryError: see ``verified``.
        """
        _, checkpoint = self.checkpoint()
        for _ in self._hashed(Frontier(), checkpoint):
            pass
        return checkpoint

    def verified(self, frontier: Frontier, checkpoint: Checkpoint) -> Iterator[Event]:
        """The events that follow a tree, recomputed from the stored bytes as an auditor would.

        None of them counts before the last was given without an error. Each but a consent record
        has its payload, as it had when it was taken from the log: without it a suspension would not
        count. Replay says which records may lack theirs (``consent/registry.py``).

        Args:
            frontier: of the tree; each event is hashed onto it.
            checkpoint: what the log signed, to which they have to lead.

        Raises:
            AlteredEntryError: the stored bytes do not lead to the signed root, or lack a payload.
        """
        for index, event in enumerate(self._hashed(frontier, checkpoint), frontier.size):
            if event.payload is None and event.leaf.type is not EventType.CONSENT_RECORDED:
                raise AlteredEntryError(
                    f"the stored entry {index} lacks its payload", next_step=_DAMAGED
                )
            yield event

    def _hashed(self, frontier: Frontier, checkpoint: Checkpoint) -> Iterator[Event]:
        try:
            for event in self.entries(frontier.size, checkpoint.size):
                frontier.append(leaf_hash(event.leaf_bytes))
                yield event
        except (FormatError, OutOfRangeError) as error:
            raise AlteredEntryError(
                f"the stored entries were altered: {error.message}", next_step=_DAMAGED
            ) from None
        if (frontier.size, frontier.root()) != (checkpoint.size, checkpoint.root):
            raise AlteredEntryError(
                "the stored entries do not lead to the signed root", next_step=_DAMAGED
            )

    def erase(self, *indexes: int) -> None:
        """Remove salts and payloads of entries for good; their leaves and every proof stay.

        Raises:
            OutOfRangeError: there is no such entry; none was changed.
        """
        with self._database.writing() as connection:
            TREE.erase(connection, indexes)
        self._database.truncate_wal()

    def evidence(self) -> list[Evidence]:
        """What the log signed and should not have, oldest first."""
        with self._database.reading() as connection:
            return read_evidence(connection)

    def _open(self, note: Note) -> tuple[Note, Checkpoint]:
        return note, open_checkpoint(note, self.log_key)

    def _held(self) -> Held:
        with self._database.reading() as connection:
            return read_held(connection)
