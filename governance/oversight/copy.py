"""A copy of the ledger with the indexes beside its state, for a program that runs for long."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from governance.identity.keys import SigningKey
from governance.ledger.party import PartyLedger
from governance.oversight.state import Overseen


class OverseenLedger(PartyLedger):
    """One log, as whoever oversees it mirrors it.

    Args:
        path: the mirror's SQLite file.
        url: the ledger's address.
        log_key: the log's pinned verifier key.
        thumbprint: of the keys of the person or party who reads.
        key: their signing key.
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
        super().__init__(path, url, log_key, thumbprint, key, now, Overseen)
        self._looking = threading.RLock()

    @property
    def state(self) -> Overseen:
        """See ``PartyLedger.state``; another thread's replay may change what was given out."""
        with self._looking:
            state = super().state
        assert isinstance(state, Overseen)  # noqa: S101 - made by the kind that was given
        return state

    @contextmanager
    def looking(self) -> Iterator[Overseen]:
        """What the mirror holds, replayed; nothing of it changes until the block ends.

        Raises:
            AlteredEntryError: the mirror's file does not hold what the log signed.
        """
        with self._looking:
            yield self.state
