"""A copy of the ledger with the indexes beside its state, for a program that runs for long."""

from collections.abc import Callable
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

    @property
    def state(self) -> Overseen:
        """See ``PartyLedger.state``."""
        state = super().state
        assert isinstance(state, Overseen)  # noqa: S101 - made by the kind that was given
        return state
