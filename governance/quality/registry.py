"""Runs whose synthetic records partners may reveal, by replay of the ledger.

Rules: a run is opened once, under a known agreement that has synthetic records, by a party that may
act as its hub. Opening binds the hub: the event holds the digest of the persons
that it found over all records, before it learns which of them do not exist.
"""

from governance.agreements.registry import AgreementRegistry
from governance.exchange.registry import require_hub
from governance.identity.registry import IdentityRegistry
from governance.ledger.admission import Commit, Entry, Handler, NotAdmissible, payload_of
from governance.ledger.events import EventType
from governance.ledger.payloads import SentinelsOpened


class SentinelRegistry:
    """Every run that was opened, by its id."""

    def __init__(self, identities: IdentityRegistry, agreements: AgreementRegistry) -> None:
        self._identities = identities
        self._agreements = agreements
        self.opened: dict[str, SentinelsOpened] = {}

    @property
    def handlers(self) -> dict[EventType, Handler]:
        """What this registry replays."""
        return {EventType.SENTINELS_OPENED: self._opened}

    def _opened(self, entry: Entry) -> Commit:
        payload = payload_of(entry, SentinelsOpened)
        agreement = self._agreements.standing(payload.agreement).agreement
        if agreement.quality is None:
            raise NotAdmissible("the agreement has no synthetic records")
        require_hub(agreement, self._identities.party_key(entry.author)[0])
        if payload.run in self.opened:
            raise NotAdmissible("a run is opened once")

        def commit() -> None:
            self.opened[payload.run] = payload

        return commit
