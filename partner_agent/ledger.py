"""The agent's side of the ledger: its mirror, the state that replay gives, its witness, its pen.

Nothing that the ledger's service says is used before the mirror has verified it.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from governance.agreements.errors import AgreementNotWitnessed
from governance.agreements.models import Agreement
from governance.agreements.policy import Standing
from governance.canonical import unb64
from governance.errors import GovernanceError
from governance.exchange.http import RequestSigner
from governance.identity.files import PartySecrets
from governance.ledger.client import LedgerClient, Receipt
from governance.ledger.database import Database, sqlite_url
from governance.ledger.events import Author, Event, EventType
from governance.ledger.mirror import Mirror
from governance.ledger.note import VerifierKey, parse_vkey, witness_key
from governance.ledger.quorum import WitnessPolicy
from governance.ledger.state import LedgerState

MIRROR: Final = "mirror.db"


class AgentLedger:
    """One log, as one party mirrors it.

    Args:
        home: the agent's folder, where the mirror is.
        url: the ledger's address.
        log_key: the log's pinned verifier key.
        secrets: the party's keys.
        now: the clock.
    """

    def __init__(
        self,
        home: Path,
        url: str,
        log_key: str,
        secrets: PartySecrets,
        now: Callable[[], datetime],
    ) -> None:
        self.log_key = parse_vkey(log_key)
        self._secrets = secrets
        self._now = now
        path = home / MIRROR
        path.touch(mode=0o600, exist_ok=True)
        self.mirror = Mirror(Database(sqlite_url(path), "mirror"), self.log_key, now)
        signer = RequestSigner(secrets.keys.thumbprint, secrets.signing_key)
        self.client = LedgerClient(url, self.log_key, signer)
        self.author = Author(secrets.keys.thumbprint, secrets.signing_key, now)
        self._state = LedgerState()

    def close(self) -> None:
        """Close the mirror and the connection."""
        self.client.close()
        self.mirror.close()

    @property
    def state(self) -> LedgerState:
        """What the mirror holds, replayed; no network."""
        return self._state.replay(self.mirror.entries(self._state.size))

    def sync(self) -> LedgerState:
        """Bring the mirror up to date, then replay.

        Raises:
            LedgerError: the ledger cannot be reached, or broke a promise.
        """
        self.mirror.sync(self.client)
        return self.state

    def witness(self) -> tuple[str, ...]:
        """Cosign the checkpoint that the mirror holds, and hand the line to the ledger."""
        key = witness_key(
            self.log_key.name, self._secrets.keys.party, unb64(self._secrets.keys.witness)
        )
        return self.client.cosign(self.mirror.cosign(key, self._secrets.witness_key, self._now()))

    def write(self, kind: EventType, payload: BaseModel, refs: tuple[str, ...] = ()) -> Event:
        """Write an event and append it.

        Raises:
            LedgerRefusedError, LedgerUnavailableError: it is not in the ledger.
        """
        event = self.author.write(kind, payload, refs)
        self.append(event)
        return event

    def append(self, event: Event) -> Receipt:
        """Append an event that was written before; it may be repeated."""
        return self.client.append(event)

    def policy(self, agreement: Agreement) -> WitnessPolicy:
        """Whose cosignatures an agreement counts: its parties', other than the ledger's."""
        return WitnessPolicy(
            log=self.log_key,
            witnesses=tuple(self._witnesses(agreement)),
            quorum=agreement.witnessing.quorum,
            max_age=timedelta(minutes=agreement.witnessing.max_age_minutes),
        )

    def _witnesses(self, agreement: Agreement) -> list[VerifierKey]:
        identities = self._state.identities
        return [
            witness_key(
                self.log_key.name, party.party, unb64(identities.parties[party.keys].witness)
            )
            for party in agreement.parties
        ]

    def require_witnessed(self, standing: Standing) -> None:
        """Check that enough partners have lately witnessed an agreement's last signature.

        Raises:
            AgreementNotWitnessed: they have not.
        """
        agreement = standing.agreement
        try:
            note = self.client.checkpoint(witnesses=agreement.witnessing.quorum)
            found = self.mirror.verify_witnessed(note, self.policy(agreement), self._now())
            covered = standing.complete_at is not None and (
                standing.complete_at < found.checkpoint.size
            )
        except GovernanceError as error:
            raise AgreementNotWitnessed(
                f"agreement {agreement.id} is not in a witnessed checkpoint: {error.message}",
                next_step="each partner runs: partner-agent run",
            ) from error
        if not covered:
            raise AgreementNotWitnessed(
                f"the last signature of agreement {agreement.id} is not witnessed yet",
                next_step="each partner runs: partner-agent run",
            )
