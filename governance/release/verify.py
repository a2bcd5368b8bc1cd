"""What a partner checks before it releases anything; it fails closed.

Rules, in order:

1. The request is signed by an enrolled service manager, to that person's own keys (invariant 8).
2. The approval is signed by an enrolled IG lead who is another person (invariant 7), over the hash
   of the request's exact bytes (invariant 9), and says approve.
3. Both are in this party's own mirror, inside the order's witnessed checkpoint, and the approval's
   checkpoint lies on the same mirror (invariants 4 to 6).
4. The request lives, and this party has not answered it before (invariants 9 and 17).
5. The agreement is in force and permits the release (invariant 13), and request and approval are
   signed with what it accepts; that the approver works for one of its partners is a rule of replay.
6. The members are those that the request names (invariant 11).
7. Every required permission is live, by replay of this party's own mirror (invariants 2 and 3).
8. This party captured the consent of each record that it releases (invariant 10).

The order's checkpoint itself (signature, consistency, quorum, age) is verified by the mirror
before this runs. Rate limits, protected people and opt-outs are checked where the records are.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from governance.agreements.models import Action, Agreement, SignatureKind
from governance.agreements.policy import permits
from governance.canonical import b64, parse_time
from governance.consent.registry import Grant
from governance.consent.rules import Approach, require_family_permission
from governance.identity.envelope import Envelope
from governance.identity.models import PersonKeys
from governance.ledger.state import LedgerState
from governance.release.errors import (
    AlreadyReleased,
    CheckpointMismatch,
    MembersChanged,
    NotApproved,
    NothingToRelease,
    RequestExpired,
    RequestNotLogged,
    SignatureKindNotAccepted,
)
from governance.release.models import Approval, CheckpointRef, Order, RecordRef, Request
from governance.release.registry import RequestRecord, read_approval, read_request


@dataclass(frozen=True)
class Witnessed:
    """The order's checkpoint, after the mirror has verified it."""

    checkpoint: CheckpointRef
    root_at: Callable[[int], bytes]
    """Root of this party's own mirror at a size; raises when the mirror is shorter."""


@dataclass(frozen=True)
class VerifiedOrder:
    """What may be released: these items of these records, to this person."""

    order: Order
    request: Request
    request_hash: str
    recipient: PersonKeys
    agreement: Agreement
    checkpoint: CheckpointRef
    records: dict[RecordRef, Grant]


_KINDS: Final = {"ed25519": SignatureKind.KEY_FILE, "webauthn": SignatureKind.PASSKEY}


def require_accepted_kind(agreement: Agreement, envelope: Envelope) -> None:
    """Check that a request or an approval is signed with what its agreement accepts.

    Raises:
        SignatureKindNotAccepted: with the kinds that are.
    """
    _require_kinds(agreement, {_KINDS[one.scheme] for one in envelope.signatures})


def require_accepted_keys(agreement: Agreement, keys: PersonKeys) -> None:
    """Check that what a person would sign is signed with what an agreement accepts.

    Raises:
        SignatureKindNotAccepted: with the kinds that are.
    """
    own = SignatureKind.KEY_FILE if keys.passkey is None else SignatureKind.PASSKEY
    _require_kinds(agreement, {own})


def _require_kinds(agreement: Agreement, kinds: Collection[SignatureKind]) -> None:
    if not set(kinds) <= set(agreement.staff_signatures):
        accepted = " or ".join(kind.value for kind in agreement.staff_signatures)
        raise SignatureKindNotAccepted(
            f"agreement {agreement.id} takes requests and approvals signed by {accepted}",
            next_step="sign with that, or agree a version that accepts what you have",
        )


def verify_order(
    order: Order, *, party: str, state: LedgerState, witnessed: Witnessed, now: datetime
) -> VerifiedOrder:
    """Check an order against this party's own mirror.

    Raises:
        ReleaseRefusal, ConsentRefusal, AgreementRefusal, SignatureError, FormatError: by the first
            rule that fails.
    """
    request, requester = read_request(order.request, state.identities)
    request_hash = order.request.payload_hash
    approval, _ = read_approval(order.approval, state.identities, requester)
    if approval.request != request_hash or approval.decision != "approve":
        raise NotApproved("the approval is for another request, or declines this one")
    record = _logged(request_hash, approval, state, witnessed)
    if not parse_time(request.created) <= now < parse_time(request.expires):
        raise RequestExpired("the request's time is over", next_step="make a new request")
    if party in record.sealed_by:
        raise AlreadyReleased("this party has answered this request; a request is used once")
    agreement = permits(
        state.agreements.standing(request.agreement),
        party=party,
        action=Action.RELEASE,
        purpose=request.purpose,
        now=now,
        items=request.items,
        recipient=requester.party,
    )
    for envelope in (order.request, order.approval):
        require_accepted_kind(agreement, envelope)
    members = order.members
    named = (members.digest, members.family, members.agreement)
    if named != (request.members, request.family, request.agreement):
        raise MembersChanged(
            "the family's members are not those that were requested and approved",
            next_step="look at the family again and make a new request",
        )
    approach = Approach(agreement, request.purpose, request.items, requester.party, now)
    grants = require_family_permission(members, request.without, state.consents, approach)
    own = {ref: grant for ref, grant in grants.items() if grant.record.party == party}
    if not own:
        raise NothingToRelease("this party captured no consent for a record of this family")
    return VerifiedOrder(
        order, request, request_hash, requester, agreement, witnessed.checkpoint, own
    )


def _logged(
    request_hash: str, approval: Approval, state: LedgerState, witnessed: Witnessed
) -> RequestRecord:
    record = state.releases.requests.get(request_hash)
    if record is None or record.decision != approval or record.decision_index is None:
        raise RequestNotLogged("the request and its approval are not both in the ledger")
    if record.decision_index >= witnessed.checkpoint.size:
        raise RequestNotLogged("the approval is newer than the order's checkpoint")
    if b64(witnessed.root_at(approval.checkpoint.size)) != approval.checkpoint.root:
        raise CheckpointMismatch("the approver looked at another ledger than this party's mirror")
    return record
