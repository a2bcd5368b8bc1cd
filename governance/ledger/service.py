"""What the ledger does for its callers, apart from HTTP.

Rules for an event, in order: it has a leaf's form and its whole payload; its time is not ahead of
the ledger's clock; under the write lock, it is new, its author is known and signed it, and replay
admits it; then leaf, nodes and head are committed together, and only then is a checkpoint signed.
Events of a batch (``batch.py``) are judged so one by one and committed together.

What a ``consent.erased`` names is erased in the transaction that appends it, and the kept state is
dropped; at a start once more, since a log that was restored from a backup may hold it again.

Rules for a cosignature, in order: the log signed the checkpoint; size and root are this log's; the
witness is a known party; its line verifies; its time is not ahead of the ledger's clock.
"""

import logging
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from governance.canonical import parse_time, unb64
from governance.errors import GovernanceError
from governance.identity.keys import SigningKey
from governance.ledger.admission import NotAdmissible
from governance.ledger.batch import BATCHED
from governance.ledger.errors import (
    ClockSkewError,
    EventFormatError,
    ForeignCheckpointError,
    OutOfRangeError,
    UnknownWitnessError,
)
from governance.ledger.events import Event, EventType
from governance.ledger.note import (
    Checkpoint,
    KeyKind,
    Note,
    VerifierKey,
    open_checkpoint,
    parse_signature_line,
    sign_checkpoint,
    verify_cosignature,
    witness_key,
    witness_name,
)
from governance.ledger.replayed import KeptState
from governance.ledger.state import LedgerState
from governance.ledger.store import LedgerStore, StoredCosignature, Taken, Writer
from governance.ledger.tables import StoredEntry

CLOCK_TOLERANCE: Final = timedelta(minutes=5)
ENTRIES_MAX: Final = 1_000
ENTRIES_MAX_BYTES: Final = 8 * 1024 * 1024  # of leaves and payloads in one answer
_REPLAY_BATCH: Final = 1_000
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class Appended:
    """Where an event stands, and the proof of it."""

    index: int
    size: int
    checkpoint: Note
    proof: list[bytes]


@dataclass(frozen=True)
class AppendedBatch:
    """The tree after a batch; for each event its index with its proof, or why it was refused."""

    size: int
    checkpoint: Note
    outcomes: list[tuple[int, list[bytes]] | GovernanceError]


class LedgerService:
    """One log: its store, its key, and the state that replay gives.

    Args:
        store: the log's store.
        key: the log's private key; its checkpoints are signed under the store's origin.
        origin: the log's name.
        now: the clock.
        kept: the file of the replayed state.
    """

    def __init__(
        self,
        store: LedgerStore,
        key: SigningKey,
        origin: str,
        now: Callable[[], datetime],
        kept: Path | None = None,
    ) -> None:
        self._store = store
        self._key = key
        self._now = now
        self._state = LedgerState(origin)
        self._lock = threading.Lock()
        self.log_key = VerifierKey(origin, KeyKind.LOG, key.public)
        self._kept = None if kept is None else KeptState(kept, key.seed, self.log_key)

    def replay(self) -> None:
        """Replay the log, from the kept state where it may be used, before anybody waits for it."""
        if self._kept is not None and self._state.size == 0:
            self._state = self._kept.read(self._store.root) or self._state
        since = self._state.size
        if gone := self._current_state().consents.erased_since(since):
            self._store.erase(*gone)
        self.keep()

    def keep(self) -> None:
        """Keep the replayed state for the next start."""
        with self._lock:
            if self._kept is not None:
                self._kept.write(self._state, self._store.root)

    def public_key(self, thumbprint: str) -> bytes:
        """The Ed25519 key of a known party or person.

        Raises:
            SignatureError: not known, or revoked.
        """
        return self._current_state().identities.key(thumbprint)

    def size(self) -> int:
        """Leaves in the log."""
        return self._store.head().size

    def append(self, event: Event) -> Appended:
        """Admit an event; the very same event again is answered with its place.

        Raises:
            GovernanceError: it may not be appended, with the reason.
        """
        (outcome,) = self._admit([event])
        if isinstance(outcome, GovernanceError):
            raise outcome
        head = self._store.head()
        proof = self._store.inclusion_proof(outcome, head.size)
        return Appended(outcome, head.size, self._sign(head.size, head.root), proof)

    def append_batch(self, events: Sequence[Event]) -> AppendedBatch:
        """Admit consents and withdrawals, each by itself, in one transaction.

        Raises:
            StoreError: none of them is in the log for certain; the batch may be repeated.
        """
        outcomes = self._admit(events, only=BATCHED)
        head = self._store.head()
        placed = [index for index in outcomes if isinstance(index, int)]
        proofs = iter(self._store.inclusion_proofs(placed, head.size))
        return AppendedBatch(
            head.size,
            self._sign(head.size, head.root),
            [
                outcome if isinstance(outcome, GovernanceError) else (outcome, next(proofs))
                for outcome in outcomes
            ],
        )

    def _admit(
        self, events: Sequence[Event], only: Collection[EventType] = frozenset(EventType)
    ) -> list[int | GovernanceError]:
        """Where each event stands once it is committed, or why it may not be appended."""
        fresh: list[Event] = []

        def place(event: Event, writer: Writer, taken: Taken) -> int:
            self._check_form(event, only)
            index = taken.find(event)
            if index is None:
                self._state.check(event)
                index = writer.size + len(fresh)
                taken.take(event, index)
                fresh.append(event)
            return index

        outcomes: list[int | GovernanceError] = []
        gone: list[int] = []
        with self._lock:
            since = self._state.size
            with self._store.writing() as writer:
                self._catch_up(writer)
                taken = writer.taken(events)
                for event in events:
                    try:
                        outcomes.append(place(event, writer, taken))
                    except GovernanceError as error:
                        outcomes.append(error)
                if fresh:
                    writer.append(fresh)
                    gone = self._erased_by(fresh)
                    writer.erase(gone)
            for event in fresh:  # only once it is committed
                self._state.apply(event)
            self._forget(since)
            if gone:
                self._store.overwrite()
                _LOG.info("payloads erased", extra={"payloads": len(gone)})
        return outcomes

    def _erased_by(self, events: Sequence[Event]) -> list[int]:
        """Indexes of what events that were admitted erase."""
        grants = self._state.consents.grants
        return [
            grants[record].index
            for event in events
            if event.leaf.type is EventType.CONSENT_ERASED
            for record in event.leaf.refs
            if record in grants
        ]

    def _forget(self, since: int) -> None:
        """Keep no state in which what was erased by the entries from one on still stands."""
        if self._kept is not None and self._state.consents.erased_since(since):
            self._kept.drop()

    def _check_form(self, event: Event, only: Collection[EventType]) -> None:
        if event.payload is None:
            raise EventFormatError("an event is appended with its salt and payload")
        if event.leaf.type not in only:
            raise NotAdmissible(
                "a batch holds consents and withdrawals", next_step="append the event by itself"
            )
        if parse_time(event.leaf.time) > self._now() + CLOCK_TOLERANCE:
            raise ClockSkewError(
                "the event's time is ahead of the ledger's clock",
                next_step="check this machine's clock",
            )

    def checkpoint(
        self, size: int | None = None, witnesses: int = 0, by: Collection[str] = ()
    ) -> Note:
        """A signed checkpoint with the cosignatures that it has.

        Args:
            size: of the tree; the newest otherwise.
            witnesses: instead of a size, the largest that so many witnesses cosigned.
            by: parties that must be among them.

        Raises:
            OutOfRangeError: there is no such checkpoint.
        """
        if size is None and witnesses:
            names = {witness_name(self.log_key.name, party) for party in by}
            size = self._store.largest_cosigned(witnesses, names)
            if size is None:
                raise OutOfRangeError(
                    f"no checkpoint has these {witnesses} cosignatures yet",
                    next_step="ask the partners to synchronise their agents",
                )
        head = self._store.head()
        size = head.size if size is None else size
        root = head.root if size == head.size else self._store.root(size)
        note = self._sign(size, root)
        return note.with_signatures(
            parse_signature_line(kept.line) for kept in self._store.cosignatures(size)
        )

    def entries(self, start: int, end: int) -> list[StoredEntry]:
        """Entries from ``start`` on as they are stored, since readers check every byte themselves.

        Fewer than asked when the answer would be too large.

        Raises:
            OutOfRangeError: the log has no such entries.
        """
        most = min(end, start + ENTRIES_MAX)
        return self._store.stored(start, most, max_bytes=ENTRIES_MAX_BYTES)

    def inclusion_proof(self, index: int, size: int) -> list[bytes]:
        """RFC 9162 2.1.3.1.

        Raises:
            OutOfRangeError: the log has no such leaf or size.
        """
        return self._store.inclusion_proof(index, size)

    def consistency_proof(self, first: int, second: int) -> list[bytes]:
        """RFC 9162 2.1.4.1.

        Raises:
            OutOfRangeError: the log has no such sizes.
        """
        return self._store.consistency_proof(first, second)

    def keep_cosignatures(self, note: Note) -> list[str]:
        """Keep the lines of known witnesses on one of this log's checkpoints.

        Returns:
            The names of the witnesses whose lines were kept.

        Raises:
            NoteFormatError, NoteSignatureError: not a checkpoint that this log signed, or a
                witness's line does not verify.
            ForeignCheckpointError: signed by this log's key, and not its tree.
            UnknownWitnessError: no line is by a witness that the ledger knows.
            ClockSkewError: a witness's time is ahead of the ledger's clock.
        """
        checkpoint = open_checkpoint(note, self.log_key)
        self._check_ours(checkpoint)
        witnesses = self._witnesses()
        kept = []
        latest = (self._now() + CLOCK_TOLERANCE).timestamp()
        for signature in note.signatures:
            key = witnesses.get((signature.name, signature.key_id))
            if key is None:
                continue
            time = verify_cosignature(note.text, signature, key)
            if time > latest:
                raise ClockSkewError("the cosignature's time is ahead of the ledger's clock")
            kept.append(StoredCosignature(checkpoint.size, key.name, time, signature.line))
        if not kept:
            raise UnknownWitnessError(
                "no cosignature is by a witness that the ledger knows",
                next_step="cosign with the witness key of a party in the ledger",
            )
        for cosignature in kept:
            self._store.keep_cosignature(cosignature)
        return [cosignature.witness for cosignature in kept]

    def _check_ours(self, checkpoint: Checkpoint) -> None:
        head = self._store.head()
        if checkpoint.size > head.size or self._store.root(checkpoint.size) != checkpoint.root:
            raise ForeignCheckpointError(
                f"the checkpoint of size {checkpoint.size} is not one of this log's tree",
                next_step="keep it: it bears this log's signature and is evidence of a fork",
            )

    def _witnesses(self) -> dict[tuple[str, bytes], VerifierKey]:
        keys = (
            witness_key(self.log_key.name, party.party, unb64(party.witness))
            for party in list(self._current_state().identities.parties.values())
        )
        return {(key.name, key.key_id): key for key in keys}

    def _sign(self, size: int, root: bytes) -> Note:
        # only sizes and roots that are committed reach this point
        return sign_checkpoint(Checkpoint(self.log_key.name, size, root), self.log_key, self._key)

    def _current_state(self) -> LedgerState:
        with self._lock:
            since, size = self._state.size, self._store.head().size
            while self._state.size < size:
                end = min(size, self._state.size + _REPLAY_BATCH)
                self._state.replay(self._store.entries(self._state.size, end))
            self._forget(since)
            return self._state

    def _catch_up(self, writer: Writer) -> None:
        """Replay what other processes appended; the caller holds both locks."""
        while self._state.size < writer.size:
            end = min(writer.size, self._state.size + _REPLAY_BATCH)
            self._state.replay(writer.entries(self._state.size, end))
