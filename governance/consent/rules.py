"""Whose permission a family's approach needs (agreement: family_rule).

Rules, in order: members that the request leaves out are left out only if the agreement allows it,
and somebody remains; every other adult has a live grant of their own; every other child has a live
grant, the child's own or given with parental responsibility; a newest decision that is a refusal,
withdrawal or invalidation at any party blocks, whatever another party holds, and so does a decision
that was erased, whatever it was; an expired grant blocks unless another party holds a live one.

A grant counts only for the agreement, purpose, items and recipient that it names.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from governance.agreements.models import Agreement
from governance.consent.errors import (
    ConsentExpired,
    ConsentInvalidated,
    ConsentMissing,
    ConsentRefusal,
    ConsentRefused,
    ConsentWithdrawn,
    SubsetNotAllowed,
)
from governance.consent.models import Capacity, ConsentKind, ConsentState
from governance.consent.registry import ConsentRegistry, Erased, Grant
from governance.release.models import Member, Members, RecordRef

_BLOCKING: Final[dict[ConsentState, type[ConsentRefusal]]] = {
    ConsentState.REFUSED: ConsentRefused,
    ConsentState.WITHDRAWN: ConsentWithdrawn,
    ConsentState.INVALIDATED: ConsentInvalidated,
}


@dataclass(frozen=True)
class Approach:
    """What permission is asked for."""

    agreement: Agreement
    purpose: str
    items: tuple[str, ...]
    recipient: str  # party that would receive the items
    now: datetime


def covers(grant: Grant, approach: Approach) -> bool:
    """Whether a grant is live and names this agreement, purpose, items and recipient."""
    record = grant.record
    return (
        grant.permits(approach.now)
        and record.agreement == approach.agreement.hash
        and record.purpose == approach.purpose
        and set(approach.items) <= set(record.items)
        and approach.recipient in record.recipients
    )


def counts(member: Member, grant: Grant, approach: Approach) -> bool:
    """Whether a grant about a member's record covers an approach, by who may give it for them."""
    own = grant.record.capacity is Capacity.SELF
    return covers(grant, approach) and (own or not member.adult)


def require_family_permission(
    members: Members, without: Collection[str], consents: ConsentRegistry, approach: Approach
) -> dict[RecordRef, Grant]:
    """Check a family's permission.

    Returns:
        Each record whose own subject's grant covers the approach, with that grant.

    Raises:
        ConsentRefusal: by the first rule that fails.
        WithheldPayloadError: no permission can be read in this ledger.
    """
    require_subset(members, without, approach.agreement)
    found: dict[RecordRef, Grant] = {}
    for member in members.members:
        if member.person not in without:
            found |= _member_grants(member, consents, approach)
    return found


def require_subset(members: Members, without: Collection[str], agreement: Agreement) -> None:
    """Check that a request may leave these members out.

    Raises:
        SubsetNotAllowed: it may not.
    """
    known = {member.person for member in members.members}
    if not set(without) <= known or set(without) == known:
        raise SubsetNotAllowed("a request leaves out members of the family, and not all of them")
    if without and not agreement.family_rule.subset_allowed:
        raise SubsetNotAllowed("the agreement does not let a request leave members out")


def _member_grants(
    member: Member, consents: ConsentRegistry, approach: Approach
) -> dict[RecordRef, Grant]:
    newest = [
        (record, grant)
        for record in member.records
        if (grant := consents.current(record.party, record.handle, ConsentKind.APPROACH))
    ]
    states = {grant.state(approach.now) for _, grant in newest}
    for state, refusal in _BLOCKING.items():
        if state in states:
            raise refusal(
                "a member of the family has not agreed to be approached",
                next_step="leave the family alone; asking again is refused until they agree",
            )
    live = {
        record: grant
        for record, grant in newest
        if not isinstance(grant, Erased) and counts(member, grant, approach)
    }
    if live:
        return live
    if ConsentState.EXPIRED in states:
        raise ConsentExpired(
            "a member's agreement to be approached has expired",
            next_step="the partner that met the person may ask again",
        )
    raise ConsentMissing(
        "a member of the family was never asked, or not for this purpose, items and recipient",
        next_step="a partner that meets the person may ask; or ask without that member",
    )
