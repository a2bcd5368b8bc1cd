"""What a lying hub makes of an approved order."""

from typing import Any, Final

from governance.canonical import parse_json
from governance.identity.envelope import Envelope
from governance.release.models import Member, Order
from tests.governance.world import World

FORGERIES: Final = (
    "more members", "fewer members", "adults", "another approval", "declined", "self-approved",
    "approval of another request", "another root", "unwitnessed",
)  # fmt: skip
"""The last two change the order's checkpoint instead of the order."""


def forged(world: World, order: Order, how: str, *, stranger: Member, borrowed: Envelope) -> Order:
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
    return order
