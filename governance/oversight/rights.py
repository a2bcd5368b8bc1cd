"""Requests of data subjects and their deadlines.

Rules: days are UTC; a request is late from the day after it was due (UK GDPR Article 12(3)), also
once it was answered; who asks is not in the ledger, and nothing here tells it.
"""

from datetime import date

from governance.canonical import Frozen
from governance.oversight.state import Overseen
from governance.rights.models import RightsKind
from governance.rights.registry import RightsRequest


class RightsLine(Frozen):
    """A request of a data subject.

    Attributes:
        days_left: until it is due; below zero it is late; None once it was answered.
        unproven: parties that were told and have not confirmed.
        outcome: how it was answered; empty while it is open.
        days: from receipt to answer.
        late: whether it was answered late, or is.
    """

    id: str
    entry: int
    agreement: str
    party: str
    kind: RightsKind
    received: str
    due: str
    extended: bool
    carried_out: bool
    unproven: tuple[str, ...]
    outcome: str
    answered: str
    days: int | None
    days_left: int | None
    late: bool


def rights(state: Overseen, today: date, party: str | None = None) -> list[RightsLine]:
    """Open requests, the most urgent first, then those that were answered, the newest first."""
    lines = [
        _line(state, request, today)
        for request in state.rights.requests.values()
        if party in (None, request.opened.party)
    ]
    pending = sorted((line for line in lines if not line.outcome), key=lambda line: line.due)
    done = sorted((line for line in lines if line.outcome), key=lambda line: -line.entry)
    return pending + done


def _line(state: Overseen, request: RightsRequest, today: date) -> RightsLine:
    answered = state.chronicle.answered.get(request.id)
    left = (date.fromisoformat(request.due) - today).days
    return RightsLine(
        id=request.id,
        entry=state.chronicle.rights[request.id][0],
        agreement=request.opened.agreement,
        party=request.opened.party,
        kind=request.opened.kind,
        received=request.opened.received,
        due=request.due,
        extended=request.extended,
        carried_out=request.carried_out is not None,
        unproven=tuple(sorted(map(state.party, request.unproven))),
        outcome=request.closed.outcome if request.closed else "",
        answered=answered.time[:10] if answered else "",
        days=answered.days if answered else None,
        days_left=None if answered else left,
        late=answered.late if answered else left < 0,
    )
