"""The agent's side of the ledger: beside mirror and pen, it is a witness.

A witness promises more than that the log is one: it cosigns nothing while a consent record's
payload is missing that nobody who may has erased, nor while the log lacks a withdrawal that this
partner accepted longer ago than the agreement's merge delay. Since a release needs a fresh
cosignature of every partner that holds a record of the family, a ledger or hub that keeps a
withdrawal back stops releases instead (invariant 3).
"""

import time
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from governance.agreements.errors import AgreementNotWitnessed
from governance.agreements.models import Agreement
from governance.agreements.policy import Standing
from governance.canonical import unb64
from governance.consent.models import ConsentState
from governance.errors import GovernanceError
from governance.identity.files import PartySecrets
from governance.ledger.errors import MirrorEmptyError, WithdrawalMissingError
from governance.ledger.note import verify_cosignature, witness_key
from governance.ledger.party import PartyLedger
from governance.ledger.quorum import WitnessPolicy, policy_of
from governance.ledger.state import LedgerState

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
        accepted: when each withdrawal was accepted here, by grant.
    """

    def __init__(
        self,
        home: Path,
        url: str,
        log_key: str,
        secrets: PartySecrets,
        now: Callable[[], datetime],
        accepted: Callable[[], Mapping[str, datetime]],
    ) -> None:
        keys = secrets.keys
        super().__init__(home / MIRROR, url, log_key, keys.thumbprint, secrets.signing_key, now)
        self._secrets = secrets
        self._now = now
        self._accepted = accepted

    def witness(self) -> tuple[str, ...]:
        """Cosign the checkpoint that the mirror holds, and hand the line to the ledger.

        Raises:
            WithheldPayloadError: a payload is missing that nobody who may has erased.
            WithdrawalMissingError: the mirror lacks a withdrawal that it should hold by now.
        """
        state = self.state
        state.consents.require_opened()
        if missing := overdue(state, self._accepted(), self._now()):
            raise WithdrawalMissingError(
                f"the ledger lacks {missing} of the withdrawals that were accepted here, past the "
                "agreed merge delay; nothing is cosigned until it holds them",
                next_step="run partner-agent run; if this stays, ask the ledger's operator why it "
                "keeps them back, and tell the other partners",
            )
        key = witness_key(
            self.log_key.name, self._secrets.keys.party, unb64(self._secrets.keys.witness)
        )
        return self.client.cosign(self.mirror.cosign(key, self._secrets.witness_key, self._now()))

    def witnessed_at(self) -> datetime | None:
        """When this agent cosigned the checkpoint that its copy holds; None where it has not."""
        key = witness_key(
            self.log_key.name, self._secrets.keys.party, unb64(self._secrets.keys.witness)
        )
        try:
            note, _ = self.mirror.cosigned()
        except MirrorEmptyError:
            return None
        for signature in note.signatures:
            if signature.by(key):
                seconds = verify_cosignature(note.text, signature, key)
                return datetime.fromtimestamp(seconds, UTC)
        return None

    def policy(self, agreement: Agreement, holders: Collection[str] = ()) -> WitnessPolicy:
        """Whose cosignatures an agreement counts: see ``quorum.policy_of``."""
        return policy_of(agreement, self.log_key, self.state.identities.parties, holders)

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


def overdue(state: LedgerState, accepted: Mapping[str, datetime], now: datetime) -> int:
    """Withdrawals that a replayed log lacks although their agreement's merge delay has passed.

    A consent whose record was erased counts as withdrawn, so that nothing of it is lacking.

    Args:
        state: the replay.
        accepted: when each withdrawal was accepted, by grant.
        now: the time.
    """
    return sum(
        grant not in state.consents.grants
        or (
            state.consents.grants[grant].changed_to is not ConsentState.WITHDRAWN
            and now > since + _merge_delay(state, grant)
        )
        for grant, since in accepted.items()
        if grant not in state.consents.erased
    )


def _merge_delay(state: LedgerState, grant: str) -> timedelta:
    agreement = state.agreements.standing(state.consents.grants[grant].record.agreement).agreement
    return timedelta(minutes=agreement.witnessing.merge_delay_minutes)
