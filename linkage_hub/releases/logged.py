"""What the ledger holds of a request, where the hub may have been killed before it kept the same.

The ledger is told first and the hub's own row follows. A lead who gets no answer signs anew: the
ledger takes one decision, and partners look for that one, so the hub keeps what the ledger holds
and not what was sent last.

What came of an approach may change (somebody who was helped declines later, and the other way
round): each change is an event, and the same word again, after a lost answer or for any other
reason, is none.
"""

from governance.identity.envelope import Envelope
from governance.ledger.events import EventType
from governance.ledger.party import PartyLedger
from governance.ledger.payloads import Decided, Outcome, read_payload
from governance.release.errors import RequestNotLogged
from governance.release.models import Approval
from governance.release.registry import RequestRecord
from linkage_hub.submissions.service import log_once


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


def log_outcome(ledger: PartyLedger, told: Outcome) -> str | None:
    """Log what came of an approach where it is another word than the newest.

    The event's id follows from how many words there were before, so that two hubs' processes that
    are told the same at once write one event.

    Returns:
        The newest word in the ledger: another one where two people say two things at once.

    Raises:
        RequestNotLogged: the ledger holds no such request.
        LedgerError: it cannot be read, or refuses.
    """
    record = _request(ledger, told.request)
    if record.outcome == told.outcome:
        return record.outcome
    about = f"outcome:{told.request}:{record.outcomes}:{told.outcome}"
    log_once(ledger, EventType.RELEASE_OUTCOME, told, about)
    return _request(ledger, told.request).outcome


def _request(ledger: PartyLedger, request: str) -> RequestRecord:
    record = ledger.sync().releases.requests.get(request)
    if record is None:
        raise RequestNotLogged("the ledger does not show the request")
    return record
