"""A party's side of the ledger: its mirror, the state that replay gives, and its pen.

Nothing that the ledger's service says is used before the mirror has verified it.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel

from governance.exchange.http import RequestSigner
from governance.identity.keys import SigningKey
from governance.ledger.client import LedgerClient, Receipt
from governance.ledger.database import Database, sqlite_url
from governance.ledger.errors import LedgerRefusedError, LedgerUnavailableError
from governance.ledger.events import Author, Event, EventType
from governance.ledger.mirror import Mirror
from governance.ledger.note import parse_vkey
from governance.ledger.replayed import NAME, KeptState
from governance.ledger.state import LedgerState


class PartyLedger:
    """One log, as one party mirrors it.

    Args:
        path: the mirror's SQLite file.
        url: the ledger's address.
        log_key: the log's pinned verifier key.
        thumbprint: of the party's keys.
        key: the party's signing key.
        now: the clock.
    """

    def __init__(
        self,
        path: Path,
        url: str,
        log_key: str,
        thumbprint: str,
        key: SigningKey,
        now: Callable[[], datetime],
    ) -> None:
        self.log_key = parse_vkey(log_key)
        path.touch(mode=0o600, exist_ok=True)
        self.mirror = Mirror(Database(sqlite_url(path), "mirror"), self.log_key, now)
        self.client = LedgerClient(url, self.log_key, RequestSigner(thumbprint, key))
        self.author = Author(thumbprint, key, now, self.log_key.name)
        self._kept = KeptState(path.with_name(NAME), key.seed, self.log_key)
        self._state: LedgerState | None = None
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the mirror and the connection."""
        self.client.close()
        self.mirror.close()

    @property
    def state(self) -> LedgerState:
        """What the mirror holds, replayed; no network."""
        with self._lock:
            if self._state is None:
                self._state = self._kept.read(self.mirror.root) or LedgerState(self.log_key.name)
            self._state.replay(self.mirror.entries(self._state.size))
            self._kept.write(self._state, self.mirror.root)
            return self._state

    def sync(self) -> LedgerState:
        """Bring the mirror up to date, then replay.

        Raises:
            LedgerError: the ledger cannot be reached, or broke a promise.
        """
        self.mirror.sync(self.client)
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

    def append(self, event: Event) -> Receipt:
        """Append an event that was written before; it may be repeated."""
        return self.client.append(event)

    def append_batch(self, events: Sequence[Event]) -> list[Receipt | LedgerRefusedError]:
        """Append consents and withdrawals that were written before; it may be repeated.

        Returns:
            For each, its receipt or why the ledger refused it.
        """
        return self.client.append_batch(events)
