"""Whether a request may go on to an information-governance lead.

Rules, in order: the agreement permits the release; it accepts how the request is signed; the family
has the members that the request names; no more choices of who is left out than a day takes; every
required permission is live.
"""

from datetime import datetime

from governance.agreements.models import Action
from governance.agreements.policy import permits
from governance.consent.rules import Approach, require_family_permission
from governance.errors import ReasonedError
from governance.identity.envelope import Envelope
from governance.ledger.state import LedgerState
from governance.release.errors import MembersChanged
from governance.release.models import Members
from governance.release.registry import read_request
from governance.release.tries import require_few_choices
from governance.release.verify import require_accepted_kind


def refusal_of(
    envelope: Envelope, document: Members, state: LedgerState, now: datetime
) -> ReasonedError | None:
    """Why a request is refused, or None.

    Args:
        envelope: the request, as the service manager signed it.
        document: the family's members as they are now.
        state: of the ledger.
        now: aware time.
    """
    request, requester = read_request(envelope, state.identities)
    try:
        agreement = permits(
            state.agreements.standing(request.agreement),
            party=requester.party,
            action=Action.RELEASE,
            purpose=request.purpose,
            now=now,
            items=request.items,
            recipient=requester.party,
        )
        require_accepted_kind(agreement, envelope)
        if document.digest != request.members:
            raise MembersChanged(
                "the family's members have changed since it was shown",
                next_step="look at the family again and make a new request",
            )
        require_few_choices(request, envelope.payload_hash, state.releases.requests)
        approach = Approach(agreement, request.purpose, request.items, requester.party, now)
        require_family_permission(document, request.without, state.consents, approach)
    except ReasonedError as refusal:
        return refusal
    return None
