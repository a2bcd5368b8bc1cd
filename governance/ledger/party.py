"""A party's side of the ledger: its mirror, the state that replay gives, and its pen.

Nothing that the ledger's service says is used before the mirror has verified it, and nothing that
the mirror's file holds before it has led to the root that the log signed: a state is given out
whole or not at all, and after a file was altered every question is refused until it is restored.
What the ledger says was erased is erased here when that is replayed.
"""

import hmac
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from governance.errors import SignatureError
from governance.exchange.http import RequestSigner
from governance.identity.keys import SigningKey
from governance.ledger.client import LedgerClient, Receipt
from governance.ledger.database import Database, sqlite_url
from governance.ledger.errors import (
    LedgerRefusedError,
    LedgerUnavailableError,
    MirrorEmptyError,
    NotShownError,
)
from governance.ledger.events import Author, Event, EventType, Leaf, verify_author
from governance.ledger.merkle import EMPTY_ROOT, Frontier
from governance.ledger.mirror import Mirror
from governance.ledger.note import Checkpoint, parse_vkey
from governance.ledger.replayed import NAME, KeptState
from governance.ledger.state import LedgerState
from governance.ledger.together import Together

_OWN_IDS: Final = b"hearthlink/own-event-ids/v1"
AT_ONCE: Final = 10_000
"""Entries that are verified before the first of them changes a state that others may hold."""


class PartyLedger:
    """One log, as one party mirrors it.

    Args:
        path: the mirror's SQLite file.
        url: the ledger's address.
        log_key: the log's pinned verifier key.
        thumbprint: of the party's keys.
        key: the party's signing key.
        now: the clock.
        kind: what replay fills.
    """

    def __init__(
        self,
        path: Path,
        url: str,
        log_key: str,
        thumbprint: str,
        key: SigningKey,
        now: Callable[[], datetime],
        kind: type[LedgerState] = LedgerState,
    ) -> None:
        self.log_key = parse_vkey(log_key)
        path.touch(mode=0o600, exist_ok=True)
        self.mirror = Mirror(Database(sqlite_url(path), "mirror"), self.log_key, now)
        self.client = LedgerClient(url, self.log_key, RequestSigner(thumbprint, key))
        self.author = Author(thumbprint, key, now, self.log_key.name)
        self._public = key.public
        self._id_key = hmac.digest(key.seed, _OWN_IDS, "sha256")
        self._kept = KeptState(path.with_name(NAME), key.seed, self.log_key, kind)
        self._replayed: tuple[LedgerState, Frontier] | None = None
        self._lock = threading.Lock()
        self._together = Together(lambda: self.mirror.sync(self.client))

    def close(self) -> None:
        """Close the mirror and the connection."""
        self.client.close()
        self.mirror.close()

    @property
    def state(self) -> LedgerState:
        """What the mirror holds, replayed; no network.

        Raises:
            AlteredEntryError: the mirror's file does not hold what the log signed.
        """
        with self._lock:
            state = self._replay()
            if state.consents.unopened:  # erased by another process, which has a newer entry
                state = self._replay()
            return state

    def _replay(self) -> LedgerState:
        signed = self._signed()
        begun, self._replayed = self._replayed, None  # until all has led to the signed root
        if begun is not None and signed.size - begun[0].size <= AT_ONCE:
            state, frontier = begun
            since = state.size
            state.replay(list(self.mirror.verified(frontier, signed)))
        else:
            state, frontier = self._kept.begin(self.mirror.frontier)
            since = state.size
            state.replay(self.mirror.verified(frontier, signed))
        self._replayed = state, frontier
        self._kept.forget(state, since, self.mirror.erase)
        self._kept.write(state, lambda _size: signed.root)
        return state

    def _signed(self) -> Checkpoint:
        """What the log signed of the tree that the mirror holds; the empty tree before all."""
        try:
            return self.mirror.checkpoint()[1]
        except MirrorEmptyError:
            return Checkpoint(self.log_key.name, 0, EMPTY_ROOT)

    def sync(self) -> LedgerState:
        """Bring the mirror up to date, then replay; threads that ask at once ask the ledger once.

        Raises:
            LedgerError: the ledger cannot be reached, or broke a promise.
        """
        self._together.run()
        return self.state

    def sync_if_possible(self) -> LedgerState:
        """Bring the mirror up to date if the ledger can be reached; the state either way.

        Raises:
            LedgerError: it broke a promise.
        """
        try:
            return self.sync()
        except LedgerUnavailableError:
            return self.state

    def write(
        self,
        kind: EventType,
        payload: BaseModel,
        refs: tuple[str, ...] = (),
        id_: str | None = None,
    ) -> Event:
        """Write an event and append it.

        Raises:
            LedgerRefusedError, LedgerUnavailableError: it is not in the ledger.
        """
        event = self.author.write(kind, payload, refs, id_)
        self.append(event)
        return event

    def own_id(self, about: str) -> str:
        """An event id that follows from what the event is about, for this party's processes alone.

        Ids are used once, by anybody: one that others could foresee they could use up.
        """
        return hmac.digest(self._id_key, about.encode(), "sha256")[:16].hex()

    def require_own(self, id_: str) -> None:
        """Check that the mirror holds an event of this party's, which the ledger says it has.

        Of whatever kind: what was decided one way is not decided the other way under that id.

        Raises:
            NotShownError: it holds none under that id, or another's.
            LedgerError: the ledger cannot be reached, or broke a promise.
        """
        self.mirror.sync(self.client)
        if not any(self._wrote(leaf) for leaf in self.mirror.leaves(id_)):
            raise NotShownError(
                "the ledger says that it holds an event of this party's, and does not show it",
                next_step="ask the ledger's operator why, and tell the partners",
            )

    def _wrote(self, leaf: Leaf) -> bool:
        try:
            verify_author(
                leaf, self.log_key.name, {self.author.thumbprint: self._public}.__getitem__
            )
        except (SignatureError, KeyError):
            return False
        return True

    def append(self, event: Event) -> Receipt:
        """Append an event that was written before; it may be repeated."""
        return self.client.append(event)

    def append_batch(self, events: Sequence[Event]) -> list[Receipt | LedgerRefusedError]:
        """Append consents and withdrawals that were written before; it may be repeated.

        Returns:
            For each, its receipt or why the ledger refused it.
        """
        return self.client.append_batch(events)
