"""The agent's side of the ledger: beside mirror and pen, it is a witness."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from governance.agreements.errors import AgreementNotWitnessed
from governance.agreements.models import Agreement
from governance.agreements.policy import Standing
from governance.canonical import unb64
from governance.errors import GovernanceError
from governance.identity.files import PartySecrets
from governance.ledger.note import VerifierKey, witness_key
from governance.ledger.party import PartyLedger
from governance.ledger.quorum import WitnessPolicy

MIRROR: Final = "mirror.db"
POLL_SECONDS: Final = 1.0


class AgentLedger(PartyLedger):
    """One log, as one partner mirrors and witnesses it.

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
        keys = secrets.keys
        super().__init__(home / MIRROR, url, log_key, keys.thumbprint, secrets.signing_key, now)
        self._secrets = secrets
        self._now = now

    def witness(self) -> tuple[str, ...]:
        """Cosign the checkpoint that the mirror holds, and hand the line to the ledger."""
        key = witness_key(
            self.log_key.name, self._secrets.keys.party, unb64(self._secrets.keys.witness)
        )
        return self.client.cosign(self.mirror.cosign(key, self._secrets.witness_key, self._now()))

    def policy(self, agreement: Agreement) -> WitnessPolicy:
        """Whose cosignatures an agreement counts: its parties', other than the ledger's."""
        return WitnessPolicy(
            log=self.log_key,
            witnesses=tuple(self._witnesses(agreement)),
            quorum=agreement.witnessing.quorum,
            max_age=timedelta(minutes=agreement.witnessing.max_age_minutes),
        )

    def _witnesses(self, agreement: Agreement) -> list[VerifierKey]:
        identities = self.state.identities
        return [
            witness_key(
                self.log_key.name, party.party, unb64(identities.parties[party.keys].witness)
            )
            for party in agreement.parties
        ]

    def await_witnessed(
        self, standing: Standing, seconds: float, wait: Callable[[float], None] = time.sleep
    ) -> None:
        """Check that an agreement is witnessed, giving the other partners some time for it.

        Raises:
            AgreementNotWitnessed: they did not use it.
        """
        left = seconds
        while True:
            try:
                self.require_witnessed(standing)
            except AgreementNotWitnessed:
                if left <= 0:
                    raise
            else:
                return
            wait(POLL_SECONDS)
            left -= POLL_SECONDS
            self.sync()

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
