"""What a lying hub makes of an approved order."""

from dataclasses import replace
from typing import Any, Final

from governance.canonical import parse_json
from governance.identity.envelope import Envelope, sign_bytes
from governance.release.models import APPROVAL, REQUEST, Member, Order
from tests.governance.world import World
from tests.soft_authenticator import PRESENT

FORGERIES: Final = (
    "more members", "fewer members", "adults", "another approval", "declined", "self-approved",
    "approval of another request", "by key file", "owner not verified", "another page",
    "another's assertion", "another root", "unwitnessed",
)  # fmt: skip
"""The last two change the order's checkpoint instead of the order."""


def forged(
    world: World, order: Order, how: str, *, stranger: Member, borrowed: Envelope | None
) -> Order:
    """An order that nobody approved.

    Args:
        world: whose keys sign.
        order: what was approved.
        how: one of ``FORGERIES``.
        stranger: somebody who is no member of the family.
        borrowed: the approval of another request.
    """
    honest = order.members.members
    members = {
        "more members": (*honest, stranger),
        "fewer members": honest[1:] or (stranger,),
        "adults": tuple(member.model_copy(update={"adult": not member.adult}) for member in honest),
    }
    if how in members:
        document = order.members.model_copy(update={"members": members[how]})
        return order.model_copy(update={"members": document})
    approvals: dict[str, dict[str, Any]] = {
        "another approval": {"reason": "another-one"},
        "declined": {"decision": "decline"},
        "self-approved": {"signer": world.manager},
    }
    if how in approvals:
        created = parse_json(order.approval.payload_bytes)["created"]
        approval = world.approval(order.request, created=created, **approvals[how])
        return order.model_copy(update={"approval": approval})
    if how == "approval of another request":
        return order.model_copy(update={"approval": borrowed})
    signed = _signed_otherwise(world, order.approval, how, borrowed)
    return order if signed is None else order.model_copy(update={"approval": signed})


def _signed_otherwise(
    world: World, approval: Envelope, how: str, borrowed: Envelope | None
) -> Envelope | None:
    """The very approval that was logged, with a signature that nobody made for it in person."""
    lead, payload = world.lead, approval.payload_bytes
    thumbprint, passkey = lead.keys.thumbprint, lead.authenticator
    assert passkey is not None
    if how == "by key file":
        signature = sign_bytes(APPROVAL, payload, lead.signing, thumbprint)
        return approval.model_copy(update={"signatures": (signature,)})
    if how == "owner not verified":
        return replace(passkey, flags=PRESENT).sign(APPROVAL, payload, thumbprint)
    if how == "another page":
        page = "https://console.elsewhere.example.org"
        return replace(passkey, origin=page).sign(APPROVAL, payload, thumbprint)
    if how == "another's assertion":
        moved = lead.sign(REQUEST, world.manager.keys) if borrowed is None else borrowed
        return approval.model_copy(update={"signatures": moved.signatures})
    return None
