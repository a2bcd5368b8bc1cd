"""What the ledger holds of a request, where the hub may have been killed before it kept the same.

The ledger is told first and the hub's own row follows. A lead who gets no answer signs anew: the
ledger takes one decision, and partners look for that one, so the hub keeps what the ledger holds
and not what was sent last.
"""

from governance.identity.envelope import Envelope
from governance.ledger.party import PartyLedger
from governance.ledger.payloads import Decided, read_payload
from governance.release.errors import RequestNotLogged
from governance.release.models import Approval


def logged_decision(ledger: PartyLedger, request: str) -> tuple[Envelope, Approval]:
    """The decision that the ledger holds, as it was signed and as it was read.

    Raises:
        RequestNotLogged: it holds none.
        LedgerError: it cannot be read.
    """
    record = ledger.sync().releases.requests.get(request)
    if record is None or record.decision is None or record.decision_index is None:
        raise RequestNotLogged("the ledger does not show the decision")
    place = record.decision_index
    (event,) = ledger.mirror.entries(place, place + 1)
    decided: Decided = read_payload(event)
    return decided.approval, record.decision
