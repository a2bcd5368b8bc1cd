"""Whether families' outcomes may be looked at.

Rules: the agreement is in force by the ledger as it stands now, and names analysis among its
actions; what was made under an earlier version of it counts as its own.
"""

from collections.abc import Callable
from datetime import datetime

from governance.agreements.errors import AgreementUnknown
from governance.agreements.models import Action, Agreement
from governance.agreements.policy import in_force, require_action
from governance.ledger.party import PartyLedger


def analysed(ledger: PartyLedger, hash_: str, now: datetime) -> Agreement:
    """An agreement under which outcomes may be looked at now.

    Raises:
        AgreementRefusal: it is unknown or not in force, or does not allow analysis.
        LedgerError: the ledger cannot be asked.
    """
    standing = ledger.sync().agreements.standing(hash_)
    in_force(standing, now)
    require_action(standing.agreement, Action.ANALYSE)
    return standing.agreement


def versions_of(ledger: PartyLedger, agreement: Agreement) -> Callable[[str], bool]:
    """Whether a hash is of a version of an agreement, by the hub's copy of the ledger."""

    def belongs(hash_: str) -> bool:
        try:
            return ledger.state.agreements.standing(hash_).agreement.id == agreement.id
        except AgreementUnknown:
            return False

    return belongs
