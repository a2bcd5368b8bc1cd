"""Why this partner does not release, beyond what the ledger says.

Two reasons: ``reason`` is for this partner's own people; ``told`` is what hub and ledger get, one
and the same for everything that its own records alone can say, so that nobody outside learns that
somebody is protected, has objected, is older than thought or is no longer held.
"""

from typing import ClassVar

from governance.errors import ReasonedError
from partner_agent.errors import AgentError


class LocalRefusal(AgentError):
    """Base of the refusals that only the partner's own records can give."""

    reason = "release.local"
    told: ClassVar[str] = "release.local"
    exit_code = 77  # EX_NOPERM


class ProtectedPerson(LocalRefusal):
    """A person or address of the family is protected."""

    reason = "release.protected"


class AgeMismatch(LocalRefusal):
    """The order takes an adult for a child."""

    reason = "release.age_mismatch"


class OwnWordNeeded(LocalRefusal):
    """Somebody of sixteen or more has not agreed for themself."""

    reason = "release.own_word"


class WithdrawnHere(LocalRefusal):
    """A withdrawal was accepted here that the ledger may not have yet."""

    reason = "consent.withdrawn"


class RateLimited(LocalRefusal):
    """More releases in a day than the agreement allows."""

    reason = "release.rate_limited"
    told = "release.rate_limited"  # about this partner, not about a person


class AskedOtherwise(LocalRefusal):
    """Records of the same people or homes were asked about in other ways within a day."""

    reason = "release.choices"


class NotHeld(LocalRefusal):
    """A record of the order is not in this partner's vault."""

    reason = "release.record_not_held"


def told(refusal: ReasonedError) -> str:
    """The reason that hub and ledger are told."""
    return refusal.told if isinstance(refusal, LocalRefusal) else refusal.reason
