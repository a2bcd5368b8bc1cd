"""The replayed state with the indexes beside it.

Rules: the indexes are filled by replay and by nothing else, so they are as well verified as the
state, kept with it, and authenticated with it (``ledger/replayed.py``).
"""

from typing import Any

from governance.errors import FormatError
from governance.ledger.errors import AlteredEntryError, OutOfRangeError
from governance.ledger.events import Event
from governance.ledger.merkle import leaf_hash
from governance.ledger.mirror import Mirror
from governance.ledger.state import LedgerState
from governance.oversight.chronicle import Chronicle, Clerk


class Overseen(LedgerState):
    """What the ledger says, and what happened when.

    Attributes:
        chronicle: the indexes.
    """

    def __init__(self, origin: str | None = None) -> None:
        super().__init__(origin)
        self.chronicle = Chronicle()
        self._clerk = self._employ()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__getstate__().items() if name != "_clerk"}

    def __setstate__(self, built: dict[str, Any]) -> None:
        super().__setstate__(built)
        self._clerk = self._employ()

    def apply(self, event: Event) -> None:
        """Replay the next event, and note what it did."""
        index, rejected = self.size, len(self.rejected)
        changed = self._clerk.before(event)
        super().apply(event)
        admitted = len(self.rejected) == rejected
        self.chronicle.take(index, event, admitted=admitted)
        self._clerk.after(index, event, changed, admitted=admitted)

    def party(self, thumbprint: str) -> str:
        """The name of who wrote an entry; ``unknown`` of one that was not admitted."""
        known = self.identities.parties.get(thumbprint)
        return "unknown" if known is None else known.party

    def parties(self, name: str) -> frozenset[str]:
        """Thumbprints of a party's keys."""
        known = self.identities.parties.items()
        return frozenset(thumbprint for thumbprint, keys in known if keys.party == name)

    def admitted(self, index: int) -> bool:
        """Whether an entry counts."""
        return all(rejected.index != index for rejected in self.rejected)

    def _employ(self) -> Clerk:
        return Clerk(
            self.chronicle, self.agreements, self.consents, self.releases, self.rights, self.party
        )


def read_entry(state: Overseen, mirror: Mirror, index: int) -> Event:
    """An entry as the copy holds it, once its leaf is the one that was replayed.

    Raises:
        OutOfRangeError: nothing was replayed from that place; a copy may have grown since.
        AlteredEntryError: it is another than was replayed.
    """
    if not 0 <= index < state.size:
        raise OutOfRangeError(f"{state.size} entries were replayed")
    try:
        (event,) = mirror.entries(index, index + 1)
    except FormatError:
        raise AlteredEntryError("the stored entry was altered") from None
    if leaf_hash(event.leaf_bytes) != state.chronicle.entries.digest(index):
        raise AlteredEntryError("the stored entry is not the one that was replayed")
    return event
