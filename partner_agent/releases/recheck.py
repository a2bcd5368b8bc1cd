"""Whether sealed items that waited here may still leave.

Rules, in order: the keys of requester and approver were not revoked; the request lives; the
agreement still permits the release; the permission of every member is still live, by replay of this
partner's own mirror as it is now; nothing that this partner's people decided about the members was
withdrawn here; none of this partner's records of them was blocked here. What cannot change between
sealing and sending (members, who captured what) was verified before.
"""

from collections.abc import Collection
from datetime import datetime

from governance.agreements.models import Action
from governance.agreements.policy import permits
from governance.canonical import parse_time
from governance.consent.rules import Approach, require_family_permission
from governance.ledger.state import LedgerState
from governance.release.errors import RequestExpired
from governance.release.models import Order, Request
from governance.release.registry import read_approval, read_request
from partner_agent.releases.errors import WithdrawnHere
from partner_agent.releases.local import own_grants
from partner_agent.rights.blocks import own_handles, require_none_blocked


def require_still_permitted(
    order: Order,
    *,
    party: str,
    state: LedgerState,
    withdrawn: Collection[str],
    now: datetime,
    blocked: Collection[str] = (),
) -> tuple[Request, Approach]:
    """Check an order that was answered with sealed items, before they leave.

    Returns:
        What was asked for, and the permission that it needs.

    Raises:
        ReleaseRefusal, ConsentRefusal, AgreementRefusal, SignatureError, LocalRefusal: by the
            first rule that fails.
    """
    request, requester = read_request(order.request, state.identities)
    read_approval(order.approval, state.identities, requester)
    if now >= parse_time(request.expires):
        raise RequestExpired("the request's time is over", next_step="make a new request")
    agreement = permits(
        state.agreements.standing(request.agreement),
        party=party,
        action=Action.RELEASE,
        purpose=request.purpose,
        now=now,
        items=request.items,
        recipient=requester.party,
    )
    approach = Approach(agreement, request.purpose, request.items, requester.party, now)
    require_family_permission(order.members, request.without, state.consents, approach)
    if own_grants(order, request.without, party, state.consents) & set(withdrawn):
        raise WithdrawnHere("a member of the family has withdrawn")
    require_none_blocked(own_handles(order, request.without, party), blocked)
    return request, approach
